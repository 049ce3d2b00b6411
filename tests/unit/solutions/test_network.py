"""The activations and losses that students get: their derivatives, and errors that say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive_gradients

_, network = naive_gradients.load_reference()

STEP = 1e-20  # of the complex-step derivative: nothing is subtracted, so it may be this small

seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 5)


def complex_step_derivative(function, at):
    """Return d function / d at, a column for each entry of `at`."""
    columns = [np.imag(function(at + 1j * STEP * unit)) / STEP for unit in np.eye(len(at))]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", sorted(network.ACTIVATIONS))
@given(seed=seeds, n=lengths)
def test_a_jacobian_is_the_derivative_of_its_function(name, seed, n):
    activation = network.ACTIVATIONS[name]
    a = 2 * np.random.default_rng(seed).normal(size=n)
    jacobian = activation.jacobian(activation.function(a))
    np.testing.assert_allclose(jacobian, complex_step_derivative(activation.function, a), atol=1e-14)


@pytest.mark.parametrize("name", sorted(network.LOSSES))
@given(seed=seeds, n=lengths)
def test_a_gradient_is_the_derivative_of_its_loss(name, seed, n):
    loss = network.LOSSES[name]
    y_hat, y = np.random.default_rng(seed).uniform(0.05, 0.95, size=(2, n))
    derivative = complex_step_derivative(lambda at: loss.function(at, y), y_hat)
    np.testing.assert_allclose(loss.gradient(y_hat, y), derivative, rtol=1e-12)


@pytest.mark.parametrize(
    ("output", "loss"),
    [("softmax", "cross_entropy"), ("identity", "squared_error"), ("sigmoid", "binary_cross_entropy")],
)
def test_matched_pairs_give_the_plain_difference(output, loss):
    rng = np.random.default_rng(0)
    y_hat = network.ACTIVATIONS[output].function(rng.normal(size=4))
    y = np.eye(4)[2]
    error = network.LOSSES[loss].gradient(y_hat, y) @ network.ACTIVATIONS[output].jacobian(y_hat)
    np.testing.assert_allclose(error, y_hat - y, atol=1e-14)


def test_softmax_of_large_numbers_does_not_overflow():
    out = network.ACTIVATIONS["softmax"].function(np.array([1000.0, 999.0, -1000.0]))
    np.testing.assert_allclose(out, [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0], atol=1e-15)


@pytest.mark.parametrize("name", sorted(network.ACTIVATIONS))
@pytest.mark.parametrize("part", ["function", "jacobian"])
def test_an_activation_rejects_a_whole_sequence(name, part):
    with pytest.raises(ValueError, match=rf"{name}\.{part} works on one time step.*\(n,\).*shape \(3, 2\)"):
        getattr(network.ACTIVATIONS[name], part)(np.ones((3, 2)))


@pytest.mark.parametrize("name", sorted(network.LOSSES))
@pytest.mark.parametrize("part", ["function", "gradient"])
def test_a_loss_rejects_a_whole_sequence_and_two_shapes(name, part):
    call = getattr(network.LOSSES[name], part)
    with pytest.raises(ValueError, match=rf"{name}\.{part} works on one time step.*shape \(3, 2\)"):
        call(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match=rf"{name}\.{part} compares .* one shape, and was given \(3,\) and \(2,\)"):
        call(np.ones(3), np.ones(2))


@pytest.mark.parametrize("name", sorted(network.ACTIVATIONS))
def test_an_activation_that_is_called_itself_names_its_function(name):
    with pytest.raises(TypeError, match=r"net\.g1\.function\(a\) or net\.g2\.function\(a\)"):
        network.ACTIVATIONS[name](np.ones(3))


@pytest.mark.parametrize("name", sorted(network.LOSSES))
def test_a_loss_that_is_called_itself_names_its_gradient(name):
    with pytest.raises(TypeError, match=r"net\.loss\.gradient\(y_hat\[t\], y\[t\]\)"):
        network.LOSSES[name](np.ones(3), np.ones(3))


def test_mean_loss_is_the_mean_over_the_steps():
    net = network.arguments(
        {name: np.zeros((1, 1)) for name in ("U", "W", "V", "b_h", "b_y")},
        {"g1": "tanh", "g2": "identity", "loss": "squared_error"},
    )["net"]
    y_hat, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    assert network.mean_loss(net, y_hat, y) == (2.0 + 4.5) / 2


def test_arguments_can_replace_derivatives():
    rng = np.random.default_rng(1)
    names = {"g1": "tanh", "g2": "softmax", "loss": "squared_error"}
    arrays = {name: rng.normal(size=(2, 2)) for name in ("U", "W", "V", "G_g1", "G_g2", "G_loss")}
    arrays |= {name: rng.normal(size=2) for name in ("b_h", "b_y")}
    net = network.arguments(arrays, names)["net"]
    out, y = np.array([0.3, 0.7]), np.array([1.0, 0.0])
    for custom, name, G in [(net.g1, "tanh", "G_g1"), (net.g2, "softmax", "G_g2")]:
        np.testing.assert_array_equal(custom.jacobian(out), arrays[G] @ network.ACTIVATIONS[name].jacobian(out))
        np.testing.assert_array_equal(custom.function(out), network.ACTIVATIONS[name].function(out))
    np.testing.assert_array_equal(net.loss.gradient(out, y), arrays["G_loss"] @ (out - y))
    assert net.loss.function(out, y) == network.LOSSES["squared_error"].function(out, y)


def test_arguments_hold_the_given_arrays_and_nothing_else():
    arrays = {name: np.zeros((1, 1)) for name in ("U", "W", "V", "b_h", "b_y", "x", "h0")}
    assert set(network.arguments(arrays, {"g1": "relu", "g2": "tanh", "loss": "squared_error"})) == {"net", "x", "h0"}
