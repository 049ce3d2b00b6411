"""An exercise that is watched, and where its results go: the results folder, submitted/, and the gradebook."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.cache_keys import compute_class_key, exercise_files
from autograder.classroom.store import ResultStore, columns_for, serialize_result
from autograder.course import Course, Policy
from autograder.exercise.model import Exercise
from autograder.formats.totals import Total, with_excused
from autograder.grading import GradingConfig
from autograder.nbgrader.gradebook.direct import open_recorder
from autograder.nbgrader.gradebook.session import open_gradebook
from autograder.nbgrader.gradebook.settings import Settings
from autograder.submission.safe_files import DRAFT_PREFIX
from autograder.watch.disclosure import DueDates
from autograder.watch.ledger import Attempt, GradedWork


@dataclass(frozen=True)
class WatchedExercise:
    """An exercise of a course, as it was when the watcher started."""

    course: Course
    exercise: Exercise
    config: GradingConfig
    settings: Settings
    class_key: bytes

    @classmethod
    def load(cls, course: Course, exercise: Exercise, config: GradingConfig, settings: Settings) -> WatchedExercise:
        """Return an exercise with the key that it has now."""
        return cls(course, exercise, config, settings, compute_class_key(exercise_files(exercise.folder), config))

    @property
    def assignment(self) -> str:
        """The name under which students get it."""
        return self.course.assignment_of(self.exercise.name)

    @property
    def policy(self) -> Policy:
        """What students are told of it."""
        return self.course.policy_of(self.exercise.name)

    def has_changed(self) -> bool:
        """Return whether its files, or those of the kit, are others than at the start."""
        try:
            return compute_class_key(exercise_files(self.exercise.folder), self.config) != self.class_key
        except OSError:  # somebody replaces a file right now
            return False

    def submitted(self, student: str) -> Path:
        """Return the folder of a student's work in submitted/."""
        return self.settings.folder("submitted", student, self.assignment)

    def due_dates(self) -> DueDates:
        """Return when it is due. Raises GradebookError."""
        with open_gradebook(self.settings.url, self.course.root) as gradebook:
            return DueDates(*gradebook.due_date(self.assignment))

    def install(self, student: str, collected: Path) -> None:
        """Put collected work into submitted/, in place of an earlier attempt."""
        folder = self.submitted(student)
        draft = folder.with_name(f"{DRAFT_PREFIX}{folder.name}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)  # of a watcher that was killed
        shutil.move(collected, draft)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)

    def record(self, graded: Sequence[tuple[Attempt, GradedWork]], warn: Callable[[str], None]) -> None:
        """Write results and the gradebook. Writing the same again changes nothing.

        Raises StoreError, GradebookError, ReleaseNotFound and OSError; then some of it may be written.
        """
        with self.open_store() as store:
            for _, work in graded:
                store.save(serialize_result(work.report, work.key, work.seconds, columns_for(self.exercise)))
        recorder = open_recorder(self.course, self.exercise, self.settings.url, warn)
        recorder.record((attempt.student, self.submitted(attempt.student), work.report) for attempt, work in graded)

    def totals(self) -> Mapping[str, Total]:
        """Return everybody's total in the gradebook. Raises GradebookError."""
        with open_gradebook(self.settings.url, self.course.root) as gradebook:
            return with_excused(gradebook.totals(self.assignment), self.settings.excused)

    def write_scores(self) -> None:
        """Write scores.csv with a line for everybody. Raises StoreError and GradebookError."""
        totals = self.totals()
        with self.open_store() as store:
            known = set()
            for student, stored in store.other_students(set(), self.exercise.name):
                store.register(student, stored)
                known.add(student)
            store.write_scores({student: total for student, total in totals.items() if student in known})

    def open_store(self) -> ResultStore:
        """Return the results folder, locked for as long as it is open, so that autograder class can be used beside."""
        return ResultStore(self.course.root / "grades" / self.assignment, columns_for(self.exercise))
