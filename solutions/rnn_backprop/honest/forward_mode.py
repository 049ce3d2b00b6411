import numpy as np


def forward(net, x, h0):
    h, y_hat = [h0], []
    for x_t in x:
        h.append(net.g1.function(net.W @ h[-1] + net.U @ x_t + net.b_h))
        y_hat.append(net.g2.function(net.V @ h[-1] + net.b_y))
    return np.array(h), np.array(y_hat)


def dJ_dV(net, x, y, h, y_hat):
    total = np.zeros(net.V.shape)
    for t in range(len(x)):
        total += np.outer(net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t]), h[t + 1])
    return total / len(x)


def real_time(net, y, h, y_hat, right):
    """Real-time recurrent learning: carries S[i, j, l] = dh_i(t)/dM[j, l] along with the state, never goes back."""
    H, N = len(net.W), right.shape[1]
    S = np.zeros((H, H, N))
    total = np.zeros((H, N))
    for t in range(1, len(y) + 1):
        now = np.zeros((H, H, N))
        for i in range(H):
            now[i, i, :] = right[t - 1]
        S = np.tensordot(net.g1.jacobian(h[t]), np.tensordot(net.W, S, axes=1) + now, axes=1)
        row = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) @ net.V
        total += np.tensordot(row, S, axes=1)
    return total / len(y)


def dJ_dW(net, x, y, h, y_hat):
    return real_time(net, y, h, y_hat, h)


def dJ_dU(net, x, y, h, y_hat):
    return real_time(net, y, h, y_hat, x)
