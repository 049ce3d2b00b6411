# %% [markdown]
# # Back-propagation through time
#
# A recurrent network reads a sequence step by step and carries what it has read so far in its hidden state. It learns
# like every other network, by following the gradient of its loss downhill. Here you derive that gradient with nothing
# but the chain rule, and then program it. You will write four functions:
#
# | function | what it computes | where | time (estimate) |
# |:--|:--|:--|:--|
# | `forward` | all hidden states and outputs | exercise 1 | 20 minutes |
# | `dJ_dV` | the gradient of the loss with respect to $V$ | exercise 2 | 30 minutes |
# | `dJ_dW` | with respect to $W$: back-propagation through time | exercise 3 | 90 minutes |
# | `dJ_dU` | with respect to $U$ | exercise 4 | 15 minutes |
#
# Each is about ten lines long. Most of the thinking is done on paper before you type, so have a pen ready. The times
# are estimates, not measurements, so do not worry if you need longer. At the end, your gradients train networks that
# remember.
#
# **What you should know:** the chain rule for functions of several variables, how to multiply matrices, and enough
# numpy to write a loop, index the rows of an array and use `@` and `np.outer`. You need not have seen a recurrent
# network before.
#
# ### How to work with this notebook
#
# - Run the cells from the top (Shift+Enter), beginning with the set-up cell below.
# - Each exercise has one cell for you: write your code in place of the line `raise NotImplementedError(...)`.
# - The cell after it, such as `check("forward")`, tells you at once whether your function is right and, if not, where
#   to look. Run it as often as you like. `progress()` shows how far you are.
# - A message names the smallest case that fails. `check("dJ_dW", T=3, H=2, seed=0)` in a cell of your own shows such a
#   case in full. To work on it yourself, `net, x, y, h, y_hat = case("dJ_dW", T=3, H=2, seed=0)` gives you its
#   arguments as variables, and `expected("dJ_dW", T=3, H=2, seed=0)` the right result.
# - If you are stuck, `hint("dJ_dW")` gives you a hint, and a more specific one each time, up to three.
# - Each function is checked by itself, with everything it needs passed in. So a slip in one exercise does no harm in
#   the others, and you may skip one and come back to it.
# - Keep the names and the arguments of the four functions. Helper functions and cells of your own are welcome.
# - Experiments are fine, too. Before you hand in, shorten or delete cells of your own that take long to run: grading
#   runs every cell, and allows a few seconds for each. It draws no plots.
# - Your functions must return new `float64` arrays, leave their arguments unchanged, and give the same result whenever
#   they are called with the same arguments. Plain loops over $t$ are fine: clarity matters more than speed.
# - A check stops a function that does not return within a few seconds. To stop any cell yourself, choose
#   *Kernel > Interrupt*.
#
# If you prefer an editor, `rnn_backprop.py` beside this notebook holds the same four stubs, and `pytest` runs the
# same checks. Work in one of the two.

# %% setup
import numpy as np

try:
    import checks
    import network
except ModuleNotFoundError as missing:
    import importlib
    import zipfile
    from pathlib import Path

    if not Path("rnn_backprop_files.zip").exists():
        raise ModuleNotFoundError(
            f"{missing.name}.py is not beside this file: put all files of the exercise "
            "into one folder (in Colab: the folder icon on the left, then upload "
            "rnn_backprop_files.zip) and run this cell again."
        ) from None
    zipfile.ZipFile("rnn_backprop_files.zip").extractall()
    importlib.invalidate_caches()

from checks import case, check, expected, hint, progress, slope
from network import RNN, Activation, Loss, mean_loss

# %% [markdown]
# ## 1. The network
#
# At every step $t = 1, \dots, T$ the network mixes its previous state with the new input and makes an output from the
# result. The loss measures how far this output is from the target:
#
# $$ h(t) = g_1\bigl(W\,h(t-1) + U\,x(t) + b_h\bigr) \tag{1} $$
#
# $$ \hat y(t) = g_2\bigl(V\,h(t) + b_y\bigr) \tag{2} $$
#
# $$ J = \frac{1}{T}\sum_{t=1}^{T} J(t), \quad J(t) = L\bigl(\hat y(t),\, y(t)\bigr) \tag{3} $$
#
# | symbol | shape | what it is | in the code |
# |:--|:--|:--|:--|
# | $x(t)$ | (D,) | the input of step $t$ | `x[t-1]`, a row of `x`, which is (T, D) |
# | $h(t)$ | (H,) | the hidden state after step $t$ | `h[t]`, a row of `h`, which is (T+1, H) |
# | $h(0)$ | (H,) | the state before the first step, given | `h0`, and `h[0]` |
# | $\hat y(t)$ | (K,) | the output of step $t$ | `y_hat[t-1]`, a row of `y_hat`, which is (T, K) |
# | $y(t)$ | (K,) | the target of step $t$ | `y[t-1]`, a row of `y`, which is (T, K) |
# | $U$ | (H, D) | reads the input | `net.U` |
# | $W$ | (H, H) | reads the previous state | `net.W` |
# | $V$ | (K, H) | makes the output | `net.V` |
# | $b_h$, $b_y$ | (H,), (K,) | biases | `net.b_h`, `net.b_y` |
# | $g_1$, $g_2$ | (n,) to (n,) | activations: tanh, softmax, ... | `net.g1.function`, `net.g2.function` |
# | $L$ | a number | the loss of one step | `net.loss.function` |
# | $J$ | a number | the loss of the whole sequence | `mean_loss(net, y_hat, y)` |
#
# The activations and the loss are left open on purpose. What you write must work for all of them, so use nothing but
# what `net` provides. All of them work on *one* time step: give them one row, not a whole sequence.
#
# $U$, $W$ and $V$ are the same at every step. That is what makes the network recurrent, and its derivative
# interesting.
# %% [markdown]
# ### Where step $t$ lives in the arrays
#
# In the formulas steps are counted from 1, in numpy from 0, and `h` has one row more than the others because it
# begins with $h(0)$. So $h(t)$ is `h[t]`, but $x(t)$ is `x[t-1]`, and the same holds for `y_hat` and `y`:
#
# ![The network unrolled over four steps. A chain of states h(0), h(1), h(2), h(3), h(4), each joined to the next by
# an arrow marked W. An arrow marked U comes up from x(t) into h(t), and an arrow marked V goes up from h(t) to
# y-hat(t), from t = 1 on. Below, the rows of the arrays stand under the steps that they belong to: the five rows of
# h, counted from 0, begin under h(0), and the four rows of x, y_hat and y, counted from 0 too, begin under
# h(1).](figures/unrolled.png)
#
# ### The circled plus
#
# You may know equation (1) from a lecture or a drawing where the two streams meet in a circled plus,
# $W\,h(t-1) \oplus U\,x(t)$. It is just the elementwise sum of two vectors of shape $(H,)$. Equivalently, one can stack
# the previous state on the input and put the two matrices side by side:
#
# $$ W\,h(t-1) + U\,x(t) = \begin{bmatrix} W & U \end{bmatrix} \begin{bmatrix} h(t-1) \\ x(t) \end{bmatrix} \tag{4} $$
#
# So a recurrent layer is an ordinary layer whose input is the pair $[h(t-1);\, x(t)]$, and $W$ and $U$ are two blocks
# of one matrix. That is why their gradients look so much alike.
#
# ### See it move
#
# The cell below draws the states of a random network that gets one input, at step 1, and none after that. For how long
# can you tell that there was an input? That depends on the *spectral radius* of $W$, as section 7 explains. Change it,
# and the activation, and run the cell again.
# %%
from learning import draw_states

# g1 may be "tanh", "sigmoid", "relu" or "identity"; try a radius of 0.5, 0.9, 1.1 and 1.5.
draw_states(g1="tanh", radius=0.9)

# %% [markdown]
# ### Exercise 1: `forward`
#
# Program equations (1) and (2). Begin with $h(0)$ and go through the steps in order.


# %% solution="forward"
def forward(net, x, h0):
    """The forward pass: equations (1) and (2) for t = 1, ..., T.

    net   the network, with net.U (H, D), net.W (H, H), net.V (K, H),
          net.b_h (H,), net.b_y (K,), net.g1.function and net.g2.function
    x     the inputs (T, D), where x[t-1] is x(t)
    h0    the state before the first step, h(0), of shape (H,)

    Returns two arrays, h and y_hat, in this order:
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    ### BEGIN SOLUTION
    h, y_hat = [h0], []
    for t in range(1, len(x) + 1):
        h.append(net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[t] + net.b_y))
    return np.array(h), np.array(y_hat)
    ### END SOLUTION


# %% hints="forward"
# 1. Write equation (1) for t = 1 with numpy's names: which row of `x` is x(1), and which row of `h` is h(0)?
# 2. The result `h` has one row more than `x`, because it begins with h0. Each new row needs the one before it, so
#    begin with h0 and go forward.
# 3. `net.g1.function` and `net.g2.function` take one step, an array with one axis. Apply the first to W h(t-1) + U
#    x(t) + b_h, and the second to V h(t) + b_y, for each t in turn.

# %% check="forward"
# check("forward")

# %% [markdown]
# ## 2. Tools for the chain rule
#
# With three conventions, the chain rule becomes a product of matrices.
#
# **Shapes.** Vectors such as $h(t)$ are columns. The derivative of a number with respect to a vector is a *row*,
# $1 \times n$. The derivative of a vector $u$ with respect to a vector $v$ is a matrix, the *Jacobian*, with one row
# for each entry of $u$ and one column for each entry of $v$:
# $\bigl[\tfrac{\partial u}{\partial v}\bigr]_{ij} = \partial u_i / \partial v_j$. Then the chain rule reads from left
# to right, from the loss back to the cause, and neighbouring shapes fit. The derivative of a number with respect to a
# matrix has the shape of that matrix: one slope for each weight.
#
# **Straight and curly.** $\dfrac{d h(3)}{d W}$ counts every way in which $W$ acts on $h(3)$.
# $\dfrac{\partial h(3)}{\partial W}$ counts only the $W$ that is written in equation (1) for $t = 3$, with $h(2)$
# held fixed. We call it the *immediate* partial derivative. Much depends on this difference. (The derivative of a
# vector with respect to a matrix has three axes, here $H \times (H \times H)$: one slope for each state and each
# weight. You will never have to form it: see "one trick" below.)
#
# **Names for what is given.** The slopes of the loss and of the activations are given, one step at a time. With
# $a_1(t) = W h(t-1) + U x(t) + b_h$ and $a_2(t) = V h(t) + b_y$ for what goes into the activations:
#
# | symbol | what it is | shape | in the code |
# |:--|:--|:--|:--|
# | $\ell(t)$ | $\tfrac{d J(t)}{d \hat y(t)}$ | 1 &times; K | `net.loss.gradient`, of $\hat y(t)$ and $y(t)$ |
# | $G_2(t)$ | $\tfrac{\partial \hat y(t)}{\partial a_2(t)}$ | K &times; K | `net.g2.jacobian`, of $\hat y(t)$ |
# | $G_1(t)$ | $\tfrac{\partial h(t)}{\partial a_1(t)}$ | H &times; H | `net.g1.jacobian`, of $h(t)$ |
#
# A `jacobian` takes the *output* of its activation, which you have. For tanh, say, the slope is
# $1 - \tanh(a)^2 = 1 - \text{out}^2$, so there is no need to keep what went in.
#
# ### Two links and one trick
#
# By equations (1) and (2), one step has two links through which a slope can travel:
#
# $$ \begin{aligned}
# \frac{\partial \hat y(t)}{\partial h(t)} &= G_2(t)\,V && (K \times H) \\
# \frac{\partial h(t)}{\partial h(t-1)} &= G_1(t)\,W && (H \times H)
# \end{aligned} \tag{5} $$
#
# At the end of each chain there is a weight matrix. Say that $a = W v$, and that we already know the row $r = dJ/da$.
# The weight $W_{ij}$ affects $a_i$ alone, with the slope $v_j$. So $dJ/dW_{ij} = r_i\,v_j$, which is a column times a
# row, the *outer product*:
#
# $$ \frac{d J}{d W} = r^\top v^\top \tag{6} $$
#
# This is the trick: the row $r$ and the derivative $\partial a / \partial W$ with its three axes always occur together,
# and their product is an ordinary outer product. Wherever a formula below ends in $\partial h(k) / \partial W$,
# equation (6) takes care of it.
#
# **In numpy**, arrays with one axis are neither rows nor columns. A row times a matrix, $r M$, is `r @ M`, or just as
# well `M.T @ r`. A column times a row, $r^\top v^\top$, is `np.outer(r, v)`. Take care not to mix up `M @ r` and
# `r @ M`: the two agree for a symmetric matrix, and the Jacobians of the checks are not always symmetric.

# %% [markdown]
# ## 3. The gradient with respect to $V$
#
# Where does $V$ act on the loss of step $t$? In equation (2), which makes $\hat y(t)$, and nowhere else: no hidden
# state ever depends on $V$, so nothing of it travels through time. **The current step is all we need:**
#
# $$ \begin{aligned}
# \frac{d J}{d V} &= \frac{1}{T} \sum_{t=1}^{T} \frac{d J(t)}{d V} \\
# \frac{d J(t)}{d V} &= \frac{d J(t)}{d \hat y(t)} \cdot \frac{\partial \hat y(t)}{\partial V}
# \end{aligned} \tag{7} $$
#
# Call $e(t)$ the slope of the loss with respect to $a_2(t)$, what goes into the activation of the output. With the
# outer product (6):
#
# $$ \begin{aligned}
# e(t) &= \ell(t)\,G_2(t) && (1 \times K) \\
# \frac{d J(t)}{d V} &= e(t)^\top\, h(t)^\top && (K \times H)
# \end{aligned} \tag{8} $$
#
# For softmax with cross-entropy you may remember $e(t) = (\hat y(t) - y(t))^\top$. This is what equation (8) gives *for
# this pair, and for targets that sum to one*. Otherwise it gives something else, so compute what the formula says.
#
# ### Exercise 2: `dJ_dV`
#
# From here on `h` and `y_hat` are passed in, as a right forward pass computes them. Do not forget the $1/T$.


# %% solution="dJ_dV"
def dJ_dV(net, x, y, h, y_hat):
    """The gradient dJ/dV, of shape (K, H): equations (7) and (8).

    net   the network, with net.loss.gradient and net.g2.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    ### BEGIN SOLUTION
    T = len(x)
    dV = np.zeros_like(net.V)
    for t in range(1, T + 1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        dV += np.outer(e, h[t]) / T
    return dV
    ### END SOLUTION


# %% hints="dJ_dV"
# 1. V acts on the loss of step t in equation (2) only. So what does a single step contribute, and how do the steps
#    go together to J?
# 2. Equation (8) has two parts: e(t), made of the slope of the loss and the Jacobian of g2, and the state that V
#    was multiplied by. Check the shape of each.
# 3. e(t) is a row times a matrix, in this order. The contribution of step t is an outer product of shape (K, H),
#    and J is a mean over the steps.

# %% check="dJ_dV"
# check("dJ_dV")

# %% [markdown]
# ## 4. The gradient with respect to $W$, worked out for $t = 3$
#
# $W$ is a different matter. It was used to compute $h(3)$, but also to compute $h(2)$, which went into $h(3)$, and
# before that $h(1)$. Change one weight of $W$ a little, and the loss of step 3 changes in three ways:
#
# ![The chain h(0), h(1), h(2), h(3), y-hat(3), J(3), and below it three paths from W to J(3), with one factor written
# on each piece. The first path, k=3, enters at h(3) by the immediate partial of h(3), and goes on to y-hat(3) and
# J(3). The second, k=2, enters at h(2) by the immediate partial of h(2), and takes the Jacobian of h(3) by h(2)
# before the same last two pieces. The third, k=1, enters at h(1), and takes the Jacobians of h(2) by h(1) and of h(3)
# by h(2) before these.](figures/paths.png)
#
# Now in formulas. Equation (1) for $t = 3$ contains $W$ twice, openly and inside $h(2)$. The chain rule has a term for
# each, and we go on in the same way until we reach $h(0)$, which is given and depends on nothing:
#
# $$ \begin{aligned}
# \frac{d h(3)}{d W} &= \frac{\partial h(3)}{\partial W} + \frac{\partial h(3)}{\partial h(2)} \frac{d h(2)}{d W} \\
# \frac{d h(2)}{d W} &= \frac{\partial h(2)}{\partial W} + \frac{\partial h(2)}{\partial h(1)} \frac{d h(1)}{d W} \\
# \frac{d h(1)}{d W} &= \frac{\partial h(1)}{\partial W}
# \end{aligned} \tag{9} $$
#
# Substitute the lower lines into the upper ones. The loss of step 3 depends on $h(3)$ through $\hat y(3)$ only, so
#
# $$ \begin{aligned}
# & \frac{d J(3)}{d W} = \frac{d J(3)}{d \hat y(3)} \cdot \frac{\partial \hat y(3)}{\partial h(3)} \cdot \Bigl[ \\
# & \quad \frac{\partial h(3)}{\partial W} && k = 3 \\
# & \; + \frac{\partial h(3)}{\partial h(2)} \cdot \frac{\partial h(2)}{\partial W} && k = 2 \\
# & \; + \frac{\partial h(3)}{\partial h(2)} \cdot \frac{\partial h(2)}{\partial h(1)} \cdot
#    \frac{\partial h(1)}{\partial W} \;\Bigr] && k = 1
# \end{aligned} \tag{10} $$
#
# Three terms for three paths. In matrices, with the links (5), the outer product (6), and the row
# $e(3)\,V = \ell(3)\,G_2(3)\,V$ that all three share, line by line for $k = 3$, $2$ and $1$:
#
# $$ \begin{aligned}
# & \frac{d J(3)}{d W} = \bigl[ e(3)\,V\,G_1(3) \bigr]^\top h(2)^\top \\
# & \; + \bigl[ e(3)\,V\,G_1(3)\,W\,G_1(2) \bigr]^\top h(1)^\top \\
# & \; + \bigl[ e(3)\,V\,G_1(3)\,W\,G_1(2)\,W \\
# & \qquad\qquad G_1(1) \bigr]^\top h(0)^\top
# \end{aligned} \tag{11} $$
#
# Read a line from left to right and you walk from the loss back in time: out of the output, one factor $G_1 W$ for
# each step back, then through the activation of step $k$ to what $W$ was multiplied by there, $h(k-1)$. The bracket
# is the $r$ of equation (6), a row $1 \times H$, and $h(k-1)$ is its $v$, so every line is $H \times H$, like $W$.
#
# **The same for $U$.** Nothing changes on the way back. Only its end is different: there we need what $U$ was
# multiplied by at step $k$, and that is $x(k)$:
#
# $$ \begin{aligned}
# & \frac{d J(3)}{d U} = \frac{d J(3)}{d \hat y(3)} \cdot \frac{\partial \hat y(3)}{\partial h(3)} \cdot \Bigl[ \\
# & \quad \frac{\partial h(3)}{\partial U} && k = 3 \\
# & \; + \frac{\partial h(3)}{\partial h(2)} \cdot \frac{\partial h(2)}{\partial U} && k = 2 \\
# & \; + \frac{\partial h(3)}{\partial h(2)} \cdot \frac{\partial h(2)}{\partial h(1)} \cdot
#    \frac{\partial h(1)}{\partial U} \;\Bigr] && k = 1
# \end{aligned} \tag{12} $$
#
# $$ \begin{aligned}
# & \frac{d J(3)}{d U} = \bigl[ e(3)\,V\,G_1(3) \bigr]^\top x(3)^\top \\
# & \; + \bigl[ e(3)\,V\,G_1(3)\,W\,G_1(2) \bigr]^\top x(2)^\top \\
# & \; + \bigl[ e(3)\,V\,G_1(3)\,W\,G_1(2)\,W \\
# & \qquad\qquad G_1(1) \bigr]^\top x(1)^\top
# \end{aligned} \tag{13} $$
#
# Each line is $H \times D$, like $U$. Now is a good time to close the notebook, take a pen, and write down the case
# $t = 2$ from memory.

# %% [markdown]
# ## 5. The general sum
#
# There is nothing special about $t = 3$. There is one term for each step $k$ at which the weights came in, and between
# $k$ and $t$ one Jacobian for each step back:
#
# $$ \begin{aligned}
# & \frac{d J(t)}{d W} = \sum_{k=1}^{t}\;
#    \underbrace{\frac{d J(t)}{d \hat y(t)}}_{1 \times K}\;
#    \underbrace{\frac{\partial \hat y(t)}{\partial h(t)}}_{K \times H} \\
# & \quad \cdot \underbrace{\Bigl(\, \prod_{j=k+1}^{t} \frac{\partial h(j)}{\partial h(j-1)} \Bigr)}_{H \times H} \cdot
#    \underbrace{\frac{\partial h(k)}{\partial W}}_{H \times (H \times H)}
# \end{aligned} \tag{14} $$
#
# and for $U$ the same with $\partial h(k)/\partial U$ at the end. The last factor has three axes and need never be
# formed: the row before it and the outer product (6) are all it takes. What people stumble over:
#
# - **$\partial h(k)/\partial W$ is the immediate partial: $h(k-1)$ is held fixed.** That $h(k-1)$ depends on $W$, too,
#   is what the terms with smaller $k$ are for. With the full $d h(k)/d W$ in its place, the early steps would count
#   twice. Try it with plain numbers: without input, bias and activation, $h(1) = w\,h(0)$ and
#   $h(2) = w\,h(1) = w^2\,h(0)$, whose slope is $2\,w\,h(0)$. In the sum with immediate partials, $k = 2$ gives
#   $h(1) = w\,h(0)$ and $k = 1$ gives $w \cdot h(0)$, together $2\,w\,h(0)$: right. With the full derivative, $k = 2$
#   alone gives $2\,w\,h(0)$, and the sum is $3\,w\,h(0)$: wrong.
# - **The order of the product: the latest factor stands on the left.** Matrices do not commute, so the product sign
#   needs a convention:
#
# $$ \begin{aligned}
# & \prod_{j=k+1}^{t} \frac{\partial h(j)}{\partial h(j-1)} \\
# & \; = \frac{\partial h(t)}{\partial h(t-1)} \cdots
#    \frac{\partial h(k+1)}{\partial h(k)} \\
# & \; = G_1(t)\,W\, \cdots\, G_1(k+1)\,W
# \end{aligned} \tag{15} $$
#
# - **The empty product is the identity.** For $k = t$ there is no step to go back, and the product is $I$, not 0. The
#   term with $k = t$ is the one you would have written for an ordinary network.
# - **The sum begins with $k = 1$, and yet $h(0)$ counts:** in the term $k = 1$ it is what $W$ was multiplied by.
#   There is no term $k = 0$, since $h(0)$ was not computed with $W$.
# - **This is the slope of one step's loss.** For $J$, take the mean over all $t$: two sums, one inside the other, and
#   one factor $1/T$.

# %% [markdown]
# ## 6. Back-propagation through time
#
# Nobody computes the double sum as it stands. It has $T(T+1)/2$ terms, and they share nearly all their factors: the
# way from step 7 back to step 2 and the way from step 6 back to step 2 are the same but for one step. So let the paths
# share. Collect the terms by $k$, the step at which the weights came in, instead of by $t$, the step of the loss:
#
# $$ \begin{aligned}
# & \frac{d J}{d W} = \sum_{k=1}^{T}\; \delta(k) \cdot \frac{\partial h(k)}{\partial W}, \\
# & \delta(k) = \frac{1}{T} \sum_{t=k}^{T}\,
#    \frac{d J(t)}{d \hat y(t)} \cdot \frac{\partial \hat y(t)}{\partial h(t)} \\
# & \quad \cdot \prod_{j=k+1}^{t} \frac{\partial h(j)}{\partial h(j-1)}
# \end{aligned} \tag{16} $$
#
# The row $\delta(k)$, $1 \times H$, has a meaning: it is $d J / d h(k)$, how much the whole loss $J$ changes when the
# state $h(k)$ is nudged. A nudge of $h(t)$ can reach the loss in just two ways. It acts *now*, through the output
# $\hat y(t)$, and it acts *later*, through the next state $h(t+1)$, which is what $\delta(t+1)$ is about. So, for
# $t = T,\, T-1,\, \dots,\, 1$:
#
# $$ \delta(t) = \underbrace{\frac{1}{T}\, e(t)\,V}_{\text{now}} +
#    \underbrace{\delta(t+1)\,G_1(t+1)\,W}_{\text{later}} \tag{17} $$
#
# with $e(t)$ of equation (8), and with $\delta(T+1) = 0$ to begin with, because at $t = T$ there is no later. Equation
# (16) says the same: in its sum over $t$, the term $t = k$ has the empty product and is the first summand. In all other
# terms the factor on the far right is $\partial h(k+1)/\partial h(k)$; take it out, and $\delta(k+1)$ is left. Now the
# outer product (6), with the row $r = \delta(t)\,G_1(t)$ and the column $v = h(t-1)$, turns the gradient into a single
# sum:
#
# $$ \frac{d J}{d W} = \sum_{t=1}^{T} \bigl[\, \delta(t)\,G_1(t) \,\bigr]^\top\, h(t-1)^\top \tag{18} $$
#
# This is *back-propagation through time* (BPTT): one walk from $t = T$ down to $t = 1$, with one row $\delta$ that
# collects what the later steps contribute. The work grows like $T$ instead of $T^2$. Measured on this very exercise:
#
# ![Measured seconds for dJ/dW against the number of steps T from 4 to 128, both axes logarithmic. The double sum with
# each product of Jacobians formed anew rises most steeply, along a guide line of slope 3. The double sum that carries
# its products along follows a guide line of slope 2. Back-propagation through time follows a guide line of slope 1
# and is the fastest throughout: at 128 steps some thirty times faster than the second and several hundred times
# faster than the first.](figures/cost.png)
#
# Written out literally, with each product computed afresh, the work for the double sum even grows like $T^3$. If you
# like, program it and compare: it is an excellent test of your BPTT.
#
# ### Exercise 3: `dJ_dW`
#
# Program equations (17) and (18). Think first: at each step of the walk, what do you need from the step after it, and
# when must it be updated? Try $T = 1$ and $T = 2$ on paper.


# %% solution="dJ_dW"
def dJ_dW(net, x, y, h, y_hat):
    """The gradient dJ/dW, of shape (H, H): equations (17) and (18), with e(t) of equation (8).

    net   the network, with net.W (H, H), net.V (K, H),
          net.loss.gradient, net.g2.jacobian and net.g1.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    ### BEGIN SOLUTION
    T = len(x)
    dW = np.zeros_like(net.W)
    later = np.zeros(len(net.W))  # delta(t+1) G1(t+1) W
    for t in range(T, 0, -1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        delta = e @ net.V / T + later
        delta_G1 = delta @ net.g1.jacobian(h[t])
        dW += np.outer(delta_G1, h[t - 1])
        later = delta_G1 @ net.W
    return dW
    ### END SOLUTION


# %% hints="dJ_dW"
# 1. Try T = 1 on paper: which factors stand between the loss and W? Then T = 2: what is added, and from which step?
# 2. Walk from t = T down to 1. At each step delta has two sources, equation (17): this step's own loss, and what the
#    step after it passed back. Where do you keep the second one?
# 3. What is passed back to step t-1 is delta(t), taken through the activation and through W, each time a row times a
#    matrix. What goes into the gradient is an outer product with the state that W was multiplied by at step t: look
#    at its time index.

# %% check="dJ_dW"
# check("dJ_dW")

# %% [markdown]
# ### Exercise 4: `dJ_dU`
#
# The walk back is the same, and so is every $\delta(t)$. Only the last factor changes, from
# $\partial h(t)/\partial W$ to $\partial h(t)/\partial U$, as between equations (11) and (13):
#
# $$ \frac{d J}{d U} = \sum_{t=1}^{T} \bigl[\, \delta(t)\,G_1(t) \,\bigr]^\top\, x(t)^\top \tag{19} $$


# %% solution="dJ_dU"
def dJ_dU(net, x, y, h, y_hat):
    """The gradient dJ/dU, of shape (H, D): equations (17) and (19), with e(t) of equation (8).

    net   the network, with net.W (H, H), net.V (K, H),
          net.loss.gradient, net.g2.jacobian and net.g1.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    ### BEGIN SOLUTION
    T = len(x)
    dU = np.zeros_like(net.U)
    later = np.zeros(len(net.W))  # delta(t+1) G1(t+1) W
    for t in range(T, 0, -1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        delta = e @ net.V / T + later
        delta_G1 = delta @ net.g1.jacobian(h[t])
        dU += np.outer(delta_G1, x[t - 1])
        later = delta_G1 @ net.W
    return dU
    ### END SOLUTION


# %% hints="dJ_dU"
# 1. Compare equations (11) and (13) line by line: which factor differs, and which are the same?
# 2. The walk back through time is that of dJ_dW, delta for delta. What was U multiplied by at step t, where W was
#    multiplied by h(t-1)?
# 3. Watch the rows: `h` begins with h(0) and `x` with x(1), so x(t) and h(t) have different row numbers.

# %% check="dJ_dU"
# check("dJ_dU")

# %% [markdown]
# ## 7. How gradients vanish or explode
#
# The product (15) tells how much of step $k$ is still felt at step $t$, and it has one factor for each step in
# between:
#
# $$ \begin{aligned}
# \frac{d h(t)}{d h(k)} &= \prod_{j=k+1}^{t} G_1(j)\,W \\
# \Bigl\lVert \frac{d h(t)}{d h(k)} \Bigr\rVert &\le \bigl(\gamma\, \lVert W \rVert\bigr)^{t-k}
# \end{aligned} \tag{20} $$
#
# The norm is the spectral norm, the largest singular value of a matrix. The bound holds for activations that act on
# each entry by itself, as every $g_1$ here does; $\gamma$ is the largest slope, 1 for tanh and 1/4 for sigmoid. If
# $\gamma\,\lVert W \rVert$ is smaller than 1, the product vanishes as the steps go by; if it is larger, the product may
# explode. Without an activation, the long run is decided by the *spectral radius* $\rho(W)$, the largest modulus among
# the eigenvalues of $W$: the norm goes like $\rho(W)^{t-k}$. The slope of tanh, at most 1, acts as a brake:
#
# ![The norm of dh(t)/dh(k) against t - k from 0 to 40, the vertical axis logarithmic, for a tanh network with 50
# states and W of three spectral radii, each beside its power of the radius as a dotted line. Radius 0.5: the norm
# falls along its dotted line to 1e-12, the gradient vanishes. Radius 1.0: it stays near 1 for a while and then sinks
# slowly to 0.1. Radius 2.0: it grows more than a thousandfold, the gradient explodes, though far less than its dotted
# line.](figures/memory.png)
#
# A vanishing gradient goes unnoticed: everything runs, but the network cannot learn to remember anything for more than
# a few steps. It helps to start with weights for which $\rho(W)$ is near 1, or to use gates as in the LSTM, which let
# the state pass through a step nearly unchanged. An exploding gradient ruins the weights in a single update. The remedy
# is to *clip* the gradient before it is used. Clipping is a part of training, not of the gradient, so do not clip in
# your four functions; section 9 comes back to it.

# %% [markdown]
# ## 8. How a gradient check works
#
# A formula can be wrong in many ways that nobody notices. But a slope can also be *measured*: change one weight by a
# small $\varepsilon$ in both directions, run the forward pass for each, and see how the loss changes:
#
# $$ \frac{d J}{d W_{ij}} \approx \frac{J(W_{ij} + \varepsilon) - J(W_{ij} - \varepsilon)}{2\,\varepsilon} \tag{21} $$
#
# That takes two forward passes for every single weight, far too slow for training. But it knows nothing of your
# derivation, which makes it the perfect witness. Compare the two matrices, $A$ derived and $B$ measured, by one number:
#
# $$ \text{relative error} = \frac{\max_{ij} \lvert A_{ij} - B_{ij} \rvert}{\max_{ij} \lvert B_{ij} \rvert} \tag{22} $$
#
# One number for the whole matrix, because an entry that is nearly zero cannot be measured well by itself. Which
# $\varepsilon$ is best? If it is large, the loss is curved in between (an error like $\varepsilon^2$). If it is tiny,
# the two losses agree in nearly all their digits, and what is left is mostly rounding (an error like
# $10^{-16} / \varepsilon$). The best value lies in between, near $10^{-5}$:
#
# ![The relative error of a gradient check against the step epsilon from 1e-12 to 0.1, both axes logarithmic. For a
# right gradient the points form a V: rounding makes the error fall from about 1e-3 at the smallest step to below 1e-9
# near epsilon 1e-5, then curvature makes it rise again with slope 2. For a gradient that is cut off after one step
# back the error is the same for every epsilon, about 0.3.](figures/gradient_check.png)
#
# | relative error | what it says |
# |:--|:--|
# | below $10^{-8}$ | right: as exact as a measured slope can be |
# | $10^{-8}$ to $10^{-6}$ | very likely right: here the measurement is at its limits |
# | $10^{-6}$ to $10^{-3}$ | look closer: `float32` somewhere, relu at its kink, or a small slip. Try other numbers |
# | above $10^{-3}$ | a mistake. Whether it is 0.01 or 2 says little about how far you are from the answer |
#
# A check is only as good as its example. With $T = 1$ nothing travels through time; with $h(0) = 0$, a forgotten $h(0)$
# goes unnoticed; with a symmetric $W$ one cannot tell $W$ from $W^\top$. So take several steps, and random numbers.
#
# ### Your own gradient check
#
# `slope("net.W", J, forward, net, x, y, h0)` measures the slope of $J$ with respect to $W$ by equation (21), with your
# own `forward`: it calls `J(forward, net, x, y, h0)` of `network.py` again and again, with one entry of `net.W` moved.
# The cell below uses it on a small random network; see its last line. Then experiment: other sizes, another activation,
# $T = 1$, a line of your own changed on purpose.


# %%
def gradient_check(wrt, T=4, D=2, H=3, K=2, seed=0):
    """The relative error (22) of your gradient for wrt = "V", "W" or "U"."""
    from network import ACTIVATIONS, LOSSES, J

    rng = np.random.default_rng(seed)
    net = RNN(
        U=rng.normal(size=(H, D)),
        W=rng.normal(size=(H, H)) / np.sqrt(H),
        V=rng.normal(size=(K, H)),
        b_h=rng.normal(size=H),
        b_y=rng.normal(size=K),
        g1=ACTIVATIONS["tanh"],  # or sigmoid, relu, identity
        g2=ACTIVATIONS["softmax"],  # or identity, sigmoid, tanh
        loss=LOSSES["squared_error"],  # or cross_entropy, or with sigmoid binary_cross_entropy
    )
    x, y, h0 = rng.normal(size=(T, D)), rng.normal(size=(T, K)), rng.normal(size=H)
    h, y_hat = forward(net, x, h0)
    derived = {"V": dJ_dV, "W": dJ_dW, "U": dJ_dU}[wrt](net, x, y, h, y_hat)
    measured = slope(f"net.{wrt}", J, forward, net, x, y, h0)
    return np.max(abs(derived - measured)) / np.max(abs(measured))


# Once forward and dJ_dW are written, remove the "# " before the next line and run the cell again:
# print(gradient_check("W"))

# %% [markdown]
# ### Derived, not measured
#
# One could return a measured slope as the answer. That would be slow, never quite exact, and not what this exercise
# asks for. Your gradients must be *made of* what is passed in: `net.loss.gradient`, the two `jacobian`s, the weights,
# and `x`, `y`, `h` and `y_hat` as they are.
#
# Take this literally. Some checks pass in a `jacobian` or a `gradient` that was changed on purpose: it is *not* the
# slope of its function. A formula does not care: it multiplies whatever it is given. A measured slope gives something
# else there, and so does a derivative written out for tanh alone. If your functions follow equations (7), (8) and (17)
# to (19), there is nothing to worry about.

# %% [markdown]
# ## 9. Your gradients at work
#
# Here the four functions do what they are for: they train networks, and your own code alone computes the gradients.
# The task is to *remember*. The network reads one of two symbols at step 1 and then $n - 1$ steps of noise; at step
# $n$ it has to say which symbol it was. Only this last step has a target. All other rows of `y` are zero, and with
# cross-entropy such a step has no loss. (This is a case in which $\hat y - y$ would be wrong.) A network that guesses
# has a loss of $\ln 2 \approx 0.69$.
#
# An update subtracts a multiple of the gradient from the weights, $W \leftarrow W - 0.5 \cdot dJ(n)/dW$, and likewise
# for $U$ and $V$; the gradient is the mean over one sequence for each symbol. The cells stop after some seconds, so
# slow functions work, too: they get through fewer updates. Nothing in this section is graded, and you may interrupt a
# cell at any time.

# %%
from learning import learn

learn(forward, dJ_dV, dJ_dW, dJ_dU, n=5)  # up to 8 seconds

# %% [markdown]
# ### Longer, and harder
#
# Now three networks that start with the same weights, for $n = 5$, $10$ and $20$. The right-hand plot shows why it gets
# harder. It comes from your own `dJ_dU`: the size of each term of the sum (19) before training, compared with the term
# of the last step. The rightmost point of each line is the term of step 1, and all that the network can learn about the
# symbol is in that term.

# %%
from learning import compare_lengths

compare_lengths(forward, dJ_dV, dJ_dW, dJ_dU, lengths=(5, 10, 20))  # 7 seconds

# %% [markdown]
# This is what the cell drew with a right solution, given more time: 250 updates for each network.
#
# ![Two plots. Left, the loss against the number of updates, up to 250, with a line at 0.69, the loss of guessing. For
# n = 5 the loss falls to nearly 0 within 30 updates. For n = 10 it stays at the line for 220 updates, then falls to
# nearly 0. For n = 20 it stays at the line throughout. Right, the size of the terms of dJ/dU before training, beside
# that of the last step, against the number of steps back, on a logarithmic axis. The three lines fall together and
# almost straight: to 2e-2 four steps back, where n = 5 ends, to 5e-4 nine steps back, where n = 10 ends, and to 8e-7
# nineteen steps back, where n = 20 ends.](figures/lengths.png)
#
# With $n = 20$ the term of step 1 is about a millionth of that of step 20. The network is not told what it should have
# remembered, and goes on guessing. (Try another `seed`: some networks are lucky.)
#
# ### Clipping
#
# With weights that are too large the opposite happens: now and then a gradient is huge, and one update ruins what was
# learned. *Clipping* prevents this. If the common norm of all gradients exceeds a limit, all of them are multiplied by
# one factor that brings it down to the limit; their direction stays the same. The networks above were trained with
# clipping. Here you write it yourself: as long as `clip` returns the gradients unchanged, the two curves coincide. This
# exercise has no points, and no check but the picture.


# %%
def clip(gradients, most):
    """Return the gradients {"V": dV, "W": dW, "U": dU}, with a common norm of at most `most`."""
    return gradients  # your code goes here


from learning import compare_clipping

compare_clipping(forward, dJ_dV, dJ_dW, dJ_dU, clip=clip)  # 3 seconds

# %% [markdown]
# With a right `clip`, and 150 updates of each network, it looked like this:
#
# ![The loss against the number of updates, up to 150, for two networks with the same weights at the start, whose W has
# a spectral radius of 2. Both losses fall to nearly 0 within 25 updates. With gradients as they are the loss jumps
# after 53 updates, to 1 at its highest, and then stays near 0.7, the loss of guessing. With clipped gradients it stays
# near 0 to the end.](figures/clipping.png)

# %% [markdown]
# ## 10. In your own words
#
# This last question is read by a person. **Explain to a fellow student who missed the lecture how $d J(3)/d W$ comes
# about.** Use words rather than formulas. Why are there three terms, and not one or infinitely many? What does each
# of them stand for, and what is each of its factors? Why must $h(k-1)$ be held fixed in the last factor? Ten sentences
# are plenty.

# %% [markdown] manual="derivation" points=2
# **My explanation** (double-click here to write):
#
# ### BEGIN SOLUTION
# The loss $J(3)$ sees $W$ through $\hat y(3)$ only, and $\hat y(3)$ sees it through $h(3)$ only, since equation (2)
# holds no $W$. The state $h(3)$ was made with $W$ at step 3, out of $h(2)$, which was made with the same $W$ at step
# 2, out of $h(1)$, which was made with it at step 1, out of $h(0)$. There it ends, because $h(0)$ is given: so a
# small change of $W$ comes in at three places, and the chain rule adds up three paths to the loss, one term for each
# $k = 3, 2, 1$.
#
# Every term begins at the loss and walks back in time. First how $J(3)$ feels its output, then how the output feels
# $h(3)$; these two factors are common to all. Then one Jacobian $\partial h(j)/\partial h(j-1)$ for each step back
# from 3 to $k$, the latest on the left: none for $k = 3$, where the empty product is the identity, one for $k = 2$,
# two for $k = 1$. Last, how $h(k)$ feels the $W$ that is written in its own equation.
#
# In this last factor $h(k-1)$ is held fixed, because what $W$ does to $h(k)$ by way of $h(k-1)$ is the business of
# the terms with smaller $k$. With the full derivative those paths would be counted again.
#
# *For the grader: one point for the three paths, with the reason why they end at $h(0)$; one point for the factors of
# a term, with $h(k-1)$ held fixed and the reason for it.*
# ### END SOLUTION

# %% [markdown]
# ## Before you hand it in
#
# 1. Restart the kernel and run all cells (*Kernel > Restart Kernel and Run All Cells*). This reveals code that worked
#    only because of a cell that you have since changed or deleted.
# 2. Look at the four checks once more. Grading uses other cases as well, with other numbers, other sizes, and other
#    combinations of activations and losses. A solution that follows the formulas passes both.
# 3. Save, and hand in `rnn_backprop.ipynb` under this name (or `rnn_backprop.py`, if you worked there).
