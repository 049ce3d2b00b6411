import numpy as np


def forward(net, x, h0):
    if len(x) == 0:
        return h0[None], np.empty((0, len(net.b_y)))
    h, y_hat = forward(net, x[:-1], h0)
    last = net.g1.function(net.W @ h[-1] + net.U @ x[-1] + net.b_h)
    return np.vstack([h, last]), np.vstack([y_hat, net.g2.function(net.V @ last + net.b_y)])


def output_delta(net, y, y_hat, t):
    return net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) / len(y)


def dJ_dV(net, x, y, h, y_hat, t=None):
    t = len(x) if t is None else t
    if t == 0:
        return np.zeros_like(net.V)
    return dJ_dV(net, x, y, h, y_hat, t - 1) + np.outer(output_delta(net, y, y_hat, t), h[t])


def delta(net, y, h, y_hat, t):
    """dJ/dh(t) = what acts now + what acts through h(t+1)"""
    now = output_delta(net, y, y_hat, t) @ net.V
    if t == len(y):
        return now
    return now + delta(net, y, h, y_hat, t + 1) @ net.g1.jacobian(h[t + 1]) @ net.W


def dJ_dW(net, x, y, h, y_hat):
    return sum(np.outer(delta(net, y, h, y_hat, t) @ net.g1.jacobian(h[t]), h[t - 1]) for t in range(1, len(x) + 1))


def dJ_dU(net, x, y, h, y_hat):
    return sum(np.outer(delta(net, y, h, y_hat, t) @ net.g1.jacobian(h[t]), x[t - 1]) for t in range(1, len(x) + 1))
