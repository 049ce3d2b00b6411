"""Laws that the gradients of rnn_backprop obey for all numbers.

They hold for the reference and for every honest variant, and follow from the mathematics rather than from the code.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autograder.verification.verify import correct_variants
from tests.in_process import exercise, load_functions, network

SOURCE = (exercise().folder / "rnn_backprop.py").read_text(encoding="utf-8")
ANSWERS = {"reference": load_functions(SOURCE)} | {
    path.stem: load_functions(path.read_text(encoding="utf-8")) for path in correct_variants(exercise())
}
GRADIENTS = ("dJ_dV", "dJ_dW", "dJ_dU")
PAIRS = [
    *[("softmax", "cross_entropy"), ("identity", "squared_error"), ("sigmoid", "binary_cross_entropy")],
    *[("softmax", "squared_error"), ("sigmoid", "squared_error"), ("tanh", "squared_error")],
]

size = st.integers(1, 4)
problem = st.builds(
    lambda T, H, D, K, g1, pair, seed: draw_problem(T, H, D, K, g1, *pair, seed),
    *(st.integers(1, 5), size, size, size),
    st.sampled_from(["tanh", "sigmoid", "relu", "identity"]),
    st.sampled_from(PAIRS),
    st.integers(0, 2**32 - 1),
)
answer = st.sampled_from(sorted(ANSWERS))


def draw_problem(T, H, D, K, g1, g2, loss, seed):
    """Return net, x, y, h, y_hat of moderate size."""
    rng = np.random.default_rng(seed)
    arrays = {
        "U": 0.5 * rng.normal(size=(H, D)),
        "W": rng.normal(size=(H, H)) / (2 * np.sqrt(H)),
        "V": 0.5 * rng.normal(size=(K, H)),
        "b_h": 0.3 * rng.normal(size=H),
        "b_y": 0.3 * rng.normal(size=K),
        "x": rng.uniform(-1, 1, size=(T, D)),
        "y": np.eye(K)[rng.integers(K, size=T)] if loss.endswith("cross_entropy") else rng.uniform(size=(T, K)),
        "h0": rng.uniform(-1, 1, size=H),
    }
    arguments = network().arguments(arrays, {"g1": g1, "g2": g2, "loss": loss})
    net, x, y = arguments["net"], arguments["x"], arguments["y"]
    return (net, x, y, *ANSWERS["reference"]["forward"](net, x, arguments["h0"]))


def tolerance(name):
    return 1e-3 if name == "float32" else 1e-9


def assert_same(name, array, expected):
    assert array.shape == expected.shape
    assert np.max(np.abs(array - expected)) <= tolerance(name) * max(np.max(np.abs(expected)), 1e-2)


def scale_loss(net, factor):
    """Return the network with `factor` times its loss."""
    loss = replace(
        net.loss,
        function=lambda y_hat, y: factor * net.loss.function(y_hat, y),
        gradient=lambda y_hat, y: factor * net.loss.gradient(y_hat, y),
    )
    return replace(net, loss=loss)


@given(answer, problem, st.sampled_from([-3.0, 0.5, 1e3]))
def test_scaling_the_loss_scales_the_gradients(name, problem, factor):
    net, *rest = problem
    for gradient in GRADIENTS:
        code = ANSWERS[name][gradient]
        assert_same(name, code(scale_loss(net, factor), *rest), factor * code(net, *rest))


@given(answer, problem, st.sampled_from([-3.0, 0.5, 1e3]))
def test_scaling_the_loss_leaves_the_forward_pass_alone(name, problem, factor):
    net, x, _, h, _ = problem
    forward = ANSWERS[name]["forward"]
    for array, expected in zip(forward(scale_loss(net, factor), x, h[0]), forward(net, x, h[0]), strict=True):
        assert np.array_equal(array, expected)


@given(answer, problem, st.randoms(use_true_random=False))
def test_permuting_the_hidden_units_permutes_the_gradients(name, problem, random):
    net, x, y, h, y_hat = problem
    order = random.sample(range(len(net.W)), len(net.W))
    permuted = replace(net, U=net.U[order], W=net.W[np.ix_(order, order)], V=net.V[:, order], b_h=net.b_h[order])
    states, outputs = ANSWERS[name]["forward"](permuted, x, h[0][order])
    assert_same(name, states, h[:, order])
    assert_same(name, outputs, y_hat)
    unpermuted = {gradient: ANSWERS[name][gradient](net, x, y, h, y_hat) for gradient in GRADIENTS}
    arguments = (permuted, x, y, h[:, order], y_hat)
    assert_same(name, ANSWERS[name]["dJ_dV"](*arguments), unpermuted["dJ_dV"][:, order])
    assert_same(name, ANSWERS[name]["dJ_dW"](*arguments), unpermuted["dJ_dW"][np.ix_(order, order)])
    assert_same(name, ANSWERS[name]["dJ_dU"](*arguments), unpermuted["dJ_dU"][order])


@given(answer, problem, st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_sum_of_losses_is_the_sum_of_the_gradients(name, problem, seed):
    net, x, y, h, y_hat = problem
    G = np.random.default_rng(seed).normal(size=(len(net.V), len(net.V)))

    def other_gradient(y_hat, y):  # of a second loss; the loss itself is never needed
        return G @ (y_hat - y)

    def with_loss_gradient(gradient):
        return replace(net, loss=replace(net.loss, gradient=gradient))

    other = with_loss_gradient(other_gradient)
    total = with_loss_gradient(lambda y_hat, y: net.loss.gradient(y_hat, y) + other_gradient(y_hat, y))
    for gradient in GRADIENTS:
        code = ANSWERS[name][gradient]
        parts = [code(net, x, y, h, y_hat), code(other, x, y, h, y_hat)]
        scale = max(np.max(np.abs(part)) for part in parts)  # the parts may cancel
        error = np.max(np.abs(code(total, x, y, h, y_hat) - sum(parts)))
        assert error <= tolerance(name) * max(scale, 1e-2)


@given(answer, problem)
def test_the_losses_of_the_steps_add_up(name, problem):
    net, x, y, h, y_hat = problem
    net = replace(net, loss=network().LOSSES["squared_error"])  # no loss at a step whose target is its output
    single_targets = [np.where(np.arange(len(x))[:, None] == t, y, y_hat) for t in range(len(x))]
    for gradient in GRADIENTS:
        code = ANSWERS[name][gradient]
        parts = [code(net, x, targets, h, y_hat) for targets in single_targets]
        error = np.max(np.abs(code(net, x, y, h, y_hat) - sum(parts)))
        assert error <= tolerance(name) * max(1e-2, *(np.max(np.abs(part)) for part in parts))


@given(problem)
def test_one_step_is_the_feed_forward_formula(problem):
    net, x, y, h, y_hat = problem
    x, y, h, y_hat = x[:1], y[:1], h[:2], y_hat[:1]
    error = net.g2.jacobian(y_hat[0]).T @ net.loss.gradient(y_hat[0], y[0])
    hidden = net.g1.jacobian(h[1]).T @ (net.V.T @ error)
    layer = {"dJ_dV": np.outer(error, h[1]), "dJ_dW": np.outer(hidden, h[0]), "dJ_dU": np.outer(hidden, x[0])}
    for name, functions in ANSWERS.items():
        for gradient, expected in layer.items():
            assert_same(name, functions[gradient](net, x, y, h, y_hat), expected)
