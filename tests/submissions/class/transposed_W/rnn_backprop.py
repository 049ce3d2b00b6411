"""RNN homework, group 12"""

import numpy as np


def forward(net, x, h0):
    hs = [h0]
    ys = []
    for xt in x:
        hs.append(net.g1.function(np.dot(net.W, hs[-1]) + np.dot(net.U, xt) + net.b_h))
        ys.append(net.g2.function(np.dot(net.V, hs[-1]) + net.b_y))
    return np.array(hs), np.array(ys)


def dJ_dV(net, x, y, h, y_hat):
    T = len(x)
    grad = 0
    for t in range(T):
        dy = net.loss.gradient(y_hat[t], y[t])
        da = np.dot(net.g2.jacobian(y_hat[t]).T, dy)
        grad = grad + np.outer(da, h[t + 1])
    return grad / T


def dJ_dW(net, x, y, h, y_hat):
    T = len(x)
    grad = np.zeros_like(net.W)
    dh_next = np.zeros(len(net.b_h))
    for t in reversed(range(T)):
        dy = net.loss.gradient(y_hat[t], y[t])
        da = np.dot(net.g2.jacobian(y_hat[t]).T, dy)
        dh = np.dot(net.V.T, da) + dh_next
        dz = np.dot(net.g1.jacobian(h[t + 1]).T, dh)
        grad += np.outer(dz, h[t])
        dh_next = np.dot(net.W, dz)  # pass it on to the step before
    return grad / T


def dJ_dU(net, x, y, h, y_hat):
    # same thing, only with x at the end
    T = len(x)
    grad = np.zeros_like(net.U)
    dh_next = np.zeros(len(net.b_h))
    for t in reversed(range(T)):
        dy = net.loss.gradient(y_hat[t], y[t])
        da = np.dot(net.g2.jacobian(y_hat[t]).T, dy)
        dh = np.dot(net.V.T, da) + dh_next
        dz = np.dot(net.g1.jacobian(h[t + 1]).T, dh)
        grad += np.outer(dz, x[t])
        dh_next = np.dot(net.W, dz)
    return grad / T
