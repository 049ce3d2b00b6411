"""Where the exchange of a course is, and how its records are read: nbgrader's own settings, without nbgrader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.nbgrader.exchange.records import CopyRules
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.nbgrader.gradebook.settings import Settings

DEFAULT_ROOT = "/usr/local/share/nbgrader/exchange"
DEFAULT_IGNORE = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")
DEFAULT_MAX_SIZE = 100_000  # kB, of a file and of a folder


@dataclass(frozen=True)
class ExchangeSettings:
    """The exchange of a course, as nbgrader's Exchange, ExchangeCollect and CourseDirectory are set.

    With `before_duedate`, work that is late never replaces work that was on time.
    """

    root: Path
    course_id: str
    zone: tzinfo
    before_duedate: bool
    groupshared: bool
    rules: CopyRules

    @property
    def inbound(self) -> Path:
        """The folder where students' records arrive."""
        return self.root / self.course_id / "inbound"

    @property
    def feedback(self) -> Path:
        """The folder where students fetch feedback."""
        return self.root / self.course_id / "feedback"


def exchange_settings(settings: Settings) -> ExchangeSettings:
    """Return the exchange that the settings of a course name. Raises GradebookError if they name no course."""
    config = settings.config
    if not settings.course_id:
        raise GradebookError(
            f"The course in {settings.root} has no id: set c.CourseDirectory.course_id in its nbgrader_config.py."
        )
    # What is set for the plugin goes before what is set for every part of the exchange.
    collect = {**config.Exchange, **config.ExchangeCollect}
    directory = config.CourseDirectory
    zone = str(collect.get("timezone") or "UTC")
    try:
        return ExchangeSettings(
            root=Path(str(collect.get("root") or DEFAULT_ROOT)),
            course_id=settings.course_id,
            zone=ZoneInfo(zone),
            before_duedate=bool(collect.get("before_duedate", False)),
            groupshared=bool(directory.get("groupshared", False)),
            rules=CopyRules(
                ignore=directory.get("ignore", DEFAULT_IGNORE),
                include=directory.get("include") or ("*",),
                max_file_bytes=1000 * directory.get("max_file_size", DEFAULT_MAX_SIZE),
                max_bytes=1000 * directory.get("max_dir_size", DEFAULT_MAX_SIZE),
                check_owner=bool(collect.get("check_owner", True)),
            ),
        )
    except (KeyError, ValueError, OSError):
        raise GradebookError(f"There is no time zone {zone!r}: mend c.Exchange.timezone.") from None
