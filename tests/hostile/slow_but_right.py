# tries: nothing: it is right, and slow
# stopped by: nothing
# starts as: honest
# loses: nothing
# holds at: A B C D E
import functools


def slowly(function):
    @functools.wraps(function)
    def slow(*args):
        sum(number * number for number in range(60_000))
        return function(*args)

    return slow


forward, dJ_dV, dJ_dW, dJ_dU = map(slowly, (forward, dJ_dV, dJ_dW, dJ_dU))
