"""The rubric: the checks of each function, their cases and their points. Points stand here and nowhere else.

Each property of a case below is there because some mistake would go unnoticed without it; the comments say which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import batched
import network
import numpy as np
import rnn_backprop as reference
import sampling
from case_spec import CaseSpec
from decomposition import decompose as decompose
from diagnostic_cases import CONFIRMATION_CASES as CONFIRMATION_CASES
from diagnostic_cases import DIAGNOSTIC_CASES as DIAGNOSTIC_CASES
from mistakes import MISTAKES as MISTAKES

from autograder.exercise.model import Arrays, Case, CaseStack, Check, Function, Names, VisibleCheck

SUPPORT_MODULES = ("network.py",)
NOTEBOOK_MODULES = ("learning.py",)

_PARAMETERS = ("U", "W", "V", "b_h", "b_y")


def _gradient_function(name: str, wrt: str, shape: str, reference_text: str, minutes: int) -> Function:
    return Function(
        name,
        arguments=("net", "x", "y", "h", "y_hat"),
        arrays=(*_PARAMETERS, "G_g1", "G_g2", "G_loss", "x", "y", "h", "y_hat"),
        returns={name: shape},
        wrt=wrt,
        reference_text=reference_text,
        minutes=minutes,
    )


FUNCTIONS = (
    Function(
        "forward",
        arguments=("net", "x", "h0"),
        arrays=(*_PARAMETERS, "x", "h0"),
        returns={"h": "(T+1, H)", "y_hat": "(T, K)"},
        initial_rows={"h": "h0"},
        reference_text="equations (1) and (2) of the notebook",
        minutes=20,
    ),
    _gradient_function("dJ_dV", "V", "(K, H)", "equations (7) and (8) of the notebook", 30),
    _gradient_function("dJ_dW", "W", "(H, H)", "equations (17) and (18) of the notebook", 90),
    _gradient_function("dJ_dU", "U", "(H, D)", "equations (17) and (19) of the notebook", 15),
)


_CASE_SPECS = {
    # the first call of every function: public, with four different sizes
    "contract": CaseSpec(T=5, H=4, D=2, K=3),
    # T >= 3 and a dense W show the order of the product, 1/T, the chain through time, and W against its transpose;
    # the sizes equal those of the contract, so a buffer that is reused overwrites the result returned there
    "plain": CaseSpec(T=5, H=4, D=2, K=3),
    # all three matched pairs have dL/da = y_hat - y; with three other pairs, that shortcut differs from the chain rule
    "squared": CaseSpec(T=3, H=3, D=2, K=2, g2="identity", loss="squared_error"),
    # sigmoid has a slope of 1/4 at most: with a larger W, and no more than three steps, the first still counts
    "binary": CaseSpec(
        T=3, H=3, D=2, K=3, g1="sigmoid", g2="sigmoid", loss="binary_cross_entropy", spectral_radius=1.5
    ),
    "relu": CaseSpec(T=4, H=5, D=3, K=3, g1="relu", g2="softmax", loss="squared_error"),
    "sigmoid_squared": CaseSpec(T=3, H=3, D=2, K=2, g2="sigmoid", loss="squared_error"),
    "linear": CaseSpec(
        T=3, H=3, D=2, K=2, g1="identity", g2="tanh", loss="squared_error", spectral_radius=0.8, input_scale=0.4
    ),
    # h0 far from zero: without it, every state changes; with four units, any other product of Jacobians shows
    "start": CaseSpec(T=4, H=4, D=2, K=2),
    # the first step still counts at the last one, of nine, so wide windows show
    "memory": CaseSpec(T=9, H=4, D=2, K=3, spectral_radius=1.15, input_scale=0.35),
    "one_step": CaseSpec(T=1, H=3, D=2, K=4, input_scale=1.0),
    # sizes copied from the example crash or broadcast here
    "distinct": CaseSpec(T=5, H=5, D=3, K=2),
    "square": CaseSpec(T=3, H=3, D=3, K=3),
    "ones": CaseSpec(T=2, H=1, D=1, K=1, g2="sigmoid", loss="binary_cross_entropy"),
    # gradients far above 5, where clipping begins; beside such targets the outputs count for nothing
    "large": CaseSpec(T=4, H=4, D=3, K=2, g2="identity", loss="squared_error", target_scale=1e5),
    # for the gradient check against numerical gradients of J
    "slope": CaseSpec(T=5, H=4, D=2, K=3),
    "slope_squared": CaseSpec(T=3, H=3, D=2, K=2, g1="sigmoid", g2="tanh", loss="squared_error", spectral_radius=1.5),
    # derivatives that belong to no function: code that measures slopes, or writes them out, differs here
    "handed_in": CaseSpec(T=4, H=3, D=2, K=3, custom_derivatives=True),
    "handed_in_squared": CaseSpec(T=3, H=3, D=4, K=2, g2="sigmoid", loss="squared_error", custom_derivatives=True),
}

# For each spec the first that equals it: their cases are drawn as one stack.
_FIRST_ALIKE = {name: next(n for n, other in _CASE_SPECS.items() if other == s) for name, s in _CASE_SPECS.items()}
_CANDIDATES_PER_ROUND = 24  # drawn and judged at a time where few cases are left to find

_OTHER_PAIRS = ("squared", "binary", "relu", "sigmoid_squared", "linear")


def _make_checks(function: str, *rows: tuple[str, float, str, tuple[str, ...]]) -> tuple[Check, ...]:
    """Return the checks of a function from rows of name, points, title and cases."""
    kinds = {"contract": "contract", "slope": "slope"}
    return tuple(
        Check(
            id=f"{function}.{name}",
            function=function,
            title=title,
            points=points,
            cases=tuple(f"{function}.{case}" for case in cases),
            kind=kinds.get(name, "value"),  # type: ignore[arg-type]  # literals, from the line above
            hidden=name != "contract",
        )
        for name, points, title, cases in rows
    )


_FORWARD_CONTRACT = "Shapes, dtype, h begins with h0, inputs left alone"
_CONTRACT = "Shapes, dtype, inputs left alone, equal calls"
_PLAIN = "The plain case: tanh, softmax and cross-entropy"
_OTHERS = "Other activations and losses"
_START = "An h0 and biases that matter"
_MEMORY = "Long memory: the first of nine steps still counts"
_ONE_STEP = "A single step, T = 1"
_SIZES = "Sizes that differ or coincide"
_ONE_STEP_AND_SIZES = "One step, and sizes that differ or coincide"
_LARGE = "Very large gradients"
_GRADIENT_CHECK = "Gradient check: equal to the measured slope of J"
_HANDED_IN = "Made of the jacobian and gradient passed in"
_DERIVED = "Derived, not measured: uses the slopes passed in"

_SIZE_CASES = ("distinct", "square", "ones")
_DERIVED_CASES = ("handed_in", "handed_in_squared")


def _through_time_checks(function: str) -> tuple[Check, ...]:
    return _make_checks(
        function,
        ("contract", 0.25, _CONTRACT, ("contract",)),
        ("one_step", 0.25, _ONE_STEP, ("one_step",)),
        ("plain", 0.5, _PLAIN, ("plain",)),
        ("others", 0.25, _OTHERS, _OTHER_PAIRS),
        ("start", 0.25, _START, ("start",)),
        ("memory", 0.25, _MEMORY, ("memory",)),
        ("sizes", 0.25, _SIZES, _SIZE_CASES),
        ("large", 0.25, _LARGE, ("large",)),
        ("slope", 0.25, _GRADIENT_CHECK, ("slope", "slope_squared")),
        ("derived", 0.5, _DERIVED, _DERIVED_CASES),
    )


CHECKS = (
    *_make_checks(
        "forward",
        ("contract", 0.25, _FORWARD_CONTRACT, ("contract",)),
        ("plain", 0.5, _PLAIN, ("plain",)),
        ("others", 0.5, _OTHERS, _OTHER_PAIRS),
        ("start", 0.25, _START, ("start",)),
        ("memory", 0.25, _MEMORY, ("memory",)),
        ("sizes", 0.25, _ONE_STEP_AND_SIZES, ("one_step", *_SIZE_CASES)),
    ),
    *_make_checks(
        "dJ_dV",
        ("contract", 0.25, _CONTRACT, ("contract",)),
        ("plain", 0.25, _PLAIN, ("plain",)),
        ("others", 0.25, _OTHERS, _OTHER_PAIRS),
        ("sizes", 0.25, _ONE_STEP_AND_SIZES, ("one_step", *_SIZE_CASES, "memory")),
        ("large", 0.25, _LARGE, ("large",)),
        ("slope", 0.25, _GRADIENT_CHECK, ("slope", "slope_squared")),
        ("derived", 0.5, _DERIVED, _DERIVED_CASES),
    ),
    *_through_time_checks("dJ_dW"),
    *_through_time_checks("dJ_dU"),
)


def objective(arrays: Mapping[str, Any], names: Names) -> complex:
    """Return J of the reference's own forward pass from h0."""
    arguments = network.arguments({name: arrays[name] for name in (*_PARAMETERS, "x", "h0")}, names)
    net = arguments["net"]
    assert isinstance(net, network.RNN)
    _, y_hat = reference.forward(net, arrays["x"], arrays["h0"])
    return network.mean_loss(net, y_hat, arrays["y"])


def loss_from_outputs(arrays: Arrays, names: Names) -> float:
    """Return J computed from the outputs y_hat among the arrays, whoever computed them."""
    net: Any = network.arguments(arrays, names)["net"]
    return network.mean_loss(net, arrays["y_hat"], arrays["y"])


def draw(case_id: str, rng: np.random.Generator) -> Case:
    """Draw the case `FUNCTION.SPEC` from `rng`. Raises KeyError for an unknown spec."""
    spec = _CASE_SPECS[case_id.partition(".")[2]]
    arrays = {name: array[0] for name, array in sampling.sample(spec, [rng]).items()}
    return Case(case_id, arrays, spec.names, spec.description)


def draw_batch(requests: Sequence[tuple[str, Sequence[np.random.Generator]]]) -> list[CaseStack]:
    """Draw for each (case id, rngs) a case from each rng, with the expected results of its function."""
    # Cases of one spec have the same sizes and functions, so they are drawn and answered as one stack.
    indices_by_spec: dict[str, list[int]] = {}
    for i, (case_id, _) in enumerate(requests):
        indices_by_spec.setdefault(_FIRST_ALIKE[case_id.partition(".")[2]], []).append(i)
    drawn: dict[int, CaseStack] = {}
    for spec_name, indices in indices_by_spec.items():
        spec, rngs = _CASE_SPECS[spec_name], [rng for i in indices for rng in requests[i][1]]
        arrays = sampling.sample(spec, rngs, _CANDIDATES_PER_ROUND)
        results = {"forward": (arrays["h"], arrays["y_hat"])}
        results |= {name: (gradient,) for name, gradient in batched.gradients(arrays, spec.names).items()}
        start = 0
        for i in indices:
            case_id, part = requests[i][0], slice(start, start := start + len(requests[i][1]))
            own = {name: array[part] for name, array in arrays.items()}
            expected = tuple(result[part] for result in results[case_id.partition(".")[0]])
            drawn[i] = CaseStack(case_id, own, expected, spec.names, spec.description)
    return [drawn[i] for i in range(len(requests))]


def objective_batch(arrays: Mapping[str, Any], names: Names) -> Any:
    """Return J for each array of a stack, such as copies of W that each have another entry perturbed."""
    return batched.objective(arrays, names)


def _make_visible_checks() -> tuple[VisibleCheck, ...]:
    # Students check themselves on every diagnostic case: what passes all of them has no reason to fail a hidden one.
    contract = tuple(case for case in DIAGNOSTIC_CASES if case.id == "T=3, H=3, seed=0")  # H, D and K all differ
    handed_in = tuple(case for case in DIAGNOSTIC_CASES if "G_g1" in case.arrays)
    derived = tuple(case for case in DIAGNOSTIC_CASES if case not in handed_in)
    plain = tuple(case for case in derived if (case.names["g1"], case.names["loss"]) == ("tanh", "cross_entropy"))
    others = tuple(case for case in derived if case not in plain)
    hint = (
        "Here the slopes passed in are changed on purpose: use net.loss.gradient and each jacobian as they are. A "
        "slope that is measured or written out (1 - h**2, y_hat - y) differs here."
    )
    gradients = tuple(function.name for function in FUNCTIONS if function.wrt)
    slopes = "Gradient check: the slope of J"
    return (
        VisibleCheck("forward", _FORWARD_CONTRACT, contract, "contract"),
        VisibleCheck("forward", "The numbers of one to nine steps", plain),
        VisibleCheck("forward", "Other activations and losses", (*others, *handed_in)),
        *(VisibleCheck(name, _CONTRACT, contract, "contract") for name in gradients),
        *(VisibleCheck(name, f"{slopes} over one to nine steps", plain, "slope") for name in gradients),
        *(VisibleCheck(name, f"{slopes} for other activations and losses", others, "slope") for name in gradients),
        *(VisibleCheck(name, _HANDED_IN, handed_in, hint=hint) for name in gradients),
    )


VISIBLE = _make_visible_checks()
