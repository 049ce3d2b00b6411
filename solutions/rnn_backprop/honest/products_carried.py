import numpy as np
from functools import lru_cache, reduce

# The double sum with closures: each product of Jacobians is made from the one before it and remembered for this call.


def forward(net, x, h0):
    step = lambda h, x_t: [*h, net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h)]
    h = reduce(step, x, [h0])
    return np.array(h), np.array(list(map(lambda s: net.g2.function(net.V @ s + net.b_y), h[1:])))


def dJt_dht(net, y, y_hat, t):
    return net.loss.gradient(y_hat[t - 1], y[t - 1]) @ (net.g2.jacobian(y_hat[t - 1]) @ net.V)


def dJ_dV(net, x, y, h, y_hat):
    terms = (
        np.outer(net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]), h[t])
        for t in range(1, len(x) + 1)
    )
    return np.mean(np.fromiter(terms, dtype=np.dtype((float, net.V.shape))), axis=0)


def mean_of_terms(net, y, h, y_hat, last):
    @lru_cache(maxsize=None)
    def dh_dh(t, k):
        if t == k:
            return np.eye(len(net.W))
        return dh_dh(t, k + 1) @ (net.g1.jacobian(h[k + 1]) @ net.W)

    T = len(y)
    pairs = [(t, k) for t in range(1, T + 1) for k in range(1, t + 1)]
    return sum(np.outer(dJt_dht(net, y, y_hat, t) @ dh_dh(t, k) @ net.g1.jacobian(h[k]), last(k)) for t, k in pairs) / T


def dJ_dW(net, x, y, h, y_hat):
    return mean_of_terms(net, y, h, y_hat, lambda k: h[k - 1])


def dJ_dU(net, x, y, h, y_hat):
    return mean_of_terms(net, y, h, y_hat, lambda k: x[k - 1])
