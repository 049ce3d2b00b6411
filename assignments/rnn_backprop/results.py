"""What checks say of functions, and how far a student is by that, as text and as HTML."""

from __future__ import annotations

import html
import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType

from calls import Status  # type: ignore[import-not-found]  # it is found once both are released, into one folder
from feedback import Feedback  # type: ignore[import-not-found]  # as calls
from golden import golden  # type: ignore[import-not-found]  # as calls
from layout import MAX_LINES, as_html, printable, shortened  # type: ignore[import-not-found]  # as calls

WIDTH = 78
LATER_LINES = 6  # that every message of a function may have, however long the first one is
GREEN, PLAIN = "\x1b[32m", "\x1b[0m"

BEYOND = (
    "Grading goes beyond these checks: it runs your saved file from the top in a new process, and calls each function "
    "on cases that you have not seen, with numbers drawn anew for each submission. A function that follows its formula "
    "passes there, too."
)


@dataclass(frozen=True)
class Result:
    """What one check says."""

    function: str
    title: str
    status: Status
    message: str = ""
    feedback: Feedback | None = None  # the message in parts, where it has such
    reason: tuple[object, ...] = ()  # what other checks may fail for too, whatever their case
    cases: tuple[str, ...] = ()  # the ids of those that were tried
    printed: tuple[str, ...] = ()  # what the function printed, shortened; in the last result of a function
    same_reason: bool = False  # as a check of this function before it, which has the message


@dataclass(frozen=True, repr=False)
class Results:
    """What several checks say: print it, or let Jupyter show it."""

    results: tuple[Result, ...]
    full: bool = False  # every line in a terminal, too
    progress: Progress | None = None  # the last line

    def __repr__(self) -> str:
        lines: list[str] = []
        for headline, results in self._by_function():
            messages = [result.message.splitlines() for result in results]
            lines.append(headline)
            printed = [line for result in results for line in result.printed]
            reserved = [min(len(message), LATER_LINES) for message in messages]
            room = MAX_LINES - 1 - len(results) - len(printed) - sum(reserved)
            for result, message, least in zip(results, messages, reserved, strict=True):
                status = "WRONG" if result.status == "wrong" else result.status
                lines.append(f"  {status:<5}  {result.title}{' (same)' if result.same_reason else ''}")
                if message and not self.full:  # the first message takes what it needs, a later one what is left
                    message = shortened(message, room + least, f'check("{result.function}", full=True)')
                    room -= len(message) - least
                lines += (f"{' ' * 9}{line}".rstrip() for line in message)
            lines += (f"  {'printed' if i == 0 else '':<7}  {line}" for i, line in enumerate(printed))
        if self.progress:
            lines.append(repr(self.progress))
        return str(printable("\n".join(lines)))

    def _repr_html_(self) -> str:
        style = "margin: 0.3em 0 1em 1.6em; padding: 0; white-space: pre-wrap; color: inherit; background: none"
        style += "; word-break: normal; overflow-wrap: break-word"  # Jupyter breaks words anywhere

        def item(result: Result) -> str:
            mark = "&#10003;" if result.status == "pass" else "&#10007;"
            message = f'<pre style="{style}">{html.escape(result.message)}</pre>' if result.message else ""
            if result.feedback:
                message = f'<div style="margin: 0.3em 0 1em 1.6em">{as_html(result.feedback)}</div>'
            if result.printed:
                lines = html.escape("\n".join(result.printed))
                message += f'<div>printed:</div><pre style="{style}">{lines}</pre>'
            same = " (same reason)" if result.same_reason else ""
            return f"<li><b>{mark} {result.status}</b>{same}: {html.escape(result.title)}{message}</li>"

        return "".join(
            f'<p><b>{html.escape(headline)}</b></p><ul style="list-style: none">{"".join(map(item, results))}</ul>'
            for headline, results in self._by_function()
        ) + (self.progress._repr_html_() if self.progress else "")

    def _by_function(self) -> Iterator[tuple[str, list[Result]]]:
        """A headline for each function, and what stands below it: nothing where there is one thing to say."""
        for name in dict.fromkeys(result.function for result in self.results):
            results = [result for result in self.results if result.function == name]
            passed = sum(result.status == "pass" for result in results)
            count = f"all {passed} checks pass" if passed == len(results) else f"{passed} of {len(results)} checks pass"
            if len(results) == 1:
                count = "the check passes" if passed else "the check does not pass"
            cases = len({id for result in results for id in result.cases})
            if cases > 1:
                count += f", in {cases} cases"
            if results[0].status in ("not attempted yet", "not there yet"):
                yield results[0].message, []
            else:
                yield f"{name}: {count}", results


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
        marks = " ".join(self._marks())
        points = f'<span style="white-space: nowrap">{self._points()}</span>'
        beyond = "" if self.rest else f"<p>{html.escape(BEYOND)}</p>"
        return f'<p style="margin: 0.5em 0; line-height: 2.2">{marks} {points}</p>{beyond}'

    def _sentences(self) -> tuple[str, str]:
        if not self.rest:
            return f"All {len(self.done)} functions pass here: {self._points()}.", BEYOND
        done = f"Done: {', '.join(self.done) or 'nothing yet'}; {self._points()}."
        return done, f"Next: {self.rest[0]}{_estimate(self.rest[0])}."

    def _points(self) -> str:
        points = {name: entry["points"] for name, entry in golden().functions.items()}
        return f"{sum(points[name] for name in self.done):g} of {sum(points.values()):g} points"

    def _marks(self) -> Iterator[str]:
        """A mark for each function; its words say the same as its colour."""
        for name, entry in golden().functions.items():
            done = name in self.done
            words = f"&#10003; {name}: done" if done else f"{name}: to do{_estimate(name)}"
            style = "border: 2px solid; border-radius: 0.8em; padding: 0.15em 0.7em; white-space: nowrap"
            colour = f"border-color: {'#2e9e4f' if done else '#999'}"
            points = f"{entry['points']:g} points"
            yield f'<span style="{style}; {colour}" title="{points}">{words}</span>'


def _estimate(name: str) -> str:
    minutes = golden().functions[name]["minutes"]
    return f" (~{minutes} min)" if minutes else ""
