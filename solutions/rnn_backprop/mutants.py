"""Make mistakes from right answers by replacing a few words of their text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.exercise.model import Mistake
from autograder.exercise.small_form.writing_out import functions_in

HERE = Path(__file__).parent
REFERENCE_FILE, DOUBLE_SUM_FILE = "rnn_backprop.py", "honest/double_sum.py"


REFERENCE_SOURCES = {
    file: functions_in((HERE / file).read_text(encoding="utf-8")) for file in (REFERENCE_FILE, DOUBLE_SUM_FILE)
}


def make_mistakes(
    functions: tuple[str, ...],
    name: str,
    equation: str | Mapping[str, str],
    hint: str,
    *replacements: tuple[str, str],
    source_file: str = REFERENCE_FILE,
) -> tuple[Mistake, ...]:
    """Return one mistake for each function: its text in `source_file`, with each (right, wrong) pair replaced.

    In a pair, dM stands for dV, dW or dU. `equation` may be a mapping by function. A mistake of which a right part does
    not occur exactly once, as the answer was reworded, has the reason as its `problem`.
    """
    mistakes = []
    for function in functions:
        right = REFERENCE_SOURCES[source_file][function]
        source, reason = _apply_replacements(right, function, replacements)
        mistakes.append(
            Mistake(
                name=name,
                function=function,
                hint=hint,
                equation=equation if isinstance(equation, str) else equation[function],
                right=right,
                source=source,
                problem=reason and f"The known mistake {name} of {function} is left out: in {source_file} {reason}.",
            )
        )
    return tuple(mistakes)


def _apply_replacements(text: str, function: str, replacements: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Return the text with each pair replaced, and why that is not possible, if it is not."""
    gradient_name = f"d{function[-1]}"
    for pair in replacements:
        right, wrong = (part.replace("dM", gradient_name) for part in pair)
        if (count := text.count(right)) != 1:
            return "", f"{right!r} stands {count} times, and must stand there once"
        text = text.replace(right, wrong)
    return text + "\n", ""
