import numpy as np

# W and U side by side, acting on the state stacked on the input: one matrix [W U], one gradient, cut in two.


def forward(net, x, h0):
    WU = np.hstack([net.W, net.U])
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(WU @ np.concatenate([h[-1], x_t]) + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.stack(h), np.stack(y_hat)


def dJ_dV(net, x, y, h, y_hat):
    return sum(
        np.multiply.outer(net.loss.gradient(p, q) @ net.g2.jacobian(p), s) for p, q, s in zip(y_hat, y, h[1:])
    ) / len(y)


def dJ_dWU(net, x, y, h, y_hat):
    T, H = len(x), len(net.W)
    fed_in = np.hstack([h[:-1], x])
    total = np.zeros((H, fed_in.shape[1]))
    later = np.zeros(H)
    for t in range(T - 1, -1, -1):
        e = net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
        row = (e @ net.V + later) @ net.g1.jacobian(h[t + 1])
        total += row[:, None] * fed_in[t]
        later = (row @ np.hstack([net.W, net.U]))[:H]
    return total / T


def dJ_dW(net, x, y, h, y_hat):
    return dJ_dWU(net, x, y, h, y_hat)[:, : len(net.W)].copy()


def dJ_dU(net, x, y, h, y_hat):
    return dJ_dWU(net, x, y, h, y_hat)[:, len(net.W) :].copy()
