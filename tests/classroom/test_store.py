"""The results folder: what is kept is whole, readable, and safe to open in a spreadsheet."""

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
    with ResultStore(tmp_path / "results", COLUMNS) as opened:
        yield opened


def scores(store: ResultStore) -> list[dict[str, str]]:
    store.write_scores()
    with (store.folder / SCORES_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keep(store: ResultStore, report: Report = REPORT) -> None:
    store.save(serialize_result(report, "key", 0.1234, COLUMNS))


def test_a_report_comes_back_as_it_was(store: ResultStore) -> None:
    keep(store)
    stored = store.load("mia")
    assert stored is not None
    assert (stored.report, stored.key, stored.seconds) == (REPORT, "key", 0.1234)


def test_the_file_holds_the_fixed_object_and_three_things_more(store: ResultStore) -> None:
    keep(store)
    kept = json.loads((store.folder / "mia.json").read_text(encoding="utf-8"))
    assert {"version", "exercise", "submission", "status", "score", "max_score", "seed"} <= kept.keys()
    assert (kept["key"], kept["seconds"]) == ("key", 0.1234)
    assert [check["feedback"] and check["feedback"]["symptom"] for check in kept["checks"]] == [None, "wrong"]


def test_scores(store: ResultStore) -> None:
    keep(store)
    keep(store, replace(REPORT, submission="ali", status="refused", score=0.0, checks=()))
    keep(store, replace(REPORT, submission="zoe", status="grader_error", score=0.0, checks=()))
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
def test_no_name_is_a_formula(store: ResultStore, name: str) -> None:
    keep(store, replace(REPORT, submission=name))
    assert scores(store)[0]["student"].strip("' ").startswith(name.strip()[0])
    assert (store.folder / SCORES_FILE).read_text(encoding="utf-8").splitlines()[1].startswith("'")


def test_later_results_take_the_place_of_earlier_ones(store: ResultStore) -> None:
    keep(store)
    keep(store, replace(REPORT, score=1.0))
    assert [row["total"] for row in scores(store)] == ["1"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": 1}', "\0", "[" * 100_000])
def test_what_is_not_whole_is_not_there(store: ResultStore, text: str) -> None:
    keep(store)
    (store.folder / "mia.json").write_text(text)
    assert store.load("mia") is None


def test_every_cut_of_a_file_is_not_there(store: ResultStore) -> None:
    keep(store)
    data = (store.folder / "mia.json").read_bytes()
    for end in range(0, len(data) - 2, 97):
        (store.folder / "mia.json").write_bytes(data[:end])
        assert store.load("mia") is None


def test_drafts_of_a_killed_run_go_away(tmp_path: Path) -> None:
    (tmp_path / ".draft-1").write_text("half")
    with ResultStore(tmp_path, COLUMNS):
        assert not (tmp_path / ".draft-1").exists()


def test_one_program_at_a_time(store: ResultStore) -> None:
    with pytest.raises(StoreError, match="Another autograder class writes to"):
        ResultStore(store.folder, COLUMNS)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Results cannot be written to .*: Not a directory"):
        ResultStore(tmp_path / "file" / "results", COLUMNS)


def test_results_of_others_are_found(store: ResultStore) -> None:
    keep(store)
    keep(store, replace(REPORT, submission="left/the class"))
    keep(store, replace(REPORT, submission="elsewhere", exercise="another"))
    assert [student for student, _ in store.other_students({"mia"}, "ex")] == ["left/the class"]


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_every_name_has_a_file_of_its_own(one: str, other: str) -> None:
    names = [result_file_name(one), result_file_name(other)]
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert len(name.encode()) <= 255
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0\n")


@pytest.mark.parametrize("name", ["mia", "王小明", "Łukasz Żółć", "O'Neill, Ann"])
def test_usual_names_are_kept(name: str) -> None:
    assert result_file_name(name) == f"{name}.json"


def test_bytes_that_are_no_text_are_kept(store: ResultStore) -> None:
    name = b"M\xfcller".decode("utf-8", "surrogateescape")
    keep(store, replace(REPORT, submission=name))
    stored = store.load(name)
    assert stored is not None
    assert stored.report.submission == name
    assert len(scores(store)) == 1
