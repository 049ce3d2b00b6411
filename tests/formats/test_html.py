"""Pages of feedback, and single checks for other pages: what they show, and that no script in them runs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import html5lib
import pytest

from autograder.evaluation.report import Report
from autograder.formats.pages import feedback_page
from tests.formats import samples


def visible_text(markup: str) -> str:
    tree = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def failing_check() -> Any:
    return samples.MIXED.checks[-1]


def test_render_function_shows_all_parts_of_the_feedback() -> None:
    shown = visible_text(feedback_page.render_function([failing_check()]))
    for part in (
        "wrong",
        "Gradient check",
        "0/1.25",
        samples.FEEDBACK.symptom,
        samples.FEEDBACK.hint,
        samples.ERROR_MAP.sentence,
    ):
        assert part in shown
    for fact in samples.FEEDBACK.facts:
        assert " ".join(fact) in shown
    assert "0.9" in shown  # the map, without its colours
    assert "inf" in shown


def test_render_function_without_feedback_keeps_the_paragraphs_of_the_message() -> None:
    check = samples.make_check("dJ_dW", "plain", "error", 1.0, "First.\n\n  a    b\n  c    d\n\nLast.")
    tree = html5lib.parseFragment(feedback_page.render_function([check]), namespaceHTMLElements=False)
    assert [p.text for p in tree.iter("p")] == ["First.", "Last."]
    assert [pre.text for pre in tree.iter("pre")] == ["  a    b\n  c    d"]


def test_render_function_leaves_the_page_around_it_alone() -> None:
    for report in samples.SAMPLES.values():
        if not report.checks:
            continue
        markup = feedback_page.render_function(report.checks)
        html5lib.HTMLParser(strict=True).parseFragment(markup)
        tags = {element.tag for element in html5lib.parseFragment(markup, namespaceHTMLElements=False).iter()}
        assert tags <= {
            *("DOCUMENT_FRAGMENT", "div", "p", "pre", "table", "tbody", "tr", "th", "td"),
            *("br", "details", "li", "span", "summary", "ul"),
        }
        assert "class=" not in markup
        assert "id=" not in markup


def test_render_function_folds_what_is_right() -> None:
    markup = feedback_page.render_function(samples.PERFECT.checks[:3])
    (details,) = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    assert (details.tag, details.get("open"), details[0].text) == ("details", None, "right: 3 checks")


# --- A page, parsed -------------------------------------------------------------------------------------------------


def parsed(*reports: Report) -> Any:
    return html5lib.parse(feedback_page.render_page(reports), namespaceHTMLElements=False)


def text_in(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def titles(element: Any) -> list[str]:
    return [text_in(item) for item in element.iter() if item.get("class") == "check-title"]


def test_head_shows_total_and_functions() -> None:
    (head,) = parsed(samples.MIXED).iter("header")
    rows = [[text_in(cell) for cell in row] for row in head.iter("tr")]
    assert rows[1:] == [["forward", "0.75/2", "", "2 of 3 right"], ["dJ_dW", "0.25/2", "", "1 of 3 right"]]
    assert "1 of 4 points" in text_in(head)
    shares = [bar.get("width") for bar in head.iter("{http://www.w3.org/2000/svg}rect") if bar.get("class") == "part"]
    assert shares == ["37.5", "12.5"]


def test_what_is_wrong_is_open_and_what_is_right_is_folded() -> None:
    page = parsed(samples.MIXED)
    assert titles(page) == [
        "timeout: Gradient check (0/1.25)",
        "wrong: Gradient check (0/1.25)",
        "error: The plain case (0/0.5)",
    ]
    folded = [details for details in page.iter("details") if details.get("open") is None]
    assert [text_in(next(details.iter("summary"))) for details in folded] == ["right: 2 checks", "right: 1 check"]
    assert [titles(details) for details in folded] == [[], []]


def test_functions_that_are_wrong_come_first_then_those_not_written() -> None:
    checks = (
        samples.make_check("a", "plain", "pass", 1.0),
        samples.make_check("b", "plain", "not_attempted", 1.0, "b is not written yet."),
        samples.make_check("c", "plain", "fail", 1.0, "c is wrong."),
        samples.make_check("c", "slope", "fail", 1.0, "c.", samples.FEEDBACK),
    )
    page = parsed(samples.make_report("ada", checks))
    assert [text_in(heading).split()[0] for heading in page.iter("h2")] == ["c", "b", "a"]
    (first,) = [p for p in page.iter("p") if text_in(p).startswith("Look first")]
    assert text_in(first) == "Look first at Gradient check of c."
    assert titles(page)[0] == "wrong: Gradient check (0/1)"


def test_a_message_of_several_checks_is_told_once() -> None:
    page = parsed(samples.BLANK)
    assert titles(page) == ["not written: 3 checks (0/2)"] * 2
    assert text_in(page).count("It is not written yet.") == 2


def test_a_statement_that_checks_share_stands_above_their_details() -> None:
    alike = [
        replace(samples.make_check("f", name, "fail", 1.0), statement="Same", detail=f"error {number}.", message=name)
        for number, name in enumerate(("contract", "plain"))
    ]
    page = parsed(samples.make_report("ada", tuple(alike)))
    (details,) = page.iter("details")
    assert details.get("open") is not None
    assert [text_in(item).rsplit("0/1", 1)[1] for item in details.iter("li")] == ["error 0.", "error 1."]


@pytest.mark.parametrize("reports", [[samples.MIXED], [samples.HOSTILE_REPORT], [*samples.SAMPLES.values()], []])
def test_headings_nest_and_links_lead_somewhere(reports: list[Report]) -> None:
    page = parsed(*reports)
    levels = [int(element.tag[1]) for element in page.iter() if element.tag in ("h1", "h2", "h3", "h4", "h5")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = {element.get("id") for element in page.iter()}
    assert {link.get("href").removeprefix("#") for link in page.iter("a")} <= ids


def test_refused_work_says_why() -> None:
    (head,) = parsed(samples.REFUSED).iter("header")
    assert text_in(head) == "bptt carol Refused: bptt.ipynb is no notebook: save it once more."
