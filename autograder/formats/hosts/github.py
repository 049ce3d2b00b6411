"""GitHub Actions: workflow commands that become annotations, and the summary of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from autograder.evaluation.report import Report
from autograder.formats import fields, markdown

MAX_ANNOTATIONS = 10  # of a kind in a step: GitHub drops the rest without a word
MAX_SUMMARY_BYTES = 1024 * 1024
MAX_ANNOTATION_LENGTH, MAX_TITLE_LENGTH = 1000, 200
_MESSAGE_SYNTAX = "%\r\n"  # what a message must escape; a property escapes : and , as well


def render(reports: Sequence[Report]) -> str:
    """Return a line per annotation: the failing functions of one submission, or those of several without a verdict."""
    errors = [line for report in reports for line in _errors(report, single=len(reports) == 1)]
    if len(errors) > MAX_ANNOTATIONS:
        omitted = len(errors) - MAX_ANNOTATIONS + 1
        rest = _command("error", "More", f"{omitted} more are not shown here; the summary of the job holds them all.")
        errors = [*errors[: MAX_ANNOTATIONS - 1], rest]
    return "".join(f"{line}\n" for line in (*errors, _notice(reports)))


def render_summary(reports: Sequence[Report], max_bytes: int = MAX_SUMMARY_BYTES) -> str:
    """Return the reports as Markdown of at most `max_bytes` bytes: with shorter messages, if need be fewer lines."""
    text = fields.fit_to_bytes(lambda max_length: markdown.render(reports, max_length), max_bytes)
    if len(text.encode()) <= max_bytes:
        return text
    # A character of several bytes may be cut in two, and half a row would spoil its table: cut back to a whole line.
    end = "\n\nMore does not fit here.\n"
    truncated = text.encode()[: max(0, max_bytes - len(end))].decode(errors="ignore")
    return truncated[: truncated.rfind("\n") + 1].rstrip() + end if max_bytes > len(end) else ""


def _errors(report: Report, *, single: bool) -> Iterator[str]:
    name = fields.sanitize_multiline(report.submission, MAX_TITLE_LENGTH)
    if report.status != "graded":
        yield _command("error", f"{name}: {report.status}", fields.headline(report, staff=True))
    elif single:
        # GitHub shows an annotation beside the code if its file is in the repository.
        file = report.submission if PurePath(report.submission).suffix in (".py", ".ipynb") else ""
        for function, checks in fields.group_checks(fields.failing_checks(report), lambda c: c.function).items():
            count = sum(check.function == function for check in report.checks)
            message = f"{checks[0].title}\n\n{checks[0].message}"
            yield _command("error", f"{function}: {len(checks)} of {count} checks do not pass", message, file)


def _notice(reports: Sequence[Report]) -> str:
    if len(reports) == 1:
        name = fields.sanitize_multiline(reports[0].submission, MAX_TITLE_LENGTH)
        return _command("notice", name, fields.headline(reports[0]))
    graded = sum(report.status == "graded" for report in reports)
    return _command("notice", "autograder", f"Graded {graded} of {len(reports)} submissions.")


def _command(kind: str, title: str, message: str, file: str = "") -> str:
    title = fields.sanitize_multiline(title, MAX_TITLE_LENGTH) or "autograder"
    values = {"file": fields.sanitize_multiline(file), "title": title}
    properties = ",".join(f"{name}={_escape(value, _MESSAGE_SYNTAX + ':,')}" for name, value in values.items() if value)
    message = fields.sanitize_multiline(message, MAX_ANNOTATION_LENGTH)
    return f"::{kind} {properties}::{_escape(message, _MESSAGE_SYNTAX)}"


def _escape(text: str, characters: str) -> str:
    return "".join(f"%{ord(character):02X}" if character in characters else character for character in text)
