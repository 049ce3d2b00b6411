"""The page of a class: what it counts, that nothing a student wrote is obeyed, and how it looks in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import html5lib
import pytest

from autograder.evaluation.report import CheckResult, Note, Report
from autograder.feedback.messages import common_mistake
from autograder.formats.pages.class_page import render_page
from autograder.student.feedback import Feedback

ROOT = Path(__file__).parents[2]
FULL = CheckResult("f.a", "f", "A check", "pass", 2.0, 2.0)
HALF = CheckResult("f.b", "f", "Another", "pass", 2.0, 2.0)
HINT = Feedback("f is wrong.", hint=common_mistake("Where is h(0)?"))


def report(name: str, *statuses: str, diagnosis: str | None = None) -> Report:
    checks = []
    for check, status in zip((FULL, HALF), statuses, strict=True):
        bad = status != "pass"
        named = {"diagnosis": diagnosis, "feedback": HINT} if bad and diagnosis else {}
        checks.append(replace(check, status=status, points=0.0 if bad else 2.0, message="no" * bad, **named))
    return Report("ex", name, "graded", sum(c.points for c in checks), 4.0, 1, "A", (), tuple(checks))


CLASS = (
    report("ada", "pass", "pass"),
    report("bob", "pass", "fail", diagnosis="h0_dropped"),
    report("cyd", "fail", "fail", diagnosis="h0_dropped"),
    report("dan", "pass", "fail", diagnosis="W_transposed"),
    report("eve", "not_attempted", "not_attempted"),
    Report("ex", "fay", "refused", 0.0, 4.0, 0, "A", (Note("student", "There is no notebook."),)),
)
HINTS = {("f", "h0_dropped"): "Where is h(0)?", ("f", "W_transposed"): "Where is h(0)?"}
LINKS = {"ada": "feedback/ada.html", "bob": "feedback/bob%20b.html"}


def text_of(html: str) -> str:
    return " ".join(" ".join(html5lib.HTMLParser(strict=True).parse(html).itertext()).split())


def test_what_is_counted() -> None:
    shown = text_of(render_page(CLASS, LINKS, HINTS))
    assert "6 submissions, 5 of them graded; mean 1.6 and median 2 of 4 points." in shown
    assert "Scores: 2 from 0 to 10 percent, 2 from 50 to 60 percent, 1 from 90 to 100 percent." in shown
    assert "f.a A check 3 of 5 1 not written 60 %" in shown
    assert "f.b Another 1 of 5 1 not written 20 %" in shown
    assert "Hardest: f.b (20 %), f.a (60 %)." in shown
    assert "fay Refused: There is no notebook." in shown


def test_mistakes_are_ranked_each_with_its_hint() -> None:
    shown = text_of(render_page(CLASS, LINKS, HINTS))
    rows = re.findall(r"(\d+) (h0_dropped|W_transposed) f Where is h\(0\)\? who (\w+(?: , \w+)*)", shown)
    assert rows == [("2", "h0_dropped", "bob , cyd"), ("1", "W_transposed", "dan")]


def test_links_lead_to_each_students_page() -> None:
    html = render_page(CLASS, LINKS, HINTS)
    assert html.count('<a href="feedback/ada.html">ada</a>') == 1
    assert html.count('<a href="feedback/bob%20b.html">bob</a>') == 2  # among those who made a mistake, too
    assert ">cyd<" in html


@pytest.mark.parametrize("reports", [(), CLASS[-1:], CLASS[:1]])
def test_small_classes(reports: tuple[Report, ...]) -> None:
    assert text_of(render_page(reports, {}, HINTS))


def test_it_needs_nothing_else_and_obeys_nobody() -> None:
    name = '<script>alert(1)</script>"\x1b[2J'
    html = render_page((replace(CLASS[1], submission=name),), {name: "javascript.html"}, HINTS)
    assert "<script" not in html
    assert "\x1b" not in html
    assert re.findall(r"\bsrc=|url\(|@import", html) == []
    assert re.findall(r"https?:", html) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(tmp_path: Path, scheme: str) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright, to look at the page in a browser")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("needs chromium, to look at the page in it")
    file = tmp_path / "class.html"
    file.write_text(render_page(CLASS, LINKS, HINTS), encoding="utf-8")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        seen = browser.new_page(viewport={"width": 500, "height": 800}, color_scheme=scheme)
        complaints: list[str] = []
        seen.on("console", lambda message: complaints.append(message.text))
        seen.on("request", lambda request: complaints.append(request.url) if "class.html" not in request.url else None)
        seen.goto(file.as_uri())
        assert seen.get_by_role("img", name="Scores: 2 from 0 to 10 percent").is_visible()
        assert seen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")  # no scrolling sideways
        dark = seen.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        assert complaints == []
        browser.close()


def test_the_command_writes_it_with_a_page_for_each_student(tmp_path: Path) -> None:
    for name, sample in {"Zoë #1": "transposed_W", "ali": "blank"}.items():
        shutil.copytree(ROOT / "tests" / "submissions" / "class" / sample, tmp_path / "in" / name)
    where = tmp_path / "grades"
    command = [
        sys.executable,
        "-m",
        "autograder",
        "class",
        "rnn_backprop",
        tmp_path / "in",
        "--results",
        where,
        "--html",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    html = (where / "class.html").read_text(encoding="utf-8")
    links = {unquote(link) for link in re.findall('href="([^"]*)"', html)}
    assert len(links) == 2
    pages = [(where / link).read_text(encoding="utf-8") for link in sorted(links)]
    assert "Zoë #1" in pages[0]
    assert "smallest failing case" in pages[0]
    assert "W_for_its_transpose" in html
    assert "W_for_its_transpose" not in pages[0]  # the name is for the instructor, the hint for the student
