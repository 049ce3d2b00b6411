"""Every format: it equals its golden files, its host accepts it, and its points add up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings

from autograder.evaluation.report import Report
from autograder.formats import FORMATS
from tests.formats import samples
from tests.formats.validators import VALIDATORS, validate

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "UPDATE_GOLDEN"  # set it to write the golden files anew, then read what git says has changed
RUNNER = {
    "CLASSROOM": "cs101",
    "ASSIGNMENT": "bptt",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-05-01T12-30-00Z-abc1234",
    "COMMIT_URL": "commit",
    "RELEASE_URL": "release",
    "REVIEW_URL": "review",
}


@pytest.fixture(autouse=True)
def _runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)


def test_every_format_has_a_validator() -> None:
    assert VALIDATORS.keys() == FORMATS.keys()


def golden_cases() -> Iterator[tuple[str, str, list[Report]]]:
    """Yield the format, the name of the golden file and the reports."""
    for name, format in FORMATS.items():
        if name == "html":
            continue  # test_html.py parses it
        if format.scope == "class":
            yield name, f"class{format.suffix}", [*samples.SAMPLES.values(), samples.FAILED]
            continue
        for sample, report in samples.SAMPLES.items():
            yield name, f"{sample}{format.suffix}", [report]
        if format.scope == "any":
            yield name, f"class{format.suffix}", [*samples.SAMPLES.values(), samples.FAILED]


@pytest.mark.parametrize(
    ("name", "file", "reports"), list(golden_cases()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_render_equals_the_golden_file(name: str, file: str, reports: list[Report]) -> None:
    rendered = FORMATS[name].render(reports)
    validate(name, rendered)
    golden = GOLDEN / name / file
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rendered, encoding="utf-8")
    assert rendered == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", [samples.FAILED, samples.HUGE_REPORT], ids=lambda report: report.submission)
def test_failed_and_huge_reports_are_valid(name: str, report: Report) -> None:
    rendered = FORMATS[name].render([report])
    validate(name, rendered)
    assert len(rendered) < 1_000_000 or name in ("text", "json")


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(report=samples.reports())
def test_any_report_is_valid_and_adds_up(name: str, report: Report) -> None:
    numbers = validate(name, FORMATS[name].render([report]))
    if numbers and numbers[1]:  # points may be counted in hundredths, but they are the same share of all
        points = numbers[0] / numbers[1] * Decimal(report.max_score)
        assert abs(points - Decimal(report.score)) < Decimal("0.005")


@pytest.mark.parametrize("name", [name for name, format in FORMATS.items() if format.scope == "any"])
def test_no_report_at_all_is_valid(name: str) -> None:
    validate(name, FORMATS[name].render([]))


def test_a_third_of_a_point_is_never_truncated() -> None:
    checks = samples.make_checks("pass")[:3]
    thirds = tuple(replace(check, points=1 / 3, max_points=1 / 3) for check in checks)
    report = samples.make_report("thirds", thirds)
    assert validate("classroom50", FORMATS["classroom50"].render([report]))[0] == 999_999
    assert validate("gradescope", FORMATS["gradescope"].render([report]))[0] == Decimal("0.999999")


def test_point_scale_is_the_same_for_all_submissions() -> None:
    scales = {
        validate("classroom50", FORMATS["classroom50"].render([report]))[1]
        for report in (samples.PERFECT, samples.MIXED, samples.BLANK)
    }
    assert scales == {Decimal(400)}
