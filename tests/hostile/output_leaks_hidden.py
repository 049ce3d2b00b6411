# tries: to tell its author the hidden inputs, in every text that it can make
# stopped by: text of hidden cases is not shown
# starts as: honest
# points: 5.5
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
