import numpy as np

L = np.longdouble


def forward(net, x, h0):
    h, y_hat = [L(h0)], []
    for x_t in L(x):
        h.append(net.g1.function(L(net.W) @ h[-1] + L(net.U) @ x_t + net.b_h))
        y_hat.append(net.g2.function(L(net.V) @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def dJ_dV(net, x, y, h, y_hat):
    dV = np.zeros(net.V.shape, dtype=L)
    for h_t, y_t, y_hat_t in zip(L(h[1:]), L(y), L(y_hat)):
        dV += np.outer(net.loss.gradient(y_hat_t, y_t) @ net.g2.jacobian(y_hat_t), h_t)
    return dV / len(x)


def through_time(net, y, h, y_hat, right):
    h, y, y_hat, right = L(h), L(y), L(y_hat), L(right)
    total = np.zeros((h.shape[1], right.shape[1]), dtype=L)
    delta = np.zeros(h.shape[1], dtype=L)
    for t in range(len(y) - 1, -1, -1):
        e = net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
        delta = (e @ L(net.V) + delta @ L(net.W)) @ net.g1.jacobian(h[t + 1])
        total += np.outer(delta, right[t])
    return total / len(y)


def dJ_dW(net, x, y, h, y_hat):
    return through_time(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return through_time(net, y, h, y_hat, x)
