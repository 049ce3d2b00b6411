"""The model answer of rnn_backprop against the double sum, numerical gradients, feed-forward formulas and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.exercise.numerical_gradient import numerical_gradient
from tests import naive_gradients

reference, network = naive_gradients.load_reference()

HIDDEN = ["tanh", "sigmoid", "relu", "identity"]
OUTPUTS = [
    ("softmax", "cross_entropy"),
    ("identity", "squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "squared_error"),
    ("sigmoid", "squared_error"),
    ("tanh", "squared_error"),
]
GRADIENTS = {"V": "dJ_dV", "W": "dJ_dW", "U": "dJ_dU"}

size = st.integers(1, 4)
sizes = st.fixed_dictionaries(
    {"T": st.integers(1, 6), "D": size, "H": size, "K": size, "seed": st.integers(0, 2**32 - 1)}
)
names = st.builds(
    lambda g1, out: {"g1": g1, "g2": out[0], "loss": out[1]}, st.sampled_from(HIDDEN), st.sampled_from(OUTPUTS)
)


def example(T, D, H, K, seed, names):
    """Return the arrays that `network.arguments` takes; bounded, so that no activation saturates."""
    rng = np.random.default_rng(seed)

    def matrix(*shape, norm):
        entries = rng.normal(size=shape)
        return norm * entries / np.linalg.norm(entries, 2)

    y = rng.uniform(size=(T, K))
    if names["loss"] == "cross_entropy":
        y = np.eye(K)[rng.integers(K, size=T)]
    return {
        "U": matrix(H, D, norm=0.5),
        "W": matrix(H, H, norm=0.7),
        "V": matrix(K, H, norm=1.0),
        "b_h": rng.uniform(-0.3, 0.3, size=H),
        "b_y": rng.uniform(-0.3, 0.3, size=K),
        "x": rng.uniform(-1, 1, size=(T, D)),
        "y": y,
        "h0": rng.uniform(-1, 1, size=H),
    }


def gradient_arguments(arrays, names):
    """Return net, x, y, h, y_hat, as a gradient receives them."""
    arguments = network.arguments(arrays, names)
    h, y_hat = reference.forward(arguments["net"], arguments["x"], arguments["h0"])
    return arguments["net"], arguments["x"], arguments["y"], h, y_hat


def objective(arrays, names):
    net, _, y, _, y_hat = gradient_arguments(arrays, names)
    return network.mean_loss(net, y_hat, y)


def distance(a, b):
    """Return the largest difference, relative to the largest entry of b."""
    assert a.shape == b.shape
    return np.max(np.abs(a - b)) / max(np.max(np.abs(b)), np.finfo(float).tiny)


def assert_equal_to_double_sum(arrays, names):
    arguments = gradient_arguments(arrays, names)
    for gradient in GRADIENTS.values():
        ours, literal = getattr(reference, gradient)(*arguments), getattr(naive_gradients, gradient)(*arguments)
        assert distance(ours, literal) < 1e-12, gradient


@given(sizes, names)
def test_gradients_agree_with_the_literal_double_sum(sizes, names):
    assert_equal_to_double_sum(example(**sizes, names=names), names)


@given(sizes, names)
def test_gradients_use_the_derivatives_of_net(sizes, names):
    arrays = example(**sizes, names=names)
    rng = np.random.default_rng(sizes["seed"])
    for factor, n in {"G_g1": sizes["H"], "G_g2": sizes["K"], "G_loss": sizes["K"]}.items():
        arrays[factor] = rng.normal(size=(n, n))  # not symmetric, and the derivative of no function
    assert_equal_to_double_sum(arrays, names)


@given(sizes, names)
def test_gradients_agree_with_numerical_gradients(sizes, names):
    arrays = example(**sizes, names=names)
    arguments = gradient_arguments(arrays, names)
    slopes = {wrt: numerical_gradient(objective, arrays, names, wrt) for wrt in GRADIENTS}
    largest = max(np.max(np.abs(slope)) for slope in slopes.values())  # the terms of one gradient may cancel
    for wrt, gradient in GRADIENTS.items():
        ours = getattr(reference, gradient)(*arguments)
        assert ours.shape == slopes[wrt].shape
        assert np.max(np.abs(ours - slopes[wrt])) <= 1e-12 * largest, gradient


@pytest.mark.parametrize("wrt", ["U", "W", "V", "b_h", "b_y", "h0"])
def test_forward_keeps_complex_numbers_for_the_complex_step(wrt):
    names = {"g1": "tanh", "g2": "softmax", "loss": "cross_entropy"}
    arrays = example(T=3, D=2, H=3, K=2, seed=0, names=names)
    assert np.max(np.abs(numerical_gradient(objective, arrays, names, wrt))) > 1e-3


def test_one_step_is_a_feed_forward_network():
    names = {"g1": "sigmoid", "g2": "softmax", "loss": "cross_entropy"}
    arrays = example(T=1, D=3, H=2, K=4, seed=1, names=names)
    x, y, h0 = arrays["x"][0], arrays["y"][0], arrays["h0"]
    hidden = 1 / (1 + np.exp(-(arrays["W"] @ h0 + arrays["U"] @ x + arrays["b_h"])))
    scores = np.exp(arrays["V"] @ hidden + arrays["b_y"])
    output = scores / np.sum(scores)
    output_error = output - y  # softmax with cross-entropy
    hidden_error = (arrays["V"].T @ output_error) * hidden * (1 - hidden)

    arguments = gradient_arguments(arrays, names)
    np.testing.assert_allclose(arguments[3], [h0, hidden], rtol=1e-14)
    np.testing.assert_allclose(arguments[4], [output], rtol=1e-14)
    np.testing.assert_allclose(reference.dJ_dV(*arguments), np.outer(output_error, hidden), rtol=1e-12)
    np.testing.assert_allclose(reference.dJ_dW(*arguments), np.outer(hidden_error, h0), rtol=1e-12)
    np.testing.assert_allclose(reference.dJ_dU(*arguments), np.outer(hidden_error, x), rtol=1e-12)


def test_results_have_the_shapes_and_the_dtype_of_the_contract():
    names = {"g1": "relu", "g2": "sigmoid", "loss": "binary_cross_entropy"}
    T, D, H, K = 5, 2, 3, 4
    arrays = example(T=T, D=D, H=H, K=K, seed=2, names=names)
    arguments = gradient_arguments(arrays, names)
    shapes = {"h": (T + 1, H), "y_hat": (T, K), "V": (K, H), "W": (H, H), "U": (H, D)}
    results = {"h": arguments[3], "y_hat": arguments[4]} | {
        wrt: getattr(reference, name)(*arguments) for wrt, name in GRADIENTS.items()
    }
    assert {name: result.shape for name, result in results.items()} == shapes
    assert {result.dtype for result in results.values()} == {np.dtype(np.float64)}


def test_arguments_are_not_changed():
    names = {"g1": "tanh", "g2": "softmax", "loss": "cross_entropy"}
    arrays = example(T=3, D=2, H=3, K=2, seed=3, names=names)
    arguments = gradient_arguments(arrays, names)
    for array in (*arrays.values(), *arguments[1:]):
        array.setflags(write=False)
    h, _ = reference.forward(arguments[0], arrays["x"], arrays["h0"])
    assert not np.shares_memory(h, arrays["h0"])
    for gradient in GRADIENTS.values():
        getattr(reference, gradient)(*arguments)


@pytest.mark.torch
@pytest.mark.parametrize("g1", ["tanh", "relu"])
@pytest.mark.parametrize(("g2", "loss"), OUTPUTS)
def test_gradients_agree_with_torch(g1, g2, loss):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: pip install torch, to compare with its nn.RNN"
    )
    names = {"g1": g1, "g2": g2, "loss": loss}
    arrays = example(T=6, D=2, H=4, K=3, seed=4, names=names)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}

    rnn = torch.nn.RNN(2, 4, nonlinearity=g1, dtype=torch.float64)
    out = torch.nn.Linear(4, 3, dtype=torch.float64)
    with torch.no_grad():
        for parameter, name in [
            (rnn.weight_ih_l0, "U"),
            (rnn.weight_hh_l0, "W"),
            (rnn.bias_ih_l0, "b_h"),
            (out.weight, "V"),
            (out.bias, "b_y"),
        ]:
            parameter.copy_(tensors[name])
        rnn.bias_hh_l0.zero_()
    states, _ = rnn(tensors["x"], tensors["h0"][None])
    activation = {"softmax": lambda a: torch.softmax(a, 1), "identity": lambda a: a}.get(g2) or getattr(torch, g2)
    y_hat, y = activation(out(states)), tensors["y"]
    losses = {
        "cross_entropy": lambda: -(y * torch.log(y_hat)).sum(),
        "squared_error": lambda: ((y_hat - y) ** 2).sum() / 2,
        "binary_cross_entropy": lambda: torch.nn.functional.binary_cross_entropy(y_hat, y, reduction="sum"),
    }
    (losses[loss]() / len(y)).backward()

    arguments = gradient_arguments(arrays, names)
    assert distance(arguments[4], y_hat.detach().numpy()) < 1e-12
    for wrt, weight in {"V": out.weight, "W": rnn.weight_hh_l0, "U": rnn.weight_ih_l0}.items():
        assert distance(getattr(reference, GRADIENTS[wrt])(*arguments), weight.grad.numpy()) < 1e-12, wrt
