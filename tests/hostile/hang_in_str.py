# tries: to hang where the text of its exception is asked for
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# says: dJ_dW did not finish within
# holds at: A B C D E
class Endless(ValueError):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


def dJ_dW(net, x, y, h, y_hat):
    raise Endless
