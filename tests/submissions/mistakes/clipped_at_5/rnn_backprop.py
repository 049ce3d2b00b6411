import numpy as np


def forward(net, x, h0):
    T = len(x)
    h = np.zeros((T + 1, len(h0)))
    y_hat = np.zeros((T, len(net.b_y)))
    h[0] = h0
    for t in range(1, T + 1):
        h[t] = net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)
        y_hat[t - 1] = net.g2.function(net.V @ h[t] + net.b_y)
    return h, y_hat


def output_error(net, y, y_hat, t):
    """dJ(t)/da for a = V h(t) + b_y"""
    return net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])


def dJ_dV(net, x, y, h, y_hat):
    T = len(x)
    dV = np.zeros_like(net.V)
    for t in range(1, T + 1):
        dV += np.outer(output_error(net, y, y_hat, t), h[t]) / T
    return np.clip(dV, -5, 5)


def deltas(net, y, h, y_hat):
    """dJ/da(t) for a(t) = W h(t-1) + U x(t) + b_h, in row t"""
    T = len(y)
    delta = np.zeros((T + 2, h.shape[1]))  # row T + 1 stays 0
    for t in range(T, 0, -1):
        now = output_error(net, y, y_hat, t) @ net.V / T
        later = delta[t + 1] @ net.W
        delta[t] = (now + later) @ net.g1.jacobian(h[t])
    return delta


def dJ_dW(net, x, y, h, y_hat):
    delta = deltas(net, y, h, y_hat)
    dW = sum(np.outer(delta[t], h[t - 1]) for t in range(1, len(x) + 1))
    return np.clip(dW, -5, 5)


def dJ_dU(net, x, y, h, y_hat):
    delta = deltas(net, y, h, y_hat)
    dU = sum(np.outer(delta[t], x[t - 1]) for t in range(1, len(x) + 1))
    return np.clip(dU, -5, 5)
