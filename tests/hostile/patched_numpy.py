# tries: to change what numpy finds equal
# stopped by: arrays are compared in the parent
# starts as: nothing
# loses: everything
# holds at: A B C D E
import numpy as np

for module in (np, np.testing, np.linalg):
    for name in ("allclose", "isclose", "array_equal", "array_equiv", "all", "any", "isfinite", "equal"):
        if hasattr(module, name):
            setattr(module, name, lambda *_, **__: True)
    for name in ("max", "amax", "abs", "absolute", "subtract", "norm", "sum", "mean", "median"):
        if hasattr(module, name):
            setattr(module, name, lambda *_, **__: 0.0)
    for name in dir(module):
        if name.startswith("assert"):
            setattr(module, name, lambda *_, **__: None)
np.ndarray = np.float64 = np.generic = object
np.frombuffer = np.asarray = lambda *_, **__: 0


def forward(net, x, h0):
    return np.zeros((len(x) + 1, len(h0))), np.zeros((len(x), len(net.b_y)))


def dJ_dV(net, x, y, h, y_hat):
    return np.zeros(net.V.shape)


def dJ_dW(net, x, y, h, y_hat):
    return np.zeros(net.W.shape)


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros(net.U.shape)
