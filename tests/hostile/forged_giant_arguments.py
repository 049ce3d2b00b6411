# tries: to fill the grader's memory with the arguments that it is told
# stopped by: cap on the size of a reply, shapes
# starts as: honest
# loses: at least dJ_dW
# holds at: A B C D E
import sys

NAMES = ("U", "W", "V", "b_h", "b_y", "x", "y", "h", "y_hat")


def dJ_dW(net, x, y, h, y_hat):
    turn = next((f.f_locals["turn"] for f in map(sys._getframe, range(4)) if "turn" in f.f_locals), None)
    names = list(turn.arrays) if turn else NAMES
    many = (1 << 21) // len(names) - 100
    value = ["float64", [list(net.W.shape), net.W.tobytes()]]
    say(frame("returned", [value], [[name, [[many], bytes(8 * many)]] for name in names]))
    return net.W
