"""What bundles are made of: the kit, an exercise, its release, settings, and the lock file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import autograder
from autograder.course import LEVELS, Course, Limits
from autograder.evaluation.seeds import load_secret
from autograder.exercise.cache_folder import CACHE_FOLDER
from autograder.exercise.lint.soundness import MARK
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files

PACKAGE_FOLDER = Path(autograder.__file__).resolve().parent
LOCK_FILE = "requirements.lock"
SECRET_FILE = "course-secret"
_WEAKEST_LEVEL = "B"  # below it, a submission that cheats reads the answers that lie beside the grader
_SKIPPED_FOLDERS = frozenset({"__pycache__", ".ipynb_checkpoints", CACHE_FOLDER})


class BundleError(Exception):
    """A bundle that cannot be made: one sentence that says what is missing and what to do."""


@dataclass(frozen=True)
class Sources:
    """Files by path: `kit` is autograder/, `solutions` the exercise with its answers, `released` what students get.

    `released_facts` is what the reader of submissions needs to know of the last ones, as JSON. `settings` is a
    course.toml for a folder that holds solutions/ and the course's secret. It requires isolation B, or A if the course
    does.
    """

    exercise: str
    kit: Mapping[str, bytes]
    solutions: Mapping[str, bytes]
    released: Mapping[str, bytes]
    released_facts: bytes
    settings: bytes
    lock: bytes
    secret: bytes | None


def collect_sources(course: Course, exercise: str) -> Sources:
    """Read what bundles of an exercise are made of. Raises BundleError, and CourseError for an unknown exercise."""
    folder = course.exercise_folder(exercise)
    exercise = folder.name
    released = course.assignments / course.assignment_of(exercise)
    if not released.is_dir():
        raise BundleError(f"There is no {released}: run autograder release {exercise} first.")
    lock = PACKAGE_FOLDER.parent / LOCK_FILE
    if not lock.is_file():
        raise BundleError(
            f"There is no {lock}: make bundles in a clone of the kit, which has that file "
            "(autograder/bundles/README.md)."
        )
    return Sources(
        exercise=exercise,
        kit=_read_files(PACKAGE_FOLDER, "autograder"),
        solutions=_read_files(folder, f"solutions/{exercise}"),
        released=_read_files(released, ""),
        released_facts=_released_facts(folder, course.limits),
        settings=_render_settings(course).encode(),
        lock=lock.read_bytes(),
        secret=load_secret(course),
    )


def _released_facts(exercise: Path, limits: Limits) -> bytes:
    try:
        facts = vars(released_files(load_exercise(exercise), limits))
    except ExerciseError as error:
        raise BundleError(str(error)) from None
    return (json.dumps(facts, indent=1, default=sorted) + "\n").encode()  # its sets become sorted lists


def _read_files(folder: Path, prefix: str) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        relative_path = path.relative_to(folder)
        # An exercise that is known as sound is not looked at again where it is graded.
        is_skipped = not _SKIPPED_FOLDERS.isdisjoint(relative_path.parts) and not path.name.startswith(f"{MARK}-")
        if path.is_file() and not is_skipped and path.suffix != ".pyc":
            files["/".join(filter(None, (prefix, relative_path.as_posix())))] = path.read_bytes()
    return files


def _render_settings(course: Course) -> str:
    limits = "".join(f"{name} = {value}\n" for name, value in asdict(course.limits).items())
    isolation = min(course.isolation, _WEAKEST_LEVEL, key=LEVELS.index)
    return (
        f'exercises = "solutions"\nassignments = "assignments"\nsecret_file = "{SECRET_FILE}"\n'
        f"# The weakest level to grade at. At D and E, work that is written to cheat can read the answers.\n"
        f'isolation = "{isolation}"\nfeedback = "{course.feedback}"\n\n[limits]\n{limits}'
    )
