# tries: to hang where the class of its exception is looked at
# stopped by: deadline
# starts as: honest
# loses: dJ_dW
# holds at: A B C D E
class Meta(type):
    def __getattribute__(cls, name):
        while True:
            pass


class Endless(Exception, metaclass=Meta):
    pass


def dJ_dW(net, x, y, h, y_hat):
    raise Endless
