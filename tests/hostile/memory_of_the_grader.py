# tries: to have its arguments grow, because they are sent back after every call
# stopped by: size limit of replies, shapes compared
# starts as: honest
# loses: at least dJ_dW.contract
# holds at: A B C D E
honest = dJ_dW


def dJ_dW(net, x, y, h, y_hat):
    result = honest(net, x, y, h, y_hat)
    x.resize((1 << 19,), refcheck=False)
    y.resize((1 << 19,), refcheck=False)
    h.resize((1 << 19,), refcheck=False)
    return result
