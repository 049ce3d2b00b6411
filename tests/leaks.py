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
from autograder.release.leaks import MIN_LEAK_LENGTH

NUMBER_PATTERN = re.compile(r"-?\d+\.\d{3,}(?:e[-+]\d+)?")


@cache
def exercise() -> Exercise:
    return load_exercise(find_course(Path(__file__).parent).exercise_folder("rnn_backprop"))


def assert_no_leaks(report: Report) -> None:
    text = " ".join("\n".join(report_texts(report)).split())
    for line in revealing_lines():
        assert line not in text
    for trace in ("Traceback", 'File "', "autograder/", "rubric.py", "zygote", "/solutions/"):
        assert trace not in text
    assert not hidden_numbers(report.seed) & set(NUMBER_PATTERN.findall(text))


def report_texts(report: Report) -> list[str]:
    """Everything that a report says, in one piece and in parts."""
    texts = [note.text for note in report.notes] + [check.message for check in report.checks]
    for feedback in (check.feedback for check in report.checks if check.feedback):
        texts += [
            feedback.symptom,
            feedback.hint,
            feedback.read,
            feedback.replay,
            *(text for fact in feedback.facts for text in fact),
        ]
        texts += [feedback.map.sentence, feedback.map.case] if feedback.map else []
    return texts


@cache
def revealing_lines() -> tuple[str, ...]:
    text = (exercise().folder / f"{exercise().name}.py").read_text(encoding="utf-8")
    return tuple(line for line in solution_lines(text) if len(line) >= MIN_LEAK_LENGTH)


@cache
def hidden_numbers(seed: int) -> frozenset[str]:
    """The expected values of every hidden case as a message would write them, but for those of public cases."""
    hidden = {
        number
        for check in exercise().checks
        if check.hidden
        for case in check.cases
        for array in exercise().reference(check.function, draw_case(exercise(), check, case, seed))
        for number in format_entries(array)
    }
    public = {
        number
        for case in exercise().diagnostic_cases
        for function in exercise().functions
        for array in exercise().reference(function.name, case)
        for number in format_entries(array)
    }
    return frozenset(hidden - public)


def format_entries(array) -> set[str]:
    return {text for entry in array.ravel() if NUMBER_PATTERN.fullmatch(text := f"{entry:.6g}")}
