import numpy as np

# The double sum of the formula, each product of Jacobians formed anew: nothing is shared between steps or functions.


def forward(net, x, h0):
    T = len(x)
    h = np.zeros((T + 1, len(h0)))
    y_hat = np.zeros((T, len(net.b_y)))
    h[0] = h0
    for t in range(1, T + 1):
        h[t] = net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h)
        y_hat[t - 1] = net.g2.function(net.V @ h[t] + net.b_y)
    return h, y_hat


def dJ_dV(net, x, y, h, y_hat):
    T = len(x)
    dV = np.zeros_like(net.V)
    for t in range(1, T + 1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        dV += np.outer(e, h[t]) / T
    return dV


def dJ_dW(net, x, y, h, y_hat):
    T = len(x)
    dW = np.zeros_like(net.W)
    for t in range(1, T + 1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        for k in range(1, t + 1):
            product = np.eye(len(net.W))
            for j in range(t, k, -1):
                product = product @ net.g1.jacobian(h[j]) @ net.W
            row = e @ net.V @ product @ net.g1.jacobian(h[k])
            dW += np.outer(row, h[k - 1]) / T
    return dW


def dJ_dU(net, x, y, h, y_hat):
    T = len(x)
    dU = np.zeros_like(net.U)
    for t in range(1, T + 1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        for k in range(1, t + 1):
            product = np.eye(len(net.W))
            for j in range(t, k, -1):
                product = product @ net.g1.jacobian(h[j]) @ net.W
            row = e @ net.V @ product @ net.g1.jacobian(h[k])
            dU += np.outer(row, x[k - 1]) / T
    return dU
