# %%
import numpy as np


# %%
def forward(net, x, h0):
    h = [np.asarray(h0)]
    y_hat = []
    for t, x_t in enumerate(x, start=1):
        a = net.W @ h[t - 1] + net.U @ x_t + net.b_h
        h.append(net.g1.function(a))
        y_hat.append(net.g2.function(net.V @ h[t] + net.b_y))
    return np.vstack(h), np.vstack(y_hat)


# %%
def dJ_dV(net, x, y, h, y_hat):
    terms = []
    for t in range(1, len(x) + 1):
        dJ_dy = net.loss.gradient(y_hat[t - 1], y[t - 1])
        dy_da = net.g2.jacobian(y_hat[t - 1])
        terms.append(np.outer(dJ_dy @ dy_da, h[t]))
    return np.mean(terms, axis=0)


# %%
def dJ_dh(net, y, h, y_hat):
    """dJ(1..T)/dh(t) for all t, last one first"""
    T = len(y)
    out = np.zeros((T + 1, h.shape[1]))
    for t in range(T, 0, -1):
        out[t] = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) @ net.V
        if t < T:
            out[t] += out[t + 1] @ net.g1.jacobian(h[t + 1]) @ net.W
    return out


def dJ_dW(net, x, y, h, y_hat):
    d = dJ_dh(net, y, h, y_hat)
    return np.mean([np.outer(d[t] @ net.g1.jacobian(h[t]), h[t - 1]) for t in range(1, len(x) + 1)], axis=0)


# %%
def dJ_dU(net, x, y, h, y_hat):
    d = dJ_dh(net, y, h, y_hat)
    # x(t) belongs to h(t)
    return np.mean([np.outer(d[t] @ net.g1.jacobian(h[t]), x[t]) for t in range(1, len(x) + 1)], axis=0)
