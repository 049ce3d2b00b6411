"""Make mistakes from right answers by replacing a few words of their text."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from autograder.exercise.model import Mistake

HERE = Path(__file__).parent
REFERENCE_FILE, DOUBLE_SUM_FILE = "rnn_backprop.py", "honest/double_sum.py"


def _read_functions(file: str) -> dict[str, str]:
    """Return the functions of a file by name, without docstrings and solution markers."""
    text = (HERE / file).read_text(encoding="utf-8")
    lines, functions = text.splitlines(), {}
    # Markers are comments: a body taken from its first statement to its last is without them.
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
    """Return one mistake for each function: its text in `source_file`, with each (right, wrong) pair replaced.

    In a pair, dM stands for dV, dW or dU. `equation` may be a mapping by function. Raises ValueError unless each right
    part occurs exactly once.
    """
    return tuple(
        Mistake(
            name=name,
            function=function,
            hint=hint,
            equation=equation if isinstance(equation, str) else equation[function],
            right=REFERENCE_SOURCES[source_file][function],
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
    for pair in replacements:
        right, wrong = (part.replace("dM", gradient_name) for part in pair)
        if text.count(right) != 1:
            raise ValueError(f"{label}: {right!r} stands there {text.count(right)} times, not once")
        text = text.replace(right, wrong)
    return text + "\n"
