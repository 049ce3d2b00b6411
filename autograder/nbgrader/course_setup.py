"""A folder -> a course of this kit: one that nbgrader works in already, or a new one. What is there stays as it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.course import COURSE_FILE, Course, CourseError, exercise_folders, is_exercise, read_course
from autograder.nbgrader.config import CONFIG_FILE
from autograder.release.install import manifest_path

KIT_EXERCISES = Path(__file__).parents[2] / "solutions"
"""The exercises of the clone that this package lies in; a package that was installed without one has none."""

_TEMPLATES = Path(__file__).with_name("course_files")
_CONFIGURES_KIT = b"autograder.nbgrader.config"
_OF_NBGRADER = ("source", "release", "submitted", "gradebook.db", CONFIG_FILE, "nbgrader_config.json")
_MADE_BY_NBGRADER = ("/submitted/", "/downloaded/", "/autograded/", "/feedback/", "/gradebook.db*", "/*.csv")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".pytest_cache")


def set_up_course(root: Path, exercises: Sequence[Path]) -> Iterator[str]:
    """Add the kit and `exercises`, given as folders, to the course at `root`. Yields a sentence for each thing done.

    Without `exercises`, a course that has none gets those of the kit's clone. Files that are there stay, but for lines
    that are added at the end of nbgrader_config.py and .gitignore. Raises CourseError and OSError.
    """
    is_new = not any((root / name).exists() for name in _OF_NBGRADER)
    source, release = ("source", "release") if is_new else _nbgrader_folders(root)
    root.mkdir(parents=True, exist_ok=True)
    if not (root / COURSE_FILE).exists():
        _write_template(root / COURSE_FILE, "@RELEASE@", release)
        yield f"Wrote {COURSE_FILE}: what the kit needs to know about this course."
    course = read_course(root)
    if not is_new and course.assignments.resolve() != (root / release).resolve():
        raise CourseError(
            f"nbgrader's release folder is {root / release}, and {root / COURSE_FILE} names {course.assignments}: "
            f"write assignments = {json.dumps(release)} there, and run this again."
        )
    if not exercises and not course.exercise_names():
        exercises = exercise_folders(KIT_EXERCISES)
    for exercise in exercises:
        _check_exercise(exercise.resolve(), course, root / source)
    yield from _configure_nbgrader(root, is_new)
    for exercise in exercises:
        target = course.exercises / exercise.resolve().name
        if not target.exists():
            shutil.copytree(exercise, target, ignore=_NOT_COPIED)
            yield f"Copied {exercise.resolve()} to {os.path.relpath(target, root)}: the exercise, with its answers."
    built = [f"/{source}/{course.assignment_of(name)}/" for name in course.exercise_names()]
    ignored = [
        ".course-secret",
        "/build/",
        "/grades/",
        f"/{source}/*.sha256",
        *built,
        *(_MADE_BY_NBGRADER if is_new else ()),
    ]
    yield from _ignore_in_git(root / ".gitignore", ignored)


def _nbgrader_folders(root: Path) -> tuple[str, str]:
    """Return the folders of source and release, relative to a course of nbgrader's. Raises CourseError."""
    try:
        # late: sqlalchemy and traitlets, 350 ms
        from autograder.nbgrader.gradebook.session import GradebookError
        from autograder.nbgrader.gradebook.settings import EVERYBODY, read_settings
    except ModuleNotFoundError as missing:
        raise CourseError(
            f"To read {root / CONFIG_FILE}, {missing.name} is needed, which comes with nbgrader: install that."
        ) from None
    try:
        settings = read_settings(root)
    except GradebookError as error:
        raise CourseError(str(error)) from None
    source, release = (settings.folder(step, EVERYBODY, "x").parent for step in ("source", "release"))
    return os.path.relpath(source, root), os.path.relpath(release, root)


def _write_template(file: Path, placeholder: str, value: str) -> None:
    text = (_TEMPLATES / f"{file.name}.in").read_text(encoding="utf-8")
    file.write_text(text.replace(placeholder, json.dumps(value)), encoding="utf-8")


def _check_exercise(folder: Path, course: Course, source: Path) -> None:
    """Raise CourseError if a folder is no exercise, or if the course has another assignment of its name."""
    name = folder.name
    if not is_exercise(folder):
        raise CourseError(f"{folder} is not an exercise: it needs a {name}.py.")
    assignment = source / course.assignment_of(name)
    if assignment.exists() and not manifest_path(assignment).exists():
        raise CourseError(
            f"The course has an assignment {assignment.name} of its own, in {assignment}: "
            f'write release_as = {{ {name} = "another name" }} into {course.root / COURSE_FILE}, and run this again.'
        )


def _configure_nbgrader(root: Path, is_new: bool) -> Iterator[str]:
    """Add the kit to nbgrader_config.py, at the end: what it finds set there stays."""
    file = root / CONFIG_FILE
    exists = file.exists()
    settings = file.read_bytes() if exists else b""
    if _CONFIGURES_KIT in settings:
        return
    if is_new:
        _write_template(file, "@COURSE@", root.resolve().name)
    separator = b"" if not settings or settings.endswith(b"\n") else b"\n"
    with file.open("ab") as config:
        config.write(separator + b"\n" * exists + (_TEMPLATES / "kit.py.in").read_bytes())
    yield f"Added the kit to {CONFIG_FILE}, below your own settings." if exists else f"Wrote {CONFIG_FILE}."


def _ignore_in_git(file: Path, patterns: Sequence[str]) -> Iterator[str]:
    """Add patterns to a .gitignore, those that are not there yet."""
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    if missing := [pattern for pattern in patterns if pattern not in text.splitlines()]:
        separator = "" if not text or text.endswith("\n") else "\n"
        with file.open("a", encoding="utf-8") as ignored:
            ignored.write(separator + "".join(f"{pattern}\n" for pattern in missing))
        yield f"Added to .gitignore: {', '.join(missing)}."
