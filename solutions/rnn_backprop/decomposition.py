"""The gradients as the sums that the formulas write, term by term, so that one can say which term is missing.

dJ(t)/dW = sum_{k=1..t} [e(t) V (prod_{j=k+1..t} G1(j) W) G1(k)]^T h(k-1)^T        equations (10), (11) and (14)
"""

from __future__ import annotations

from typing import Any

import network
import numpy as np

from autograder.exercise.model import Array, Case
from autograder.student.feedback import Sum


def decompose(function: str, case: Case) -> tuple[Sum, ...]:
    """The sums that make up the result of a gradient: over k where a single step has a loss, else over t and over k.

    Only where there are as many states as steps can the terms be told apart with certainty.
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
        decompositions = [_group_terms(f"dJ/d{wrt}", terms, place) for place in range(1 if wrt == "V" else 2)]
    return tuple(one for one in decompositions if len(one.parts) > 1)


def _group_terms(total_name: str, terms: dict[tuple[int, int], Array], axis: int) -> Sum:
    """The same sum with the terms of one t put together, or those of one k."""
    parts: dict[str, Array] = {}
    for key, term in sorted(terms.items()):
        name = f"{'tk'[axis]} = {key[axis]}"
        parts[name] = parts[name] + term if name in parts else term
    return Sum(total_name, parts)


def _terms(wrt: str, case: Case) -> dict[tuple[int, int], Array]:
    """Each term of dJ/d`wrt` by its t and k, without those that vanish; the factor 1/T is in them."""
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
    return {key: term for key, term in terms.items() if np.max(np.abs(term)) > 1e-8 * largest}
