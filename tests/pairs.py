"""Two known mistakes in one function: both changes in one text, for proofs about work with more than one slip."""

from __future__ import annotations

import ast
import itertools
import random
import re
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache

from autograder.exercise.model import Mistake
from tests.in_process import exercise

RIGHT_FILES = ("rnn_backprop.py", "honest/double_sum.py")  # what the catalogue's mistakes are changes of
Change = tuple[int, int, list[str]]  # the parts from one index to another become these


@cache
def sample_pairs(count: int) -> tuple[Mistake, ...]:
    """Return so many pairs of known mistakes, always the same ones: those that compose, in a shuffled order."""
    mistakes = exercise().mistakes
    pairs = [pair for pair in itertools.combinations(mistakes, 2) if pair[0].function == pair[1].function]
    random.Random(0).shuffle(pairs)
    composed = (compose(*pair) for pair in pairs)
    return tuple(itertools.islice((pair for pair in composed if pair is not None), count))


def compose(first: Mistake, second: Mistake) -> Mistake | None:
    """Return a function with both mistakes in it, None if they change the same words."""
    rights = _right_texts(first.function)
    for right in rights:
        texts = [_moved(ast.unparse(ast.parse(mistake.source)), right, rights) for mistake in (first, second)]
        if all(texts) and (text := _merged(right, *filter(None, texts))):
            return replace(first, name=f"{first.name} and {second.name}", source=text)
    return None


@cache
def _right_texts(function: str) -> tuple[str, ...]:
    """Return the right answers of a function, without docstring and comments: mistakes are written so."""
    texts = []
    for file in RIGHT_FILES:
        nodes = ast.parse((exercise().folder / file).read_text(encoding="utf-8")).body
        [node] = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == function]
        node.body = node.body[ast.get_docstring(node) is not None :]
        texts.append(ast.unparse(node))
    return tuple(texts)


def _moved(wrong: str, right: str, rights: tuple[str, ...]) -> str | None:
    """Return a mistake as a change of this right answer, None if the lines that it changes do not stand there."""
    changes, origin = min(((_changes(text.splitlines(), wrong.splitlines()), text) for text in rights), key=_count)
    lines = right.splitlines()
    words = [line.strip() for line in lines]
    for start, stop, changed in changes if right != origin else ():
        old = [line.strip() for line in origin.splitlines()[start:stop]]
        if len(old) != 1 or len(changed) != 1 or words.count(old[0]) != 1:
            return None
        i = words.index(old[0])
        lines[i] = lines[i].replace(old[0], changed[0].strip())
    return "\n".join(lines) if right != origin else wrong


def _count(item: tuple[list[Change], str]) -> int:
    return len(item[0])


def _merged(right: str, first: str, second: str) -> str | None:
    """Return the text with the changes of both, None if some of them touch."""
    words, *others = (re.findall(r"\w+|\s+|.", text) for text in (right, first, second))
    changes = sorted(change for other in others for change in _changes(words, other))
    if any(b[0] <= a[1] for a, b in itertools.pairwise(changes)):
        return None
    for start, stop, changed in reversed(changes):
        words[start:stop] = changed
    return "".join(words)


def _changes(old: list[str], new: list[str]) -> list[Change]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(a, b, new[c:d]) for tag, a, b, c, d in codes if tag != "equal"]
