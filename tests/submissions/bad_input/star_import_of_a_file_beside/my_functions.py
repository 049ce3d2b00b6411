def output_error(net, y_hat, y, t):
    return net.loss.gradient(y_hat[t], y[t]) @ net.g2.jacobian(y_hat[t])
