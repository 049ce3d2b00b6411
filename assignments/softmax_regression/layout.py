"""How feedback is laid out: as plain text and as HTML, the same words in both."""

from __future__ import annotations

import builtins
import html
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedback import ErrorMap, Feedback  # type: ignore[import-not-found]  # beside it once both are released

WIDTH = 70
MAX_LINES = 25  # of one function, in a terminal
LEVELS = ((1e-8, "·", "exact"), (1e-4, "░", "<1e-4"), (1e-2, "▒", "<1e-2"), (0.5, "▓", "<0.5"))
WORST, FROM = "█", "more"


class PlainError(BaseException):
    """An error of which a notebook shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


ASCII_MARKS = str.maketrans("·░▒▓█", ".:+#@")


def printable(text: str) -> str:
    """Return a text that stdout can take; plainer marks replace those of an error map that its encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII_MARKS).encode(encoding, "replace").decode(encoding)
    return text


def say(text: object) -> None:
    """Print what was asked for, as the end of a program: an output that takes nothing is one sentence."""
    try:
        print(printable(str(text)), flush=True)
    except OSError as problem:  # a full disk, or a reader that has stopped, as in `python checks.py | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still in the buffer cannot be written either
        stopped = isinstance(problem, BrokenPipeError)
        sys.exit(1 if stopped else f"The output cannot be written: {problem.strerror}.")


@dataclass(frozen=True, repr=False)
class Paragraphs:
    """Sentences that fill the width there is: a notebook breaks its own lines only between words."""

    text: str

    def __repr__(self) -> str:
        return wrapped(self.text)

    def _repr_html_(self) -> str:
        return "".join(_tag("p", line, "margin: 0.3em 0") for line in self.text.splitlines() if line)


def tell(text: str) -> None:
    """Show sentences that were asked for: in a notebook as a part of the page, elsewhere printed."""
    display = getattr(builtins, "display", None)  # IPython puts it there
    if display:
        display(Paragraphs(text))
    else:
        say(wrapped(text))


def mark(far: float) -> str:
    """One character for a relative error."""
    return next((character for below, character, _ in LEVELS if far <= below), WORST)


def entry(far: float) -> str:
    """One error as its character and its size, which needs no colour and no legend."""
    return "· exact" if mark(far) == "·" else f"{mark(far)} {far:.1g}"


def shade(far: float) -> float:
    """How strongly one error is marked, from 0 to 1."""
    return {"·": 0.0, "░": 0.1, "▒": 0.2, "▓": 0.35, WORST: 0.5}[mark(far)]


def as_text(feedback: Feedback) -> str:
    """All of it as plain text, in lines of 70 characters; what can be cut off most easily comes last."""
    opening = "\n".join(filter(None, (_filled(feedback.symptom), _filled(feedback.hint))))
    blocks = [opening, table([*feedback.facts, *last(feedback)])]
    if feedback.map:
        legend = "  ".join(f"{character} {words}" for _, character, words in (*LEVELS, (0.0, WORST, FROM)))
        rows = "\n".join(" " * 6 + " ".join(map(mark, row)) for row in feedback.map.errors)
        sentence = _filled(feedback.map.sentence, "  ", "  ")
        blocks.append(f"  error of each entry:  {legend}\n{rows}\n{sentence}")
    return "\n\n".join(filter(None, blocks))


def shortened(lines: Sequence[str], room: int, more: str) -> list[str]:
    """Return at most `room` lines, one or more; the last says how many more there are, and how to see them."""
    if len(lines) <= room:
        return list(lines)
    kept = list(lines[: room - 1])
    if "" in kept[room // 2 :]:  # not in the middle of a block
        kept = kept[: len(kept) - 1 - kept[::-1].index("")]
    return [*kept, f"... and {len(lines) - len(kept)} more lines: {more}"]


def last(feedback: Feedback) -> list[tuple[str, str]]:
    """Where to look next, with labels."""
    lines = (("read", feedback.read), ("see it again", feedback.replay))
    return [(label, text) for label, text in lines if text]


def table(facts: Sequence[tuple[str, str]]) -> str:
    """Labelled lines in two columns."""
    column = max((len(label) for label, _ in facts), default=0) + 4
    return "\n".join(_filled(text, f"  {label}".ljust(column), " " * column) for label, text in facts)


def _filled(text: str, first: str = "", others: str = "") -> str:
    """Lines of a bounded length; "k = 1" is not torn apart."""
    kept = text.replace(" = ", "\0=\0").split("\n")
    indents = [first, *[others] * (len(kept) - 1)]
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=others)
        for line, indent in zip(kept, indents, strict=True)
    ).replace("\0", " ")


def wrapped(text: str) -> str:
    """Long lines folded; what does not fit into the second column of a table goes on below it."""
    rows = ((line, len(re.sub(r"( +\S.*?  +)?.*", r"\1", line, count=1))) for line in text.splitlines())
    return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent=" " * column) for line, column in rows)


def as_html(feedback: Feedback) -> str:
    """All of it as HTML that takes its colours from where it stands, so that it can be read on dark and on light."""
    return "".join(_html(feedback))


def _html(feedback: Feedback) -> Iterator[str]:
    yield _tag("p", feedback.symptom, "margin: 0.3em 0")
    if feedback.hint:
        yield _tag("p", feedback.hint, "margin: 0.3em 0")
    yield _html_table(feedback.facts)
    if feedback.map:
        yield _html_map(feedback.map)
    yield _html_table(last(feedback))


def _html_table(facts: Sequence[tuple[str, str]]) -> str:
    cell = "text-align: left; vertical-align: top; padding: 0.1em 1em 0.1em 0; background: none; color: inherit"
    named = f"{cell}; font-weight: normal; font-style: italic; white-space: nowrap"
    rows = "".join(
        f'<tr style="background: none">{_tag("th", label, named, "row")}'
        f"{_tag('td', text, f'{cell}; white-space: pre-wrap')}</tr>"
        for label, text in facts
    )
    return f'<table style="border-collapse: collapse; margin: 0.3em 0">{rows}</table>' if rows else ""


def _html_map(map: ErrorMap) -> str:
    """A table of errors in numbers; the shade says the same to those who see it."""
    head = "padding: 0.1em 0.5em; font-weight: normal; font-style: italic"
    head += "; text-align: center; background: none; color: inherit"
    columns = "".join(_tag("th", str(j), head, "col") for j in range(len(map.errors[0])))
    rows = "".join(
        f'<tr style="background: none">{_tag("th", str(i), head, "row")}{"".join(_html_entry(far) for far in row)}</tr>'
        for i, row in enumerate(map.errors)
    )
    said = _tag("p", f"Error of each entry. {map.sentence}", "margin: 0.5em 0 0.3em")
    label = html.escape(f"Relative error of each entry of {map.result}", quote=True)
    return (
        f'{said}<table aria-label="{label}" style="border-collapse: collapse; margin: 0.3em 0">'
        f'<tr style="background: none"><td style="background: none"></td>{columns}</tr>{rows}</table>'
    )


def _html_entry(far: float) -> str:
    style = "border: 1px solid #888; padding: 0.1em 0.5em; color: inherit; text-align: center"
    return _tag("td", entry(far), f"{style}; background: rgba(200, 90, 60, {shade(far)})")


def _tag(name: str, text: str, style: str, scope: str = "") -> str:
    scoped = f' scope="{scope}"' if scope else ""
    return f'<{name}{scoped} style="{style}">{html.escape(text)}</{name}>'
