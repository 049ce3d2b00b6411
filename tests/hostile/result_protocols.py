# tries: to return objects that turn into whatever is compared with them
# stopped by: exact types
# starts as: nothing
# loses: everything
# holds at: A B C D E
from unittest import mock

import numpy as np


class Mirror:
    def __array__(self, *_, **__):
        return np.zeros((3, 3))

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return self

    def __call__(self, *_, **__):
        return self

    __array_ufunc__ = __array_function__ = __sub__ = __rsub__ = __lt__ = __le__ = __bool__ = __eq__


class Pair(tuple):
    def __len__(self):
        return 2

    def __iter__(self):
        yield mock.ANY
        yield mock.ANY


def forward(net, x, h0):
    return Pair((mock.ANY, mock.ANY))


def dJ_dV(net, x, y, h, y_hat):
    return mock.ANY


def dJ_dW(net, x, y, h, y_hat):
    return Mirror()


def dJ_dU(net, x, y, h, y_hat):
    return np.ma.masked_all(net.U.shape)
