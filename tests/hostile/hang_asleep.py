# tries: to hold up the grader without using the CPU
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# says: does it wait for something?
# holds at: A B C D E
import time


def dJ_dW(net, x, y, h, y_hat):
    time.sleep(1000)
