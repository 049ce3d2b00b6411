# tries: to hang inside one call of C code, where no Python handler ever runs
# stopped by: deadline (SIGKILL from outside)
# starts as: honest
# loses: dJ_dW
# says: dJ_dW did not finish within
# holds at: A B C D E
import re


def dJ_dW(net, x, y, h, y_hat):
    re.match(r"(a+)+$", "a" * 60 + "b")
