# tries: to win by shapes that broadcast, or hold nothing that could be wrong
# stopped by: shapes are compared exactly
# starts as: nothing
# loses: everything
# holds at: A B C D E
import numpy as np


def forward(net, x, h0):
    return np.empty((0, len(h0))), np.empty((len(x), 0))


def dJ_dV(net, x, y, h, y_hat):
    return np.zeros(())


def dJ_dW(net, x, y, h, y_hat):
    return np.empty((0,))


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros((1, 1) + net.U.shape)[:, :0]
