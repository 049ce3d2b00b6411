"""Two known mistakes in one function: both get their question, and nobody gets a false one."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from autograder.exercise.cache_folder import CACHE_FOLDER
from autograder.feedback.pairs import PairCatalogue
from tests.in_process import SEEDS_VARIABLE, exercise
from tests.pairs import compose, sample_made
from tests.unit.feedback.honest_slips import sample_honest_slips
from tests.unit.feedback.slips import Taken, answer_of, identify

COUNT = 10 * int(os.environ.get(SEEDS_VARIABLE, 3))  # of sampled answers: 2,000 with 200 seeds
LEAST_SHARE = 0.6  # of pairs that get both questions


def find(function: str, *names: str):
    return [next(m for m in exercise().mistakes if (m.function, m.name) == (function, name)) for name in names]


@pytest.mark.slow
def test_two_mistakes_get_both_questions_and_no_false_one():
    taken = Taken()
    for made, both in sample_made(COUNT):
        taken.add([m.name for m in made], answer_of(both), identify(both.function, answer_of(both)))
    print(f"two mistakes: {taken}")
    assert taken.false == []
    assert taken.both >= LEAST_SHARE * taken.count


@pytest.mark.slow
def test_two_mistakes_of_which_one_is_not_known_get_no_false_question():
    taken = Taken()
    for made, both in sample_made(COUNT):
        for unknown in made:
            named = identify(both.function, answer_of(both), without=unknown.name)
            taken.add([m.name for m in made], answer_of(both), named)
    print(f"two mistakes, one of them unknown: {taken}")
    assert taken.false == []


@pytest.mark.slow
def test_three_mistakes_get_no_false_question():
    taken = Taken()
    for made, together in sample_made(COUNT, size=3):
        taken.add([m.name for m in made], answer_of(together), identify(together.function, answer_of(together)))
    print(f"three mistakes: {taken}")
    assert taken.false == []


@pytest.mark.slow
def test_two_mistakes_in_honest_variants_get_both_questions_and_no_false_one():
    taken = Taken()
    for function, names, answer in sample_honest_slips(COUNT, seed=0):
        taken.add(names, answer, identify(function, answer))
    print(f"two mistakes in honest variants: {taken}")
    assert taken.false == []
    assert taken.both >= LEAST_SHARE * taken.count


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("dJ_dW", ("y_hat_minus_y", "tanh_slope_hard_coded")),
        ("dJ_dU", ("mean_missing", "clipped_at_5")),
        ("dJ_dV", ("sign_flipped", "mean_missing")),
        ("forward", ("b_h_forgotten", "h0_not_used")),
    ],
)
def test_common_pairs_are_named(function, names):
    both = compose(*find(function, *names))
    assert tuple(mistake.name for mistake in identify(function, answer_of(both))) == names


def test_nothing_is_named_when_two_explanations_fit():
    pairs = [find("dJ_dV", "target_replaced_by_its_class", name) for name in ("clipped_at_5", "clipped_to_norm_5")]
    for pair in pairs:
        assert identify("dJ_dV", answer_of(compose(*pair))) == ()


def test_a_pair_that_is_not_to_be_told_from_one_of_the_two_gets_one_question():
    first, second = find("dJ_dW", "current_step_only", "W_for_its_transpose")
    for both in filter(None, [compose(first, second)]):
        assert identify("dJ_dW", answer_of(both)) == (first,)


# --- The numbers of all pairs, kept in files --------------------------------------------------------------------------

NAMES = ("mean_missing", "sign_flipped", "last_state_for_all")


@pytest.fixture
def few(tmp_path):
    """Return the exercise with three mistakes, in a folder of its own, and the pairs that it has computed."""
    computed = []

    def run_mistake(mistake, case):
        computed.append(mistake.name)
        return exercise().run_mistake(mistake, case)

    mistakes = tuple(find("dJ_dV", *NAMES))
    return replace(exercise(), folder=tmp_path, mistakes=mistakes, run_mistake=run_mistake), computed


def candidates(exercise_, *names: str) -> list[list[str]]:
    """Return the names of the pairs that are proposed for the numbers of these mistakes."""
    both = compose(*find("dJ_dV", *names))
    numbers = {case.id: exercise().run_mistake(both, case) for case in exercise().diagnostic_cases}
    return [[part.name for part in pair.parts] for pair in PairCatalogue(exercise_).candidates("dJ_dV", numbers)]


def test_numbers_of_pairs_are_computed_once_and_read_again(few):
    exercise_, computed = few
    assert candidates(exercise_, *NAMES[:2]) == [["mean_missing", "sign_flipped"]]
    assert len(computed) == 3
    assert candidates(exercise_, *NAMES[1:]) == [["sign_flipped", "last_state_for_all"]]
    assert len(computed) == 3


def test_another_mistake_makes_other_numbers_in_place_of_the_old_ones(few, tmp_path):
    exercise_, computed = few
    candidates(exercise_, *NAMES[:2])
    other = replace(exercise_, mistakes=(*exercise_.mistakes[:2], *find("dJ_dV", "last_target_for_all")))
    assert candidates(other, "mean_missing", "last_target_for_all") == [["mean_missing", "last_target_for_all"]]
    assert len(computed) == 6
    assert len(list((tmp_path / CACHE_FOLDER).glob("*.npz"))) == 1


@pytest.mark.parametrize("damage", [b"", b"no numbers", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_made_anew(few, tmp_path, damage):
    exercise_, computed = few
    candidates(exercise_, *NAMES[:2])
    [file] = (tmp_path / CACHE_FOLDER).glob("*.npz")
    file.write_bytes(damage)
    assert candidates(exercise_, *NAMES[:2]) == [["mean_missing", "sign_flipped"]]
    assert len(computed) == 6
    with np.load(file) as again:
        assert len(again["positions"]) == 3


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(few, tmp_path):
    exercise_, _ = few
    (tmp_path / CACHE_FOLDER).write_text("a file in its place", encoding="utf-8")
    assert candidates(exercise_, *NAMES[:2]) == [["mean_missing", "sign_flipped"]]


def test_mistakes_without_their_right_answer_have_no_pairs(few):
    exercise_, computed = few
    bare = replace(exercise_, mistakes=tuple(replace(mistake, right="") for mistake in exercise_.mistakes))
    assert candidates(bare, *NAMES[:2]) == []
    assert computed == []
