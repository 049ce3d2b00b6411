import numpy as np


def forward(net, x, h0):
    T = x.shape[0]
    h = np.zeros((T + 1, h0.size))
    y_hat = np.zeros((T, net.V.shape[0]))
    h[0] = h0
    t = 1
    while t <= T:
        h[t] = net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)
        y_hat[t - 1] = net.g2.function(net.V @ h[t] + net.b_y)
        t += 1
    return h, y_hat


def dJ_dV(net, x, y, h, y_hat):
    T = x.shape[0]
    dV = np.zeros(net.V.shape)
    t = 1
    while t <= T:
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        dV += np.outer(e, h[t])
        t += 1
    return dV / T


def dJ_dW(net, x, y, h, y_hat):
    T = x.shape[0]
    dW = np.zeros(net.W.shape)
    delta = np.zeros(net.W.shape[0])
    t = T
    while t > 0:
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        delta = (e @ net.V + delta @ net.W) @ net.g1.jacobian(h[t])
        dW += np.outer(delta, h[t - 1])
        t -= 1
    return dW / T


def dJ_dU(net, x, y, h, y_hat):
    T = x.shape[0]
    dU = np.zeros(net.U.shape)
    delta = np.zeros(net.W.shape[0])
    t = T
    while t > 0:
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        delta = (e @ net.V + delta @ net.W) @ net.g1.jacobian(h[t])
        dU += np.outer(delta, x[t - 1])
    return dU / T
