# %% [markdown]
# The functions of rnn_backprop.ipynb, for an editor: the derivation is in the notebook.
# `python rnn_backprop.py` and `pytest` check what you wrote.

# %%
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

# %%
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
    raise NotImplementedError("forward is not written yet")

# %%
def dJ_dV(net, x, y, h, y_hat):
    """The gradient dJ/dV, of shape (K, H): equations (7) and (8).

    net   the network, with net.loss.gradient and net.g2.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    raise NotImplementedError("dJ_dV is not written yet")

# %%
def dJ_dW(net, x, y, h, y_hat):
    """The gradient dJ/dW, of shape (H, H): equations (17) and (18), with e(t) of equation (8).

    net   the network, with net.W (H, H), net.V (K, H),
          net.loss.gradient, net.g2.jacobian and net.g1.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    raise NotImplementedError("dJ_dW is not written yet")

# %%
def dJ_dU(net, x, y, h, y_hat):
    """The gradient dJ/dU, of shape (H, D): equations (17) and (19), with e(t) of equation (8).

    net   the network, with net.W (H, H), net.V (K, H),
          net.loss.gradient, net.g2.jacobian and net.g1.jacobian
    x     the inputs (T, D), where x[t-1] is x(t)
    y     the targets (T, K), where y[t-1] is y(t)
    h     the states (T+1, H), where h[0] is h(0) and h[t] is h(t)
    y_hat the outputs (T, K), where y_hat[t-1] is y^(t)
    """
    raise NotImplementedError("dJ_dU is not written yet")

# %%
if __name__ == "__main__":
    print(check())
