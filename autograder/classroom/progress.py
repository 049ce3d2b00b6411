"""How far a class is, on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.2
_RECENT = 15.0  # seconds that the rate looks back on


class ProgressMeter:
    """Counts what is graded. A context manager; `quiet` says nothing at all."""

    def __init__(self, total: int, *, quiet: bool, stream: TextIO | None = None) -> None:
        self.total, self.graded, self.cached, self.problems = total, 0, 0, 0
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._start = self._last_shown = time.monotonic()
        self._bar = _make_progress_bar(self._stream) if self._stream.isatty() and not quiet else None
        self._task = self._bar.add_task("Grading", total=total, rest="") if self._bar else None

    def __enter__(self) -> ProgressMeter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        if not self._quiet and kind is None:
            self._print_line(self._progress_text())

    @property
    def done(self) -> int:
        """How many have a result."""
        return self.graded + self.cached

    @property
    def rate(self) -> float:
        """Submissions graded in a second, so far."""
        return self.graded / max(time.monotonic() - self._start, 1e-9)

    def count(self, *, cached: bool, problem: bool) -> None:
        """One more has a result, which was `cached` from before or is new."""
        self.cached += cached
        self.graded += not cached
        self.problems += problem
        self.tick()

    def tick(self) -> None:
        """Show how far it is, when it is time for that."""
        now = time.monotonic()
        interval = _SECONDS_BETWEEN_FRAMES if self._bar else SECONDS_BETWEEN_LINES
        if self._quiet or now < self._last_shown + interval:
            return
        self._last_shown = now
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self.done, rest=self._details(), refresh=True)
        else:
            self._print_line(self._progress_text())

    def _progress_text(self) -> str:
        return f"{self.done} of {self.total}: {self._details()}."

    def _details(self) -> str:
        parts = [f"{self.rate:.0f} a second"] if self.graded else []
        left = self.total - self.done
        if left and self.graded:
            parts.append(f"{_format_duration(left / self.rate)} left")
        if self.cached:
            parts.append(f"{self.cached} unchanged since an earlier run")
        parts.append(f"{self.problems} {'problem' if self.problems == 1 else 'problems'}")
        return ", ".join(parts)

    def _print_line(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def _make_progress_bar(stream: TextIO) -> Progress:
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rest]}"))
    return Progress(*columns, console=Console(file=stream), transient=True, auto_refresh=False)


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
