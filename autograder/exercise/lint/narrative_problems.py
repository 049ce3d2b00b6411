"""Problems with the text of a source: equations that are referred to, figures that are shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from autograder.exercise.lint.whereabouts import Whereabouts
from autograder.exercise.model import Exercise
from autograder.exercise.problems import Problem

_TAG = re.compile(r"\\tag\{(\d+)\}")
_FIGURE = re.compile(r"!\[([^\]]*)\]\((figures/[\w.-]+)\)")
# "equations (1),\n# (2) and (3)", but not "equation (3) of the script"
_REFERENCE = re.compile(r"[Ee]quations?((?:[\s#]+(?:and |to )?\(\d+\),?)+)(?![\s#]+of[\s#]+(?!the[\s#]+notebook))")


def narrative_problems(exercise: Exercise) -> list[Problem]:
    """Return what is wrong with the text; references are looked at where equations have numbers at all."""
    where = Whereabouts(exercise)
    return [*_of_equations(exercise, where), *_of_figures(exercise, where)]


def _of_equations(exercise: Exercise, where: Whereabouts) -> Iterator[Problem]:
    tags = list(_found(_TAG, where))
    for number, count in Counter(match[1] for match, _ in tags).items():
        if count > 1:
            second = [line for match, line in tags if match[1] == number][1]
            yield where.of_source("equation_twice", second, number=number)
    known = {match[1] for match, _ in tags}
    if not known:
        return
    unknown = {
        number: where.of_source("equation_unknown", line, what="The text", number=number)
        for match, line in _found(_REFERENCE, where)
        for number in re.findall(r"\d+", match[1])
        if number not in known
    }
    for function in exercise.functions:
        for match in _REFERENCE.finditer(function.reference_text):
            for number in set(re.findall(r"\d+", match[1])) - known - unknown.keys():
                fields = {"what": "Its reference_text", "number": number}
                unknown[number] = where.of_function("equation_unknown", function.name, **fields)
    read = {function.name: function.reference_text for function in exercise.functions}
    for mistake in exercise.mistakes:
        if mistake.equation and mistake.equation in read.get(mistake.function, ""):
            continue  # of which all was said above, and which may be of another script
        for number in set(re.findall(r"\d+", mistake.equation)) - known - unknown.keys():
            fields = {"what": f"The mistake {mistake.name}", "number": number}
            unknown[number] = where.of_mistake("equation_unknown", mistake, **fields)
    yield from unknown.values()


def _of_figures(exercise: Exercise, where: Whereabouts) -> Iterator[Problem]:
    for match, line in _found(_FIGURE, where):
        if not (exercise.folder / match[2]).is_file():
            yield where.of_source("figure_missing", line, file=match[2])
        if not match[1].strip():
            yield where.of_source("figure_text", line, file=match[2])


def _found(pattern: re.Pattern[str], where: Whereabouts) -> Iterator[tuple[re.Match[str], int]]:
    """Yield what a pattern finds in cells that students get, with the line where it begins."""
    for cell, text in where.texts():
        if cell.kind != "teacher":
            yield from ((match, cell.line + text[: match.start()].count("\n")) for match in pattern.finditer(text))
