from dataclasses import replace

import numpy as np
from network import mean_loss


def forward(net, x, h0):
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def J(net, x, y, h0):
    return mean_loss(net, forward(net, x, h0)[1], y)


def measured(net, x, y, h0, name, eps=1e-20):
    M = getattr(net, name)
    dM = np.zeros(M.shape)
    for place in np.ndindex(M.shape):
        step = np.zeros(M.shape, dtype=complex)
        step[place] = eps * 1j
        dM[place] = J(replace(net, **{name: M + step}), x, y, h0).imag / eps
    return dM


def dJ_dV(net, x, y, h, y_hat):
    return measured(net, x, y, h[0], "V")


def dJ_dW(net, x, y, h, y_hat):
    return measured(net, x, y, h[0], "W")


def dJ_dU(net, x, y, h, y_hat):
    return measured(net, x, y, h[0], "U")
