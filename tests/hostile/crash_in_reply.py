# tries: to crash the process while its result is encoded: an array over memory that is gone
# stopped by: its process is its own
# starts as: honest
# loses: dJ_dW
# says: dJ_dW crashed the Python process
# holds at: A B C D
import ctypes

import numpy as np


def dJ_dW(net, x, y, h, y_hat):
    address = ctypes.cast(8, ctypes.POINTER(ctypes.c_double))
    return np.ctypeslib.as_array(address, net.W.shape)
