"""GitHub Actions: workflow commands that become annotations, and the summary of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields, markdown

MOST_ANNOTATIONS = 10  # of a kind in a step: GitHub drops the rest without a word
MOST_SUMMARY_BYTES = 1024 * 1024
LONGEST_MESSAGE, LONGEST_TITLE = 1000, 200


def render(reports: Sequence[Report]) -> str:
    """A line for each annotation: the functions that are wrong in one submission, or who of several has no verdict."""
    errors = [line for report in reports for line in _errors(report, alone=len(reports) == 1)]
    if len(errors) > MOST_ANNOTATIONS:
        more = len(errors) - MOST_ANNOTATIONS + 1
        rest = _command("error", "More", f"{more} more are not shown here; the summary of the job holds them all.")
        errors = [*errors[: MOST_ANNOTATIONS - 1], rest]
    return "".join(f"{line}\n" for line in (*errors, _notice(reports)))


def summary(reports: Sequence[Report], most: int = MOST_SUMMARY_BYTES) -> str:
    """The reports as Markdown of at most `most` bytes: shorter messages first, then fewer lines."""
    text = fields.fitting(lambda longest: markdown.render(reports, longest), most)
    if len(text.encode()) <= most:
        return text
    end = "\n\nMore does not fit here.\n"
    kept = text.encode()[: max(0, most - len(end))].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1].rstrip() + end if most > len(end) else ""


def _errors(report: Report, *, alone: bool) -> Iterator[str]:
    name = fields.readable(report.submission, LONGEST_TITLE)
    if report.status != "graded":
        yield _command("error", f"{name}: {report.status}", fields.headline(report, staff=True))
    elif alone:
        file = report.submission if PurePath(report.submission).suffix in (".py", ".ipynb") else ""
        functions: dict[str, list[CheckResult]] = {}
        for check in fields.failing(report):
            functions.setdefault(check.function, []).append(check)
        for function, checks in functions.items():
            count = sum(check.function == function for check in report.checks)
            said = f"{checks[0].title}\n\n{checks[0].message}"
            yield _command("error", f"{function}: {len(checks)} of {count} checks do not pass", said, file)


def _notice(reports: Sequence[Report]) -> str:
    if len(reports) == 1:
        name = fields.readable(reports[0].submission, LONGEST_TITLE)
        return _command("notice", name, fields.headline(reports[0]))
    graded = sum(report.status == "graded" for report in reports)
    return _command("notice", "autograder", f"Graded {graded} of {len(reports)} submissions.")


def _command(kind: str, title: str, message: str, file: str = "") -> str:
    values = {"file": fields.readable(file), "title": fields.readable(title, LONGEST_TITLE) or "autograder"}
    properties = ",".join(f"{name}={_property(value)}" for name, value in values.items() if value)
    return f"::{kind} {properties}::{_data(fields.readable(message, LONGEST_MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
