"""Assert that no message holds a line of the model answer, an expected hidden value or a traceback of the kit."""

from __future__ import annotations

import re
from functools import cache

from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.report import Report
from autograder.exercise.model import Case
from autograder.exercise.source import solution_lines
from autograder.release.leaks import MIN_LEAK_LENGTH
from tests.in_process import exercise

NUMBER_PATTERN = re.compile(r"-?\d+\.\d{3,}(?:e[-+]\d+)?")


def assert_no_leaks(report: Report) -> None:
    text = " ".join("\n".join(report_texts(report)).split())
    for line in revealing_lines():
        assert line not in text
    for internal in ("Traceback", 'File "', "autograder/", "rubric.py", "zygote", "/solutions/"):
        assert internal not in text
    assert not hidden_numbers(report.seed) & set(NUMBER_PATTERN.findall(text))


def report_texts(report: Report) -> list[str]:
    """Return every text of a report: its notes, its messages, and the parts of its feedback."""
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
    """Return the expected values of all hidden cases as a message would write them, except those of public cases."""
    hidden = set().union(
        *(
            format_expected(check.function, draw_case(exercise(), check, case_id, seed))
            for check in exercise().checks
            if check.hidden
            for case_id in check.cases
        )
    )
    public = set().union(
        *(
            format_expected(function.name, case)
            for case in exercise().diagnostic_cases
            for function in exercise().functions
        )
    )
    return frozenset(hidden - public)


def format_expected(function: str, case: Case) -> set[str]:
    """Return the expected values of a case that have digits enough to be recognised in a message."""
    entries = (entry for array in exercise().reference(function, case) for entry in array.ravel())
    return {text for entry in entries if NUMBER_PATTERN.fullmatch(text := f"{entry:.6g}")}
