"""The options that say how reports are written and where, and the writing."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
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
    """FORMAT=PATH, as a format and a path."""

    name = "FORMAT=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ReportTarget:
        name, equals, path = str(value).partition("=")
        if name not in FORMATS or not equals or not path:
            self.fail(f"{value!r} is not FORMAT=PATH with one of {', '.join(FORMATS)}.", param, ctx)
        folder = path.endswith("/") or Path(path).is_dir()
        if not (Path(path) if folder else Path(path).parent).is_dir():
            self.fail(f"there is no folder {path if folder else Path(path).parent}: make it first.", param, ctx)
        return FORMATS[name], Path(path)


def format_option(default: str | None) -> Callable[[Command], Command]:
    """--format; without a default nothing is written to stdout unless it is given."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMATS)),
        default=default,
        show_default=True,
        metavar="FORMAT",
        help=f"What is written to stdout: {', '.join(FORMATS)}.",
    )


output_option = click.option(
    "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write there, not to stdout."
)
report_option = click.option(
    "--report",
    "targets",
    type=_ReportTargetType(),
    multiple=True,
    help="Write this too, such as junit=out.xml; may be given several times. "
    "A PATH that is a folder gets a file for each submission.",
)


def check_targets(format_name: str | None, targets: Sequence[ReportTarget], submission_count: int) -> None:
    """Refuse, before anything is graded, what holds a single submission where there are several."""
    single_formats = [one for one, path in targets if one.scope == "one" and not path.is_dir()]
    if format_name and FORMATS[format_name].scope == "one":
        single_formats.append(FORMATS[format_name])
    if submission_count > 1 and single_formats:
        name = single_formats[0].name
        raise common.CommandError(
            f"A {name} report holds one submission, and there are {submission_count}: "
            f"give a folder for it, such as --report {name}=reports/."
        )


def write_reports(
    reports: Sequence[Report],
    format_name: str | None,
    output: Path | None,
    targets: Sequence[ReportTarget],
    **gradescope_options: Any,
) -> None:
    """Write every target, then stdout or `output` if there is a format for it; `gradescope_options` are Gradescope's own.

    What cannot be written does not keep the rest from being written; it is said at the end. Raises Sentence then.
    """
    failed: list[str] = []
    for report_format, path in targets:
        try:
            _write_target(
                reports, report_format, path, gradescope_options if report_format.name == "gradescope" else {}
            )
        except OSError as error:
            failed.append(f"{path} cannot be written: {error.strerror}.")
    if "github" in (format_name, *(one.name for one, _ in targets)):
        try:
            _append_summary(reports)
        except OSError as error:
            failed.append(f"The summary {os.environ[SUMMARY_VARIABLE]} cannot be written: {error.strerror}.")
    try:
        if format_name:
            _write_output(reports, format_name, output, gradescope_options if format_name == "gradescope" else {})
    except OSError as error:
        if output is None:
            raise
        failed.append(f"{output} cannot be written: {error.strerror}.")
    if failed:
        raise common.CommandError(" ".join(failed), common.GRADER_ERROR)


def _write_output(reports: Sequence[Report], format_name: str, output: Path | None, options: dict[str, Any]) -> None:
    if format_name == "text" and output is None and sys.stdout.isatty():
        from rich.console import Console

        from autograder.formats import text

        text.print_reports(reports, Console())
        return
    rendered = FORMATS[format_name].render(reports, **options)
    if output is None:
        click.echo(rendered, nl=False)
    else:
        output.write_text(rendered, encoding="utf-8")


def _write_target(reports: Sequence[Report], report_format: Format, path: Path, options: dict[str, Any]) -> None:
    if not path.is_dir():
        path.write_text(report_format.render(reports, **options), encoding="utf-8")
        return
    used_names: set[str] = set()
    for report in reports:
        name = _unique_file_name(report.submission, used_names) + report_format.suffix
        (path / name).write_text(report_format.render([report], **options), encoding="utf-8")


def _unique_file_name(submission: str, used_names: set[str]) -> str:
    """A name for the file of a submission, another one for each."""
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
    from autograder.formats.hosts import github

    existing_bytes = Path(file).stat().st_size if Path(file).exists() else 0
    with Path(file).open("a", encoding="utf-8") as summary:
        summary.write(github.render_summary(reports, github.MAX_SUMMARY_BYTES - existing_bytes))
