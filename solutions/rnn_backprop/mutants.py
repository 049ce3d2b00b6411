"""A mistake as a small change of a right answer: the same text, with a line or two that read otherwise."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from autograder.exercise.model import Mistake

HERE = Path(__file__).parent
REFERENCE_FILE, DOUBLE_SUM_FILE = "rnn_backprop.py", "honest/double_sum.py"


def _read_functions(file: str) -> dict[str, str]:
    """The functions of a file by name, without their docstrings and what marks a solution."""
    text = (HERE / file).read_text(encoding="utf-8")
    lines, functions = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = node.body[ast.get_docstring(node) is not None]
            head, body = lines[node.lineno - 1 : node.body[0].lineno - 1], lines[first.lineno - 1 : node.end_lineno]
            functions[node.name] = "\n".join([*head, *body])
    return functions


REFERENCE_SOURCES = {file: _read_functions(file) for file in (REFERENCE_FILE, DOUBLE_SUM_FILE)}


def make_mistakes(
    functions: tuple[str, ...],
    name: str,
    equation: str | Mapping[str, str],
    hint: str,
    *replacements: tuple[str, str],
    source_file: str = REFERENCE_FILE,
) -> tuple[Mistake, ...]:
    """One mistake in each of the functions: their text in the file `source_file`, with each (right, wrong) pair exchanged.

    In a pair dM stands for dV, dW or dU; `equation` may differ by function. Raises ValueError when a right part does
    not stand there exactly once.
    """
    return tuple(
        Mistake(
            name=name,
            function=function,
            hint=hint,
            equation=equation if isinstance(equation, str) else equation[function],
            source=_apply_replacements(
                REFERENCE_SOURCES[source_file][function],
                function,
                f"{name} of {function} in {source_file}",
                replacements,
            ),
        )
        for function in functions
    )


def _apply_replacements(text: str, function: str, label: str, replacements: tuple[tuple[str, str], ...]) -> str:
    gradient_name = f"d{function[-1]}"
    for right, wrong in ((a.replace("dM", gradient_name), b.replace("dM", gradient_name)) for a, b in replacements):
        if text.count(right) != 1:
            raise ValueError(f"{label}: {right!r} stands there {text.count(right)} times, not once")
        text = text.replace(right, wrong)
    return text + "\n"
