# tries: to overflow the stack, of Python and of C
# stopped by: its process is its own
# starts as: honest
# loses: dJ_dW dJ_dU
# holds at: A B C D E
import sys


def dJ_dW(net, x, y, h, y_hat):
    return dJ_dW(net, x, y, h, y_hat)


def dJ_dU(net, x, y, h, y_hat):
    sys.setrecursionlimit(1 << 30)
    nested = ()
    for _ in range(300_000):
        nested = (nested,)
    return hash(nested)
