"""The options --format, --output and --report, and writing reports as they say."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autograder.commands import common
from autograder.formats import FORMATS, Format

if TYPE_CHECKING:
    from autograder.evaluation.report import Report

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
Command = TypeVar("Command", bound=Callable[..., Any])
ReportTarget = tuple[Format, Path]


class _ReportTargetType(click.ParamType[Any]):
    """The type of an option FORMAT=PATH: a format, and a path in a folder that exists."""

    name = "FORMAT=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ReportTarget:
        name, equals, path = str(value).partition("=")
        if name not in FORMATS or not equals or not path:
            self.fail(f"{value!r} is not FORMAT=PATH with one of {', '.join(FORMATS)}.", param, ctx)
        folder = path if path.endswith("/") else Path(path).parent
        if not Path(path).is_dir() and not Path(folder).is_dir():
            self.fail(f"there is no folder {folder}: make it first.", param, ctx)
        return FORMATS[name], Path(path)


def format_option(default: str | None) -> Callable[[Command], Command]:
    """Return the option --format; without a default, nothing is written to stdout unless it is given."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMATS)),
        default=default,
        show_default=True,
        metavar="FORMAT",
        help=f"What to write to stdout: {', '.join(FORMATS)}.",
    )


output_option = click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file instead of stdout.",
)
report_option = click.option(
    "--report",
    "targets",
    type=_ReportTargetType(),
    multiple=True,
    help="Write this report, too, such as junit=out.xml; may be repeated. "
    "A PATH that is a folder gets a file for each submission.",
)


def check_targets(format_name: str | None, targets: Sequence[ReportTarget], submission_count: int) -> None:
    """Refuse several submissions for a format that holds a single one, unless it goes to a folder."""
    formats = [report_format for report_format, path in targets if not path.is_dir()]
    if format_name:
        formats.append(FORMATS[format_name])
    single_names = [report_format.name for report_format in formats if report_format.scope == "one"]
    if submission_count > 1 and single_names:
        name = single_names[0]
        raise common.CommandError(
            f"A {name} report holds one submission, and there are {submission_count}: "
            f"give a folder for it, such as --report {name}=reports/."
        )


def write_reports(
    reports: Sequence[Report],
    format_name: str | None,
    output: Path | None,
    targets: Sequence[ReportTarget],
    assignment: str,
    **gradescope_options: Any,
) -> None:
    """Write every target, then stdout or `output` if a format is named. `gradescope_options` go to that format alone.

    `assignment` is what a gradebook calls the exercise.

    A file that cannot be written does not keep the others from being written. Raises CommandError at the end then.
    """
    failed: list[str] = []
    title = {"title": assignment}
    options = {"gradescope": gradescope_options, "canvas": title, "moodle": title}
    if format_name and output:
        targets = [*targets, (FORMATS[format_name], output)]
    for report_format, path in targets:
        with _collect_error(failed, path):
            _write_target(reports, report_format, path, options.get(report_format.name, {}))
    if "github" in (format_name, *(report_format.name for report_format, _ in targets)):
        # Whoever writes annotations for GitHub Actions also gets the summary of the step.
        with _collect_error(failed, f"The summary {os.environ.get(SUMMARY_VARIABLE)}"):
            _append_summary(reports)
    if format_name and not output:
        _print_reports(reports, FORMATS[format_name], options.get(format_name, {}))
    if failed:
        raise common.CommandError(" ".join(failed), common.GRADER_ERROR)


@contextmanager
def _collect_error(failed: list[str], file: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        failed.append(f"{file} cannot be written: {error.strerror}.")


def _print_reports(reports: Sequence[Report], report_format: Format, options: dict[str, Any]) -> None:
    if report_format.name != "text" or not sys.stdout.isatty():
        common.write_rendered(report_format.render(reports, **options))
        return
    # late: rich, 90 ms
    from rich.console import Console

    from autograder.formats import text

    text.print_reports(reports, Console())


def _write_target(reports: Sequence[Report], report_format: Format, path: Path, options: dict[str, Any]) -> None:
    if not path.is_dir():
        path.write_text(report_format.render(reports, **options), encoding="utf-8")
        return
    used_names: set[str] = set()
    for report in reports:
        name = _unique_file_name(report.submission, used_names) + report_format.suffix
        (path / name).write_text(report_format.render([report], **options), encoding="utf-8")


def _unique_file_name(submission: str, used_names: set[str]) -> str:
    """Return a name for the file of a submission that differs from all others, whatever their case."""
    plain = re.sub(r"[^\w.-]+", "_", submission).strip("._")[:100] or "submission"
    name, count = plain, 1
    while name.casefold() in used_names:
        count += 1
        name = f"{plain}_{count}"
    used_names.add(name.casefold())
    return name


def _append_summary(reports: Sequence[Report]) -> None:
    if not (file := os.environ.get(SUMMARY_VARIABLE)):
        return
    # late: the report, 60 ms
    from autograder.formats.hosts import github

    existing_bytes = Path(file).stat().st_size if Path(file).exists() else 0
    with Path(file).open("a", encoding="utf-8") as summary:
        summary.write(github.render_summary(reports, github.MAX_SUMMARY_BYTES - existing_bytes))
