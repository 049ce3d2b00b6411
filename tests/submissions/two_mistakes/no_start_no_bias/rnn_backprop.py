import numpy as np


def forward(net, x, h0):
    states, outputs = [np.zeros(len(h0))], []
    for x_t in x:
        states.append(net.g1.function(net.W.dot(states[-1]) + net.U.dot(x_t)))
        outputs.append(net.g2.function(net.V.dot(states[-1]) + net.b_y))
    states[0] = np.array(h0)
    return np.stack(states), np.stack(outputs)


def error(net, y, y_hat, i):
    return net.g2.jacobian(y_hat[i]).T.dot(net.loss.gradient(y_hat[i], y[i]))


def dJ_dV(net, x, y, h, y_hat):
    T = y.shape[0]
    return sum(np.outer(error(net, y, y_hat, i), h[i + 1]) for i in range(T)) / T


def errors_of_states(net, x, y, h, y_hat):
    """Return how J feels each pre-activation, step by step (T, H)."""
    T = y.shape[0]
    rows, back = [], np.zeros(h.shape[1])
    for i in reversed(range(T)):
        by_state = net.V.T.dot(error(net, y, y_hat, i)) + back
        rows.insert(0, net.g1.jacobian(h[i + 1]).T.dot(by_state))
        back = net.W.T.dot(rows[0])
    return np.array(rows) / T


def dJ_dW(net, x, y, h, y_hat):
    return errors_of_states(net, x, y, h, y_hat).T.dot(h[:-1])


def dJ_dU(net, x, y, h, y_hat):
    return errors_of_states(net, x, y, h, y_hat).T.dot(x)
