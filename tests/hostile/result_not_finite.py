# tries: to win by NaN and infinity, for which every comparison is False
# stopped by: finiteness is checked
# starts as: nothing
# loses: everything
# says: holds NaN
# holds at: A B C D E
import numpy as np


def forward(net, x, h0):
    return np.full((len(x) + 1, len(h0)), np.nan), np.full((len(x), len(net.b_y)), np.nan)


def dJ_dV(net, x, y, h, y_hat):
    return np.full(net.V.shape, np.nan)


def dJ_dW(net, x, y, h, y_hat):
    return np.full(net.W.shape, np.inf)


def dJ_dU(net, x, y, h, y_hat):
    return np.where(np.arange(net.U.size).reshape(net.U.shape) % 2, np.nan, -np.inf)
