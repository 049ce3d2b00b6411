"""explain() and its parts: from wrong numbers to feedback, as text and as HTML."""

from __future__ import annotations

import re

import html5lib
import numpy as np
import pytest

from autograder.student import layout
from autograder.student.explain import explain, show_case
from autograder.student.feedback import CaseResult, ErrorMap, Feedback, Sum
from autograder.student.patterns import missing_terms, right_for

EYE = np.eye(2)
USUAL = {"T": 3, "g": "tanh", "h0": "h0 not 0"}


def make_result(right: bool, sums: tuple[Sum, ...] = (), yours=None, expected=EYE, **traits) -> CaseResult:
    given = (EYE if right else 1 - EYE) if yours is None else yours
    about = ", ".join(f"{name} = {value}" for name, value in {**USUAL, **traits}.items())
    case = about.replace(" = ", "=")
    return CaseResult(case, about, {**USUAL, **traits}, ("dW",), (given,), (expected,), is_slope=True, sums=sums)


@pytest.mark.parametrize(
    ("cases", "expected_text"),
    [
        ([make_result(T <= 2, T=T) for T in (1, 2, 3, 4)], ["T = 1 and 2; wrong from T = 3 on"]),
        ([make_result(T <= 2, T=T) for T in (1, 2, 3)], ["T = 1 and 2; wrong for T = 3"]),
        ([make_result(T == 2, T=T) for T in (1, 2, 3)], ["T = 2; wrong for T = 1 and 3"]),
        ([make_result(g == "tanh", g=g) for g in ("tanh", "relu")], ["tanh; wrong for relu"]),
        ([make_result(g == "tanh", g=g) for g in ("tanh", "relu", "id", "sin")], ["tanh; wrong otherwise"]),
        (
            [make_result(False), make_result(True, h0="0"), make_result(True, T=1)],
            ["T = 1; wrong for T = 3", "0; wrong for h0 not 0"],
        ),
        ([make_result(False), make_result(False, T=1)], ["none of the cases that were tried"]),
        # contradicted by other cases, so the message names the trait that separates them
        (
            [make_result(True, T=1, g="id"), make_result(False, g="id"), make_result(False, T=1)],
            ["T = 1; wrong for T = 3 (in the cases with id)"],
        ),
        # no single change makes the difference, but one trait separates all cases
        (
            [make_result(True, T=1, g="relu"), make_result(False), make_result(False, g="id")],
            ["T = 1; wrong for T = 3"],
        ),
    ],
)
def test_right_for(cases: list[CaseResult], expected_text: list[str]) -> None:
    assert [claim.text for claim in right_for([cases])] == expected_text


def test_explain_gives_nothing_without_numbers() -> None:
    stopped = CaseResult("T=3", "T = 3", {**USUAL}, ("dW",), (), (EYE,))
    assert (stopped.right, stopped.wrong) == (False, None)
    assert explain("dW", [[stopped]]) is None


class TestConfirmations:
    """What the shown numbers suggest is said only if the same cases with other numbers show it too."""

    @pytest.mark.parametrize(
        ("confirmed", "claims"), [(True, ["T = 1; wrong for T = 3"]), (False, ["none of the cases that were tried"])]
    )
    def test_a_case_counts_as_right_if_it_is_right_with_all_numbers(self, confirmed, claims):
        shown = [make_result(True, T=1), make_result(False)]
        found = right_for([shown, [make_result(confirmed, T=1), make_result(False)]])
        assert [claim.text for claim in found] == claims

    @pytest.mark.parametrize(
        ("other", "is_said"),
        [(EYE.T * -1, True), (EYE * 2, False)],
    )
    def test_a_factor_must_be_that_of_all_numbers(self, other, is_said):
        shown = [make_result(False, yours=-EYE), make_result(False, yours=-EYE, T=4)]
        feedback = explain("dW", [shown, [make_result(False, yours=other), make_result(False, yours=other, T=4)]])
        assert ("pattern" in dict(feedback.facts)) is is_said

    @pytest.mark.parametrize(("counts", "is_said"), [((1, 1, 0), True), ((1, 0, 0), False)])
    def test_missing_terms_must_be_missing_with_all_numbers(self, counts, is_said):
        def result(counts: tuple[int, ...]) -> CaseResult:
            yours = sum(count * part for count, part in zip(counts, PARTS.values(), strict=True))
            return make_result(False, (Sum("dJ(3)/dW", PARTS),), yours, TOTAL)

        feedback = explain("dW", [[result((1, 1, 0))], [result(counts)]])
        assert ("term by term" in dict(feedback.facts)) is is_said

    @pytest.mark.parametrize(
        ("other", "sentence"), [([[1, 1], [3, 3]], "Right in row 0"), ([[3, 1], [3, 3]], "2 of the 4")]
    )
    def test_a_place_must_be_right_with_all_numbers(self, other, sentence):
        results = [
            make_result(False, yours=np.array(yours), expected=np.ones((2, 2))) for yours in ([[1, 1], [2, 2]], other)
        ]
        assert explain("dW", [[result] for result in results]).map.sentence.startswith(sentence)

    def test_nothing_is_claimed_of_a_function_that_was_too_slow_for_other_numbers(self):
        shown = [make_result(True, T=1), make_result(False)]
        stopped = [CaseResult(case.id, case.about, case.traits, case.results, (), case.expected) for case in shown]
        labels = [label for label, _ in explain("dW", [shown, stopped]).facts]
        assert labels == ["smallest failing case", "relative error", "worst entry"]


PARTS = {f"k = {k}": np.arange(9.0).reshape(3, 3) ** k + np.diag([k, 1.0, 2 * k]) for k in (3, 2, 1)}
TOTAL = sum(PARTS.values())


@pytest.mark.parametrize(
    ("counts", "expected_text"),
    [
        ((1, 0, 0), "your dJ(3)/dW has the term k = 3; the terms k = 2 and k = 1 are missing"),
        ((1, 1, 0), "your dJ(3)/dW has the terms k = 3 and k = 2; the term k = 1 is missing"),
        ((1, 2, 3), "your dJ(3)/dW has the term k = 3, counts the term k = 2 twice and counts the term k = 1 3 times"),
        ((1, -1, 1), "your dJ(3)/dW has the terms k = 3 and k = 1 and has the term k = 2 with the wrong sign"),
        ((3, 0, 0), "your dJ(3)/dW is 3 times the term k = 3; the terms k = 2 and k = 1 are missing"),
        ((1, 1, 0.5), "your dJ(3)/dW has the terms k = 3 and k = 2 and has the term k = 1 divided by 2"),
        ((2, 2, 2), ""),  # a common factor has a message of its own
        ((1, 1.37, 0), ""),  # nothing is guessed
    ],
)
def test_missing_terms(counts: tuple[float, ...], expected_text: str) -> None:
    yours = sum(count * part for count, part in zip(counts, PARTS.values(), strict=True))
    claim = missing_terms(make_result(False, (Sum("dJ(3)/dW", PARTS),), yours, TOTAL))
    assert (claim.text if claim else "") == expected_text


def test_missing_terms_gives_nothing_for_ambiguous_terms() -> None:
    same = {"k = 1": PARTS["k = 1"], "k = 2": 2 * PARTS["k = 1"]}
    assert missing_terms(make_result(False, (Sum("s", same),), PARTS["k = 1"], 3 * PARTS["k = 1"])) is None
    assert missing_terms(make_result(False, (Sum("s", PARTS),), np.ones((3, 3)), TOTAL)) is None


@pytest.mark.parametrize(
    ("yours", "expected_text"),
    [
        (EYE * 0, "your numbers are all 0"),
        (EYE * -1, "your numbers have the wrong sign"),
        (EYE * 2, "your numbers are 2 times the expected ones, in every case that is wrong"),
        (EYE / 3, "your numbers are 1/3 times the expected ones, in every case that is wrong"),
        (EYE * 1.37, ""),
    ],
)
def test_explain_recognises_factors(yours: np.ndarray, expected_text: str) -> None:
    feedback = explain(
        "dW",
        [[make_result(False, yours=yours, expected=EYE), make_result(False, yours=3 * yours, expected=3 * EYE, T=4)]],
    )
    assert expected_text in dict(feedback.facts).get("pattern", "")
    assert bool(expected_text) == ("pattern" in dict(feedback.facts))


def test_explain_survives_overflow() -> None:
    huge = np.full((2, 2), 1e308)
    feedback = explain(
        "dW", [[make_result(False, (Sum("s", {"a": EYE, "b": 1 - EYE}),), huge * [[1, -1], [1, 1]])] * 2]
    )
    assert "worst entry" in dict(feedback.facts)
    assert layout.as_text(feedback)
    assert layout.as_html(feedback)


@pytest.mark.parametrize(
    ("right", "expected_text"),
    [
        ([[0, 0], [0, 0]], "No entry of dW is right."),
        ([[1, 1], [0, 0]], "Right in row 0, wrong in row 1."),
        ([[0, 1], [0, 1]], "Right in column 1, wrong in column 0."),
        ([[1, 0], [0, 1]], "Right on the diagonal only."),
        ([[0, 1], [1, 0]], "Right off the diagonal only."),
        ([[1, 0], [0, 0]], "1 of the 4 entries is right."),
    ],
)
def test_error_map_sentence(right: list[list[int]], expected_text: str) -> None:
    yours = np.ones((2, 2)) + (1 - np.array(right)) * [[1, 1], [1, 2]]
    feedback = explain("dW", [[make_result(False, yours=yours, expected=np.ones((2, 2)))]])
    assert feedback.map.sentence == expected_text


FEEDBACK = Feedback(
    "dW is not the slope of J.",
    (("smallest failing case", "T = 3, " * 20 + "K = 1"), ("worst entry", "<b>&")),
    ErrorMap("dW", "T = 3", ((0.0, 5e-5), (5e-3, 0.3), (0.5, float("inf"))), "All but one are wrong."),
    "look <here>",
    "equation (3)",
    'check("dW", T=3)',
)


def test_as_text() -> None:
    text = layout.as_text(FEEDBACK)
    assert all(len(line) <= layout.WIDTH and line == line.rstrip() for line in text.splitlines())
    assert text.endswith("      · ░\n      ▒ ▓\n      ▓ █\n  All but one are wrong.")
    assert "T =\n" not in text
    assert re.search(r'\n  see it again +check\("dW", T=3\)\n', text)
    assert layout.as_text(Feedback("All right.")) == "All right."


def test_as_html_says_the_same_without_relying_on_colour() -> None:
    html = layout.as_html(FEEDBACK)
    tree = html5lib.HTMLParser(strict=True).parseFragment(html)
    shown = " ".join("".join(tree.itertext()).split())
    for text in (FEEDBACK.symptom, FEEDBACK.map.sentence, "<b>&", "look <here>", "equation (3)", 'check("dW", T=3)'):
        assert text in shown
    for word in ("· exact", "░ 5e-05", "▒ 0.005", "▓ 0.3", "█ inf"):  # each entry in words, whatever its colour
        assert word in shown
    assert "color:" not in html.replace("color: inherit", "")
    assert 'aria-label="Relative error of each entry of dW"' in html


def test_retold_shows_a_case_in_full() -> None:
    feedback = show_case(make_result(False), {"W": [[1.0, 2.0], [3.0, 4.0]], "h0": [0.123456789]})
    facts = dict(feedback.facts)
    assert facts["W"] == "[[1.0, 2.0],\n [3.0, 4.0]]"
    assert (facts["your dW"], facts["expected"]) == ("[[0.0, 1.0],\n [1.0, 0.0]]", "[[1.0, 0.0],\n [0.0, 1.0]]")
    assert show_case(make_result(True), {}).symptom == "Right in this case: dW."
