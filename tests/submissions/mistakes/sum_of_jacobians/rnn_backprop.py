import numpy as np


def forward(net, x, h0):
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.stack(h), np.stack(y_hat)


def dJt_dat(net, y, y_hat, t):
    return net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])


def dJ_dV(net, x, y, h, y_hat):
    T = len(x)
    return sum(np.outer(dJt_dat(net, y, y_hat, t), h[t]) for t in range(1, T + 1)) / T


def dh_dh(net, h, t, k):
    """dh(t)/dh(k), the product over j = k+1 ... t"""
    product = np.eye(len(net.W)) if t == k else np.zeros_like(net.W)
    for j in range(t, k, -1):
        product += net.g1.jacobian(h[j]) @ net.W
    return product


def double_sum(net, y, h, y_hat, right):
    """both sums over t and k; right[k - 1] is what the weights multiply at step k"""
    T = len(y)
    total = 0
    for t in range(1, T + 1):
        dJt_dht = dJt_dat(net, y, y_hat, t) @ net.V
        for k in range(1, t + 1):
            dJt_dak = dJt_dht @ dh_dh(net, h, t, k) @ net.g1.jacobian(h[k])
            total = total + np.outer(dJt_dak, right[k - 1])
    return total / T


def dJ_dW(net, x, y, h, y_hat):
    return double_sum(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return double_sum(net, y, h, y_hat, x)
