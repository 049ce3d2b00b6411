import numpy as np


def forward(net, x, h0):
    def h(t):
        return h0 if t == 0 else net.g1.function(net.W @ h(t - 1) + net.U @ x[t - 1] + net.b_h)

    T = len(x)
    return np.array([h(t) for t in range(T + 1)]), np.array([net.g2.function(net.V @ h(t) + net.b_y) for t in range(1, T + 1)])


def dJ_dV(net, x, y, h, y_hat):
    T, (K, H) = len(x), net.V.shape
    total = np.zeros((K, H))
    for t in range(1, T + 1):
        dJ_dy = net.loss.gradient(y_hat[t - 1], y[t - 1])
        dy_da = net.g2.jacobian(y_hat[t - 1])
        for i in range(K):
            for j in range(H):
                # only a[i] feels V[i, j]
                total[i, j] += dJ_dy @ dy_da[:, i] * h[t, j]
    return total / T


def double_sum(net, y, h, y_hat, right):
    """(1/T) sum_t sum_k dJ(t)/dy . dy/dh(t) . (product of dh(j)/dh(j-1)) . dh(k)/dM, all as in the formula"""
    T, H, N = len(y), h.shape[1], right.shape[1]
    total = np.zeros((H, N))
    for t in range(1, T + 1):
        for k in range(1, t + 1):
            product = np.eye(H)
            for j in range(k + 1, t + 1):
                product = (net.g1.jacobian(h[j]) @ net.W) @ product
            # immediate partial dh(k)/dM, three axes
            dh_dM = np.zeros((H, H, N))
            for i in range(H):
                dh_dM[:, i, :] = np.outer(net.g1.jacobian(h[k])[:, i], right[k - 1])
            row = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ (net.g2.jacobian(y_hat[t - 1]) @ net.V) @ product
            total += np.tensordot(row, dh_dM, axes=1)
    return total / T


def dJ_dW(net, x, y, h, y_hat):
    return double_sum(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return double_sum(net, y, h, y_hat, x)
