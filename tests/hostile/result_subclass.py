# tries: to return an ndarray that is equal to everything
# stopped by: exact types
# starts as: nothing
# loses: everything
# says: a subclass of ndarray
# holds at: A B C D E
import numpy as np


class Equal(np.ndarray):
    def __array_function__(self, function, types, args, kwargs):
        return True

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        return np.zeros(self.shape) if ufunc is np.subtract else True

    def max(self, *_, **__):
        return 0.0

    def __eq__(self, other):
        return True

    def __array_finalize__(self, other):
        pass

    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __sub__ = __rsub__ = __abs__ = lambda self, *_: np.zeros(self.shape)
    all = any = lambda self, *_, **__: True


def forward(net, x, h0):
    return (
        np.zeros((len(x) + 1, len(h0))).view(Equal),
        np.zeros((len(x), len(net.b_y))).view(Equal),
    )


def dJ_dV(net, x, y, h, y_hat):
    return np.zeros(net.V.shape).view(Equal)


def dJ_dW(net, x, y, h, y_hat):
    return np.zeros(net.W.shape).view(Equal)


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros(net.U.shape).view(Equal)
