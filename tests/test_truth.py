"""What feedback claims is true, on cases that it has not seen; and it does not keep silent to be right."""

from __future__ import annotations

import os

import pytest

from tests.in_process import SEEDS_VARIABLE, exercise
from tests.truth import answers, claims_about, count_false

COUNT = 10 * int(os.environ.get(SEEDS_VARIABLE, 3))  # of mistakes, pairs and corruptions: 2,000 with 200 seeds
MAX_FALSE_SHARE = 1 / 1000
LEAST_CLAIMS = 410  # of all 287 known mistakes: there were 418 on 29 November 2026


def test_claims_hold_on_fresh_cases():
    count, false = count_false(answers(COUNT, seed=5), seed=1)
    print(f"{count} claims of {3 * COUNT} wrong functions, {len(false)} of them false")
    assert len(false) <= MAX_FALSE_SHARE * count, "\n".join(false)


@pytest.mark.slow
def test_known_mistakes_get_claims():
    mistakes = answers(len(exercise().mistakes), seed=6)[: len(exercise().mistakes)]
    assert sum(len(claims_about(function, answer)) for function, _, answer in mistakes) >= LEAST_CLAIMS
