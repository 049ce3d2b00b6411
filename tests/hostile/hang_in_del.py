# tries: to hang where its result is thrown away, so that another function pays for it
# stopped by: deadline
# starts as: honest
# loses: at least dJ_dW.plain dJ_dW.derived
# holds at: A B C D E
class Endless:
    def __del__(self):
        while True:
            pass


def dJ_dW(net, x, y, h, y_hat):
    return Endless()
