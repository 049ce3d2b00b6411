"""From numbers to words: which cases are right, which terms are missing, and the same words in text and in HTML."""

from __future__ import annotations

import html5lib
import numpy as np
import pytest

from autograder.student import layout
from autograder.student.feedback import ErrorMap, Feedback, Rung, Sum, explain, missing_terms, retold, right_for

EYE = np.eye(2)
USUAL = {"T": 3, "g": "tanh", "h0": "h0 not 0"}


def rung(right: bool, sums: tuple[Sum, ...] = (), yours=None, expected=EYE, **traits) -> Rung:
    given = (EYE if right else 1 - EYE) if yours is None else yours
    about = ", ".join(f"{name} = {value}" for name, value in {**USUAL, **traits}.items())
    case = about.replace(" = ", "=")
    return Rung(case, about, {**USUAL, **traits}, ("dW",), (given,), (expected,), is_slope=True, sums=sums)


@pytest.mark.parametrize(
    ("rungs", "says"),
    [
        ([rung(T <= 2, T=T) for T in (1, 2, 3, 4)], ["T = 1 and 2; wrong from T = 3 on"]),
        ([rung(T <= 2, T=T) for T in (1, 2, 3)], ["T = 1 and 2; wrong for T = 3"]),
        ([rung(T == 2, T=T) for T in (1, 2, 3)], ["T = 2; wrong for T = 1 and 3"]),
        ([rung(g == "tanh", g=g) for g in ("tanh", "relu")], ["tanh; wrong for relu"]),
        ([rung(g == "tanh", g=g) for g in ("tanh", "relu", "id", "sin")], ["tanh; wrong otherwise"]),
        ([rung(False), rung(True, h0="0"), rung(True, T=1)], ["T = 1; wrong for T = 3", "0; wrong for h0 not 0"]),
        ([rung(False), rung(False, T=1)], ["none of the cases that were tried"]),
        # what other cases would contradict is told with what keeps them apart
        (
            [rung(True, T=1, g="id"), rung(False, g="id"), rung(False, T=1)],
            ["T = 1; wrong for T = 3 (in the cases with id)"],
        ),
        # nothing alone makes the difference, but one trait parts all cases
        ([rung(True, T=1, g="relu"), rung(False), rung(False, g="id")], ["T = 1; wrong for T = 3"]),
    ],
)  # fmt: skip
def test_which_cases_are_right(rungs: list[Rung], says: list[str]) -> None:
    assert right_for(rungs) == says


def test_a_case_without_numbers_is_not_right() -> None:
    stopped = Rung("T=3", "T = 3", {**USUAL}, ("dW",), (), (EYE,))
    assert (stopped.right, stopped.wrong) == (False, None)
    assert explain("dW", [stopped]) is None


PARTS = {f"k = {k}": np.arange(9.0).reshape(3, 3) ** k + np.diag([k, 1.0, 2 * k]) for k in (3, 2, 1)}
WHOLE = sum(PARTS.values())


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((1, 0, 0), "your dJ(3)/dW has the term k = 3; the terms k = 2 and k = 1 are missing"),
        ((1, 1, 0), "your dJ(3)/dW has the terms k = 3 and k = 2; the term k = 1 is missing"),
        ((1, 2, 3), "your dJ(3)/dW has the term k = 3, counts the term k = 2 twice and counts the term k = 1 3 times"),
        ((1, -1, 1), "your dJ(3)/dW has the terms k = 3 and k = 1 and has the term k = 2 with the wrong sign"),
        ((1, 1, 0.5), "your dJ(3)/dW has the terms k = 3 and k = 2 and has the term k = 1 divided by 2"),
        ((2, 2, 2), ""),  # a common factor is told otherwise
        ((1, 1.37, 0), ""),  # nothing is guessed
    ],
)
def test_terms(counts: tuple[float, ...], says: str) -> None:
    yours = sum(count * part for count, part in zip(counts, PARTS.values(), strict=True))
    assert missing_terms(rung(False, (Sum("dJ(3)/dW", PARTS),), yours, WHOLE)) == says


def test_nothing_is_said_of_terms_that_cannot_be_told_apart_or_do_not_fit() -> None:
    same = {"k = 1": PARTS["k = 1"], "k = 2": 2 * PARTS["k = 1"]}
    assert missing_terms(rung(False, (Sum("s", same),), PARTS["k = 1"], 3 * PARTS["k = 1"])) == ""
    assert missing_terms(rung(False, (Sum("s", PARTS),), np.ones((3, 3)), WHOLE)) == ""


@pytest.mark.parametrize(
    ("yours", "says"),
    [
        (EYE * 0, "your numbers are all 0"),
        (EYE * -1, "your numbers have the wrong sign"),
        (EYE * 2, "your numbers are 2 times the expected ones, in every case that is wrong"),
        (EYE / 3, "your numbers are 1/3 times the expected ones, in every case that is wrong"),
        (EYE * 1.37, ""),
    ],
)
def test_what_numbers_look_like(yours: np.ndarray, says: str) -> None:
    told = explain("dW", [rung(False, yours=yours, expected=EYE), rung(False, yours=3 * yours, expected=3 * EYE, T=4)])
    assert says in dict(told.facts).get("to be seen", "")
    assert bool(says) == ("to be seen" in dict(told.facts))


def test_numbers_without_end_break_nothing() -> None:
    huge = np.full((2, 2), 1e308)
    told = explain("dW", [rung(False, (Sum("s", {"a": EYE, "b": 1 - EYE}),), huge * [[1, -1], [1, 1]])] * 2)
    assert "worst entry" in dict(told.facts)
    assert layout.as_text(told)
    assert layout.as_html(told)


@pytest.mark.parametrize(
    ("right", "says"),
    [
        ([[0, 0], [0, 0]], "No entry of dW is right; the largest error, 2, is that of dW[1, 1]."),
        ([[1, 1], [0, 0]], "Right in row 0, wrong in row 1;"),
        ([[0, 1], [0, 1]], "Right in column 1, wrong in column 0;"),
        ([[1, 0], [0, 1]], "Right on the diagonal only;"),
        ([[0, 1], [1, 0]], "Right off the diagonal only;"),
        ([[1, 0], [0, 0]], "1 of the 4 entries is right;"),
    ],
)
def test_the_map_in_words(right: list[list[int]], says: str) -> None:
    yours = np.ones((2, 2)) + (1 - np.array(right)) * [[1, 1], [1, 2]]
    told = explain("dW", [rung(False, yours=yours, expected=np.ones((2, 2)))])
    assert told.map.sentence.startswith(says)


TOLD = Feedback(
    "dW is not the slope of J.",
    (("smallest failing case", "T = 3, " * 20 + "K = 1"), ("worst entry", "<b>&")),
    ErrorMap("dW", "T = 3", ((0.0, 5e-5), (5e-3, 0.3), (0.5, float("inf"))), "All but one are wrong."),
    "look <here>",
    "equation (3)",
    'check("dW", T=3)\npython checks.py dW T=3',
)


def test_text() -> None:
    text = layout.as_text(TOLD)
    assert all(len(line) <= layout.WIDTH and line == line.rstrip() for line in text.splitlines())
    assert "      · ░\n      ▒ ▓\n      ▓ █\n\n  All but one are wrong." in text
    assert "T =\n" not in text
    assert text.endswith('see it again  check("dW", T=3)\n  in a shell    python checks.py dW T=3')
    assert layout.as_text(Feedback("All right.")) == "All right."


def test_html_says_the_same_and_stands_on_any_ground() -> None:
    html = layout.as_html(TOLD)
    tree = html5lib.HTMLParser(strict=True).parseFragment(html)
    shown = " ".join("".join(tree.itertext()).split())
    for text in (TOLD.symptom, TOLD.map.sentence, "<b>&", "look <here>", "equation (3)", 'check("dW", T=3)'):
        assert text in shown
    for word in ("· exact", "░ 5e-05", "▒ 5e-03", "▓ 3e-01", "█ inf"):  # each entry in words, whatever its colour
        assert word in shown
    assert "color:" not in html.replace("color: inherit", "")
    assert 'aria-label="Relative error of each entry of dW"' in html


def test_a_case_in_full() -> None:
    told = retold(rung(False), {"W": [[1.0, 2.0], [3.0, 4.0]], "h0": [0.123456789]})
    facts = dict(told.facts)
    assert facts["W"] == "[[1.0, 2.0],\n [3.0, 4.0]]"
    assert (facts["your dW"], facts["expected"]) == ("[[0.0, 1.0],\n [1.0, 0.0]]", "[[1.0, 0.0],\n [0.0, 1.0]]")
    assert retold(rung(True), {}).symptom == "Right in this case: dW."
