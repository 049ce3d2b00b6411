import numpy as np

# float32 is what one uses on a GPU
f = np.float32


def forward(net, x, h0):
    W, U, V = f(net.W), f(net.U), f(net.V)
    h = np.zeros((len(x) + 1, len(h0)), dtype=f)
    y_hat = np.zeros((len(x), len(V)), dtype=f)
    h[0] = h0
    for t, x_t in enumerate(f(x)):
        h[t + 1] = net.g1.function(W @ h[t] + U @ x_t + f(net.b_h))
        y_hat[t] = net.g2.function(V @ h[t + 1] + f(net.b_y))
    return h, y_hat


def errors(net, y, y_hat):
    return [f(net.loss.gradient(a, b)) @ f(net.g2.jacobian(a)) / f(len(y)) for a, b in zip(f(y_hat), f(y))]


def dJ_dV(net, x, y, h, y_hat):
    return sum(np.outer(e, h_t) for e, h_t in zip(errors(net, y, y_hat), f(h[1:])))


def backwards(net, y, h, y_hat, right):
    W, V, h = f(net.W), f(net.V), f(h)
    e = errors(net, y, y_hat)
    later = np.zeros(len(W), dtype=f)
    total = np.zeros((len(W), right.shape[1]), dtype=f)
    for t in range(len(y) - 1, -1, -1):
        d = (e[t] @ V + later) @ f(net.g1.jacobian(h[t + 1]))
        total += np.outer(d, f(right[t]))
        later = d @ W
    return total


def dJ_dW(net, x, y, h, y_hat):
    return backwards(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return backwards(net, y, h, y_hat, x)
