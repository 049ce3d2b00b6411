"""One run after another over the same class: what is graded, and what is kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

import pytest

from autograder.classroom.discovery import discover_submissions
from autograder.classroom.progress import ProgressMeter
from autograder.classroom.run import ClassRun, ClassSummary
from autograder.classroom.store import SCORES_FILE, Columns, ResultStore, SerializedResult, StoreError, serialize_result
from autograder.classroom.tasks import Task
from autograder.evaluation.report import CheckResult, Report

COLUMNS = Columns(("f.plain",), ("f",))
CLASS = ("ali", "mia", "zoe")


@dataclass
class Recorder:
    """An executor that gives everybody full marks, or the status that was set, and remembers whom it graded."""

    statuses: dict[str, str] = field(default_factory=dict)
    isolation: str = "A"
    graded: list[str] = field(default_factory=list)
    stops_after: int = 1000

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        for task in tasks:
            if len(self.graded) == self.stops_after:
                raise KeyboardInterrupt
            self.graded.append(task.entry.student)
            status = self.statuses.get(task.entry.student, "graded")
            check = CheckResult("f.plain", "f", "", "timeout" if status == "timeout" else "pass", 1.0, 1.0)
            report = Report("ex", task.entry.student, "graded", 1.0, 1.0, 1, self.isolation, checks=(check,))
            if status in ("refused", "grader_error"):
                report = replace(report, status=status, score=0.0, checks=())
            yield serialize_result(report, task.key, 0.0, COLUMNS)
            tick()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., ClassSummary]:
    """Runs over a class of three: `settings` are fields of ClassRun, `students` those who are in the folder."""
    for student in CLASS:
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "ex.py").write_text(student)

    def run_once(
        executor: Recorder,
        students: tuple[str, ...] = CLASS,
        warn: Callable[[str], None] = lambda sentence: None,
        dry_run: bool = False,
        **settings: object,
    ) -> ClassSummary:
        entries = [entry for entry in discover_submissions(tmp_path / "in", "ex").entries if entry.student in students]
        with ResultStore(tmp_path / "out", COLUMNS, dry_run) as store, ProgressMeter(len(entries), quiet=True) as meter:
            class_run = ClassRun(entries, store, "ex", **{"class_key": b"", "required_isolation": "E", **settings})
            return class_run.run(executor, meter, warn)

    return run_once


def students_in_scores(tmp_path: Path) -> list[str]:
    with (tmp_path / "out" / SCORES_FILE).open(encoding="utf-8", newline="") as file:
        return [row["student"] for row in csv.DictReader(file)]


def graded_again(run: Callable[..., ClassSummary], **settings: object) -> list[str]:
    executor = Recorder()
    run(executor, **settings)
    return executor.graded


def test_run_skips_unchanged_submissions(run: Callable[..., ClassSummary]) -> None:
    first = run(Recorder({"mia": "refused"}))
    executor = Recorder()
    assert run(executor) == first
    assert executor.graded == []


def test_run_grades_changed_submissions(run: Callable[..., ClassSummary], tmp_path: Path) -> None:
    run(Recorder())
    (tmp_path / "in" / "mia" / "ex.py").write_text("changed")
    assert graded_again(run) == ["mia"]


@pytest.mark.parametrize(
    ("settings", "graded"),
    [
        ({"force": True}, list(CLASS)),
        ({"class_key": b"another seed"}, list(CLASS)),
        ({"students": ("zoe",), "force": True}, ["zoe"]),
        ({"only_failed": True}, ["ali", "zoe"]),
        ({}, ["zoe"]),  # a grader_error is no verdict
    ],
    ids=["force", "another key", "one student", "only failed", "plain"],
)
def test_run_grades_again(run: Callable[..., ClassSummary], settings: Mapping[str, object], graded: list[str]) -> None:
    run(Recorder({"ali": "timeout", "zoe": "grader_error"}))
    assert graded_again(run, **settings) == graded


def test_a_failure_of_the_grader_replaces_no_verdict_on_the_same_work(
    run: Callable[..., ClassSummary], tmp_path: Path
) -> None:
    run(Recorder())
    before = (tmp_path / "out" / "mia.json").read_bytes()
    warnings: list[str] = []
    summary = run(Recorder({"mia": "grader_error"}), warn=warnings.append, class_key=b"a faulty rubric")
    assert (tmp_path / "out" / "mia.json").read_bytes() == before
    assert warnings == ["the grader failed for mia, whose earlier verdict on the same work is kept."]
    assert summary.status_counts == {"graded": 2, "grader_error": 1}
    assert graded_again(run, class_key=b"a faulty rubric") == ["mia"]


def test_a_failure_of_the_grader_on_new_work_is_stored(run: Callable[..., ClassSummary], tmp_path: Path) -> None:
    run(Recorder())
    (tmp_path / "in" / "mia" / "ex.py").write_text("changed")
    run(Recorder({"mia": "grader_error"}))
    assert json.loads((tmp_path / "out" / "mia.json").read_bytes())["status"] == "grader_error"


def test_only_failed_skips_students_without_result(run: Callable[..., ClassSummary]) -> None:
    run(Recorder({"ali": "refused"}), students=("ali",))
    assert graded_again(run, only_failed=True) == ["ali"]


def test_run_grades_results_of_weaker_isolation_again(run: Callable[..., ClassSummary]) -> None:
    run(Recorder(isolation="D"))
    assert graded_again(run, required_isolation="D") == []
    assert graded_again(run, required_isolation="B") == list(CLASS)


def test_run_continues_after_interrupt(run: Callable[..., ClassSummary], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Recorder(stops_after=2))
    assert students_in_scores(tmp_path) == ["ali", "mia"]
    assert graded_again(run) == ["zoe"]
    assert students_in_scores(tmp_path) == list(CLASS)


def test_run_on_full_disk_keeps_earlier_results(
    run: Callable[..., ClassSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace_on_full_disk(draft: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    run(Recorder(), students=("ali",))
    with monkeypatch.context() as context:
        context.setattr(Path, "replace", replace_on_full_disk)
        with pytest.raises(StoreError, match=r"No space left on device\. What was graded"):
            run(Recorder())
    assert not list((tmp_path / "out").glob(".draft-*"))
    assert graded_again(run) == ["mia", "zoe"]


def test_scores_keep_students_who_are_not_selected(run: Callable[..., ClassSummary], tmp_path: Path) -> None:
    run(Recorder())
    run(Recorder(), students=("mia",), force=True)
    assert students_in_scores(tmp_path) == list(CLASS)


def test_iter_reports_reads_stored_reports(tmp_path: Path, run: Callable[..., ClassSummary]) -> None:
    run(Recorder())
    entries = discover_submissions(tmp_path / "in", "ex").entries
    with ResultStore(tmp_path / "out", COLUMNS) as store:
        reports = list(ClassRun(entries, store, "ex", b"", "E").iter_reports())
    assert [(student, path.name, report.score) for student, path, report in reports] == [(s, s, 1.0) for s in CLASS]


def test_the_class_is_everybody_in_scores(tmp_path: Path, run: Callable[..., ClassSummary]) -> None:
    run(Recorder())
    first, *others = CLASS
    entries = discover_submissions(tmp_path / "in", "ex").entries[1:]
    with ResultStore(tmp_path / "out", COLUMNS) as store:
        of_two = ClassRun(entries, store, "ex", b"", "E")
        assert [report.submission for report in of_two.iter_class()] == [*others, first]
        assert [student for student, _ in of_two.iter_others()] == [first]


def test_progress_meter_prints_a_line() -> None:
    stream = StringIO()
    with ProgressMeter(3, quiet=False, stream=stream) as meter:
        meter.count(cached=True, problem=False)
        meter.count(cached=False, problem=True)
        meter.count(cached=False, problem=False)
    assert stream.getvalue().startswith("3 of 3: ")
    assert stream.getvalue().endswith("a second, 1 unchanged since an earlier run, 1 problem.\n")


def test_progress_meter_draws_a_bar_on_a_terminal() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with ProgressMeter(2, quiet=False, stream=stream) as meter:
        meter.count(cached=False, problem=False)
        meter._last_shown -= 1  # as if a second had passed
        meter.tick()
    assert "1/2" in stream.getvalue()
    assert "left" in stream.getvalue()


def test_quiet_progress_meter_prints_nothing() -> None:
    stream = StringIO()
    with ProgressMeter(1, quiet=True, stream=stream) as meter:
        meter.count(cached=False, problem=True)
    assert stream.getvalue() == ""


def test_a_dry_run_says_what_the_run_changes_and_writes_nothing(
    run: Callable[..., ClassSummary], tmp_path: Path
) -> None:
    def contents() -> dict[Path, tuple[bytes, int]]:
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}

    run(Recorder())
    (tmp_path / "in" / "mia" / "ex.py").write_text("other")
    before = contents()
    dry = run(Recorder({"mia": "refused"}), dry_run=True)
    assert contents() == before
    assert dry.changes == ["mia: 1 before, 0 now (-1): graded before, refused now, f.plain 1 to 0"]
    assert run(Recorder({"mia": "refused"})) == dry


def test_a_dry_run_makes_no_folder(run: Callable[..., ClassSummary], tmp_path: Path) -> None:
    assert run(Recorder(), dry_run=True).status_counts == {"graded": 3}
    assert not (tmp_path / "out").exists()
