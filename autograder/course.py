"""The settings of a course: course.toml, where its exercises lie, its secret, and the seed of a submission."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from autograder.evaluation.report import FeedbackLevel
from autograder.sandbox.host.levels import LEVELS, Level
from autograder.sandbox.host.program import Limits

SECRET_VARIABLE = "AUTOGRADER_SECRET"
SEED_BITS = 53  # a JSON number that every reader keeps exactly


class CourseError(Exception):
    """Settings that cannot be used: one sentence that says which and what to do."""


@dataclass(frozen=True)
class Course:
    """A course: the folder of its course.toml and what is set there.

    `isolation` is the weakest to grade at, `feedback` how much students are told.
    """

    root: Path
    exercises: Path
    assignments: Path
    secret_file: Path
    isolation: Level = "E"
    limits: Limits = field(default_factory=Limits)
    feedback: FeedbackLevel = "full"

    def exercise_folder(self, name: str) -> Path:
        """The folder of one exercise. Raises CourseError when there is none, naming those that there are."""
        folder = self.exercises / name
        if not name.isidentifier() or not (folder / "rubric.py").is_file():
            known = sorted(path.parent.name for path in self.exercises.glob("*/rubric.py"))
            there = f"there are: {', '.join(known)}" if known else f"{self.exercises} holds none"
            raise CourseError(f"There is no exercise called {name!r}; {there}.")
        return folder


def find_course(start: Path) -> Course:
    """The course of the nearest course.toml at `start` or above, else the one that this package came with.

    Raises CourseError when there is neither, or when the file cannot be read or holds an unknown or unusable setting.
    """
    beside_package = Path(__file__).resolve().parent.parent
    for folder in (start.resolve(), *start.resolve().parents, beside_package):
        if (folder / "course.toml").is_file():
            return _read(folder)
    raise CourseError(f"There is no course.toml in {start} or above: run this inside the folder of a course.")


def _read(root: Path) -> Course:
    file = root / "course.toml"
    try:
        settings: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{file} cannot be read: {error}.") from None
    limits = _limits(settings.pop("limits", {}), file)
    isolation = settings.pop("isolation", "E")
    if isolation not in LEVELS:
        raise CourseError(f"{file}: isolation must be one of {', '.join(LEVELS)}, not {isolation!r}.")
    feedback = settings.pop("feedback", "full")
    if feedback not in get_args(FeedbackLevel):
        raise CourseError(f"{file}: feedback must be one of {', '.join(get_args(FeedbackLevel))}, not {feedback!r}.")
    paths = {"exercises": "solutions", "assignments": "assignments", "secret_file": ".course-secret"}
    for name, value in settings.items():
        if name not in paths:
            raise CourseError(
                f"{file} has a setting called {name!r}: there are isolation, feedback, limits, {', '.join(paths)}."
            )
        if not isinstance(value, str):
            raise CourseError(f"{file}: {name} must be a path in quotes, not {value!r}.")
    places = {name: root / settings.get(name, usual) for name, usual in paths.items()}
    return Course(root, **places, isolation=isolation, limits=limits, feedback=feedback)


def _limits(settings: Any, file: Path) -> Limits:
    known = {limit.name for limit in fields(Limits)}
    if not isinstance(settings, Mapping) or not known.issuperset(settings):
        raise CourseError(f"{file}: [limits] may hold {', '.join(sorted(known))}.")
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise CourseError(f"{file}: limits.{name} must be a number above 0, not {value!r}.")
    return Limits(**settings)


def load_secret(course: Course) -> bytes | None:
    """The course's secret: AUTOGRADER_SECRET, else its file, else one made now; None where none can be kept.

    Raises CourseError when the file is there but cannot be read.
    """
    if told := os.environ.get(SECRET_VARIABLE):
        return told.encode()
    try:
        return course.secret_file.read_bytes().strip() or None
    except FileNotFoundError:
        return _make_secret(course.secret_file)
    except OSError as error:
        raise CourseError(f"The course's secret {course.secret_file} cannot be read: {error.strerror}.") from None


def _make_secret(file: Path) -> bytes | None:
    secret = secrets.token_hex(32).encode()
    try:
        draft = Path(tempfile.mkstemp(prefix=file.name, dir=file.parent)[1])
    except OSError:
        return None
    try:
        draft.write_bytes(secret + b"\n")
        os.link(draft, file)  # of two graders that start at once, one links its secret and the other reads it
    except FileExistsError:
        return file.read_bytes().strip() or None
    except OSError:
        return None
    finally:
        draft.unlink()
    return secret


def submission_seed(code: str, exercise: str, secret: bytes | None) -> int:
    """The seed of a submission's cases: told by its own code, and by the secret to whoever knows it."""
    message = f"{exercise}\0{code}".encode("utf-8", "surrogatepass")
    digest = hmac.new(secret or b"", message, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)
