# tries: to have a terabyte of zeros copied into a reply
# stopped by: rlimits, size limit of replies
# starts as: honest
# loses: dJ_dW dJ_dU
# holds at: A B C D E
import numpy as np


def dJ_dW(net, x, y, h, y_hat):
    return np.broadcast_to(1.0, (1 << 40,))


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros((1 << 20, 1 << 20))
