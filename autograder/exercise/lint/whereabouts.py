"""Where in the files of an exercise a function, a check or a mistake is written."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.exercise.model import Check, Exercise, Mistake
from autograder.exercise.places import Places
from autograder.exercise.problems import Problem
from autograder.exercise.source import ExerciseCell, parse_cells


class Whereabouts:
    """Makes problems of an exercise that begin with the right line: of its rubric.py, or of its source."""

    def __init__(self, exercise: Exercise) -> None:
        source = exercise.folder / f"{exercise.name}.py"
        rubric = exercise.folder / "rubric.py"
        self.is_small = not rubric.is_file()
        self._source_file = source.name
        self._rubric = Places(source if self.is_small else rubric)
        self._others = [Places(path) for path in sorted(exercise.folder.glob("*.py")) if path not in (source, rubric)]
        self._text = source.read_text(encoding="utf-8")
        self.cells = parse_cells(self._text)

    def of_function(self, code: str, function: str, **fields: object) -> Problem:
        """Return a problem with what the rubric says of a function."""
        if self.is_small:
            return self.of_source(code, self.line_of_cell(function), **fields, function=function)
        line = self._rubric.of_words(function) or self._rubric.of_name("FUNCTIONS")
        return Problem(code, self._rubric.file.name, line, {"function": function, **fields})

    def of_model_answer(self, code: str, function: str, **fields: object) -> Problem:
        """Return a problem with a model answer."""
        return self.of_source(code, self.line_of_cell(function), **fields, function=function)

    def of_check(self, code: str, check: Check, **fields: object) -> Problem:
        """Return a problem with a check of the rubric."""
        if self.is_small:
            line: int | None = self._rubric.of_words(check.title) or self.line_of_cell(check.function)
        else:
            name = check.id.rpartition(".")[2]
            words = ((check.id,), (check.function, check.title), (check.title,), (name,))
            line = next(filter(None, (self._rubric.of_words(*each) for each in words)), self._rubric.of_name("CHECKS"))
        return Problem(code, self._rubric.file.name, line or 1, {"id": check.id, **fields})

    def of_name(self, code: str, name: str, words: str = "", **fields: object) -> Problem:
        """Return a problem with what a name of the rubric is, or with a line that holds these words."""
        line = (self._rubric.of_words(words) if words else None) or self._rubric.of_name(name)
        return Problem(code, self._rubric.file.name, line, {"name": name, **fields})

    def of_mistake(self, code: str, mistake: Mistake, **fields: object) -> Problem:
        """Return a problem with a known mistake, which may stand in any file of the folder."""
        for places in (self._rubric, *self._others):
            if line := places.of_words(mistake.name):
                return Problem(code, places.file.name, line, {**vars(mistake), **fields})
        return Problem(code, self._rubric.file.name, self._rubric.of_name("MISTAKES"), {**vars(mistake), **fields})

    def of_source(self, code: str, line: int, **fields: object) -> Problem:
        """Return a problem in a line of the source."""
        return Problem(code, self._source_file, line, fields)

    def texts(self) -> Iterator[tuple[ExerciseCell, str]]:
        """Yield each cell of the source with its text as it stands there, from its header on."""
        lines = self._text.splitlines()
        ends = [*(cell.line - 1 for cell in self.cells[1:]), len(lines)]
        yield from ((cell, "\n".join(lines[cell.line - 1 : end])) for cell, end in zip(self.cells, ends, strict=True))

    def line_of_cell(self, function: str) -> int:
        """Return the line of the header of a function's cell, 1 if it has none."""
        return next((cell.line for cell in self.cells if (cell.kind, cell.name) == ("solution", function)), 1)
