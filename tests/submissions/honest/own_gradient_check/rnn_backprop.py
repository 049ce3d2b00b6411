# %% [markdown]
# # Back-propagation through time

# %%
import numpy as np

try:
    from checks import check, slope
    from network import RNN, Activation, Loss, mean_loss
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"{missing.name}.py is not beside this file: put network.py, checks.py and checks.json "
        "into the same folder (in Colab: the folder icon on the left, then Upload) and run this cell again."
    ) from None


# %%
def forward(net, x, h0):
    T = len(x)
    h = np.empty((T + 1, len(h0)))
    y_hat = np.empty((T, len(net.b_y)))
    h[0] = h0
    for t in range(1, T + 1):
        h[t] = net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)
        y_hat[t - 1] = net.g2.function(net.V @ h[t] + net.b_y)
    return h, y_hat


# %%
check("forward")


# %%
def output_errors(net, y, y_hat):
    """Row t-1: dJ/da(t) with a(t) = V h(t) + b_y. Has the 1/T in it already."""
    T = len(y)
    return np.array([net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t]) for t in range(T)]) / T


def dJ_dV(net, x, y, h, y_hat):
    # sum of outer products over t, written as one matrix product
    return output_errors(net, y, y_hat).T @ h[1:]


# %%
check("dJ_dV")


# %%
def hidden_errors(net, y, h, y_hat):
    """Row t-1: dJ/da(t) with a(t) = W h(t-1) + U x(t) + b_h, from T down to 1."""
    e = output_errors(net, y, y_hat)
    delta = np.zeros((len(y), h.shape[1]))
    from_later = np.zeros(h.shape[1])
    for t in range(len(y), 0, -1):
        delta[t - 1] = (e[t - 1] @ net.V + from_later) @ net.g1.jacobian(h[t])
        from_later = delta[t - 1] @ net.W
    return delta


def dJ_dW(net, x, y, h, y_hat):
    return hidden_errors(net, y, h, y_hat).T @ h[:-1]


# %%
from network import J, arguments

rng = np.random.default_rng(0)
shapes = {"U": (3, 2), "W": (3, 3), "V": (2, 3), "b_h": 3, "b_y": 2, "x": (4, 2), "y": (4, 2), "h0": 3}
drawn = {name: rng.normal(size=shape) for name, shape in shapes.items()}
given = arguments(drawn, {"g1": "tanh", "g2": "identity", "loss": "squared_error"})
net, x, y, h0 = (given[name] for name in ("net", "x", "y", "h0"))
np.testing.assert_allclose(dJ_dW(net, x, y, *forward(net, x, h0)), slope("net.W", J, forward, net, x, y, h0), rtol=1e-5)
check("dJ_dW")


# %%
def dJ_dU(net, x, y, h, y_hat):
    return hidden_errors(net, y, h, y_hat).T @ x


# %%
check("dJ_dU")
