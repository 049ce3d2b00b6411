import numpy as np


def times(M, v):
    return [sum(m * a for m, a in zip(row, v)) for row in M]


def plus(*vectors):
    return [sum(entries) for entries in zip(*vectors)]


def forward(net, x, h0):
    W, U, V = net.W.tolist(), net.U.tolist(), net.V.tolist()
    h, y_hat = [h0.tolist()], []
    for x_t in x.tolist():
        a = plus(times(W, h[-1]), times(U, x_t), net.b_h.tolist())
        h.append(net.g1.function(np.array(a)).tolist())
        y_hat.append(net.g2.function(np.array(plus(times(V, h[-1]), net.b_y.tolist()))).tolist())
    return np.array(h), np.array(y_hat)


def transposed(M):
    return [list(column) for column in zip(*M)]


def dJ_da(net, y, y_hat, t):
    """column: dJ(t)/da(t) of the output"""
    return times(transposed(net.g2.jacobian(y_hat[t]).tolist()), net.loss.gradient(y_hat[t], y[t]).tolist())


def dJ_dV(net, x, y, h, y_hat):
    K, H = net.V.shape
    T = len(x)
    e = [dJ_da(net, y, y_hat, t) for t in range(T)]
    return np.array([[sum(e[t][i] * h[t + 1, j] for t in range(T)) / T for j in range(H)] for i in range(K)])


def deltas(net, y, h, y_hat):
    T = len(y)
    WT, VT = transposed(net.W.tolist()), transposed(net.V.tolist())
    delta = [[0.0] * len(WT)]
    for t in range(T - 1, -1, -1):
        dh = plus(times(VT, dJ_da(net, y, y_hat, t)), times(WT, delta[0]))
        delta.insert(0, times(transposed(net.g1.jacobian(h[t + 1]).tolist()), dh))
    return delta[:T]


def dJ_dW(net, x, y, h, y_hat):
    T, H = len(x), len(net.W)
    d = deltas(net, y, h, y_hat)
    return np.array([[sum(d[t][i] * h[t, j] for t in range(T)) / T for j in range(H)] for i in range(H)])


def dJ_dU(net, x, y, h, y_hat):
    T, (H, D) = len(x), net.U.shape
    d = deltas(net, y, h, y_hat)
    return np.array([[sum(d[t][i] * x[t, j] for t in range(T)) / T for j in range(D)] for i in range(H)])
