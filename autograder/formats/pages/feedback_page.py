"""Reports as HTML: one file that needs no other, no script and no network, on light and dark screens and on paper.

`render_function` writes the checks of one function for a page that another program makes, such as a notebook's output:
it brings its styles with each element and takes its colours from where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields
from autograder.formats.pages.environment import inline_styles, page_environment

_ENVIRONMENT = page_environment()


@dataclass(frozen=True)
class FunctionGroup:
    """The checks of one function as a page shows them.

    `messages` holds those that are not right by what is said of them, first what to look at; several may share a
    message.
    """

    function: str
    points: float
    max_points: float
    messages: Mapping[str, Sequence[CheckResult]]
    passed: tuple[CheckResult, ...]

    @property
    def share(self) -> float:
        """The part of its points that the function has, from 0 to 1."""
        return min(max(self.points / self.max_points, 0.0), 1.0) if self.max_points else 1.0

    @property
    def first(self) -> CheckResult | None:
        """The check to look at first, None if nothing is wrong."""
        return next((checks[0] for checks in self.messages.values()), None)

    @property
    def rank(self) -> int:
        """Where a student should begin: with what is wrong, then with what is not written."""
        return 2 if self.first is None else int(self.first.status == "not_attempted")

    @property
    def summary(self) -> str:
        """The state of the function in words."""
        count = len(self.passed) + sum(map(len, self.messages.values()))
        words = (f"{len(self.passed)} of {count} right", fields.STATUS_LABELS["not_attempted"], "right")
        return words[self.rank]


@dataclass(frozen=True)
class SubmissionPage:
    """One submission, its functions in the order of the rubric."""

    report: Report
    headline: str
    groups: tuple[FunctionGroup, ...]

    @property
    def by_need(self) -> list[FunctionGroup]:
        """The functions in the order in which to look at them; within each rank, that of the rubric."""
        return sorted(self.groups, key=lambda group: group.rank)

    @property
    def first(self) -> CheckResult | None:
        """The check to look at first, None if all are right."""
        return next((group.first for group in self.by_need), None)


def render_function(checks: Sequence[CheckResult]) -> str:
    """Return HTML of the checks of one function: what is said of them, and folded those that are right."""
    template = _ENVIRONMENT.get_template("function.html")
    # Without mathematics: nbgrader's pages keep no MathML.
    helpers = {"look": inline_styles, "text": fields.sanitize_multiline}
    return template.render(group=_function_group(checks), heading="div", **helpers)


def render_page(reports: Sequence[Report], about: Sequence[str] = ()) -> str:
    """Return a page of one submission, or of several after a table. Nothing on it is for instructors only.

    Sentences `about` a single submission stand below its points.
    """
    functions = fields.function_names(reports)
    pages = [_submission_page(report) for report in reports]
    return _ENVIRONMENT.get_template("feedback.html").render(pages=pages, functions=functions, about=about) + "\n"


def render_notice(title: str, sentences: Sequence[str]) -> str:
    """Return a page without a verdict: a title and some sentences."""
    return _ENVIRONMENT.get_template("notice.html").render(title=title, sentences=sentences) + "\n"


render = render_page  # the name that every format has


def _submission_page(report: Report) -> SubmissionPage:
    by_function = fields.group_checks(report.checks, lambda check: check.function)
    return SubmissionPage(report, fields.headline(report), tuple(map(_function_group, by_function.values())))


def _function_group(checks: Sequence[CheckResult]) -> FunctionGroup:
    messages = fields.group_checks(
        (check for check in checks if check.status != "pass"), lambda check: check.statement or check.message
    )
    return FunctionGroup(
        checks[0].function,
        points=sum(check.points for check in checks),
        max_points=sum(check.max_points for check in checks),
        messages=dict(sorted(messages.items(), key=lambda item: _urgency(item[1][0]))),
        passed=tuple(check for check in checks if check.status == "pass"),
    )


def _urgency(check: CheckResult) -> tuple[bool, bool, bool]:
    """Return the lower, the sooner a student should look at a check: one that explains the others comes first."""
    return check.status == "not_attempted", check.feedback is None, check.code in fields.FOLLOWING_CODES
