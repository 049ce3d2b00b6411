"""How far a student is: which functions pass, what they are worth, and which one comes next."""

from __future__ import annotations

import html
import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType

from golden import golden  # type: ignore[import-not-found]  # it is found once both are released, into one folder
from layout import printable  # type: ignore[import-not-found]  # as golden

WIDTH = 78
GREEN, PLAIN = "\x1b[32m", "\x1b[0m"

BEYOND = (
    "Grading goes beyond these checks: it runs your saved file from the top in a new process, and calls each function "
    "on cases that you have not seen, with numbers drawn anew for each submission. A function that follows its formula "
    "passes there, too."
)


@dataclass
class Session:
    """What a student has seen since the start: which functions passed when last checked, and how many hints."""

    passed: dict[str, object] = field(default_factory=dict)  # the very function that passed, by name
    hints: dict[str, int] = field(default_factory=dict)

    def note(self, module: ModuleType, name: str, passes: bool) -> None:
        """Take notice of whether a function of a module passes its checks."""
        self.passed[name] = getattr(module, name, None) if passes else None

    def progress(self, module: ModuleType) -> Progress:
        """Return how far the functions of a module are: one that was defined anew has to pass anew."""
        current = {name: getattr(module, name, None) for name in golden().functions}
        return Progress(
            tuple(name for name, now in current.items() if now is not None and now is self.passed.get(name))
        )


SESSION = Session()


@dataclass(frozen=True, repr=False)
class Progress:
    """Which functions pass: print it, or let Jupyter show it."""

    done: tuple[str, ...]

    @property
    def rest(self) -> list[str]:
        """The functions that do not pass yet."""
        return [name for name in golden().functions if name not in self.done]

    def __repr__(self) -> str:
        done, rest = self._sentences()
        in_colour = self.done and sys.stdout.isatty() and "NO_COLOR" not in os.environ
        text = textwrap.fill(f"{done} {rest}", WIDTH)
        return str(printable(text.replace(done, f"{GREEN}{done}{PLAIN}", 1) if in_colour else text))

    def _repr_html_(self) -> str:
        _, rest = self._sentences()
        words = html.escape("" if self.rest else rest)
        return f'<p style="margin: 0.5em 0; line-height: 2.2">{" ".join(self._marks())} {self._worth()}. {words}</p>'

    def _sentences(self) -> tuple[str, str]:
        if not self.rest:
            return f"All {len(self.done)} functions pass here, {self._worth()}.", BEYOND
        done = f"Done: {', '.join(self.done) or 'nothing yet'}, {self._worth()}."
        return done, f"Next: {self.rest[0]}{_minutes(self.rest[0], ', about {} min')}."

    def _worth(self) -> str:
        points = {name: entry["points"] for name, entry in golden().functions.items()}
        return f"worth {sum(points[name] for name in self.done):g} of {sum(points.values()):g} points"

    def _marks(self) -> Iterator[str]:
        """A mark for each function; its words say the same as its colour."""
        for name, entry in golden().functions.items():
            done = name in self.done
            words = f"&#10003; {name}: done" if done else f"{name}: to do{_minutes(name, ', {} min')}"
            style = "border: 2px solid; border-radius: 0.8em; padding: 0.15em 0.7em; white-space: nowrap"
            colour = f"border-color: {'#2e9e4f' if done else '#999'}"
            points = f"{entry['points']:g} points"
            yield f'<span style="{style}; {colour}" title="{points}">{words}</span>'


def _minutes(name: str, words: str) -> str:
    minutes = golden().functions[name]["minutes"]
    return words.format(minutes) if minutes else ""
