import numpy as np


def forward(net, x, h0):
    h, y_hat = [h0], []
    for step in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ step + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def output_error(net, y, y_hat, t):
    error = y_hat[t].copy()
    error[np.argmax(y[t])] -= 1
    return error / len(y)


def state_errors(net, x, y, h, y_hat):
    errors, later = [], np.zeros(len(net.W))
    for t in reversed(range(len(y))):
        error = (output_error(net, y, y_hat, t) @ net.V + later) @ net.g1.jacobian(h[t + 1])
        later = error @ net.W
        errors.insert(0, error)
    return errors


def dJ_dV(net, x, y, h, y_hat):
    return sum(np.outer(output_error(net, y, y_hat, t), h[t + 1]) for t in range(len(y)))


def dJ_dW(net, x, y, h, y_hat):
    return sum(np.outer(error, h[t]) for t, error in enumerate(state_errors(net, x, y, h, y_hat)))


def dJ_dU(net, x, y, h, y_hat):
    return sum(np.outer(error, x[t]) for t, error in enumerate(state_errors(net, x, y, h, y_hat)))
