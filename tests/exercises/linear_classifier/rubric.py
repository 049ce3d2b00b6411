"""The rubric of a small exercise in the full form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import model
import numpy as np
import linear_classifier as reference

from autograder.exercise.model import Case, Check, Function, Names, VisibleCheck

SUPPORT_MODULES = ("model.py",)

FUNCTIONS = (
    Function("predict", arguments=("model", "x"), arrays=("W", "b", "x"), returns={"y_hat": "(N, K)"}),
    Function(
        "dJ_dW",
        arguments=("model", "x", "y", "y_hat"),
        arrays=("W", "b", "x", "y", "y_hat"),
        returns={"dJ_dW": "(K, D)"},
        wrt="W",
    ),
)

CHECKS = (
    Check("predict.contract", "predict", "Shape, inputs left alone", 0.5, ("contract",), "contract", hidden=False),
    Check("predict.values", "predict", "The probabilities", 1, ("small", "large")),
    Check("dJ_dW.contract", "dJ_dW", "Shape, inputs left alone", 0.5, ("contract",), "contract", hidden=False),
    Check("dJ_dW.values", "dJ_dW", "The gradient", 1, ("small", "large")),
    Check("dJ_dW.slope", "dJ_dW", "Gradient check", 0.5, ("slope",), "slope"),
    Check("dJ_dW.note", "dJ_dW", "A single example", 1, ("one",), role="note"),
)

_SIZES = {"contract": (4, 3, 2), "one": (1, 2, 3), "small": (4, 3, 2), "large": (9, 4, 5), "slope": (4, 3, 2)}


def objective(arrays: Mapping[str, Any], names: Names) -> complex:
    """Return J of the reference's own prediction."""
    fitted = model.Model(arrays["W"], arrays["b"])
    return model.mean_loss(fitted, reference.predict(fitted, arrays["x"]), arrays["y"])


def draw(case_id: str, rng: np.random.Generator) -> Case:
    """Draw a case of the size called `case_id`. Raises KeyError for an unknown one."""
    N, D, K = _SIZES[case_id]
    W, b, x = rng.standard_normal((K, D)), rng.standard_normal(K), rng.standard_normal((N, D))
    y = np.eye(K)[rng.integers(0, K, N)]
    y_hat = reference.predict(model.Model(W, b), x)
    return Case(case_id, {"W": W, "b": b, "x": x, "y": y, "y_hat": y_hat}, description=f"N = {N}, D = {D}, K = {K}")


def _make_visible_checks() -> tuple[VisibleCheck, ...]:
    rng = np.random.default_rng(1)
    single, small = draw("one", rng), draw("small", rng)
    return (
        VisibleCheck("predict", "Shape, inputs left alone", (small,), "contract"),
        VisibleCheck("predict", "The probabilities", (single, small)),
        VisibleCheck("dJ_dW", "Shape, inputs left alone", (small,), "contract"),
        VisibleCheck("dJ_dW", "Gradient check", (single, small), "slope"),
    )


VISIBLE = _make_visible_checks()
