"""Every sentence that people can meet, in one table: python -m tests.messages [FOLDER ...] prints it, to be read aloud.

A sentence is a string of three words or more that is no docstring; the help of the commands counts, and so do the
texts of pages. What is filled in stands in braces.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("autograder", "solutions")

_WORDS = re.compile(r"[A-Za-z{][\w'{}.,:;()-]* +\S+ +\S*[A-Za-z}]")
_CODE = re.compile(
    r"\\[swdb(]|\(\?[P:<!]|[\w-]+: [^;]+; ?[\w}]|\bnet\.[\w.]+ ?[@*]"  # patterns, styles, formulas
    r"|^\s*(?:import|from|def|SELECT|INSERT|UPDATE|CREATE|select)\b"
)
_MARKUP = re.compile(r"(?s)<style.*?</style>|<script.*?</script>|<svg.*?</svg>|\{[%#].*?[%#]\}|<[^>]*>")


def messages(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield file, line and text of every sentence in the modules and pages of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py":
            yield from ((path, line, text) for line, text in _sentences(path.read_text(encoding="utf-8")))
        elif path.suffix == ".html":
            text = _MARKUP.sub("\n", path.read_text(encoding="utf-8"))
            yield from ((path, 0, line.strip()) for line in text.splitlines() if _WORDS.search(line))


def _sentences(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every sentence of a module, in its order."""
    tree = ast.parse(source)
    skipped = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in ast.walk(node) if isinstance(part, ast.Constant))
    found = [
        (node.lineno, text)
        for node in ast.walk(tree)
        if id(node) not in skipped and (text := _text(node)) and _WORDS.search(text) and not _CODE.search(text)
    ]
    yield from sorted(found)


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the strings that stand alone, as docstrings do, but for those that click shows as help."""
    shown = {id(node.body[0]) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _is_command(node)}
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and id(node) not in shown}


def _is_command(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).startswith("click.") for decorator in function.decorator_list)


def _text(node: ast.AST) -> str:
    """Return what a string says, with what is filled in in braces; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    return ""


def main() -> None:
    """Print the table: a line for each sentence, under the name of its file."""
    shown = None
    for folder in sys.argv[1:] or ROOMS:
        for path, line, text in messages(ROOT / folder):
            if path != shown:
                print(f"\n{path.relative_to(ROOT)}")
                shown = path
            print(f"{line or '':>5}  {' '.join(text.split())}")


if __name__ == "__main__":
    main()
