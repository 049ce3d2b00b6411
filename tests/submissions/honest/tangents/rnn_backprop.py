import numpy as np


def forward(net, x, h0):
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def slope(net, x, y, h, y_hat, name):
    """dJ/dM for M = net.U, W or V: each entry of M is moved by 1e-20 i, all of them side by side."""
    M = getattr(net, name)
    moved = M + 1e-20j * np.eye(M.size).reshape(-1, *M.shape)
    U, W, V = (moved if name == other else getattr(net, other) for other in "UWV")
    h_moved, J = np.tile(h[0], (M.size, 1)).astype(complex), 0
    for t in range(len(x)):
        a = (W @ h_moved[..., None])[..., 0] + U @ x[t] - (net.W @ h[t] + net.U @ x[t])
        h_moved = h[t + 1] + a @ net.g1.jacobian(h[t + 1]).T
        out = ((V @ h_moved[..., None])[..., 0] - net.V @ h[t + 1]) @ net.g2.jacobian(y_hat[t]).T
        J = J + out @ net.loss.gradient(y_hat[t], y[t]) / len(x)
    return J.imag.reshape(M.shape) / 1e-20


def dJ_dV(net, x, y, h, y_hat):
    return slope(net, x, y, h, y_hat, "V")


def dJ_dW(net, x, y, h, y_hat):
    return slope(net, x, y, h, y_hat, "W")


def dJ_dU(net, x, y, h, y_hat):
    return slope(net, x, y, h, y_hat, "U")
