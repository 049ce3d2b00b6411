"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.2


class ProgressMeter:
    """Counts results and shows how many there are. A context manager.

    `brief` shows the numbers alone: no rate, no problems, and no last line after a bar. `quiet` shows nothing.
    """

    def __init__(self, total: int, *, quiet: bool = False, brief: bool = False, stream: TextIO | None = None) -> None:
        self.total, self.graded, self.cached, self.problems = total, 0, 0, 0
        self._quiet, self._brief = quiet, brief
        self._stream = stream or sys.stderr
        self._start = self._last_shown = time.monotonic()
        self._bar = _make_progress_bar(self._stream, brief) if self._stream.isatty() and not quiet else None
        self._task = self._bar.add_task("Grading", total=total, details="") if self._bar else None

    def __enter__(self) -> ProgressMeter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        if kind is None and not self._quiet and not (self._bar and self._brief):
            self._print_line()

    @property
    def done(self) -> int:
        """How many have a result."""
        return self.graded + self.cached

    @property
    def rate(self) -> float:
        """Submissions graded per second, so far."""
        return self.graded / max(time.monotonic() - self._start, 1e-9)

    def count(self, *, cached: bool = False, problem: bool = False) -> None:
        """Count a result, which was `cached` by an earlier run or is new."""
        self.cached += cached
        self.graded += not cached
        self.problems += problem
        self.tick()

    def tick(self) -> None:
        """Show the progress if it was last shown long enough ago."""
        now = time.monotonic()
        interval = _SECONDS_BETWEEN_FRAMES if self._bar else SECONDS_BETWEEN_LINES
        if self._quiet or now < self._last_shown + interval:
            return
        self._last_shown = now
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=self.done, details=self._details(), refresh=True)
        elif self.done < self.total:  # the last line is printed at the end
            self._print_line()

    def _details(self) -> str:
        parts = [f"{self.rate:.0f} a second"] if self.graded else []
        remaining = self.total - self.done
        if remaining and self.graded:
            parts.append(f"{_format_duration(remaining / self.rate)} left")
        if self.cached:
            parts.append(f"{self.cached} unchanged since an earlier run")
        parts.append(f"{self.problems} {'problem' if self.problems == 1 else 'problems'}")
        return ", ".join(parts)

    def _print_line(self) -> None:
        count = f"{self.done} of {self.total}"
        self._stream.write(f"Graded {count}.\n" if self._brief else f"{count}: {self._details()}.\n")
        self._stream.flush()


def _make_progress_bar(stream: TextIO, brief: bool) -> Progress:
    # late: rich, 45 ms, and in logs there is no bar
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    details = TimeRemainingColumn() if brief else TextColumn("{task.fields[details]}")
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), details)
    return Progress(*columns, console=Console(file=stream), transient=True, auto_refresh=False)


def _format_duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
