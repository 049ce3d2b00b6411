import numpy as np

# All deltas at once: equation (17) for t = 1, ..., T is one linear system, delta (I - L) = now.


def forward(net, x, h0):
    T = len(x)
    h, y_hat = np.empty((T + 1, len(h0))), np.empty((T, len(net.b_y)))
    h[0] = h0
    inputs = x @ net.U.T + net.b_h
    for t in range(T):
        h[t + 1] = net.g1.function(inputs[t] + net.W @ h[t])
    for t, a in enumerate(h[1:] @ net.V.T + net.b_y):
        y_hat[t] = net.g2.function(a)
    return h, y_hat


def errors(net, y, y_hat):
    return np.array([net.loss.gradient(p, q) @ net.g2.jacobian(p) for p, q in zip(y_hat, y)]) / len(y)


def dJ_dV(net, x, y, h, y_hat):
    return errors(net, y, y_hat).T @ h[1:]


def rows(net, y, h, y_hat):
    T, H = len(y), len(net.W)
    slopes = [net.g1.jacobian(state) for state in h[1:]]
    links = np.zeros((T * H, T * H))
    for t in range(1, T):
        links[t * H : (t + 1) * H, (t - 1) * H : t * H] = slopes[t] @ net.W
    now = (errors(net, y, y_hat) @ net.V).reshape(-1)
    delta = np.linalg.solve((np.eye(T * H) - links).T, now).reshape(T, H)
    return np.array([d @ G for d, G in zip(delta, slopes)])


def dJ_dW(net, x, y, h, y_hat):
    return rows(net, y, h, y_hat).T @ h[:-1]


def dJ_dU(net, x, y, h, y_hat):
    return rows(net, y, h, y_hat).T @ x
