"""Classes as large as wanted: the model answer with one known mistake each, and every submission another text."""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass
from pathlib import Path

from autograder.exercise.model import Exercise, Mistake

MODEL_ANSWER_FILE = Path(__file__).parents[1] / "submissions" / "class" / "perfect" / "rnn_backprop.py"


@dataclass(frozen=True)
class GeneratedSubmission:
    """What one student handed in: the mistake in it, if any, and its text."""

    student: str
    mistake: Mistake | None
    text: str


def random_submissions(exercise: Exercise, count: int, seed: int = 0) -> list[GeneratedSubmission]:
    """So many submissions with random single mistakes, one in ten without."""
    rng = random.Random(seed)
    submissions = []
    for number in range(count):
        mistake = rng.choice(exercise.mistakes) if rng.random() < 0.9 else None
        submissions.append(
            GeneratedSubmission(
                f"student-{number:05}", mistake, f"{answer_with_mistake(mistake)}\n# {number}: {rng.random()}\n"
            )
        )
    return submissions


def answer_with_mistake(mistake: Mistake | None) -> str:
    """The model answer, with one of its functions as somebody who makes this mistake writes it."""
    text = MODEL_ANSWER_FILE.read_text(encoding="utf-8")
    if mistake is None:
        return text
    lines = text.splitlines()
    [node] = [
        statement
        for statement in ast.parse(text).body
        if isinstance(statement, ast.FunctionDef) and statement.name == mistake.function
    ]
    return "\n".join([*lines[: node.lineno - 1], *mistake.source.splitlines(), *lines[node.end_lineno :]])


def write_submissions(folder: Path, submissions: list[GeneratedSubmission]) -> Path:
    """The files of a class: one script for each student."""
    folder.mkdir()
    for submission in submissions:
        (folder / f"{submission.student}.py").write_text(submission.text, encoding="utf-8")
    return folder
