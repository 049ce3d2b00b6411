# tries: to announce a reply, and to send half of it
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# holds at: A B C D E
import time


def dJ_dW(net, x, y, h, y_hat):
    say(b"\0\1\0\0" + bytes(1000))
    time.sleep(1000)
