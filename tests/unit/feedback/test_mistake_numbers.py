"""The numbers of known mistakes are kept in files, and nothing is wrong for a file that is missing or damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autograder.exercise.cache_folder import CACHE_FOLDER
from autograder.feedback.mistake_numbers import MistakeNumbers
from tests.in_process import exercise

MISTAKES = tuple(mistake for mistake in exercise().mistakes if mistake.function == "dJ_dV")[:3]
CASES = exercise().diagnostic_cases[:2]


class Counted:
    """The exercise with three mistakes, in a folder of its own; `runs` are those that were computed."""

    def __init__(self, folder):
        self.runs = []
        self.exercise = replace(exercise(), folder=folder, mistakes=MISTAKES, run_mistake=self.run)

    def run(self, mistake, case):
        self.runs.append((mistake.name, case.id))
        if mistake is MISTAKES[2]:
            raise ZeroDivisionError
        return exercise().run_mistake(mistake, case)

    def read_all(self):
        """Return what every mistake gives on every case, as a new process would, and keep it."""
        numbers = MistakeNumbers(self.exercise)
        outputs = [numbers.output_of(mistake, case) for mistake in MISTAKES for case in CASES]
        numbers.save("dJ_dV")
        return outputs


def assert_same(before, after):
    assert [arrays and [a.tolist() for a in arrays] for arrays in before] == [
        arrays and [a.tolist() for a in arrays] for arrays in after
    ]


def test_kept_numbers_are_not_computed_again(tmp_path):
    counted = Counted(tmp_path)
    before = counted.read_all()
    assert before[-1] is None  # it raised
    assert len(counted.runs) == len(MISTAKES) * len(CASES)
    assert_same(before, counted.read_all())
    assert len(counted.runs) == len(MISTAKES) * len(CASES)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"], ids=["empty", "cut off"])
def test_a_damaged_file_is_computed_anew(tmp_path, content):
    counted = Counted(tmp_path)
    before = counted.read_all()
    [file] = (tmp_path / CACHE_FOLDER).glob("numbers-*")
    file.write_bytes(content)
    assert_same(before, counted.read_all())
    assert len(counted.runs) == 2 * len(MISTAKES) * len(CASES)


def test_a_mistake_with_another_text_is_computed_anew(tmp_path):
    counted = Counted(tmp_path)
    counted.read_all()
    changed = replace(MISTAKES[0], source=MISTAKES[1].source)
    numbers = MistakeNumbers(replace(counted.exercise, mistakes=(changed, *MISTAKES[1:])))
    [value] = numbers.output_of(changed, CASES[0])
    np.testing.assert_array_equal(value, exercise().run_mistake(MISTAKES[1], CASES[0])[0])


def test_two_processes_keep_what_both_have_computed(tmp_path):
    counted = Counted(tmp_path)
    first, second = MistakeNumbers(counted.exercise), MistakeNumbers(counted.exercise)
    for numbers, case in ((first, CASES[0]), (second, CASES[1])):
        numbers.output_of(MISTAKES[0], case)
    first.save("dJ_dV")
    second.save("dJ_dV")
    runs = len(counted.runs)
    third = MistakeNumbers(counted.exercise)
    assert [third.output_of(MISTAKES[0], case) is not None for case in CASES] == [True, True]
    assert len(counted.runs) == runs
