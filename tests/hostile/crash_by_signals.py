# tries: to crash: a null pointer, an abort
# stopped by: its process is its own
# starts as: honest
# loses: dJ_dW dJ_dU
# says: dJ_dU crashed the Python process (signal 11)
# holds at: A B C D
import ctypes
import os


def dJ_dW(net, x, y, h, y_hat):
    os.abort()


def dJ_dU(net, x, y, h, y_hat):
    ctypes.string_at(0)
