"""The settings of a course: course.toml as plain data. Imports nothing from this package."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

Level = Literal["A", "B", "C", "D", "E"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the strongest to the weakest."""

COURSE_FILE = "course.toml"

_ASSIGNMENT_NAME = re.compile(r"\w(?:[\w .-]*\w)?")  # nbgrader takes others, until it looks for the files

FeedbackLevel = Literal["none", "symptom", "hint", "full"]
"""How much students learn about a failed check: only that it failed, a sentence, also where to look, or everything."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for each function, for loading each cell and in total; memory in MiB.

    CPU time decides; the wall clock is a backstop for code that waits. `submission_mb` is the size of a file in MB, the
    outputs of a notebook not counted.
    """

    cpu_seconds: float = 2.0
    wall_seconds: float = 10.0
    load_cpu_seconds: float = 5.0
    load_wall_seconds: float = 15.0
    submission_wall_seconds: float = 60.0
    memory_mib: int = 2048
    submission_mb: float = 10

    @property
    def submission_bytes(self) -> int:
        """The size of a file of a submission, in bytes."""
        return int(self.submission_mb * 1_000_000)


MAX_SUBMISSION_MB = 100
"""The highest limit on the size of a submission: as much is read of a file, outputs included."""


@dataclass(frozen=True)
class Policy:
    """What `autograder watch` tells a student of a submission, and which submission counts.

    `before_due` and `after_due` say how much is told of checks that fail, never more than `feedback` allows;
    `hidden_before_due` whether hidden checks are told at all before the due date. After `answers_a_day`, a submission
    is kept and counts, and its answer waits for the next day. `counts` is the attempt that counts: the last, or the one
    with most points. Work that is handed in `grace_minutes` after the due date is on time.
    """

    before_due: FeedbackLevel = "hint"
    after_due: FeedbackLevel = "full"
    hidden_before_due: bool = True
    answers_a_day: int = 5
    counts: Literal["last", "best"] = "last"
    grace_minutes: float = 0.0

    @property
    def grace_seconds(self) -> float:
        """The grace in seconds."""
        return 60 * self.grace_minutes


class CourseError(Exception):
    """Unusable settings: one sentence that says which, and what to do."""


@dataclass(frozen=True)
class Demo:
    """The sample class of `autograder demo`: a folder for each submission, one of which is shown in full.

    Without an `exercise`, it is the first that the course has.
    """

    submissions: Path
    exercise: str = ""
    in_full: str = ""


@dataclass(frozen=True)
class Course:
    """A course: the folder of its course.toml, and the settings there; `isolation` is the weakest level allowed.

    `written_questions` says whether students are asked the questions of an exercise that a person grades. `release_as`
    holds the names of assignments by exercise, where they differ, `policies` those of exercises, "" for all others.
    """

    root: Path
    exercises: Path
    assignments: Path
    secret_file: Path
    demo: Demo
    isolation: Level = "E"
    limits: Limits = field(default_factory=Limits)
    feedback: FeedbackLevel = "full"
    release_as: Mapping[str, str] = field(default_factory=dict)
    written_questions: bool = False
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def policy_of(self, exercise: str) -> Policy:
        """Return what students are told of an exercise: its own policy, else that of the course."""
        return self.policies.get(exercise) or self.policies.get("", Policy())

    def exercise_names(self) -> list[str]:
        """Return the names of the course's exercises, sorted."""
        return [folder.name for folder in exercise_folders(self.exercises)]

    def exercise_folder(self, name: str) -> Path:
        """Return the folder of an exercise, which is named by itself or by its assignment.

        Raises CourseError, with the known exercises, if there is none.
        """
        exercise = self.exercise_of(name) or name
        folder = self.exercises / exercise
        if folder.name != exercise or not is_exercise(folder):  # no path leads to another folder
            known = self.exercise_names()
            choice = f"there are: {', '.join(known)}" if known else f"{self.exercises} holds none"
            raise CourseError(f"There is no exercise called {name!r}; {choice}.")
        return folder

    def assignment_of(self, exercise: str) -> str:
        """Return the name under which students get an exercise: in folders, in gradebooks, in exports."""
        return self.release_as.get(exercise, exercise)

    def exercise_of(self, assignment: str) -> str | None:
        """Return the exercise that students get as this assignment; None if it is none of this course's."""
        return next((name for name in self.exercise_names() if self.assignment_of(name) == assignment), None)


def is_exercise(folder: Path) -> bool:
    """Return whether a folder holds an exercise: NAME/NAME.py."""
    return folder.name.isidentifier() and (folder / f"{folder.name}.py").is_file()


def exercise_folders(folder: Path) -> list[Path]:
    """Return the exercises that lie in a folder, sorted."""
    return sorted(path for path in folder.glob("*") if is_exercise(path))


def find_course(start: Path) -> Course:
    """Return the course of the nearest course.toml, in `start` or above, else of the one next to this package.

    Raises CourseError if there is none, if it cannot be read, or if it holds an unknown or unusable setting.
    """
    beside_package = Path(__file__).resolve().parent.parent
    for folder in (start.resolve(), *start.resolve().parents, beside_package):
        if (folder / COURSE_FILE).is_file():
            return read_course(folder)
    raise CourseError(
        f"There is no {COURSE_FILE} in {start} or above: run this inside the folder of a course; "
        "autograder init makes one."
    )


def read_course(root: Path) -> Course:
    """Return the course whose course.toml lies in the folder `root`. Raises CourseError."""
    file = root / COURSE_FILE
    try:
        text = file.read_text(encoding="utf-8")
        settings: dict[str, Any] = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{file} cannot be read: {error}.") from None
    limits = _limits(settings.pop("limits", {}), file, text)
    demo = _demo(settings.pop("demo", {}), file)
    release_as = _release_as(settings.pop("release_as", {}), file)
    policies = _policies(settings.pop("policy", {}), file)
    isolation = settings.pop("isolation", "E")
    if isolation not in LEVELS:
        raise CourseError(f"{file}: isolation must be one of {', '.join(LEVELS)}, not {isolation!r}.")
    feedback = settings.pop("feedback", "full")
    if feedback not in get_args(FeedbackLevel):
        raise CourseError(f"{file}: feedback must be one of {', '.join(get_args(FeedbackLevel))}, not {feedback!r}.")
    written_questions = settings.pop("written_questions", False)
    if not isinstance(written_questions, bool):
        raise CourseError(f"{file}: written_questions must be true or false, not {written_questions!r}.")
    paths = {"exercises": "solutions", "assignments": "assignments", "secret_file": ".course-secret"}
    # The other settings were popped: what is left must be paths.
    for name, value in settings.items():
        if name not in paths:
            tables = ("release_as", "limits", "policy", "demo")
            known = ", ".join(("isolation", "feedback", "written_questions", *tables, *paths))
            raise CourseError(f"{file} has an unknown setting {name!r}: there are {known}.")
        if not isinstance(value, str):
            raise CourseError(f"{file}: {name} must be a path in quotes, not {value!r}.")
    folders = {name: root / settings.get(name, default) for name, default in paths.items()}
    course = Course(
        root,
        **folders,
        demo=demo,
        isolation=isolation,
        limits=limits,
        feedback=feedback,
        release_as=release_as,
        written_questions=written_questions,
        policies=policies,
    )
    assignments = [course.assignment_of(name) for name in {*course.exercise_names(), *release_as}]
    if shared := sorted(name for name in assignments if assignments.count(name) > 1):
        raise CourseError(f"{file}: release_as gives two exercises the name {shared[0]!r}.")
    return course


def _limits(settings: Any, file: Path, text: str) -> Limits:
    known = {limit.name for limit in fields(Limits)}
    if not isinstance(settings, Mapping) or not known.issuperset(settings):
        raise CourseError(f"{file}: [limits] may hold {', '.join(sorted(known))}.")
    for name, value in settings.items():
        # A bool is an int to Python, and a mistake here.
        most = MAX_SUBMISSION_MB if name == "submission_mb" else math.inf
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            allowed = "above 0" if most == math.inf else f"above 0 and at most {most}"
            raise CourseError(f"{file}{_line_of(name, text)}: limits.{name} must be a number {allowed}, not {value!r}.")
    return Limits(**settings)


def _line_of(name: str, text: str) -> str:
    """Return the line of a setting, as it follows the name of the file; empty if it is written in an uncommon way."""
    found = re.search(rf"^[ \t]*{name}[ \t]*=", text, re.MULTILINE)
    return f", line {text.count(chr(10), 0, found.start()) + 1}" if found else ""


_LEVEL = (lambda value: value in get_args(FeedbackLevel), f"one of {', '.join(get_args(FeedbackLevel))}")
_POLICY_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "before_due": _LEVEL,
    "after_due": _LEVEL,
    "hidden_before_due": (lambda value: isinstance(value, bool), "true or false"),
    "answers_a_day": (lambda value: type(value) is int and value > 0, "a whole number above 0"),
    "counts": (lambda value: value in ("last", "best"), "last or best"),
    "grace_minutes": (lambda value: type(value) in (int, float) and value >= 0, "a number of minutes"),
}
"""Of each setting of a policy, which values it may have, and how that is said."""


def _policies(settings: Any, file: Path) -> dict[str, Policy]:
    """Return the policy of the course as that of "", and of each exercise that has a table of its own in it."""
    if not isinstance(settings, Mapping):
        raise CourseError(f"{file}: policy must be a table, not {settings!r}.")
    own = {name: value for name, value in settings.items() if isinstance(value, Mapping)}
    common = {name: value for name, value in settings.items() if name not in own}
    policies = {"": _policy(common, file, "policy")}
    return policies | {name: _policy({**common, **value}, file, f"policy.{name}") for name, value in own.items()}


def _policy(settings: Mapping[str, Any], file: Path, table: str) -> Policy:
    for name, value in settings.items():
        if name not in _POLICY_VALUES:
            raise CourseError(f"{file}: [{table}] may hold {', '.join(_POLICY_VALUES)}, not {name!r}.")
        is_allowed, wanted = _POLICY_VALUES[name]
        if not is_allowed(value):
            raise CourseError(f"{file}: {table}.{name} must be {wanted}, not {value!r}.")
    return Policy(**settings)


def _release_as(settings: Any, file: Path) -> dict[str, str]:
    if not isinstance(settings, Mapping):
        raise CourseError(
            f'{file}: release_as must be a table such as {{ EXERCISE = "ASSIGNMENT" }}, not {settings!r}.'
        )
    for exercise, name in settings.items():
        if not isinstance(name, str) or not _ASSIGNMENT_NAME.fullmatch(name):
            raise CourseError(
                f"{file}: release_as.{exercise} must be made of letters, digits, spaces, dots and dashes, not {name!r}."
            )
    return dict(settings)


def _demo(settings: Any, file: Path) -> Demo:
    known = {key.name for key in fields(Demo)}
    is_table = isinstance(settings, Mapping) and known.issuperset(settings)
    if not is_table or not all(isinstance(value, str) for value in settings.values()):
        raise CourseError(f"{file}: [demo] may hold {', '.join(sorted(known))}, each in quotes.")
    submissions = file.parent / settings.get("submissions", "tests/submissions/class")
    return Demo(**{**settings, "submissions": submissions})
