"""The page of a class: what it counts, that it escapes what students wrote, and how a browser shows it."""

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
from autograder.feedback.messages import common_mistakes
from autograder.formats.pages.class_page import render_page
from autograder.student.feedback import Feedback

ROOT = Path(__file__).parents[2]
FULL = CheckResult("f.a", "f", "A check", "pass", 2.0, 2.0)
HALF = CheckResult("f.b", "f", "Another", "pass", 2.0, 2.0)
HINT = Feedback("f is wrong.", hint=common_mistakes(["Where is h(0)?"]))


def make_report(name: str, *statuses: str, diagnosis: str | None = None) -> Report:
    checks = []
    for check, status in zip((FULL, HALF), statuses, strict=True):
        failed = status != "pass"
        diagnosed = {"diagnosis": diagnosis, "feedback": HINT} if failed and diagnosis else {}
        checks.append(replace(check, status=status, points=0.0 if failed else 2.0, message="no" * failed, **diagnosed))
    return Report("ex", name, "graded", sum(c.points for c in checks), 4.0, 1, "A", (), tuple(checks))


CLASS = (
    make_report("ada", "pass", "pass"),
    make_report("bob", "pass", "fail", diagnosis="h0_dropped"),
    make_report("cyd", "fail", "fail", diagnosis="h0_dropped"),
    make_report("dan", "pass", "fail", diagnosis="W_transposed"),
    make_report("eve", "not_attempted", "not_attempted"),
    Report("ex", "fay", "refused", 0.0, 4.0, 0, "A", (Note("student", "There is no notebook."),)),
)
HINTS = {("f", "h0_dropped"): "Where is h(0)?", ("f", "W_transposed"): "Where is h(0)?"}
LINKS = {"ada": "feedback/ada.html", "bob": "feedback/bob%20b.html"}


def text_of(html: str) -> str:
    return " ".join(" ".join(html5lib.HTMLParser(strict=True).parse(html).itertext()).split())


def test_render_page_counts_scores_and_passes() -> None:
    shown = text_of(render_page(CLASS, LINKS, HINTS))
    assert "6 submissions, 5 of them graded; mean 1.33 and median 1.00 of 4 points." in shown
    assert "Scores: 3 from 0 to 10 percent, 2 from 50 to 60 percent, 1 from 90 to 100 percent." in shown
    assert "f.a A check 3 of 5 1 not written 60 %" in shown
    assert "f.b Another 1 of 5 1 not written 20 %" in shown
    assert "Hardest: f.b (20 %), f.a (60 %)." in shown
    assert "fay Refused: There is no notebook." in shown


def test_mistakes_are_ranked_with_their_hints() -> None:
    shown = text_of(render_page(CLASS, LINKS, HINTS))
    rows = re.findall(r"(\d+) (h0_dropped|W_transposed) f Where is h\(0\)\? who (\w+(?: , \w+)*)", shown)
    assert rows == [("2", "h0_dropped", "bob , cyd"), ("1", "W_transposed", "dan")]


def test_links_lead_to_the_page_of_each_student() -> None:
    html = render_page(CLASS, LINKS, HINTS)
    assert html.count('<a href="feedback/ada.html">ada</a>') == 1
    assert html.count('<a href="feedback/bob%20b.html">bob</a>') == 2  # among those who made a mistake, too
    assert ">cyd<" in html


@pytest.mark.parametrize("reports", [(), CLASS[-1:], CLASS[:1]])
def test_render_page_of_a_small_class(reports: tuple[Report, ...]) -> None:
    assert text_of(render_page(reports, {}, HINTS))


def test_render_page_is_self_contained_and_escapes_names() -> None:
    name = '<script>alert(1)</script>"\x1b[2J'
    html = render_page((replace(CLASS[1], submission=name),), {name: "javascript.html"}, HINTS)
    assert "<script" not in html
    assert "\x1b" not in html
    assert re.findall(r"\bsrc=|url\(|@import", html) == []
    assert re.findall(r"https?:", html) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_class_page_in_a_browser(tmp_path: Path, scheme: str) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright, to look at the page in a browser")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("needs chromium, to look at the page in it")
    file = tmp_path / "class.html"
    file.write_text(render_page(CLASS, LINKS, HINTS), encoding="utf-8")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 500, "height": 800}, color_scheme=scheme)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: problems.append(request.url) if "class.html" not in request.url else None)
        page.goto(file.as_uri())
        assert page.get_by_role("img", name="Scores: 3 from 0 to 10 percent").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")  # no scrolling sideways
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        assert problems == []
        browser.close()


def test_class_command_writes_the_page_and_one_for_each_student(tmp_path: Path) -> None:
    for name, sample in {"Zoë #1": "transposed_W", "ali": "blank"}.items():
        shutil.copytree(ROOT / "tests" / "submissions" / "class" / sample, tmp_path / "in" / name)
    results = tmp_path / "grades"
    command = [sys.executable, "-m", "autograder", "class", "rnn_backprop"]
    command += [str(tmp_path / "in"), "--results", str(results), "--html"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    html = (results / "class.html").read_text(encoding="utf-8")
    links = {unquote(link) for link in re.findall('href="([^"]*)"', html)}
    assert len(links) == 2
    pages = [(results / link).read_text(encoding="utf-8") for link in sorted(links)]
    assert "Zoë #1" in pages[0]
    assert "smallest failing case" in pages[0]
    assert "W_for_its_transpose" in html
    assert "W_for_its_transpose" not in pages[0]  # the name is for the instructor, the hint for the student
