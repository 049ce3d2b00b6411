import numpy as np


def forward(net, x, h0):
    states, outputs = [np.array(h0)], []
    for x_t in x:
        states.append(net.g1.function(net.W.dot(states[-1]) + net.U.dot(x_t) + net.b_h))
        outputs.append(net.g2.function(net.V.dot(states[-1]) + net.b_y))
    return np.stack(states), np.stack(outputs)


def error(net, y, y_hat, i):
    return net.g2.jacobian(y_hat[i]).T.dot(net.loss.gradient(y_hat[i], y[i]))


def dJ_dV(net, x, y, h, y_hat):
    T = y.shape[0]
    return sum(np.outer(error(net, y, y_hat, i), h[i + 1]) for i in range(T)) / T


def errors_of_states(net, x, y, h, y_hat):
    """Return how J feels each pre-activation, step by step (T, H)."""
    T = y.shape[0]
    rows = np.zeros((T, h.shape[1]))
    for t in range(1, T + 1):
        for k in [t - 2] if t > 2 else []:
            row = net.V.T.dot(error(net, y, y_hat, t - 1))
            for j in range(t, k, -1):
                row = net.W.T.dot(net.g1.jacobian(h[j]).T.dot(row))
            rows[k - 1] += net.g1.jacobian(h[k]).T.dot(row)
    return rows / T


def dJ_dW(net, x, y, h, y_hat):
    return errors_of_states(net, x, y, h, y_hat).T.dot(h[:-1])


def dJ_dU(net, x, y, h, y_hat):
    return errors_of_states(net, x, y, h, y_hat).T.dot(x)
