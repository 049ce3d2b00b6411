# %% [markdown]
# # Back-propagation through a gated network
#
# A gated recurrent unit (GRU) decides at every step how much of its state it keeps. For the inputs $x(1), \dots, x(T)$
# and from a start $h(0)$,
#
# $$ z(t) = \sigma\big(W_z\, h(t-1) + U_z\, x(t) + b_z\big) \tag{1} $$
#
# $$ r(t) = \sigma\big(W_r\, h(t-1) + U_r\, x(t) + b_r\big) \tag{2} $$
#
# $$ c(t) = \tanh\big(W_c\, (r(t) \circ h(t-1)) + U_c\, x(t) + b_c\big) \tag{3} $$
#
# $$ h(t) = (1 - z(t)) \circ h(t-1) + z(t) \circ c(t) \tag{4} $$
#
# where $\circ$ multiplies entry by entry and $\sigma(a) = 1 / (1 + e^{-a})$. The update gate $z$ mixes the old state
# with a candidate $c$; the reset gate $r$ says how much of the old state the candidate sees. If $z(t) = 0$, the state
# is handed on unchanged, however long: this is why such a network remembers.
#
# The outputs are $V h(t)$, and the loss is that of a regression:
#
# $$ J = \frac{1}{2T} \sum_{t=1}^{T} \big| V h(t) - y(t) \big|^2 \tag{5} $$
#
# You write the forward pass, the derivative of $J$ by each state, and from it the slopes of $J$ by the three recurrent
# matrices $W_z$, $W_r$ and $W_c$.

# %% setup
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GRU:
    """The parameters of a GRU with D inputs, H hidden states and K outputs.

    Wz, Wr and Wc (H, H) read the state before, Uz, Ur and Uc (H, D) the input; bz, br and bc (H,) are biases, and
    V (K, H) gives the output.
    """

    Wz: np.ndarray
    Wr: np.ndarray
    Wc: np.ndarray
    Uz: np.ndarray
    Ur: np.ndarray
    Uc: np.ndarray
    bz: np.ndarray
    br: np.ndarray
    bc: np.ndarray
    V: np.ndarray


def sigmoid(a):
    """Return 1 / (1 + exp(-a)), entry by entry."""
    return 1 / (1 + np.exp(-a))


# %% [markdown]
# ## Forward
#
# All states and gates are needed again on the way back, so the forward pass returns them: `h` has a row for every
# $h(0), \dots, h(T)$, and `z`, `r` and `c` have one for every step. Mind the index: `h[t]` is $h(t)$, and `z[t - 1]` is
# $z(t)$.


# %% solution="forward" starts="h=h0" points=2
def forward(gru, x, h0):
    """Return h (T+1, H), z, r and c (T, H) for x (T, D): equations (1) to (4)."""
    ### BEGIN SOLUTION
    h, z, r, c = [h0], [], [], []
    for t in range(len(x)):
        z.append(sigmoid(gru.Wz @ h[t] + gru.Uz @ x[t] + gru.bz))
        r.append(sigmoid(gru.Wr @ h[t] + gru.Ur @ x[t] + gru.br))
        c.append(np.tanh(gru.Wc @ (r[t] * h[t]) + gru.Uc @ x[t] + gru.bc))
        h.append((1 - z[t]) * h[t] + z[t] * c[t])
    h, z, r, c = np.array(h), np.array(z), np.array(r), np.array(c)
    return h, z, r, c
    ### END SOLUTION


# %% hints="forward"
# 1. Which of the four lines needs which other one first?
# 2. The candidate sees the state through the reset gate: what is multiplied with what before the matrix?

# %% [markdown]
# ## Back through time
#
# Let $\delta(t) = dJ/dh(t)$ be a row of length $H$: how much $J$ changes with the state of step $t$, by every way there
# is. There are two. The state gives the output of its own step, and it is handed on to the next one:
#
# $$ \delta(t) = \frac{1}{T} \big(V h(t) - y(t)\big)^\top V + \delta(t+1)\, \frac{dh(t+1)}{dh(t)}, \qquad
#    \delta(T + 1) = 0 \tag{6} $$
#
# By equation (4), $h(t)$ goes into $h(t+1)$ in four ways: as it is, and inside of $z$, $r$ and $c$. We follow each back
# to what stands inside of the activation, and write $t$ for $t + 1$ from here on. With
#
# $$ \alpha_z(t) = \delta(t) \circ \big(c(t) - h(t-1)\big) \circ z(t) \circ (1 - z(t)) \tag{7} $$
#
# $$ \alpha_c(t) = \delta(t) \circ z(t) \circ \big(1 - c(t)^2\big) \tag{8} $$
#
# $$ \alpha_r(t) = \big(\alpha_c(t)\, W_c\big) \circ h(t-1) \circ r(t) \circ (1 - r(t)) \tag{9} $$
#
# the four ways add up to
#
# $$ \delta(t)\, \frac{dh(t)}{dh(t-1)} = \delta(t) \circ (1 - z(t)) + \alpha_z(t)\, W_z + \alpha_r(t)\, W_r
#    + \big(\alpha_c(t)\, W_c\big) \circ r(t) \tag{10} $$
#
# Look at the first term: where the gate is closed, $\delta$ is handed back unchanged, whatever the matrices are. In a
# network without gates there is no such term, and gradients fade.


# %% solution="dJ_dh" points=3
def dJ_dh(gru, y, h, z, r, c):
    """Return delta (T, H), with delta(t) in row t - 1: equations (6) and (10)."""
    ### BEGIN SOLUTION
    T = len(y)
    delta, later = np.zeros((T, h.shape[1])), 0
    for t in range(T, 0, -1):
        d = (gru.V @ h[t] - y[t - 1]) @ gru.V / T + later
        a_z = d * (c[t - 1] - h[t - 1]) * z[t - 1] * (1 - z[t - 1])
        a_c = d * z[t - 1] * (1 - c[t - 1] ** 2)
        a_r = (a_c @ gru.Wc) * h[t - 1] * r[t - 1] * (1 - r[t - 1])
        later = d * (1 - z[t - 1]) + a_z @ gru.Wz + a_r @ gru.Wr + (a_c @ gru.Wc) * r[t - 1]
        delta[t - 1] = d
    return delta
    ### END SOLUTION


# %% hints="dJ_dh"
# 1. In which direction must the loop go, and what does one round leave for the next?
# 2. What is left for later is not what is added to it: the loss of a step counts once.

# %% [markdown]
# ## Three slopes
#
# The same matrix is used at every step, so the slopes of all steps add up. Inside of the gate, $W_z$ is multiplied with
# $h(t-1)$, and so is $W_r$; what $W_c$ is multiplied with stands in equation (3):
#
# $$ \frac{dJ}{dW_z} = \sum_{t=1}^{T} \alpha_z(t)^\top h(t-1)^\top \tag{11} $$
#
# $$ \frac{dJ}{dW_r} = \sum_{t=1}^{T} \alpha_r(t)^\top h(t-1)^\top \tag{12} $$
#
# $$ \frac{dJ}{dW_c} = \sum_{t=1}^{T} \alpha_c(t)^\top \big(r(t) \circ h(t-1)\big)^\top \tag{13} $$
#
# Each summand is the outer product of two vectors of length $H$. In these three functions $\delta$ is handed in: a
# wrong `dJ_dh` costs nothing here.


# %% solution="dJ_dWz" slope_of="gru.Wz" points=1.5
def dJ_dWz(h, z, c, delta):
    """Return dJ/dWz (H, H): equations (7) and (11)."""
    ### BEGIN SOLUTION
    a_z = delta * (c - h[:-1]) * z * (1 - z)
    return a_z.T @ h[:-1]
    ### END SOLUTION


# %% solution="dJ_dWr" slope_of="gru.Wr" points=1.5
def dJ_dWr(gru, h, z, r, c, delta):
    """Return dJ/dWr (H, H): equations (8), (9) and (12)."""
    ### BEGIN SOLUTION
    a_c = delta * z * (1 - c**2)
    a_r = (a_c @ gru.Wc) * h[:-1] * r * (1 - r)
    return a_r.T @ h[:-1]
    ### END SOLUTION


# %% solution="dJ_dWc" slope_of="gru.Wc" points=1.5
def dJ_dWc(h, z, r, c, delta):
    """Return dJ/dWc (H, H): equations (8) and (13)."""
    ### BEGIN SOLUTION
    a_c = delta * z * (1 - c**2)
    return a_c.T @ (r * h[:-1])
    ### END SOLUTION


# %% hints="dJ_dWc"
# 1. What is the matrix multiplied with in equation (3)?
# 2. A sum of outer products is one product of two matrices.

# %% teacher
from autograder.exercise.teacher import mistake


def case(rng, T, D, H, K):
    W, U, b = ([rng.normal(size=(H, *n)) for _ in range(3)] for n in ((H,), (D,), ()))
    gru = GRU(*W, *U, *b, V=rng.normal(size=(K, H)))
    x, y, h0 = rng.normal(size=(T, D)), rng.normal(size=(T, K)), rng.normal(size=H)
    h, z, r, c = forward(gru, x, h0)
    return dict(gru=gru, x=x, y=y, h0=h0, h=h, z=z, r=r, c=c, delta=dJ_dh(gru, y, h, z, r, c))


def objective(gru, x, y, h0):
    h, *_ = forward(gru, x, h0)
    return np.sum((h[1:] @ gru.V.T - y) ** 2) / (2 * len(y))


SIZES = [dict(T=1, D=1, H=1, K=1), dict(T=2, D=1, H=2, K=1), dict(T=4, D=2, H=3, K=1), dict(T=8, D=2, H=4, K=3)]

MISTAKES = [
    mistake(
        "forward",
        "gates_swapped",
        "Which gate opens for the new?",
        replace="(1 - z[t]) * h[t] + z[t] * c[t]",
        by="z[t] * h[t] + (1 - z[t]) * c[t]",
    ),
    mistake(
        "forward",
        "reset_after_the_matrix",
        "What does the reset gate act on?",
        replace="gru.Wc @ (r[t] * h[t])",
        by="r[t] * (gru.Wc @ h[t])",
    ),
    mistake(
        "forward",
        "reset_forgotten",
        "How much of the state does the candidate see?",
        replace="(r[t] * h[t])",
        by="h[t]",
    ),
    mistake("dJ_dh", "own_step_only", "Who else feels this state?", replace=" + later\n", by="\n"),
    mistake(
        "dJ_dh",
        "kept_state_forgotten",
        "What does a closed gate hand back?",
        replace="d * (1 - z[t - 1]) + a_z",
        by="a_z",
    ),
    mistake("dJ_dh", "reset_gate_forgotten", "In how many ways does a state go on?", replace=" + a_r @ gru.Wr", by=""),
    mistake("dJ_dh", "mean_forgotten", "Is J a sum or a mean?", replace=" / T", by=""),
    mistake(
        "dJ_dh",
        "transposed_on_the_way_back",
        "Is it a row or a column that comes back?",
        replace="a_z @ gru.Wz",
        by="gru.Wz @ a_z",
    ),
    mistake("dJ_dWz", "old_state_forgotten", "What is lost where the gate opens?", replace="(c - h[:-1])", by="c"),
    mistake("dJ_dWz", "state_after_the_step", "What does the gate read?", replace="a_z.T @ h[:-1]", by="a_z.T @ h[1:]"),
    mistake(
        "dJ_dWr",
        "chain_through_the_candidate_forgotten",
        "What stands between r and c?",
        replace="(a_c @ gru.Wc)",
        by="a_c",
    ),
    mistake("dJ_dWr", "slope_of_the_gate_forgotten", "Is the gate a straight line?", replace=" * r * (1 - r)", by=""),
    mistake("dJ_dWc", "reset_forgotten", "What is the matrix multiplied with?", replace="(r * h[:-1])", by="h[:-1]"),
    mistake("dJ_dWc", "slope_of_tanh_forgotten", "What is the slope of tanh?", replace=" * (1 - c**2)", by=""),
]
