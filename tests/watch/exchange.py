"""An exchange of nbgrader with records in it, as `nbgrader submit` makes them, and what Fetch feedback finds there."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from tests.courses import NAME, ROOT, run_module

SAMPLES = ROOT / "tests" / "submissions"
START = datetime(2026, 3, 1, 12)
RIGHT, WRONG = "class/perfect", "class/truncated_bptt"


@cache
def points_of(sample: str) -> tuple[float, str]:
    """Return the points of a sample, and what its page says of them, as `autograder grade` knows them."""
    graded = run_module(ROOT, "autograder", "grade", NAME, str(SAMPLES / sample), "--format", "json").stdout
    score, max_score = (json.loads(graded)[key] for key in ("score", "max_score"))
    return score, f"{score:g} of {max_score:g} points"


@dataclass(frozen=True)
class Exchange:
    """The exchange of one course."""

    root: Path
    course_id: str = "rnn"

    @property
    def inbound(self) -> Path:
        return self.root / self.course_id / "inbound"

    @property
    def feedback(self) -> Path:
        return self.root / self.course_id / "feedback"

    def submit(
        self, student: str, sample: str = RIGHT, second: int = 0, *, finished: bool = True, points: float | None = None
    ) -> Path:
        """Hand in a sample, so many seconds after the start of the test's time."""
        time = (START + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        record = self.inbound / f"{student}+{NAME}+{time}+random{second}"
        self.inbound.mkdir(parents=True, exist_ok=True)
        self.inbound.chmod(0o733)
        shutil.copytree(SAMPLES / sample, record, ignore=shutil.ignore_patterns("expected.toml"))
        if not (record / f"{NAME}.ipynb").exists():  # what was fetched lies there, too
            shutil.copy(ROOT / "assignments" / NAME / f"{NAME}.ipynb", record)
        (record / "timestamp.txt").write_text(time)
        if points is not None:
            (record / "points").write_text(str(points))
        if finished:
            finish(record)
        return record

    def page(self, record: Path) -> str:
        """Return the page that Fetch feedback finds for a record; empty if there is none."""
        from nbgrader.utils import notebook_hash

        secret = (record / "submission_secret.txt").read_text()
        page = self.feedback / f"{notebook_hash(secret=secret, notebook_id=NAME)}.html"
        return page.read_text(encoding="utf-8") if page.exists() else ""


def finish(record: Path) -> None:
    """Do the last things that `nbgrader submit` does."""
    (record / "submission_secret.txt").write_text(f"secret of {record.name}")
    record.chmod(0o777)
