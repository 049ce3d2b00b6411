"""Results and a roster become a file for a gradebook: every student once, no guesses, nobody dropped silently."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.roster import RosterEntry, RosterError, RosterMatch, match_roster, read_roster
from autograder.classroom.store import Columns, ResultStore, serialize_result
from autograder.evaluation.report import Report
from autograder.formats.lms.grade_columns import Student
from tests.formats import samples, validators

ROOT = Path(__file__).parents[2]


def reports_named(*names: str) -> list[Report]:
    """Return a report for each name."""
    return [replace(samples.MIXED, submission=name) for name in names]


def make_roster(tmp_path: Path, text: str) -> list[RosterEntry]:
    file = tmp_path / "roster.csv"
    file.write_text(text, encoding="utf-8")
    return read_roster(file)


def submissions_by_student(matched: RosterMatch) -> dict[str, str]:
    """Return the submission of each student who has one, by the student's name."""
    return {grade.student.name: grade.report.submission for grade in matched.grades if grade.report}


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Essay (7)
    Points Possible,,,,,10
"Lovelace, Ada",101,s1,ada@x.edu,A,3
"李, 小龙",102,s2,xiaolong,A,
"O'Brien, Zoë",103,s3,zoe,B,
"""
MOODLE = """Identifier;Full name;Email address;Status;Grade
Participant 900;Ada Lovelace;ada@x.edu;;
Participant 901;محمد رضا;reza@x.edu;;
"""


@pytest.mark.parametrize(
    "submission",
    ["ADA@x.edu", "s1", "101", "Ada Lovelace", "Lovelace, Ada", "lovelaceada_101", "lovelaceada_555"],
)
def test_match_roster_by_every_identity(tmp_path: Path, submission: str) -> None:
    matched = match_roster(reports_named(submission), make_roster(tmp_path, CANVAS))
    assert submissions_by_student(matched) == {"Lovelace, Ada": submission}
    assert matched.missing == ("李, 小龙", "O'Brien, Zoë")
    assert matched.unknown == matched.ambiguous == ()


def test_read_roster_of_a_moodle_grading_worksheet(tmp_path: Path) -> None:
    matched = match_roster(reports_named("Ada Lovelace_900", "محمد رضا_901"), make_roster(tmp_path, MOODLE))
    assert submissions_by_student(matched) == {"Ada Lovelace": "Ada Lovelace_900", "محمد رضا": "محمد رضا_901"}


@pytest.mark.parametrize("group", ["Group A-", "Default group-", "Tue-10-12 [late]-", "Übung 3-"])
def test_match_roster_takes_the_end_of_a_name_behind_a_group(tmp_path: Path, group: str) -> None:
    submissions = [f"{group}Ada Lovelace_900", f"{group}محمد رضا_901"]
    matched = match_roster(reports_named(*submissions), make_roster(tmp_path, MOODLE))
    assert submissions_by_student(matched) == {"Ada Lovelace": submissions[0], "محمد رضا": submissions[1]}


@pytest.mark.parametrize("submission", ["Group A-Ada Lovelace_901", "Group A-Bob_900", "Group A-Ada Lovelace_777"])
def test_match_roster_needs_name_and_number_behind_a_group_too(tmp_path: Path, submission: str) -> None:
    assert match_roster(reports_named(submission), make_roster(tmp_path, MOODLE)).unknown == (submission,)


def test_match_roster_needs_name_and_number_of_one_student(tmp_path: Path) -> None:
    matched = match_roster(reports_named("turingalan_101"), make_roster(tmp_path, CANVAS))
    assert submissions_by_student(matched) == {}
    assert matched.unknown == ("turingalan_101",)
    assert len(matched.missing) == 3


def test_match_roster_gives_a_group_one_submission(tmp_path: Path) -> None:
    members = make_roster(
        tmp_path, "name,login,submission\nAda,ada,team 1\nBob,bob,team 1\nCarol,carol,team 2\nDan,dan,\n"
    )
    matched = match_roster(reports_named("team 1", "dan", "eve"), members)
    assert submissions_by_student(matched) == {"Ada": "team 1", "Bob": "team 1", "Dan": "dan"}
    assert (matched.missing, matched.unknown) == (("Carol",), ("eve",))
    assert len({grade.total for grade in matched.grades[:2]}) == 1


def test_match_roster_takes_no_ambiguous_match(tmp_path: Path) -> None:
    members = make_roster(tmp_path, "name,login\nAda Lovelace,ada\nAda Lovelace,ada2\nBob,bob\n")
    matched = match_roster(reports_named("Ada Lovelace", "bob", "Bob"), members)
    assert submissions_by_student(matched) == {}
    assert len(matched.ambiguous) == 3
    assert "bob" in matched.ambiguous[2]
    assert matched.missing == matched.unknown == ()


def test_match_roster_ignores_unicode_spelling(tmp_path: Path) -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    matched = match_roster(reports_named(decomposed), make_roster(tmp_path, f"name\n{composed}\n"))
    assert submissions_by_student(matched) == {composed: decomposed}


@pytest.mark.parametrize("text", ["", "colour,shoe size\nred,40\n"])
def test_read_roster_without_students_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(RosterError, match="its first line must name"):
        make_roster(tmp_path, text)


def test_read_roster_refuses_other_encodings(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes("name\nZoë\n".encode("latin-1"))
    with pytest.raises(RosterError, match="UTF-8"):
        read_roster(tmp_path / "roster.csv")


_names = st.text(st.sampled_from("abAB _,12=ÉéИ李"), max_size=6)


@given(
    st.lists(_names, max_size=6, unique=True),
    st.lists(st.builds(RosterEntry, st.builds(Student, _names, _names, _names, _names), _names), max_size=6),
)
def test_match_roster_drops_nobody(submissions: Sequence[str], members: Sequence[RosterEntry]) -> None:
    matched = match_roster(reports_named(*submissions), members)
    assert [grade.student for grade in matched.grades] == [member.student for member in members]
    ungraded = [member for member, grade in zip(members, matched.grades, strict=True) if grade.report is None]
    assert len(matched.missing) + len(matched.ambiguous) == len(ungraded)
    reported = " ".join((*matched.unknown, *matched.ambiguous))
    for name in submissions:
        assert name in matched_submissions(matched) or name in reported


def matched_submissions(matched: RosterMatch) -> set[str]:
    return {grade.report.submission for grade in matched.grades if grade.report}


# --- The command ------------------------------------------------------------------------------------------------------


def export(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", "export", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, encoding="utf-8")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder, as autograder class leaves it."""
    columns = Columns((), ("forward", "dJ_dW"))
    names = ["ada@x.edu", "xiaolong", "=cmd"]
    with ResultStore(tmp_path / "grades", columns) as store:
        for report in [*reports_named(*names), replace(samples.FAILED, submission="zoe")]:
            store.save(serialize_result(report, "key", 0.1, columns))
    return tmp_path / "grades"


def test_export_lists_missing_and_unknown_students(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(CANVAS + '"=HYPERLINK(""x"")",104,s4,dan,B,\n', encoding="utf-8")
    (results / "odd.json").write_text("{", encoding="utf-8")
    done = export(results, "--for", "canvas", "--roster", file, "--title", "BPTT (12)")
    assert done.returncode == 0
    validators.canvas(done.stdout)
    head, _, *rows = csv.reader(io.StringIO(done.stdout))
    assert head[5] == "BPTT (12)"
    assert [row[5] for row in rows] == ["1", "1", "-", ""]
    for line in ("Missing: ", "  =HYPERLINK", "Unknown: ", "  =cmd", "  zoe", "odd.json"):
        assert line in done.stderr
    assert "for a formula or a command" in done.stderr


def test_export_for_moodle_writes_a_comment_for_each_grade(results: Path, tmp_path: Path) -> None:
    done = export(results, "--for", "moodle", "--output", tmp_path / "moodle.csv")
    assert (done.returncode, done.stdout) == (0, "")
    text = (tmp_path / "moodle.csv").read_text(encoding="utf-8")
    validators.moodle(text)
    rows = {row[1]: row[4:] for row in csv.reader(io.StringIO(text))}
    assert rows["xiaolong"] == ["1", "forward: 0.75/2; dJ_dW: 0.25/2"]
    assert rows["zoe"][0] == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--for", "blackboard"], "'blackboard'"),
        (["--for", "canvas", "--roster", "README.md"], "its first line must name"),
        ([], "Missing option"),
    ],
)
def test_export_explains_wrong_usage_in_one_sentence(results: Path, args: list[str], message: str) -> None:
    done = export(results, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_export_of_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    done = export(tmp_path, "--for", "canvas")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "holds no results" in done.stderr
