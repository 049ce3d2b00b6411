# tries: to change what Python itself does
# stopped by: nothing that the child says is believed
# starts as: nothing
# loses: everything
# holds at: A B C D E
import builtins
import sys

import numpy as np

builtins.isinstance = builtins.issubclass = lambda *_: True
builtins.all = builtins.any = lambda *_: True
builtins.abs = builtins.max = builtins.min = builtins.sum = lambda *_, **__: 0.0
builtins.len = lambda *_: 2
builtins.callable = lambda *_: True
builtins.type = lambda *_: np.ndarray
builtins.__import__ = lambda *_, **__: sys
builtins.AssertionError = builtins.BaseException = builtins.Exception = ValueError


def forward(net, x, h0):
    return 1


dJ_dV = dJ_dW = dJ_dU = forward
