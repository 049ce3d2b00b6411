"""JUnit XML: a suite for each submission, a test for each check, points as properties.

A check that did not pass is a failure. An error, as JUnit means it, is a fault of the grader. Readers expect a time
everywhere; a report holds none, so that it is the same each time, and each time is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields

_TIME = "0"
MAX_SUMMARY_LENGTH = 200  # characters of the attribute, which is shown in one line


def render(reports: Sequence[Report]) -> str:
    """Return the reports as one XML document."""
    suites = [_suite(report) for report in reports]
    root = ET.Element("testsuites", name="autograder", time=_TIME)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=fields.sanitize_multiline(report.submission), time=_TIME)
    score, max_score = fields.total(report)
    values = {"score": score, "max_score": max_score, "status": report.status, "seed": report.seed}
    _add_properties(suite, {**values, "isolation": report.isolation})
    cases = [_case(report, check) for check in report.checks] or [_ungraded_case(report)]
    suite.extend(cases)
    if notes := fields.student_notes(report):
        ET.SubElement(suite, "system-out").text = "\n".join(notes)
    for tag in ("failure", "error"):
        suite.set(f"{tag}s", str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("skipped", "0")
    return suite


def _case(report: Report, check: CheckResult) -> ET.Element:
    name = f"{check.id}: {fields.sanitize_multiline(check.title)}"
    case = ET.Element("testcase", classname=f"{report.exercise}.{check.function}", name=name, time=_TIME)
    values = {"points": fields.format_points(check.points), "max_points": fields.format_points(check.max_points)}
    _add_properties(case, {**values, "status": check.status})
    if check.status != "pass":
        _add_failure(case, "failure", fields.STATUS_LABELS[check.status], check.message)
    return case


def _ungraded_case(report: Report) -> ET.Element:
    """Return the one test of a report without checks, because CI services take an empty file for a success."""
    case = ET.Element("testcase", classname=report.exercise, name="The submission", time=_TIME)
    if report.status != "graded":
        tag = "failure" if report.status == "refused" else "error"
        _add_failure(case, tag, report.status, fields.headline(report, staff=True))
    return case


def _add_failure(case: ET.Element, tag: str, kind: str, message: str) -> None:
    text = fields.sanitize_multiline(message)
    first_line = text.split("\n", 1)[0]
    summary = first_line if len(first_line) <= MAX_SUMMARY_LENGTH else f"{first_line[:MAX_SUMMARY_LENGTH]}…"
    ET.SubElement(case, tag, type=kind, message=summary).text = text


def _add_properties(element: ET.Element, values: dict[str, object]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=str(value))
