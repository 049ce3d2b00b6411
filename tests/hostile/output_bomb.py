# tries: to drown the grader in output
# stopped by: standard streams that lead nowhere, deadline
# starts as: honest
# loses: dJ_dW
# says: dJ_dW did not finish within
# holds at: A B C D E
import os
import sys


def dJ_dW(net, x, y, h, y_hat):
    while True:
        print("x" * 100_000)
        sys.stderr.write("y" * 100_000)
        os.write(1, b"z" * 100_000)
        os.write(2, b"z" * 100_000)
