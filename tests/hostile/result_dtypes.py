# tries: to hide in odd dtypes: objects, structures, strings, dates, complex
# stopped by: closed set of dtypes
# starts as: nothing
# loses: everything
# holds at: A B C D E
import numpy as np


class Equal:
    def __eq__(self, other):
        return True

    def __float__(self):
        return 0.0

    __sub__ = __rsub__ = __abs__ = __le__ = __lt__ = __mul__ = lambda self, *_: self


def forward(net, x, h0):
    return np.zeros((len(x) + 1, len(h0)), "V8"), np.zeros((len(x), len(net.b_y)), "M8[s]")


def dJ_dV(net, x, y, h, y_hat):
    return np.full(net.V.shape, Equal(), object)


def dJ_dW(net, x, y, h, y_hat):
    return np.zeros(net.W.shape, complex)


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros(net.U.shape, [("a", "f8")])
