# tries: to send twice as many replies as were asked for, so that others are taken for the answers of later calls
# stopped by: protocol; the numbers are compared
# starts as: honest
# loses: at least nothing
# holds at: A B C D E
honest = dJ_dV


def dJ_dV(net, x, y, h, y_hat):
    say(frame("raised", "NotImplementedError", "", "", None))
    return honest(net, x, y, h, y_hat)
