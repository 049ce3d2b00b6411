# tries: to be right once, and to give the same array for every later call
# stopped by: compare
# starts as: honest
# loses: at least dJ_dW dJ_dU.plain dJ_dU.others dJ_dU.start dJ_dU.memory dJ_dU.sizes dJ_dU.slope dJ_dU.derived
# holds at: A B C D E
kept = {}
honest_w, honest_u = dJ_dW, dJ_dU


def dJ_dW(net, x, y, h, y_hat):
    return kept.setdefault("w", honest_w(net, x, y, h, y_hat))


def dJ_dU(net, x, y, h, y_hat):
    return kept.setdefault(net.U.shape, honest_u(net, x, y, h, y_hat)).copy()
