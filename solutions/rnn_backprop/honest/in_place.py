import numpy as np


def forward(net, x, h0):
    T = x.shape[0]
    h = np.empty((T + 1, h0.shape[0]))
    y_hat = np.empty((T, net.b_y.shape[0]))
    h[0] = h0
    a = np.empty_like(h0)
    for t in range(T):
        np.dot(net.W, h[t], out=a)
        a += net.U @ x[t]
        a += net.b_h
        h[t + 1, :] = net.g1.function(a)
        y_hat[t, :] = net.g2.function(net.V @ h[t + 1] + net.b_y)
    return h, y_hat


def dJ_dV(net, x, y, h, y_hat):
    total = np.zeros_like(net.V)
    term = np.empty_like(net.V)
    for t in range(x.shape[0]):
        e = net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
        np.outer(e, h[t + 1], out=term)
        total += term
    total /= x.shape[0]
    return total


def dJ_dW(net, x, y, h, y_hat):
    T = x.shape[0]
    total = np.zeros_like(net.W)
    delta = np.zeros(net.W.shape[0])
    for t in range(T, 0, -1):
        delta[:] = delta @ net.W
        delta += net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) @ net.V
        delta[:] = delta @ net.g1.jacobian(h[t])
        total += delta[:, np.newaxis] * h[t - 1]
    total *= 1 / T
    return total


def dJ_dU(net, x, y, h, y_hat):
    T = x.shape[0]
    total = np.zeros_like(net.U)
    delta = np.zeros(net.W.shape[0])
    for t in range(T, 0, -1):
        delta[:] = delta @ net.W
        delta += net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) @ net.V
        delta[:] = delta @ net.g1.jacobian(h[t])
        total += delta[:, np.newaxis] * x[t - 1]
    total *= 1 / T
    return total
