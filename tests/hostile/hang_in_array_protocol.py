# tries: to have its loop run where the grader turns the result into an array
# stopped by: exact types, in the child
# starts as: honest
# loses: dJ_dW
# says: an object that is no array
# holds at: A B C D E
class Result:
    shape = property(lambda self: self.hang())
    dtype = __array_interface__ = __array_struct__ = __len__ = shape

    def hang(self, *_, **__):
        while True:
            pass

    __array__ = __iter__ = __float__ = __eq__ = __repr__ = __array_ufunc__ = __array_function__ = hang


def dJ_dW(net, x, y, h, y_hat):
    return Result()
