import numpy as np

# Everything here is a row (1, n), and weights stand on the right: h = g(h W' + x U' + b)


def row(a):
    return np.reshape(a, (1, -1))


def forward(net, x, h0):
    WT, UT, VT = net.W.T, net.U.T, net.V.T
    h, outputs = row(h0), []
    states = [h]
    for t in range(x.shape[0]):
        z = h @ WT + x[t : t + 1] @ UT + row(net.b_h)
        h = row(net.g1.function(z[0]))
        states.append(h)
        outputs.append(row(net.g2.function((h @ VT + row(net.b_y))[0])))
    return np.concatenate(states, axis=0), np.concatenate(outputs, axis=0)


def output_row(net, y, y_hat, t):
    return row(net.loss.gradient(y_hat[t], y[t])) @ net.g2.jacobian(y_hat[t]) / y.shape[0]


def dJ_dV(net, x, y, h, y_hat):
    dVT = sum(row(h[t + 1]).T @ output_row(net, y, y_hat, t) for t in range(x.shape[0]))
    return dVT.T


def rows_back(net, y, h, y_hat):
    later = np.zeros((1, h.shape[1]))
    for t in reversed(range(y.shape[0])):
        dh = output_row(net, y, y_hat, t) @ net.V + later
        dz = dh @ net.g1.jacobian(h[t + 1])
        yield t, dz
        later = dz @ net.W


def dJ_dW(net, x, y, h, y_hat):
    dWT = sum(h[t : t + 1].T @ dz for t, dz in rows_back(net, y, h, y_hat))
    return dWT.T


def dJ_dU(net, x, y, h, y_hat):
    dUT = sum(x[t : t + 1].T @ dz for t, dz in rows_back(net, y, h, y_hat))
    return dUT.T
