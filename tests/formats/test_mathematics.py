"""Mathematics in sentences: what is set as such, and what is left as it is."""

from __future__ import annotations

import html5lib
import pytest

from autograder.formats.pages.mathematics import set_mathematics
from tests.formats.samples import HOSTILE_TEXT


def elements(text: str, name: str) -> list[str]:
    """The text of each element of this name."""
    tree = html5lib.parseFragment(str(set_mathematics(text)), namespaceHTMLElements=False)
    return ["".join(element.itertext()) for element in tree.iter() if str(element.tag).endswith(name)]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("dJ_dW is not the slope of J.", ["J"]),
        ("T = 3 steps, H = 2", ["T=3", "H=2"]),
        ("How many factors for k = t - 1?", ["k=t\u22121"]),
        ("the scores V h(t) + b_y, or h(t-1)", ["Vh(t)+by", "h(t\u22121)"]),
        ("from step t+1 to step t", ["t+1", "t"]),
        ("dJ(t)/dy^(t) . dy^(t)/dh(t)", ["dJ(t)dy^(t)", "dy^(t)dh(t)"]),
        ("of shape (T, H)", ["T", "H"]),
        ("the slope of g1", ["g1"]),
    ],
)
def test_mathematics_is_set(text: str, formulas: list[str]) -> None:
    assert elements(text, "math") == formulas


@pytest.mark.parametrize(
    "text",
    [
        "A sentence, e.g. of 2 s, which I don't set.",
        'check("dJ_dW", T=3, H=2, seed=0)',
        "name 'W' is not defined",
        "net.g1(a)",
        "h[1, 0]: yours 2e-05",
        "grade.py -h",
    ],
)
def test_prose_and_code_are_no_mathematics(text: str) -> None:
    assert elements(text, "math") == []


def test_a_mark_stays_with_its_formula() -> None:
    assert elements("T = 3, H = 2; done", "span") == ["T=3,", "H=2;"]


def test_names_of_code_are_code() -> None:
    assert elements("dJ_dW[1, 0] and y_hat, but not plain.", "code") == ["dJ_dW[1, 0]", "y_hat"]


@pytest.mark.parametrize("text", [HOSTILE_TEXT, "<b>x</b> & <math>T = <3</math>", "h(<i>)", "k = <script>"])
def test_markup_is_escaped(text: str) -> None:
    tree = html5lib.parseFragment(str(set_mathematics(text)), namespaceHTMLElements=False)
    tags = {str(element.tag).rsplit("}", 1)[-1] for element in tree.iter()}
    assert tags <= {"DOCUMENT_FRAGMENT", "code", "span", "math", "mi", "mn", "mo", "msub"}


def test_a_long_text_is_cut_and_says_so() -> None:
    assert len(set_mathematics("é" * 5000)) < 4100
    assert set_mathematics("é" * 5000).endswith("(1000 characters more)")
