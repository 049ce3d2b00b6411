"""Write two known mistakes into one text: both of their changes, where they touch different words.

A mistake is a change of a right answer (`Mistake.right`). Two of them that change different right answers can still be
made together if the changed line of one stands, word for word, in the right answer of the other.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from autograder.exercise.model import Mistake

Change = tuple[int, int, tuple[str, ...]]
"""The parts from one index to another become these."""


@dataclass(frozen=True)
class Composer:
    """Composes the mistakes of one function. Each is turned into changes of each right answer once, on first use.

    `rights` are texts of right answers in which changes are made, besides those of the mistakes themselves.
    """

    mistakes: Sequence[Mistake]
    rights: Sequence[str] = ()
    _known_changes: dict[tuple[str, int], tuple[Change, ...] | None] = field(default_factory=dict)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the positions of every two mistakes that compose."""
        for pair in itertools.combinations(range(len(self.mistakes)), 2):
            if any(True for _ in self._merged_changes(pair)):
                yield pair

    def compose(self, *positions: int) -> Mistake | None:
        """Return a function with all of these mistakes in it, None if some change the same words."""
        for right, changes in self._merged_changes(positions):
            words = _words(right)
            for start, stop, changed in reversed(changes):
                words[start:stop] = changed
            mistakes = [self.mistakes[position] for position in positions]
            name = " and ".join(mistake.name for mistake in mistakes)
            return replace(mistakes[0], name=name, source="".join(words) + "\n", right="")
        return None

    def _merged_changes(self, positions: Sequence[int]) -> Iterator[tuple[str, list[Change]]]:
        """Yield each right answer in which the mistakes can be made, with the changes of its words that they are."""
        for right in self._right_texts:
            each = [self._changes(right, position) for position in positions]
            changes = sorted(change for of_one in each if of_one is not None for change in of_one)
            if None not in each and all(after[0] > before[1] for before, after in itertools.pairwise(changes)):
                yield right, changes

    @cached_property
    def _right_texts(self) -> tuple[str, ...]:
        texts = dict.fromkeys([*(mistake.right for mistake in self.mistakes), *self.rights])
        return tuple(dict.fromkeys(map(_plain, texts)))

    def _changes(self, right: str, position: int) -> tuple[Change, ...] | None:
        """Return the changes of the words of a right answer that a mistake is, None if it cannot be made there."""
        key = right, position
        if key not in self._known_changes:
            origin, wrong = _plain(self.mistakes[position].right), _plain(self.mistakes[position].source)
            text = wrong if right == origin else _moved(origin, wrong, right)
            self._known_changes[key] = None if text is None else _changes_between(_words(right), _words(text))
        return self._known_changes[key]


@lru_cache(1000)
def _plain(text: str) -> str:
    """Return a function without its docstring and comments, as Python would write it."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # verify refuses such a mistake; it must not cost the others their pairs
        return text
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.unparse(tree)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|.", text)


def _changes_between(old: Sequence[str], new: Sequence[str]) -> tuple[Change, ...]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return tuple((a, b, tuple(new[c:d])) for tag, a, b, c, d in codes if tag != "equal")


def _moved(origin: str, wrong: str, right: str) -> str | None:
    """Return a mistake as a change of another right answer, None if a line that it changes is not there once."""
    lines, old_lines = right.split("\n"), origin.split("\n")
    stripped = [line.strip() for line in lines]
    for start, stop, changed in _changes_between(old_lines, wrong.split("\n")):
        old = [line.strip() for line in old_lines[start:stop]]
        if len(old) != 1 or len(changed) != 1 or stripped.count(old[0]) != 1:
            return None
        i = stripped.index(old[0])
        lines[i] = lines[i].replace(old[0], changed[0].strip())
    return "\n".join(lines)
