"""Draw the numbers of cases, many at a time: a class with a seed for each submission needs thousands of them.

A case depends on its own generator alone. Draws are repeated until one is informative (see informative.py). Several
candidates are judged at once and the first informative one is taken, so their number changes the speed and never the
case.
"""

from __future__ import annotations

from collections.abc import Sequence

import batched
import informative
import numpy as np
from case_spec import CaseSpec

from autograder.exercise.model import Array

# The usual size of the numbers that are drawn.
_SCALES = {"U": 0.8, "b_h": 0.3, "b_y": 0.3}
_H0_RANGE = (0.3, 0.9)  # of |h0|: a lost h0 shows, and it is still a state that tanh could give
_CUSTOM_DERIVATIVE_NOISE = 0.5  # added to the identity: not symmetric, so that a transposed Jacobian shows


def sample(spec: CaseSpec, rngs: Sequence[np.random.Generator], candidates_per_round: int = 1) -> dict[str, Array]:
    """Draw a case from each generator; return their arrays as stacks.

    A round draws one candidate from every generator that has no case yet, or more from each, up to
    `candidates_per_round` in all. A generator may then advance past the draw that was taken. With the default it never
    does, and several cases can be drawn from one generator in turn.
    """
    stacks: dict[str, Array] = {}
    has_case = np.zeros(len(rngs), dtype=bool)
    pending = np.arange(len(rngs))  # the generators without a case
    while pending.size:
        candidates = max(1, candidates_per_round // pending.size)
        owners = np.repeat(pending, candidates)  # the generator of each row that is drawn
        drawn = _draw_candidates(spec, [rngs[owner] for owner in owners])
        informative_rows = np.flatnonzero(informative.is_informative(spec, drawn))
        # rows of one generator lie together, in the order of drawing: the first counts
        found = owners[informative_rows]
        is_first = np.concatenate([[True], found[1:] != found[:-1]])[: len(found)]
        found, rows = found[is_first], informative_rows[is_first]
        for name, array in drawn.items():
            stack = stacks.setdefault(name, np.empty((len(rngs), *array.shape[1:])))
            stack[found] = array[rows]
        has_case[found] = True
        pending = np.flatnonzero(~has_case)
    return stacks


def _draw_candidates(spec: CaseSpec, rngs: Sequence[np.random.Generator]) -> dict[str, Array]:
    """Return stacks of all arrays, one draw from each generator in turn."""
    T, H, K, n = spec.T, spec.H, spec.K, len(rngs)
    # The order in which numbers leave a generator is fixed: verdicts of the past are replayed from their seeds.
    normal = np.empty((n, max(place.stop for _, place in spec.normal_layout.values())))
    uniform = np.empty((n, H + T * K))
    for rng, normal_row, uniform_row in zip(rngs, normal, uniform, strict=True):
        rng.standard_normal(out=normal_row)
        rng.random(out=uniform_row)
    # From here on, whole stacks at once.
    drawn = {name: normal[:, place].reshape(n, *shape) for name, (shape, place) in spec.normal_layout.items()}
    drawn["W"] = drawn["W"] * spec.spectral_radius / np.abs(np.linalg.eigvals(drawn["W"])).max(axis=1)[:, None, None]
    for name, scale in {**_SCALES, "x": spec.input_scale}.items():
        drawn[name] *= scale
    for name in ("G_g1", "G_g2", "G_loss") if spec.custom_derivatives else ():
        drawn[name] = np.eye(drawn[name].shape[-1]) + _CUSTOM_DERIVATIVE_NOISE * drawn[name]
    low, high = _H0_RANGE
    signed = 2 * uniform[:, :H] - 1
    drawn["h0"] = np.copysign(low + (high - low) * np.abs(signed), signed)
    chances = uniform[:, H:].reshape(n, T, K)
    if spec.has_real_targets:
        drawn["y"] *= spec.target_scale
    elif spec.loss == "cross_entropy":
        drawn["y"] = (chances == chances.max(axis=2, keepdims=True)) * 1.0
    else:
        drawn["y"] = (chances < 0.5) * 1.0
    h, y_hat = batched.forward(drawn, spec.names)
    return {**drawn, "h": h, "y_hat": y_hat}
