"""What checks say of functions, as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from calls import Status  # type: ignore[import-not-found]  # it is found once both are released, into one folder
from feedback import Feedback  # type: ignore[import-not-found]  # as calls
from layout import MAX_LINES, as_html, printable, shortened  # type: ignore[import-not-found]  # as calls
from progress import Progress  # type: ignore[import-not-found]  # as calls


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
            room = MAX_LINES - 2 - len(results) - len(printed)  # a headline, and the progress
            share = room // max(sum(map(bool, messages)), 1)  # that each message may have; a short one leaves more
            shares = [min(len(message), share) for message in messages]
            for result, message, least in zip(results, messages, shares, strict=True):
                status = "WRONG" if result.status == "wrong" else result.status
                lines.append(f"  {status:<5}  {result.title}{' (same)' if result.same_reason else ''}")
                if message and not self.full:
                    most = room - sum(shares) + least
                    message = shortened(message, most, f'check("{result.function}", full=True)')
                    room -= len(message) - least
                lines += (f"{' ' * 9}{line}".rstrip() for line in message)
            lines += (f"  {'printed' if i == 0 else '':<7}  {line}" for i, line in enumerate(printed))
        if self.progress:
            lines.append(repr(self.progress))
        return str(printable("\n".join(lines)))

    def _repr_html_(self) -> str:
        style = "margin: 0.3em 0 1em 1.6em; padding: 0; white-space: pre-wrap; color: inherit; background: none"

        def item(result: Result) -> str:
            mark = "&#10003;" if result.status == "pass" else "&#10007;"
            text = "For the same reason." if result.same_reason else result.message
            message = f'<pre style="{style}">{html.escape(text)}</pre>' if text else ""
            if result.feedback:
                message = f'<div style="margin: 0.3em 0 1em 1.6em">{as_html(result.feedback)}</div>'
            if result.printed:
                lines = html.escape("\n".join(result.printed))
                message += f'<div>printed:</div><pre style="{style}">{lines}</pre>'
            return f"<li><b>{mark} {result.status}</b>: {html.escape(result.title)}{message}</li>"

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
