import numpy as np


def forward(net, x, h0):
    T, H, K = x.shape[0], net.W.shape[0], net.V.shape[0]
    h = np.zeros((T + 1, H), order="F")
    y_hat = np.zeros((T, K), order="F")
    h[0] = h0
    for t in range(T):
        a = np.dot(net.W, h[t]) + np.dot(net.U, x[t]) + net.b_h
        h[t + 1] = net.g1.function(a)
        y_hat[t] = net.g2.function(np.dot(net.V, h[t + 1]) + net.b_y)
    return h, y_hat


def dJ_dV(net, x, y, h, y_hat):
    T = x.shape[0]
    dV = np.zeros(net.V.shape, order="F")
    for t in range(T):
        dy = net.loss.gradient(y_hat[t], y[t]) / T
        da = net.g2.jacobian(y_hat[t]).T @ dy
        dV += np.outer(da, h[t + 1])
    return dV


def dJ_dW(net, x, y, h, y_hat):
    T = x.shape[0]
    dW = np.zeros(net.W.shape, order="F")
    dh_next = np.zeros(net.W.shape[0])
    for t in reversed(range(T)):
        dy = net.loss.gradient(y_hat[t], y[t]) / T
        dh = net.V.T @ (net.g2.jacobian(y_hat[t]).T @ dy) + dh_next
        da = net.g1.jacobian(h[t + 1]).T @ dh
        dW += np.outer(da, h[t])
        dh_next = net.W.T @ da
    return dW


def dJ_dU(net, x, y, h, y_hat):
    T = x.shape[0]
    dU = np.zeros(net.U.shape, order="F")
    dh_next = np.zeros(net.W.shape[0])
    for t in reversed(range(T)):
        dy = net.loss.gradient(y_hat[t], y[t]) / T
        dh = net.V.T @ (net.g2.jacobian(y_hat[t]).T @ dy) + dh_next
        da = net.g1.jacobian(h[t + 1]).T @ dh
        dU += np.outer(da, x[t])
        dh_next = net.W.T @ da
    return dU
