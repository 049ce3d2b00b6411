"""Totals of a benchmark: submissions, wall-clock time and CPU time."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass
class Tally:
    """Totals of all workers so far: submissions, wall-clock seconds, CPU seconds."""

    submissions: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Submissions per second."""
        return self.submissions / self.wall

    @property
    def cpu_each(self) -> float:
        """CPU seconds per submission."""
        return self.cpu / self.submissions


def cpu_seconds(process: int | None = None) -> float:
    """Return the CPU seconds of a process and all below it: by default of this one."""
    current = psutil.Process(process)
    return sum(sum(process.cpu_times()[:4]) for process in (current, *current.children(recursive=True)))
