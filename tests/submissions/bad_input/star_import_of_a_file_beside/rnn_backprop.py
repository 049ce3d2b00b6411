# %%
import numpy as np
from my_functions import *


# %%
def forward(net, x, h0):
    h, y_hat = [h0], []
    for t in range(1, len(x) + 1):
        h.append(net.g1.function(net.W @ h[t - 1] + net.U @ x[t - 1] + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[t] + net.b_y))
    return np.array(h), np.array(y_hat)


# %%
def dJ_dV(net, x, y, h, y_hat):
    T = len(x)
    dV = np.zeros_like(net.V)
    for t in range(1, T + 1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        dV += np.outer(e, h[t]) / T
    return dV


# %%
def dJ_dW(net, x, y, h, y_hat):
    T = len(x)
    dW = np.zeros_like(net.W)
    later = np.zeros(len(net.W))
    for t in range(T, 0, -1):
        e = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])
        delta_G1 = (e @ net.V / T + later) @ net.g1.jacobian(h[t])
        dW += np.outer(delta_G1, h[t - 1])
        later = delta_G1 @ net.W
    return dW


# %%
def dJ_dU(net, x, y, h, y_hat):
    T = len(x)
    dU = np.zeros_like(net.U)
    later = np.zeros(len(net.W))
    for t in range(T, 0, -1):
        e = output_error(net, y_hat, y, t - 1)
        delta_G1 = (e @ net.V / T + later) @ net.g1.jacobian(h[t])
        dU += np.outer(delta_G1, x[t - 1])
        later = delta_G1 @ net.W
    return dU
