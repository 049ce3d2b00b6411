"""What no message may hold: a line of the model answer, an expected value of a hidden case, a traceback of the kit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from autograder.course import find_course
from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.report import Report
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.exercise.source import solution_lines
from autograder.release.build import TELLING

NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e[-+]\d+)?")


@cache
def exercise() -> Exercise:
    return load_exercise(find_course(Path(__file__).parent).exercise_folder("rnn_backprop"))


def assert_tells_nothing(report: Report) -> None:
    text = " ".join("\n".join(texts_of(report)).split())
    for line in telling_lines():
        assert line not in text
    for traces in ("Traceback", 'File "', "autograder/", "rubric.py", "zygote", "/solutions/"):
        assert traces not in text
    assert not hidden_numbers(report.seed) & set(NUMBER.findall(text))


def texts_of(report: Report) -> list[str]:
    """Everything that a report says, in one piece and in parts."""
    texts = [note.text for note in report.notes] + [check.message for check in report.checks]
    for told in (check.feedback for check in report.checks if check.feedback):
        texts += [told.symptom, told.hint, told.read, told.replay, *(text for fact in told.facts for text in fact)]
        texts += [told.map.sentence, told.map.case] if told.map else []
    return texts


@cache
def telling_lines() -> tuple[str, ...]:
    text = (exercise().folder / f"{exercise().name}.py").read_text(encoding="utf-8")
    return tuple(line for line in solution_lines(text) if len(line) >= TELLING)


@cache
def hidden_numbers(seed: int) -> frozenset[str]:
    """The expected values of every hidden case as a message would write them, but for those of public cases."""
    hidden = {
        number
        for check in exercise().checks
        if check.hidden
        for case in check.cases
        for array in exercise().reference(check.function, draw_case(exercise(), check, case, seed))
        for number in written(array)
    }
    public = {
        number
        for case in exercise().ladder
        for function in exercise().functions
        for array in exercise().reference(function.name, case)
        for number in written(array)
    }
    return frozenset(hidden - public)


def written(array) -> set[str]:
    return {text for entry in array.ravel() if NUMBER.fullmatch(text := f"{entry:.6g}")}
