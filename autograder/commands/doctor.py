"""autograder doctor: how well student code is isolated here, and what stands in the way of a course on a hub."""

from __future__ import annotations

import sys

import click

from autograder.commands import common


@click.command("doctor", epilog="Example: autograder doctor --hub")
@click.option("--hub", is_flag=True, help="Look at the course of this folder and at nbgrader's exchange instead.")
def command(hub: bool) -> None:
    """Say how well student code is isolated on this machine.

    Tries every level, from the strongest to the weakest; says what it protects against, and, if it does not work, what
    to install or set.

    With --hub, looks for what makes courses fail on a hub: permissions and owners of the exchange and the course, names
    and settings that differ from those of students, the gradebook, the environment of the servers, times. Each finding
    comes with the command that mends it. Run it as the account that grades.

    Exit code 1 when --hub finds something.
    """
    if hub:
        _examine_hub()
        return
    # late: rich and the probes of every level, 145 ms
    from rich.console import Console

    from autograder.doctor import print_isolation

    print_isolation(Console())


def _examine_hub() -> None:
    try:
        # late: sqlalchemy and nbgrader's settings, 730 ms
        from autograder.nbgrader.gradebook.session import GradebookError
        from autograder.nbgrader.hub import examine
    except ModuleNotFoundError as missing:
        raise common.CommandError(f"--hub needs {missing.name}, which comes with nbgrader: install that.") from None
    course = common.open_course()
    with common.translate_errors(GradebookError, exit_code=common.GRADER_ERROR):
        findings = list(examine(course))
    for finding in findings:
        common.say(finding.text)
        common.say(f"    {finding.command}")
    if findings:
        sys.exit(common.GRADER_ERROR)
    common.say("Nothing here stands in the way of this course.")
