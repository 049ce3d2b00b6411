# tries: to stand still by SIGSTOP, so that it cannot be waited for
# stopped by: seccomp (no kill), deadline
# starts as: honest
# loses: dJ_dW
# holds at: A B C D
import os
import signal


def dJ_dW(net, x, y, h, y_hat):
    os.kill(os.getpid(), signal.SIGSTOP)
