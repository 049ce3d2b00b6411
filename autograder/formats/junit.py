"""JUnit XML: a suite for each submission, a test for each check, points as properties.

A check that did not pass is a failure; an error is a fault of the grader, as JUnit means it.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields

LONGEST_SUMMARY = 200  # characters of the attribute, which is shown in one line


def render(reports: Sequence[Report]) -> str:
    """The reports as one XML document."""
    suites = [_suite(report) for report in reports]
    root = ET.Element("testsuites", {"name": "autograder", **_sums(suites)})
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(report: Report) -> ET.Element:
    suite = ET.Element("testsuite", name=fields.readable(report.submission))
    score, most = fields.total(report)
    told = {"score": score, "max_score": most, "status": report.status, "seed": report.seed}
    _properties(suite, {name: str(value) for name, value in {**told, "isolation": report.isolation}.items()})
    cases = [_case(report, check) for check in report.checks] or [_without_verdict(report)]
    suite.extend(cases)
    if notes := fields.told(report):
        ET.SubElement(suite, "system-out").text = "\n".join(notes)
    for tag in ("failure", "error"):
        suite.set(f"{tag}s", str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("skipped", "0")
    return suite


def _case(report: Report, check: CheckResult) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=f"{report.exercise}.{check.function}",
        name=f"{check.id}: {fields.readable(check.title)}",
    )
    earned = {"points": fields.points(check.points), "max_points": fields.points(check.max_points)}
    _properties(case, {**earned, "status": check.status})
    if check.status != "pass":
        _wrong(case, "failure", fields.WORDS[check.status], check.message)
    return case


def _without_verdict(report: Report) -> ET.Element:
    """A report without checks is one test, so that nobody takes the file for a success."""
    case = ET.Element("testcase", classname=report.exercise, name="The submission")
    if report.status != "graded":
        tag = "failure" if report.status == "refused" else "error"
        _wrong(case, tag, report.status, fields.headline(report, staff=True))
    return case


def _wrong(case: ET.Element, tag: str, word: str, message: str) -> None:
    text = fields.readable(message)
    first = text.split("\n", 1)[0]
    short = first if len(first) <= LONGEST_SUMMARY else f"{first[:LONGEST_SUMMARY]}…"
    ET.SubElement(case, tag, type=word, message=short).text = text


def _properties(element: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=value)


def _sums(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", "failures", "errors")}
