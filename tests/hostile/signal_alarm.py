# tries: to be ended by a timer of its own
# stopped by: its process is its own
# starts as: honest
# loses: dJ_dW
# holds at: A B C D E
import signal
import time


def dJ_dW(net, x, y, h, y_hat):
    signal.alarm(1)
    time.sleep(100)
