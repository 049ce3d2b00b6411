# tries: to send a reply byte by byte, for ever
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# holds at: A B C D E
import time


def dJ_dW(net, x, y, h, y_hat):
    say(b"\0\1\0\0")
    while True:
        say(b"\x90")
        time.sleep(0.01)
