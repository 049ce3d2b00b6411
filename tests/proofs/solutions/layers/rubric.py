"""The rubric of layers: arguments are a list of dataclasses, arrays of floats and ints, and a word."""

from itertools import pairwise
from pathlib import Path

import layers as reference
import numpy as np
from network import Layer

from autograder.exercise.model import Case, Check, Function, Mistake, VisibleCheck

SUPPORT_MODULES = ("network.py",)
FUNCTIONS = (
    Function("scores", ("layers", "X"), returns={"scores": "(N, K)"}),
    Function("classify", ("S",), returns={"classes": "(N,)"}),
    Function("loss", ("S", "labels", "reduction"), returns={"J": "()"}),
    Function("dJ_dW", ("layers", "X", "labels", "reduction"), returns={"dJ_dW": "(H, D)"}, wrt="layers.0.W"),
)
_SIZES = {"contract": (3, 2, (3,), 2), "one": (1, 1, (2,), 2), "three": (3, 2, (3,), 2), "deep": (5, 3, (4, 3), 3)}
_SIZES |= {"sum": (4, 2, (3,), 3), "large_sum": (6, 2, (3,), 2), "slope": (4, 3, (2, 3), 2)}


def draw(case_id, rng):
    """Draw a case of N examples, D inputs, hidden layers and K classes."""
    N, D, hidden, K = _SIZES[case_id.removeprefix("case=")]
    sizes = (D, *hidden, K)
    layers = [
        Layer(rng.normal(size=(n, m)), rng.normal(size=n), "identity" if n is K else "tanh") for m, n in pairwise(sizes)
    ]
    arguments = {"layers": layers, "X": rng.normal(size=(N, D)), "labels": rng.integers(K, size=N)}
    arguments["S"] = reference.scores(layers, arguments["X"])
    arguments["reduction"] = "sum" if "sum" in case_id else "mean"
    return Case.of(case_id, arguments, f"N = {N}, D = {D}, {len(layers)} layers", {"N": N})


def objective(layers, X, labels, reduction):
    """Return J."""
    return reference.loss(reference.scores(layers, X), labels, reduction)


_HIDDEN = ("one", "three", "deep", "sum", "large_sum")
_CONTRACT = ("Shape, inputs left alone", 0.5, ("contract",), "contract")
CHECKS = (
    *(Check(f"{f.name}.contract", f.name, *_CONTRACT, hidden=False) for f in FUNCTIONS),
    *(Check(f"{f.name}.value", f.name, "The numbers", 1, _HIDDEN) for f in FUNCTIONS),
    Check("dJ_dW.slope", "dJ_dW", "Gradient check", 1, ("slope",), "slope"),
)
DIAGNOSTIC_CASES = tuple(draw(f"case={id}", np.random.default_rng(1)) for id in _HIDDEN)
VISIBLE = (
    *(VisibleCheck(f.name, "Shape, inputs left alone", DIAGNOSTIC_CASES[1:2], "contract") for f in FUNCTIONS),
    *(VisibleCheck(f.name, "The numbers", DIAGNOSTIC_CASES, "slope" if f.wrt else "value") for f in FUNCTIONS),
)


def _mistake(function, name, hint, right, wrong):
    text = next(
        cell for cell in Path(reference.__file__).read_text("utf-8").split("# %%") if f"def {function}(" in cell
    )
    text = text[text.index("def ") :]
    return Mistake(name, function, hint, "", text.replace(right, wrong), text)


MISTAKES = (
    _mistake("scores", "bias_missing", "Is the bias there?", " + layer.b", ""),
    _mistake(
        "loss", "always_mean", "When is it the sum?", 'losses.mean() if reduction == "mean" else', "losses.mean() or"
    ),
    _mistake("dJ_dW", "transposed", "Which side is W on?", "1 - activations[i + 1] ** 2", "1 - activations[i + 1]"),
)
