"""A mistake as a small change of a right answer: the same text, with a line or two that read otherwise."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from autograder.exercise.model import Mistake

HERE = Path(__file__).parent
REFERENCE, DOUBLE_SUM = "rnn_backprop.py", "honest/double_sum.py"


def _functions(file: str) -> dict[str, str]:
    """The functions of a file by name, without their docstrings and what marks a solution."""
    text = (HERE / file).read_text(encoding="utf-8")
    lines, found = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = node.body[ast.get_docstring(node) is not None]
            head, body = lines[node.lineno - 1 : node.body[0].lineno - 1], lines[first.lineno - 1 : node.end_lineno]
            found[node.name] = "\n".join([*head, *body])
    return found


RIGHT = {file: _functions(file) for file in (REFERENCE, DOUBLE_SUM)}


def mistake(
    functions: tuple[str, ...],
    name: str,
    equation: str | Mapping[str, str],
    hint: str,
    *changes: tuple[str, str],
    of: str = REFERENCE,
) -> tuple[Mistake, ...]:
    """One mistake in each of the functions: their text in the file `of`, with each (right, wrong) pair exchanged.

    In a pair dM stands for dV, dW or dU; `equation` may differ by function. Raises ValueError when a right part does
    not stand there exactly once.
    """
    return tuple(
        Mistake(
            name=name,
            function=function,
            hint=hint,
            equation=equation if isinstance(equation, str) else equation[function],
            source=_changed(RIGHT[of][function], function, f"{name} of {function} in {of}", changes),
        )
        for function in functions
    )


def _changed(text: str, function: str, what: str, changes: tuple[tuple[str, str], ...]) -> str:
    total = f"d{function[-1]}"
    for right, wrong in ((a.replace("dM", total), b.replace("dM", total)) for a, b in changes):
        if text.count(right) != 1:
            raise ValueError(f"{what}: {right!r} stands there {text.count(right)} times, not once")
        text = text.replace(right, wrong)
    return text + "\n"
