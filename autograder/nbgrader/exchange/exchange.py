"""nbgrader's plugins that collect work and release feedback, changed so that a bad submission stops nobody else."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import Any

from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback

from autograder.nbgrader.exchange.records import (
    CopyRules,
    Record,
    RecordRefused,
    copy_record,
    describe_odd_time,
    page_name,
    parse_record,
    read_secret,
    share_with_group,
)
from autograder.nbgrader.exchange.refusals import log_refusals
from autograder.nbgrader.exercises import is_exercise
from autograder.nbgrader.intake.timestamps import InvalidTimestamp, read_timestamp
from autograder.submission import safe_files
from autograder.submission.sanitize import join_names, one_line


def install() -> None:
    """Let these plugins work on exercises, in place of nbgrader's own; what a hub brings for its exchange stays."""
    ExchangeFactory.Collect = _for_exercises("collect", ExchangeCollect, Collect)
    ExchangeFactory.ReleaseFeedback = _for_exercises("release_feedback", ExchangeReleaseFeedback, ReleaseFeedback)


def _for_exercises(setting: str, stock: type[Any], ours: type[Any]) -> Callable[..., Any]:
    """Return the method of ExchangeFactory that makes the plugin of a setting."""

    def make_plugin(factory: Any, coursedir: Any = None, **settings: Any) -> Any:
        chosen = getattr(factory, setting)
        plugin = ours if chosen is stock and is_exercise(coursedir) else chosen
        return plugin(coursedir=coursedir, **{"parent": factory, **settings})

    return make_plugin


class Collect(ExchangeCollect):  # type: ignore[misc]  # nbgrader carries no types
    """Collects each student's newest record that is sound, then logs whose work cannot be graded, and why."""

    def init_src(self) -> None:
        """List the records of the assignment by student, the one to collect first. Odd ones are logged."""
        super().init_src()
        by_student: defaultdict[str, list[Record]] = defaultdict(list)
        for listed in self.src_records:
            try:
                record = parse_record(listed["filename"], self.coursedir.assignment_id)
            except RecordRefused as reason:
                self._log_refused_record(listed["filename"], reason)
            else:
                by_student[record.student].append(record)
        self._records = {student: sorted(by_student[student], key=self._rank) for student in sorted(by_student)}

    def copy_files(self) -> None:
        """Copy what is new, then read all of it."""
        counted, course = len(self._records), self.coursedir
        self.log.info(
            "Processing %d submissions of '%s' for course '%s'", counted, course.assignment_id, course.course_id
        )
        folders = {student: self._submitted_folder(student) for student in self._records}
        for student, folder in folders.items():
            self._collect_student(student, folder)
        log_refusals(self, course, [item for item in folders.items() if item[1].exists()])

    def _path_to_record(self, path: str) -> dict[str, Any]:
        # nbgrader keeps one record a student, and stops at an odd name. Here each is a student of its own: all stay.
        name = Path(path).name
        return {"username": name, "filename": name, "timestamp": datetime.min}

    def _rank(self, record: Record) -> tuple[bool, float]:
        is_late = bool(self.before_duedate and self.duedate and record.submitted_at > self.duedate)
        return is_late, -(record.submitted_at - datetime.min).total_seconds()

    def _submitted_folder(self, student: str) -> Path:
        course = self.coursedir
        return Path(course.format_path(course.submitted_directory, student, course.assignment_id))

    def _collect_student(self, student: str, folder: Path) -> None:
        for record in self._records[student]:
            if folder.exists() and not self._replaces(record, folder):
                hint = "" if self.update else "; use --update for newer ones"
                self.log.info("%s: collected before, and nothing else to collect%s.", student, hint)
                return
            draft = folder.with_name(f"{safe_files.DRAFT_PREFIX}{folder.name}")
            shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
            try:
                owner = copy_record(Path(self.inbound_path), record, draft, self._copy_rules())
            except RecordRefused as reason:
                self._log_refused_record(record.name, reason)
                with suppress(OSError):
                    folder.parent.rmdir()  # if it is empty: nobody is in the class because of an odd record
                continue
            except OSError as error:
                self.fail(f"{draft} cannot be written: {error.strerror}. Make room and run the same command again.")
            if folder.exists():
                shutil.rmtree(folder)
            draft.rename(folder)
            if self.coursedir.groupshared:
                share_with_group(folder)
            self.log.info("Collecting submission: %s %s", student, self.coursedir.assignment_id)
            if self.check_owner and owner != student:
                self.log.warning("%s: handed in by %s, who is collecting now, so the name was trusted.", student, owner)
            if odd_time := describe_odd_time(Path(self.inbound_path), record):
                self.log.warning("%s: the submission %s. It counts as of its name.", one_line(student, 80), odd_time)
            return

    def _replaces(self, record: Record, folder: Path) -> bool:
        try:
            collected_at = read_timestamp(folder)
        except InvalidTimestamp:
            collected_at = None
        if self.update and (collected_at is None or record.submitted_at > collected_at):
            return True
        return bool(self.before_duedate) and collected_at != record.submitted_at

    def _copy_rules(self) -> CopyRules:
        course = self.coursedir
        return CopyRules(
            ignore=course.ignore,
            include=course.include or ["*"],
            max_file_bytes=1000 * course.max_file_size,
            max_bytes=1000 * course.max_dir_size,
            check_owner=self.check_owner,
        )

    def _log_refused_record(self, name: str, reason: RecordRefused) -> None:
        self.log.warning("Not collected: %s in %s %s.", one_line(name, 200), self.inbound_path, reason)


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # untyped base
    """Releases feedback to those who handed in at the exchange: only they have the secret that leads to it there."""

    def copy_files(self) -> None:
        """Release each page of feedback whose secret can be read, and log who has to get theirs in another way."""
        pages: defaultdict[str, list[Path]] = defaultdict(list)
        failed = []
        excluded = self.coursedir.student_id_exclude.split(",")
        for page in map(Path, sorted(glob(f"{self.src_path}/*.html"))):  # noqa: PTH207 - nbgrader's patterns are texts
            if _student_of(page) in excluded or not page.is_file():
                continue
            try:
                pages[page_name(read_secret(page.parent), page.stem)].append(page)
            except safe_files.UnreadableFileError:
                failed.append(_student_of(page))
        for name, candidates in pages.items():
            if len(candidates) > 1:  # somebody used another's secret: neither may replace the other's page
                failed += map(_student_of, candidates)
            else:
                self._release(candidates[0], name)
        if failed:
            message = "Not handed in through the exchange, or with an unusable secret: send out their page in %s: %s."
            self.log.warning(message, self.coursedir.feedback_directory, join_names(failed, max_names=len(failed)))

    def _release(self, page: Path, name: str) -> None:
        self.log.info("Releasing feedback for student '%s'", one_line(_student_of(page), 80))
        draft = Path(self.dest_path, f"{name}-tmp.html")
        shutil.copy(page, draft)
        draft.replace(draft.with_name(f"{name}.html"))


def _student_of(page: Path) -> str:
    return page.parent.parent.name
