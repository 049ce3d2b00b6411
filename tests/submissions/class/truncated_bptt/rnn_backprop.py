import numpy as np

# from the tutorial: going further back costs time and the gradients vanish anyway
BPTT_TRUNCATE = 3


def forward(net, x, h0):
    T = len(x)
    h = np.zeros((T + 1, net.W.shape[0]))
    h[0] = h0
    y_hat = np.zeros((T, net.V.shape[0]))
    for t in np.arange(T):
        h[t + 1] = net.g1.function(net.U.dot(x[t]) + net.W.dot(h[t]) + net.b_h)
        y_hat[t] = net.g2.function(net.V.dot(h[t + 1]) + net.b_y)
    return h, y_hat


def dJ_dV(net, x, y, h, y_hat):
    T = len(y)
    dV = np.zeros(net.V.shape)
    for t in np.arange(T):
        delta_o = net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
        dV += np.outer(delta_o, h[t + 1])
    return dV / T


def bptt(net, x, y, h, y_hat):
    T = len(y)
    dU = np.zeros(net.U.shape)
    dW = np.zeros(net.W.shape)
    # for each output backwards ...
    for t in np.arange(T)[::-1]:
        delta_o = net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
        delta_t = (delta_o @ net.V) @ net.g1.jacobian(h[t + 1])
        # ... back through time: at most BPTT_TRUNCATE terms, step t itself and the two before it
        for step in np.arange(max(0, t - BPTT_TRUNCATE + 1), t + 1)[::-1]:
            dW += np.outer(delta_t, h[step])
            dU += np.outer(delta_t, x[step])
            delta_t = (delta_t @ net.W) @ net.g1.jacobian(h[step])
    return dW / T, dU / T


def dJ_dW(net, x, y, h, y_hat):
    return bptt(net, x, y, h, y_hat)[0]


def dJ_dU(net, x, y, h, y_hat):
    return bptt(net, x, y, h, y_hat)[1]
