# tries: to keep the grader busy with thousands of names to compare
# stopped by: cap on items
# starts as: honest
# loses: at least dJ_dW
# holds at: A B C D E
import itertools

NAMES = ["".join(letters) for letters in itertools.product("dJWdjw_", repeat=5)][:4000]


def dJ_dW(net, x, y, h, y_hat):
    for _ in range(30):
        say(frame("missing", NAMES, False))
    return net.W
