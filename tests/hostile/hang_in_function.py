# tries: to hold up the grader with a loop that never ends
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# says: dJ_dW did not finish within
# holds at: A B C D E
def dJ_dW(net, x, y, h, y_hat):
    while True:
        pass
