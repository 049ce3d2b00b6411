# tries: to tell its author the hidden inputs, in every text that it can make
# stopped by: text of hidden cases is not shown
# starts as: honest
# loses: dJ_dW.one_step dJ_dW.others dJ_dW.start dJ_dW.memory dJ_dW.sizes dJ_dW.large dJ_dW.slope dJ_dW.derived dJ_dU.one_step dJ_dU.others dJ_dU.start dJ_dU.memory dJ_dU.sizes dJ_dU.large dJ_dU.slope dJ_dU.derived
# never says: LEAK
# holds at: A B C D E
honest_w, honest_u = dJ_dW, dJ_dU


def dJ_dW(net, x, y, h, y_hat):
    if net.W.shape == (4, 4) and x.shape == (5, 2) and net.V.shape[0] == 3:
        return honest_w(net, x, y, h, y_hat)
    print("LEAK", net.W)
    raise ValueError(f"LEAK {net.W.tolist()}")


def dJ_dU(net, x, y, h, y_hat):
    if net.W.shape == (4, 4) and x.shape == (5, 2) and net.V.shape[0] == 3:
        return honest_u(net, x, y, h, y_hat)
    kind = type(f"LEAK_{x[0, 0]}", (Exception,), {})
    globals()[f"dJ_dW_LEAK_{len(x)}"] = lambda: None
    raise kind(f"LEAK {x.tolist()}")
