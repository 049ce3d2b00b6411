import numpy as np

# Columns (n, 1) all the way, so that each Jacobian and each weight matrix is transposed on the way back.


def column(a):
    return np.asarray(a)[:, np.newaxis]


def forward(net, x, h0):
    h, y_hat = column(h0), np.empty((len(net.b_y), 0))
    for t in range(len(x)):
        a = np.matmul(net.W, h[:, -1:]) + np.matmul(net.U, column(x[t])) + column(net.b_h)
        h = np.append(h, column(net.g1.function(a.ravel())), axis=1)
        z = np.matmul(net.V, h[:, -1:]) + column(net.b_y)
        y_hat = np.append(y_hat, column(net.g2.function(z.ravel())), axis=1)
    return h.T, y_hat.T


def error(net, y, y_hat, t):
    return np.matmul(net.g2.jacobian(y_hat[t]).T, column(net.loss.gradient(y_hat[t], y[t])))


def dJ_dV(net, x, y, h, y_hat):
    T = y.shape[0]
    dV = 0.0
    for t in range(T):
        dV = dV + np.matmul(error(net, y, y_hat, t), column(h[t + 1]).T) / T
    return dV


def back(net, y, h, y_hat, fed_in):
    T = y.shape[0]
    grad, dh_next = 0.0, np.zeros((net.W.shape[0], 1))
    for t in range(T)[::-1]:
        dh = np.matmul(net.V.T, error(net, y, y_hat, t)) / T + dh_next
        da = np.matmul(net.g1.jacobian(h[t + 1]).T, dh)
        grad = grad + np.matmul(da, column(fed_in[t]).T)
        dh_next = np.matmul(net.W.T, da)
    return grad


def dJ_dW(net, x, y, h, y_hat):
    return back(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return back(net, y, h, y_hat, x)
