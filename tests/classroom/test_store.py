"""The results folder: what is stored is whole, readable, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.store import (
    SCORES_FILE,
    Columns,
    ResultStore,
    StoreError,
    distinct_file_names,
    possible_file_names,
    serialize_result,
)
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
        {**usual, "student": "ali", "score": "0", "total": "0", "status": "refused"},
        {
            **usual,
            "student": "mia",
            "f.contract": "0.25",
            "f.plain": "0",
            "f": "0.25",
            "score": "0.25",
            "total": "0.25",
            "status": "graded",
            "diagnosis": "transposed",
        },
        {**usual, "student": "zoe", "score": "", "total": "", "status": "grader_error"},
    ]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "＝1"])  # noqa: RUF001 - what Excel takes too
def test_names_are_no_formulas_in_scores(store: ResultStore, name: str) -> None:
    save(store, replace(REPORT, submission=name))
    assert scores(store)[0]["student"].strip("' ").startswith(name.strip()[0])
    assert (store.folder / SCORES_FILE).read_text(encoding="utf-8").splitlines()[1].startswith("'")


def test_save_replaces_earlier_result(store: ResultStore) -> None:
    save(store)
    save(store, replace(REPORT, score=1.0))
    assert [row["score"] for row in scores(store)] == ["1"]


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
    with pytest.raises(StoreError, match="Another autograder class is writing to"):
        ResultStore(store.folder, COLUMNS)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_the_reason_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(StoreError, match=rf"cannot be locked \({os.strerror(number)}\), so .* --results"):
        ResultStore(tmp_path, COLUMNS)


def test_unwritable_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Results cannot be written to .*: Not a directory"):
        ResultStore(tmp_path / "file" / "results", COLUMNS)


def test_other_students(store: ResultStore) -> None:
    save(store)
    save(store, replace(REPORT, submission="left/the class"))
    save(store, replace(REPORT, submission="elsewhere", exercise="another"))
    assert [student for student, _ in store.other_students({"mia"}, "ex")] == ["left/the class"]


def result_files(store: ResultStore) -> dict[str, str]:
    """Return whose result each file holds."""
    return {path.name: json.loads(path.read_text())["submission"] for path in store.folder.glob("*.json")}


CROWDS = {
    "case": ["ADA", "Ada", "ada"],
    "accents": ["e\u0301", "\u00e9", "\u00c9"],
    "sharp s": ["Strasse", "Straße"],
    "devices": ["CON", "con", "nul.txt", "aux"],
    "unprintable": ["a\nb", "a b", "a\x1bb", "a_b"],
    "forbidden": ["a:b", "a?b", "a/b"],
    "long": ["x" * 120, "x" * 121, "x" * 250],
    "dots": ["ada", "ada.", "ada.json", ".ada", "..", "ada "],
    "files of the store": ["scores.csv", "scores", "class", ".lock", ".draft-1"],
    "digests": ['Ada "the" Lovelace', possible_file_names('Ada "the" Lovelace')[0].removesuffix(".json")],
    "long digests": ['Ada "the" Lovelace', possible_file_names('Ada "the" Lovelace')[-1].removesuffix(".json")],
}


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_every_student_has_a_file_on_every_file_system(store: ResultStore, crowd: str, backwards: bool) -> None:
    students = CROWDS[crowd][:: -1 if backwards else 1]
    for student in students:
        save(store, replace(REPORT, submission=student))
    files = result_files(store)
    assert sorted(files.values()) == sorted(students)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in files}) == len(students)
    assert all((stored := store.load(student)) and stored.report.submission == student for student in students)
    pages = distinct_file_names(students, ".html").values()
    assert len({unicodedata.normalize("NFC", name).casefold() for name in pages}) == len(students)


def test_a_store_finds_the_files_of_an_earlier_one(tmp_path: Path) -> None:
    students = ["ADA", "Ada", "ada"]
    for order in (students, students[::-1], students[1:]):
        with ResultStore(tmp_path / "results", COLUMNS) as store:
            assert all(store.load(student) is None for student in order) == (order is students)
            for student in order:
                save(store, replace(REPORT, submission=student))
            assert sorted(result_files(store).values()) == students
            assert [student for student, _ in store.other_students({"ADA"}, "ex")] == ["Ada", "ada"]


def test_a_result_that_was_only_listed_keeps_its_file(tmp_path: Path) -> None:
    results = tmp_path / "results"
    with ResultStore(results, COLUMNS) as store:
        for student in ("Mia", "mia"):
            save(store, replace(REPORT, submission=student))
        names = result_files(store)
    with ResultStore(results, COLUMNS) as store:
        for student, stored in store.other_students(set(), "ex"):
            store.register(student, stored)
        save(store, replace(REPORT, submission="mia"))
        assert result_files(store) == names


def test_a_store_keeps_the_names_that_files_have(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for student in ("ADA", "ada"):  # as they were named before
        result = serialize_result(replace(REPORT, submission=student), "key", 1, COLUMNS)
        (tmp_path / "results" / f"{student}.json").write_bytes(result.json_bytes)
    with ResultStore(tmp_path / "results", COLUMNS) as store:
        for student in ("ADA", "ada"):
            assert store.load(student)
            save(store, replace(REPORT, submission=student))
        assert result_files(store) == {"ADA.json": "ADA", "ada.json": "ada"}


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_possible_file_names_are_distinct_and_safe(name: str, other_name: str) -> None:
    names, other_names = possible_file_names(name), possible_file_names(other_name)
    assert set(names).isdisjoint(other_names) == (name != other_name)
    for file_name in names:
        assert len(file_name.encode()) <= 255
        assert not file_name.startswith(".")
        assert not set(file_name) & set("/\\\0\n")


@pytest.mark.parametrize("name", ["mia", "王小明", "Łukasz Żółć", "O'Neill, Ann", "Ada Lovelace_900", "a.b@c.edu"])
def test_usual_names_are_kept(name: str) -> None:
    assert possible_file_names(name)[0] == f"{name}.json"


def test_store_keeps_undecodable_names(store: ResultStore) -> None:
    name = b"M\xfcller".decode("utf-8", "surrogateescape")
    save(store, replace(REPORT, submission=name))
    stored = store.load(name)
    assert stored is not None
    assert stored.report.submission == name
    assert len(scores(store)) == 1
