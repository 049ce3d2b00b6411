# tries: to announce arrays whose shapes lie: negative, too large, as truth values
# stopped by: strict decoder
# starts as: honest
# loses: everything
# holds at: A B C D E
def lying(*shape):
    def function(*_):
        value = ["float64", [list(shape), bytes(72)]]
        say(frame("returned", [value, value], []))

    return function


forward = lying(-3, -3)
dJ_dV = lying(1 << 62, 1 << 62)
dJ_dW = lying(True, 9)
dJ_dU = lying(*[0] * 5000)
