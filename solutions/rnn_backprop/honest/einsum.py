import numpy as np


def forward(net, x, h0):
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def stacked(function, *rows):
    """function of each time step, stacked along axis 0"""
    return np.array([function(*row) for row in zip(*rows)])


def errors(net, y, y_hat):
    gradient = stacked(net.loss.gradient, y_hat, y)
    jacobian = stacked(net.g2.jacobian, y_hat)
    return np.einsum("tk,tkl->tl", gradient, jacobian) / len(y)


def dJ_dV(net, x, y, h, y_hat):
    return np.einsum("tk,th->kh", errors(net, y, y_hat), h[1:])


def deltas(net, y, h, y_hat):
    T, G1 = len(y), stacked(net.g1.jacobian, h)
    # P[t, k] = dh(t)/dh(k), zero for k > t
    P = np.zeros((T + 1, T + 1, *net.W.shape))
    for k in range(T + 1):
        P[k, k] = np.eye(len(net.W))
        for t in range(k + 1, T + 1):
            P[t, k] = np.einsum("ij,jl,lm->im", G1[t], net.W, P[t - 1, k])
    return np.einsum("to,oi,tkij,kjl->kl", errors(net, y, y_hat), net.V, P[1:, 1:], G1[1:])


def dJ_dW(net, x, y, h, y_hat):
    return np.einsum("ti,tj->ij", deltas(net, y, h, y_hat), h[:-1])


def dJ_dU(net, x, y, h, y_hat):
    return np.einsum("ti,td->id", deltas(net, y, h, y_hat), x)
