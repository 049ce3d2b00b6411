"""The page of a class: what it counts, that it escapes what students wrote, and how a browser shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import html5lib
import pytest

from autograder.evaluation.report import CheckResult, Note, Report
from autograder.feedback.messages import common_mistakes
from autograder.formats.pages.class_page import render_page
from autograder.formats.pages.class_results import check_rows, drawn_students, mistake_counts
from autograder.student.feedback import Feedback

ROOT = Path(__file__).parents[2]
FULL = CheckResult("f.a", "f", "A check", "pass", 2.0, 2.0)
HALF = CheckResult("f.b", "f", "Another", "pass", 2.0, 2.0)
HINT = Feedback("f is wrong.", hint=common_mistakes(["Where is h(0)?"]))


def make_report(name: str, *statuses: str, diagnosis: str | None = None) -> Report:
    checks = []
    for check, status in zip((FULL, HALF), statuses, strict=True):
        failed = status != "pass"
        made: dict[str, Any] = {"diagnosis": diagnosis, "feedback": HINT} if diagnosis else {"code": "not_attempted"}
        changed = {"status": status, "points": 0.0, "message": "no", **made} if failed else {}
        checks.append(replace(check, **changed))
    return Report("ex", name, "graded", sum(c.points for c in checks), 4.0, 1, "A", (), tuple(checks))


CLASS = (
    make_report("ada", "pass", "pass"),
    make_report("bob", "pass", "fail", diagnosis="h0_dropped"),
    make_report("cyd", "fail", "fail", diagnosis="h0_dropped"),
    make_report("dan", "pass", "fail", diagnosis="W_transposed"),
    make_report("eve", "not_attempted", "not_attempted"),
    Report("ex", "fay", "refused", 0.0, 4.0, 0, "A", (Note("student", "There is no notebook."),)),
)
SENTENCES = {("f", "h0_dropped"): "Where is h(0)? See equation (1).", ("f", "W_transposed"): "Which index is which?"}
LINKS = {"ada": "feedback/ada.html", "bob": "feedback/bob%20b.html"}


def parsed(reports: Sequence[Report] = CLASS, links: Mapping[str, str] = LINKS) -> Any:
    html = render_page(reports, links, SENTENCES)
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def text_in(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def rows_of(page: Any, label: str) -> list[list[str]]:
    """The cells of the tables in the region of this name, without their heads."""
    regions = [element for element in page.iter("div") if element.get("aria-label", "").startswith(label)]
    rows = [row for region in regions for body in region.iter("tbody") for row in body.iter("tr")]
    return [[text_in(cell) for cell in row] for row in rows]


def test_head_holds_the_figures_of_the_class() -> None:
    page = parsed()
    figures = {text_in(pair[0]): text_in(pair[1]) for pair in next(page.iter("dl"))}
    assert figures == {
        "submissions": "6",
        "graded": "5",
        "refused": "1",
        "wait for a person": "0",
        "mean of 4": "1.33",
        "median of 4": "1.00",
        "full marks": "1",
    }
    labels = [element.get("aria-label") for element in page.iter() if element.get("role") == "img"]
    assert labels == ["Scores: 3 from 0 to 10 percent, 2 from 50 to 60 percent, 1 from 90 to 100 percent."]
    (part,) = [row for row in page.iter("tr") if text_in(row).startswith("f1.6")]
    assert text_in(part) == "f1.60 of 4"


def test_students_have_points_for_each_function_lowest_first() -> None:
    rows = rows_of(parsed(), "Students")
    assert [row[:3] for row in rows] == [
        ["fay", "-", "0"],
        ["cyd", "0", "0"],
        ["eve", "0", "0"],
        ["bob", "2", "2"],
        ["dan", "2", "2"],
        ["ada", "4", "4"],
    ]
    assert rows[0][3] == "Refused: There is no notebook."


def test_mistakes_are_ranked_with_what_to_say() -> None:
    rows = rows_of(parsed(), "Mistakes")
    assert [(row[0], row[2], row[3]) for row in rows] == [
        ("2", "h0_droppedin f", "Where is h(0)? See equation (1).whobob, cyd"),
        ("1", "W_transposedin f", "Which index is which?whodan"),
        ("1", "not_attemptedin f", "What a student reads, for example: nowhoeve"),
    ]


def test_two_mistakes_in_one_function_count_for_each() -> None:
    both = make_report("gil", "pass", "fail", diagnosis="W_transposed and h0_dropped")
    counts = {count.name: count.students for count in mistake_counts([*CLASS, both], SENTENCES)}
    assert counts["h0_dropped"] == ("bob", "cyd", "gil")
    assert counts["W_transposed"] == ("dan", "gil")


def test_a_check_that_follows_from_others_is_no_mistake() -> None:
    check = replace(HALF, status="fail", points=0.0, code="contract_needs_value", message="It needs others.")
    assert mistake_counts([Report("ex", "hal", "graded", 0.0, 2.0, 1, "A", (), (check,))], {}) == []


def test_heat_map_draws_who_fails_most_first() -> None:
    first, second = check_rows([report for report in CLASS if report.status == "graded"])
    assert (first.check.id, first.passed, first.attempted, first.percent) == ("f.a", 3, 4, 60)
    assert (second.check.id, second.passed, second.percent) == ("f.b", 1, 20)
    # cyd, eve, bob, dan, ada
    assert (first.wrong, first.unwritten) == ("M0 0h1v1h-1z", "M1 0.4h1v0.2h-1z")
    assert (second.wrong, second.unwritten) == ("M0 0h1v1h-1zM2 0h2v1h-2z", "M1 0.4h1v0.2h-1z")


def test_a_large_class_is_drawn_in_part_and_its_students_lie_in_several_tables() -> None:
    reports = [replace(CLASS[i % 5], submission=f"s{i:04}") for i in range(1001)]
    page = parsed(reports)
    assert len(drawn_students(reports)) == 334
    folded = [details for details in page.iter("details") if list(details.iter("table"))]
    assert [text_in(next(details.iter("summary"))) for details in folded] == ["501 to 1000", "1001 to 1001"]
    assert len(rows_of(page, "Students")) == 1001


def test_links_lead_to_the_page_of_each_student() -> None:
    links = [(link.get("href"), text_in(link)) for link in parsed().iter("a") if "feedback" in link.get("href")]
    bob = ("feedback/bob%20b.html", "bob")
    assert sorted(links) == [("feedback/ada.html", "ada"), bob, bob]  # bob among those who made a mistake, too


@pytest.mark.parametrize("reports", [(), CLASS[-1:], CLASS[:1]])
def test_render_page_of_a_small_class(reports: tuple[Report, ...]) -> None:
    assert text_in(parsed(reports))


def test_the_only_script_is_the_one_that_the_policy_names() -> None:
    name = '<script>alert(1)</script>"\x1b[2J'
    hostile = replace(CLASS[1], submission=name)
    html = render_page((hostile,), {name: "javascript.html"}, SENTENCES)
    page = html5lib.parse(html, namespaceHTMLElements=False)
    (script,) = page.iter("script")
    digest = b64encode(sha256(script.text.encode()).digest()).decode()
    policies = [meta.get("content") for meta in page.iter("meta") if meta.get("http-equiv")]
    assert policies == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"]
    assert "\x1b" not in html
    assert re.findall(r"\bsrc=|url\(|@import|https?:", html) == []
    assert not any(key.startswith("on") for element in page.iter() for key in element.attrib)


def test_class_command_writes_the_page_and_one_for_each_student(tmp_path: Path) -> None:
    for name, sample in {"Zoë #1": "transposed_W", "ali": "blank"}.items():
        shutil.copytree(ROOT / "tests" / "submissions" / "class" / sample, tmp_path / "in" / name)
    results = tmp_path / "grades"
    command = [sys.executable, "-m", "autograder", "class", "rnn_backprop"]
    command += [str(tmp_path / "in"), "--results", str(results), "--html"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    html = (results / "class.html").read_text(encoding="utf-8")
    links = {unquote(link) for link in re.findall('href="([^"#]+)"', html)}
    assert len(links) == 2
    pages = [(results / link).read_text(encoding="utf-8") for link in sorted(links)]
    assert "Zoë #1" in pages[0]
    assert "smallest failing case" in pages[0]
    assert "W_for_its_transpose" in html
    assert "W_for_its_transpose" not in pages[0]  # the name is for the instructor, the hint for the student
