"""Write each gradient as the sum in its formula, so that feedback can name the missing term.

dJ(t)/dW = sum_{k=1..t} [e(t) V (prod_{j=k+1..t} G1(j) W) G1(k)]^T h(k-1)^T        equations (10), (11) and (14)
"""

from __future__ import annotations

from typing import Any

import network
import numpy as np

from autograder.exercise.model import Array, Case
from autograder.student.feedback import Sum

_NEGLIGIBLE = 1e-8  # of the largest term: nobody can miss a smaller one, since results are compared with this tolerance


def decompose(function: str, case: Case) -> tuple[Sum, ...]:
    """Return the sums that make up a gradient: over k if a single step has a loss, otherwise over t and over k.

    Returns none when H < T: the states of more steps than units are linearly dependent, so that several combinations of
    missing terms could explain the same result.
    """
    T, H = len(case.arrays["x"]), len(case.arrays["W"])
    if not function.startswith("dJ_d") or H < T:
        return ()
    wrt = function.removeprefix("dJ_d")
    terms = _terms(wrt, case)
    steps = sorted({t for t, _ in terms})
    if len(steps) == 1:
        decompositions = [Sum(f"dJ({steps[0]})/d{wrt}", {f"k = {k}": term for (_, k), term in terms.items()})]
    else:
        decompositions = [_group_terms(f"dJ/d{wrt}", terms, axis) for axis in range(1 if wrt == "V" else 2)]
    return tuple(total for total in decompositions if len(total.parts) > 1)


def _group_terms(total_name: str, terms: dict[tuple[int, int], Array], axis: int) -> Sum:
    """Return the sum with its terms added up by t (axis 0) or by k (axis 1)."""
    parts: dict[str, Array] = {}
    for key, term in sorted(terms.items()):
        name = f"{'tk'[axis]} = {key[axis]}"
        parts[name] = parts[name] + term if name in parts else term
    return Sum(total_name, parts)


def _terms(wrt: str, case: Case) -> dict[tuple[int, int], Array]:
    """Return the terms of dJ/d`wrt` by (t, k), each with its factor 1/T, without those that vanish."""
    arrays = case.arrays
    net: Any = network.arguments(arrays, case.names)["net"]
    x, y, h, y_hat = (arrays[name] for name in ("x", "y", "h", "y_hat"))
    terms = {}
    for t in range(1, len(x) + 1):
        delta = net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1]) / len(x)
        if wrt == "V":
            terms[t, t] = np.outer(delta, h[t])
            continue
        delta = delta @ net.V
        for k in range(t, 0, -1):
            delta = delta @ net.g1.jacobian(h[k])
            terms[t, k] = np.outer(delta, h[k - 1] if wrt == "W" else x[k - 1])
            delta = delta @ net.W
    largest = max(np.max(np.abs(term)) for term in terms.values())
    return {key: term for key, term in terms.items() if np.max(np.abs(term)) > _NEGLIGIBLE * largest}
