import numpy as np

# Everything that can be in float32 is, and so is what comes back: a right formula in low precision.

f = np.float32


def forward(net, x, h0):
    W, U, V, b_h, b_y = f(net.W), f(net.U), f(net.V), f(net.b_h), f(net.b_y)
    h, y_hat = [f(h0)], []
    for x_t in f(x):
        h.append(f(net.g1.function(W @ h[-1] + U @ x_t + b_h)))
        y_hat.append(f(net.g2.function(V @ h[-1] + b_y)))
    return np.array(h), np.array(y_hat)


def errors(net, y, y_hat):
    e = [f(net.loss.gradient(a, b)) @ f(net.g2.jacobian(a)) for a, b in zip(f(y_hat), f(y))]
    return np.array(e, dtype=f) / f(len(y))


def dJ_dV(net, x, y, h, y_hat):
    return errors(net, y, y_hat).T @ f(h[1:])


def deltas(net, y, h, y_hat):
    W, V, h, e = f(net.W), f(net.V), f(h), errors(net, y, y_hat)
    delta = np.zeros((len(y) + 1, h.shape[1]), dtype=f)
    for t in range(len(y) - 1, -1, -1):
        delta[t] = (e[t] @ V + delta[t + 1] @ W) @ f(net.g1.jacobian(h[t + 1]))
    return delta[:-1]


def dJ_dW(net, x, y, h, y_hat):
    return deltas(net, y, h, y_hat).T @ f(h[:-1])


def dJ_dU(net, x, y, h, y_hat):
    return deltas(net, y, h, y_hat).T @ f(x)
