import numpy as np

# A layer with methods and attributes, made anew in every call.


class Layer:
    def __init__(self, net):
        self.net = net
        self.states = []
        self.outputs = []

    def start(self, h0):
        self.states.append(h0)
        return self

    def step(self, x_t):
        net = self.net
        self.states.append(net.g1.function(net.W @ self.states[-1] + net.U @ x_t + net.b_h))
        self.outputs.append(net.g2.function(net.V @ self.states[-1] + net.b_y))


class Gradient:
    def __init__(self, net, y, h, y_hat):
        self.net, self.h, self.T = net, h, len(y)
        self.errors = [self._error(*pair) for pair in zip(y_hat, y)]

    def _error(self, y_hat_t, y_t):
        return self.net.loss.gradient(y_hat_t, y_t) @ self.net.g2.jacobian(y_hat_t) / self.T

    @property
    def V(self):
        return np.array(self.errors).T @ self.h[1:]

    def through_time(self, fed_in):
        total = np.zeros((self.h.shape[1], fed_in.shape[1]))
        delta = np.zeros(self.h.shape[1])
        for t in reversed(range(self.T)):
            delta = (self.errors[t] @ self.net.V + delta @ self.net.W) @ self.net.g1.jacobian(self.h[t + 1])
            total += np.outer(delta, fed_in[t])
        return total


def forward(net, x, h0):
    layer = Layer(net).start(h0)
    for x_t in x:
        layer.step(x_t)
    return np.array(layer.states), np.array(layer.outputs)


def dJ_dV(net, x, y, h, y_hat):
    return Gradient(net, y, h, y_hat).V


def dJ_dW(net, x, y, h, y_hat):
    return Gradient(net, y, h, y_hat).through_time(h[:-1])


def dJ_dU(net, x, y, h, y_hat):
    return Gradient(net, y, h, y_hat).through_time(x)
