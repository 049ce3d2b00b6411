"""The results folder: what is stored is whole, readable, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.store import SCORES_FILE, Columns, ResultStore, StoreError, result_file_name, serialize_result
from autograder.evaluation.report import CheckResult, Note, Report
from autograder.student.feedback import ErrorMap, Feedback

COLUMNS = Columns(("f.contract", "f.plain"), ("f",))
FEEDBACK = Feedback(
    symptom="wrong",
    facts=(("smallest failing case", "T = 3"), ("right for", "T = 1")),
    map=ErrorMap("f", "T=3", ((0.0, math.inf), (1e-3, 0.5)), "row 0"),
    hint="look",
    read="(17)",
    replay='check("f")',
)
REPORT = Report(
    exercise="ex",
    submission="mia",
    status="graded",
    score=0.25,
    max_score=1.0,
    seed=2**53 - 1,
    isolation="A",
    notes=(Note("student", "a note"),),
    checks=(
        CheckResult("f.contract", "f", "Shapes", "pass", 0.25, 0.25, hidden=False),
        CheckResult("f.plain", "f", "Plain", "fail", 0.0, 0.75, "wrong “”", "transposed", feedback=FEEDBACK),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    with ResultStore(tmp_path / "results", COLUMNS) as store:
        yield store


def scores(store: ResultStore) -> list[dict[str, str]]:
    store.write_scores()
    with (store.folder / SCORES_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def save(store: ResultStore, report: Report = REPORT) -> None:
    store.save(serialize_result(report, "key", 0.1234, COLUMNS))


def test_load_returns_the_saved_report(store: ResultStore) -> None:
    save(store)
    stored = store.load("mia")
    assert stored is not None
    assert (stored.report, stored.key, stored.seconds) == (REPORT, "key", 0.1234)


def test_result_file_holds_report_key_and_seconds(store: ResultStore) -> None:
    save(store)
    document = json.loads((store.folder / "mia.json").read_text(encoding="utf-8"))
    assert {"version", "exercise", "submission", "status", "score", "max_score", "seed"} <= document.keys()
    assert (document["key"], document["seconds"]) == ("key", 0.1234)
    assert [check["feedback"] and check["feedback"]["symptom"] for check in document["checks"]] == [None, "wrong"]


def test_write_scores(store: ResultStore) -> None:
    save(store)
    save(store, replace(REPORT, submission="ali", status="refused", score=0.0, checks=()))
    save(store, replace(REPORT, submission="zoe", status="grader_error", score=0.0, checks=()))
    usual = {"f.contract": "", "f.plain": "", "f": "", "diagnosis": "", "seconds": "0.123"}
    assert scores(store) == [
        {**usual, "student": "ali", "total": "0", "status": "refused"},
        {
            **usual,
            "student": "mia",
            "f.contract": "0.25",
            "f.plain": "0",
            "f": "0.25",
            "total": "0.25",
            "status": "graded",
            "diagnosis": "transposed",
        },
        {**usual, "student": "zoe", "total": "", "status": "grader_error"},
    ]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "＝1"])  # noqa: RUF001 - what Excel takes too
def test_names_are_no_formulas_in_scores(store: ResultStore, name: str) -> None:
    save(store, replace(REPORT, submission=name))
    assert scores(store)[0]["student"].strip("' ").startswith(name.strip()[0])
    assert (store.folder / SCORES_FILE).read_text(encoding="utf-8").splitlines()[1].startswith("'")


def test_save_replaces_earlier_result(store: ResultStore) -> None:
    save(store)
    save(store, replace(REPORT, score=1.0))
    assert [row["total"] for row in scores(store)] == ["1"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": 1}', "\0", "[" * 100_000])
def test_load_ignores_damaged_file(store: ResultStore, text: str) -> None:
    save(store)
    (store.folder / "mia.json").write_text(text)
    assert store.load("mia") is None


def test_load_ignores_truncated_file(store: ResultStore) -> None:
    save(store)
    data = (store.folder / "mia.json").read_bytes()
    for end in range(0, len(data) - 2, 97):
        (store.folder / "mia.json").write_bytes(data[:end])
        assert store.load("mia") is None


def test_store_removes_drafts_of_killed_run(tmp_path: Path) -> None:
    (tmp_path / ".draft-1").write_text("half")
    with ResultStore(tmp_path, COLUMNS):
        assert not (tmp_path / ".draft-1").exists()


def test_store_is_locked(store: ResultStore) -> None:
    with pytest.raises(StoreError, match="Another autograder class writes to"):
        ResultStore(store.folder, COLUMNS)


def test_unwritable_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Results cannot be written to .*: Not a directory"):
        ResultStore(tmp_path / "file" / "results", COLUMNS)


def test_other_students(store: ResultStore) -> None:
    save(store)
    save(store, replace(REPORT, submission="left/the class"))
    save(store, replace(REPORT, submission="elsewhere", exercise="another"))
    assert [student for student, _ in store.other_students({"mia"}, "ex")] == ["left/the class"]


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_result_file_names_are_distinct_and_safe(name: str, other_name: str) -> None:
    names = [result_file_name(name), result_file_name(other_name)]
    assert (names[0] == names[1]) == (name == other_name)
    for name in names:
        assert len(name.encode()) <= 255
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0\n")


@pytest.mark.parametrize("name", ["mia", "王小明", "Łukasz Żółć", "O'Neill, Ann"])
def test_result_file_name_keeps_usual_names(name: str) -> None:
    assert result_file_name(name) == f"{name}.json"


def test_store_keeps_undecodable_names(store: ResultStore) -> None:
    name = b"M\xfcller".decode("utf-8", "surrogateescape")
    save(store, replace(REPORT, submission=name))
    stored = store.load(name)
    assert stored is not None
    assert stored.report.submission == name
    assert len(scores(store)) == 1
