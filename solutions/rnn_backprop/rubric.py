"""The rubric: what each function is tried on, and what that is worth. Points stand here and nowhere else.

Every property in a case below is there because some mistake goes unseen without it; the comments say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import network
import numpy as np
import rnn_backprop as reference

from autograder.exercise import Array, Arrays, Case, Check, Function, Law, Names, VisibleCheck

GIVEN = ("network.py",)

_PARAMETERS = ("U", "W", "V", "b_h", "b_y")


def _starts_at_h0(arrays: Arrays, results: tuple[Array, ...]) -> bool:
    return bool(np.allclose(results[0][0], arrays["h0"], rtol=1e-3))


def _gradient(name: str, wrt: str, shape: str) -> Function:
    return Function(
        name,
        arguments=("net", "x", "y", "h", "y_hat"),
        arrays=(*_PARAMETERS, "G_g1", "G_g2", "G_loss", "x", "y", "h", "y_hat"),
        returns={name: shape},
        slope_of=wrt,
    )


FUNCTIONS = (
    Function(
        "forward",
        arguments=("net", "x", "h0"),
        arrays=(*_PARAMETERS, "x", "h0"),
        returns={"h": "(T+1, H)", "y_hat": "(T, K)"},
        laws=(Law("h[0] is not h0: the first row of h is the state before the first step.", _starts_at_h0),),
    ),
    _gradient("dJ_dV", "V", "(K, H)"),
    _gradient("dJ_dW", "W", "(H, H)"),
    _gradient("dJ_dU", "U", "(H, D)"),
)


@dataclass(frozen=True)
class _Setting:
    """What a case looks like before its numbers are drawn.

    `memory` is the spectral radius of W, `drive` the size of the inputs, `error` that of the real-valued targets.
    `handed_in` replaces the slopes of g1, g2 and the loss by ones that are not the slopes of their functions.
    """

    T: int
    H: int
    D: int
    K: int
    g1: str = "tanh"
    g2: str = "softmax"
    loss: str = "cross_entropy"
    memory: float = 1.0
    drive: float = 1.0
    error: float = 1.0
    handed_in: bool = False


_SETTINGS = {
    # public, and with four different sizes: the first thing that every function is called with
    "contract": _Setting(T=5, H=3, D=2, K=4),
    # T >= 3 and a dense W show the order of the product, 1/T, the chain through time and W against its transpose;
    # the sizes are those of the contract, so that a buffer used again overwrites what was returned there
    "plain": _Setting(T=5, H=3, D=2, K=4),
    # all three matched pairs have dL/da = y_hat - y: three more pairs tell the chain rule from that shortcut
    "squared": _Setting(T=3, H=3, D=2, K=2, g2="identity", loss="squared_error"),
    "binary": _Setting(T=4, H=2, D=3, K=3, g1="sigmoid", g2="sigmoid", loss="binary_cross_entropy"),
    "relu": _Setting(T=4, H=5, D=3, K=3, g1="relu", g2="softmax", loss="squared_error", memory=0.9),
    "sigmoid_squared": _Setting(T=3, H=3, D=2, K=2, g2="sigmoid", loss="squared_error"),
    "linear": _Setting(T=3, H=2, D=3, K=2, g1="identity", g2="tanh", loss="squared_error", memory=0.8, drive=0.5),
    # a start far from zero: a lost h0 changes every state
    "start": _Setting(T=3, H=3, D=2, K=2),
    # what happened at the first step still counts at the last one (see _longest_way): windows and truncation show
    "memory": _Setting(T=9, H=4, D=2, K=3, memory=1.15, drive=0.35),
    "one_step": _Setting(T=1, H=3, D=2, K=4),
    # sizes taken from the example crash or broadcast here
    "distinct": _Setting(T=5, H=5, D=3, K=2),
    "square": _Setting(T=3, H=3, D=3, K=3),
    "ones": _Setting(T=2, H=1, D=1, K=1, g2="sigmoid", loss="binary_cross_entropy"),
    # gradients far above 5, where clipping begins
    "large": _Setting(T=4, H=3, D=3, K=2, g2="identity", loss="squared_error", error=1e4),
    # for the gradient check against the measured slope of J
    "slope": _Setting(T=5, H=3, D=2, K=3),
    "slope_squared": _Setting(T=4, H=3, D=2, K=2, g1="sigmoid", g2="tanh", loss="squared_error"),
    # derived, not measured
    "handed_in": _Setting(T=4, H=3, D=2, K=3, handed_in=True),
    "handed_in_squared": _Setting(T=3, H=2, D=3, K=2, g2="sigmoid", loss="squared_error", handed_in=True),
}

# what outputs may be where real-valued targets put no bound on them: outside, an activation is nearly flat
_OUTPUTS = {"softmax": (0.01, 0.99), "sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "identity": (-10.0, 10.0)}

_PAIRS = ("squared", "binary", "relu", "sigmoid_squared", "linear")


def _checks(function: str, *lines: tuple[str, float, str, tuple[str, ...]]) -> tuple[Check, ...]:
    looks = {"contract": "contract", "slope": "slope"}
    return tuple(
        Check(
            id=f"{function}.{name}",
            function=function,
            title=title,
            points=points,
            cases=tuple(f"{function}.{case}" for case in cases),
            looks_at=looks.get(name, "value"),  # type: ignore[arg-type]  # the literals stand one line above
            hidden=name != "contract",
        )
        for name, points, title, cases in lines
    )


_CONTRACT = "Shapes, dtype, inputs left alone, equal calls"
_PLAIN = "The plain case: tanh, softmax and cross-entropy"
_OTHERS = "Other activations and losses"
_START = "An h0 and biases that matter"
_MEMORY = "Long memory: the first of nine steps still counts"
_ONE_STEP = "A single step, T = 1"
_SIZES = "Sizes that differ or coincide"
_ONE_STEP_AND_SIZES = "One step, and sizes that differ or coincide"
_LARGE = "Very large gradients"
_SLOPE = "Gradient check: equal to the measured slope of J"
_DERIVED = "Derived, not measured: uses the slopes handed in"

_BY_SIZE = ("distinct", "square", "ones")
_DERIVED_CASES = ("handed_in", "handed_in_squared")


def _through_time(function: str) -> tuple[Check, ...]:
    return _checks(
        function,
        ("contract", 0.25, _CONTRACT, ("contract",)),
        ("one_step", 0.25, _ONE_STEP, ("one_step",)),
        ("plain", 0.5, _PLAIN, ("plain",)),
        ("others", 0.25, _OTHERS, _PAIRS),
        ("start", 0.25, _START, ("start",)),
        ("memory", 0.25, _MEMORY, ("memory",)),
        ("sizes", 0.25, _SIZES, _BY_SIZE),
        ("large", 0.25, _LARGE, ("large",)),
        ("slope", 0.25, _SLOPE, ("slope", "slope_squared")),
        ("derived", 0.5, _DERIVED, _DERIVED_CASES),
    )


CHECKS = (
    *_checks(
        "forward",
        ("contract", 0.25, "Shapes, dtype, h begins with h0, inputs left alone", ("contract",)),
        ("plain", 0.5, _PLAIN, ("plain",)),
        ("others", 0.5, _OTHERS, _PAIRS),
        ("start", 0.25, _START, ("start",)),
        ("memory", 0.25, _MEMORY, ("memory",)),
        ("sizes", 0.25, _ONE_STEP_AND_SIZES, ("one_step", *_BY_SIZE)),
    ),
    *_checks(
        "dJ_dV",
        ("contract", 0.25, _CONTRACT, ("contract",)),
        ("plain", 0.25, _PLAIN, ("plain",)),
        ("others", 0.25, _OTHERS, _PAIRS),
        ("sizes", 0.25, _ONE_STEP_AND_SIZES, ("one_step", *_BY_SIZE, "memory")),
        ("large", 0.25, _LARGE, ("large",)),
        ("slope", 0.25, _SLOPE, ("slope", "slope_squared")),
        ("derived", 0.5, _DERIVED, _DERIVED_CASES),
    ),
    *_through_time("dJ_dW"),
    *_through_time("dJ_dU"),
)


def objective(arrays: Mapping[str, Any], names: Names) -> complex:
    """J of the reference's own forward pass, from h0."""
    given = network.arguments({name: arrays[name] for name in (*_PARAMETERS, "x", "h0")}, names)
    net = given["net"]
    assert isinstance(net, network.RNN)
    _, y_hat = reference.forward(net, arrays["x"], arrays["h0"])
    return network.mean_loss(net, y_hat, arrays["y"])


def draw(case_id: str, rng: np.random.Generator) -> Case:
    """The case `FUNCTION.SETTING`, its numbers drawn from `rng`. Raises KeyError for a setting that is not there."""
    return _case(case_id, _SETTINGS[case_id.partition(".")[2]], rng)


def _case(case_id: str, setting: _Setting, rng: np.random.Generator, decimals: int = 15) -> Case:
    names = {"g1": setting.g1, "g2": setting.g2, "loss": setting.loss}
    while True:  # drawn again until it has what the setting is for
        arrays = {name: np.round(array, decimals) for name, array in _numbers(setting, rng).items()}
        net: Any = network.arguments(arrays, names)["net"]
        h, y_hat = reference.forward(net, arrays["x"], arrays["h0"])
        if not _worth_asking(setting, arrays, h, y_hat) or _cancels(net, arrays, h, y_hat):
            continue
        if setting.T < 8 or _longest_way(net, arrays, h, y_hat) >= 0.01:
            return Case(case_id, {**arrays, "h": h, "y_hat": y_hat}, names, _about(setting))


def _numbers(setting: _Setting, rng: np.random.Generator) -> dict[str, Array]:
    T, H, D, K = setting.T, setting.H, setting.D, setting.K
    W = rng.standard_normal((H, H))
    handed_in = {"G_g1": H, "G_g2": K, "G_loss": K} if setting.handed_in else {}
    return {
        **{name: np.eye(n) + 0.5 * rng.standard_normal((n, n)) for name, n in handed_in.items()},
        "U": rng.standard_normal((H, D)) * 0.8,
        "W": W * setting.memory / np.max(np.abs(np.linalg.eigvals(W))),
        "V": rng.standard_normal((K, H)),
        "b_h": rng.standard_normal(H) * 0.3,
        "b_y": rng.standard_normal(K) * 0.3,
        "x": rng.standard_normal((T, D)) * setting.drive,
        "h0": rng.uniform(0.3, 0.9, H) * rng.choice([-1.0, 1.0], H),
        "y": _targets(setting, rng),
    }


def _targets(setting: _Setting, rng: np.random.Generator) -> Array:
    T, K = setting.T, setting.K
    if setting.loss == "cross_entropy":
        return np.eye(K)[rng.integers(0, K, T)]
    if setting.loss == "binary_cross_entropy":
        return rng.integers(0, 2, (T, K)).astype(np.float64)
    return rng.standard_normal((T, K)) * setting.error


def _worth_asking(setting: _Setting, arrays: Arrays, h: Array, y_hat: Array) -> bool:
    """Whether the drawn numbers let every mistake show: see the properties that the tests ask of each case."""
    W, y = arrays["W"], arrays["y"]
    states = np.mean(np.abs(h[1:]))
    if setting.g1 == "relu":
        a = h[:-1] @ W.T + arrays["x"] @ arrays["U"].T + arrays["b_h"]
        alive = np.mean(a > 0)
        if not (0.25 <= alive <= 0.75 and np.min(np.abs(a)) >= 1e-2 and states <= 2):
            return False
    elif not 0.2 <= states <= 0.9:
        return False
    if setting.H > 1 and np.max(np.abs(W - W.T)) < 0.3 * np.max(np.abs(W)):
        return False
    if np.max(np.abs(W)) > 2.5:  # far from normal: rounding would be magnified
        return False
    if setting.T > 1 and not np.ptp(y, axis=0).any():
        return False
    if setting.loss.endswith("cross_entropy"):
        probability = np.where(y > 0, y_hat, 1 - y_hat)
        return bool(np.min(probability[y > 0] if setting.loss == "cross_entropy" else probability) >= 0.02)
    low, high = _OUTPUTS[setting.g2]
    return bool(low <= np.min(y_hat) and np.max(y_hat) <= high)


def _cancels(net: network.RNN, arrays: Arrays, h: Array, y_hat: Array) -> bool:
    """Whether a gradient of a single entry is a sum that nearly cancels: that would magnify the rounding of float32."""
    gradients = (reference.dJ_dV, reference.dJ_dW, reference.dJ_dU)
    return net.W.size == 1 and any(abs(f(net, arrays["x"], arrays["y"], h, y_hat).item()) < 0.02 for f in gradients)


def _longest_way(net: network.RNN, arrays: Arrays, h: Array, y_hat: Array) -> float:
    """The share that the longest of all ways, from the last loss back to the first step, has in dJ/dW and in dJ/dU."""
    x, y, T = arrays["x"], arrays["y"], len(arrays["x"])
    row = net.loss.gradient(y_hat[-1], y[-1]) @ net.g2.jacobian(y_hat[-1]) @ net.V / T
    for t in range(T, 1, -1):
        row = row @ net.g1.jacobian(h[t]) @ net.W
    row = row @ net.g1.jacobian(h[1])
    terms = ((np.outer(row, h[0]), reference.dJ_dW), (np.outer(row, x[0]), reference.dJ_dU))
    return min(float(np.max(np.abs(term)) / np.max(np.abs(f(net, x, y, h, y_hat)))) for term, f in terms)


def _about(setting: _Setting) -> str:
    slopes = "; slopes handed in that are not those of the functions" if setting.handed_in else ""
    return (
        f"T = {setting.T}, H = {setting.H}, D = {setting.D}, K = {setting.K}; "
        f"{setting.g1}, {setting.g2} with {setting.loss}{slopes}"
    )


def _visible() -> tuple[VisibleCheck, ...]:
    rng = np.random.default_rng(2026)

    def tiny(name: str, **setting: Any) -> Case:
        return _case(name, _Setting(**{"H": 2, "D": 3, "K": 2, **setting}), rng, decimals=1)

    contract = (tiny("T = 3", T=3),)
    steps = tuple(tiny(f"T = {T}", T=T) for T in (1, 2, 3))
    squared = {"g1": "sigmoid", "g2": "softmax", "loss": "squared_error"}
    others = (
        tiny("sigmoid, softmax with squared_error", T=2, **squared),
        tiny("relu", T=3, H=3, g1="relu", memory=0.9),
    )
    derived = (tiny("slopes handed in", T=2, handed_in=True),)
    starts = {"h": "h0"}
    hint = (
        "The slopes handed in here are deliberately not those of the functions: use net.loss.gradient and each "
        "jacobian as handed in. A slope that is measured or written out (1 - h**2, y_hat - y) differs here."
    )
    gradients = tuple(function.name for function in FUNCTIONS if function.slope_of)
    return (
        VisibleCheck("forward", "Shapes, dtype, h begins with h0, inputs left alone", contract, "contract", starts),
        VisibleCheck("forward", "The numbers of three tiny cases", steps),
        VisibleCheck("forward", "Other activations", others),
        *(VisibleCheck(name, "Shapes, dtype, inputs left alone", contract, "contract") for name in gradients),
        *(VisibleCheck(name, "Gradient check: the slope of J for T = 1, 2, 3", steps, "slope") for name in gradients),
        *(VisibleCheck(name, "Gradient check: other activations and losses", others, "slope") for name in gradients),
        *(VisibleCheck(name, "Made of the jacobian and gradient handed in", derived, hint=hint) for name in gradients),
    )


VISIBLE = _visible()
