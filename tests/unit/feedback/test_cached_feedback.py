"""Which numbers count as the same, so that feedback on them is made once."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.feedback.builder import _digest
from tests.in_process import call_result, exercise

FUNCTION = exercise().function("dJ_dW")


def digest_of(change):
    """Return the digest of the right results with a change."""
    cases = exercise().diagnostic_cases[:6]
    results = {
        case.id: call_result(FUNCTION, case, (change(exercise().reference("dJ_dW", case)[0]),)) for case in cases
    }
    return _digest(FUNCTION, results)


@pytest.mark.parametrize("change", [lambda a: a * (1 + 1e-14), lambda a: np.where(a == 0, -0.0, a)], ids=["bits", "-0"])
def test_numbers_that_differ_in_the_last_bits_are_the_same(change):
    assert digest_of(change) == digest_of(lambda a: a)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: 2 * a,
        lambda a: -a,
        lambda a: a * (1 + 1e-7),
        lambda a: a.T if a.shape[0] > 1 else a + 1,
        lambda a: np.full_like(a, np.inf),
        lambda a: np.full_like(a, np.nan),
        np.zeros_like,
    ],
    ids=["twice", "sign", "seventh digit", "transpose", "inf", "nan", "zeros"],
)
def test_other_numbers_are_not(change):
    assert digest_of(change) != digest_of(lambda a: a)
