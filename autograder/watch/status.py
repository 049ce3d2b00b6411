"""How the watcher is doing: a JSON file for programs that monitor it, and sentences and a table for people."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.submission.safe_files import write_atomically

STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Status:
    """What the status file holds: times are in seconds since the epoch, durations in seconds.

    `median_seconds` and `p99_seconds` are from a submission's arrival to its answer, of the answers of the last hour;
    None if there were none. `problems` are sentences by what cannot be done, `changed` the exercises that are others on
    disk than those that are graded with.
    """

    process: int
    written_at: float
    started_at: float
    waiting: int
    in_progress: int
    answered_in_last_hour: int
    median_seconds: float | None
    p99_seconds: float | None
    problems: dict[str, str]
    changed: list[str]
    version: int = 1

    @property
    def headline(self) -> str:
        """The status in one line."""
        parts = [f"{self.waiting} waiting", f"{self.answered_in_last_hour} answered in the last hour"]
        if self.median_seconds is not None and self.p99_seconds is not None:
            parts.append(f"median {self.median_seconds:.1f} s, 99 % within {self.p99_seconds:.1f} s")
        number = len(self.problems)
        parts.append("no problem" if not number else "1 problem" if number == 1 else f"{number} problems")
        return ", ".join(parts)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the ordered values does not exceed; None without values."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def write_status(folder: Path, status: Status) -> None:
    """Replace the status file. Raises OSError."""
    write_atomically(folder / STATUS_FILE, json.dumps(asdict(status), indent=2).encode() + b"\n")


def read_status(folder: Path) -> Status | None:
    """Return the status as it was last written; None if there is none that can be read."""
    try:
        return Status(**json.loads((folder / STATUS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
