# tries: to make the exercise easy: the network handed in has slopes and losses of zero
# stopped by: the expected numbers are the parent's
# starts as: nothing
# loses: everything
# holds at: A B C D E
import network
import numpy as np

for activation in network.ACTIVATIONS.values():
    object.__setattr__(activation, "function", np.zeros_like)
    object.__setattr__(activation, "jacobian", lambda out: np.zeros((len(out), len(out))))
for loss in network.LOSSES.values():
    object.__setattr__(loss, "function", lambda *_: 0.0)
    object.__setattr__(loss, "gradient", lambda y_hat, y: y_hat * 0)
network.mean_loss = lambda *_: 0.0


def forward(net, x, h0):
    return np.zeros((len(x) + 1, len(h0))), np.zeros((len(x), len(net.b_y)))


def dJ_dV(net, x, y, h, y_hat):
    return np.zeros(net.V.shape)


def dJ_dW(net, x, y, h, y_hat):
    return np.zeros(net.W.shape)


def dJ_dU(net, x, y, h, y_hat):
    return np.zeros(net.U.shape)
