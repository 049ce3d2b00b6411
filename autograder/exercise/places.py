"""Where in an author's file something stands, so that what is said of it begins with a line."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path


class Places:
    """The lines of one file: of names that it defines, of the items of its lists, of words."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines = file.read_text(encoding="utf-8").splitlines()
        try:
            self._body = ast.parse("\n".join(self.lines)).body
        except SyntaxError:
            self._body = []

    def of_name(self, name: str) -> int:
        """Return the line where a name is defined at the top level, 1 if nowhere."""
        node = self._definition(name)
        return node.lineno if node else 1

    def of_item(self, name: str, index: int) -> int:
        """Return the line of an item of the list that a name is, else that of the name."""
        node = self._definition(name)
        value = getattr(node, "value", None)
        items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
        is_plain = not any(isinstance(item, ast.Starred) for item in items)
        return items[index].lineno if is_plain and index < len(items) else self.of_name(name)

    def of_words(self, *words: str) -> int | None:
        """Return the first line that holds all these words in quotation marks, else None."""
        for number, line in enumerate(self.lines, start=1):
            if all(f'"{word}"' in line or f"'{word}'" in line for word in words):
                return number
        return None

    def _definition(self, name: str) -> ast.stmt | None:
        for node in self._body:
            targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign):
                targets = [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if name in names or (isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name):
                return node
        return None


def raised_at(error: BaseException, folder: Path) -> tuple[str, int] | None:
    """Return the file and line of an exercise's folder where an exception came from; None if from none of them."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).parent == folder:
        return Path(error.filename).name, error.lineno or 1
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
    return (Path(frames[-1].filename).name, frames[-1].lineno or 1) if frames else None
