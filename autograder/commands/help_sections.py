"""How help is laid out: the commands by who needs them, and the options of a command by what they are about."""

from __future__ import annotations

import click

DOORS = {
    "To begin": ("demo", "doctor"),
    "Instructors (guides: autograder/nbgrader, autograder/classroom)": ("init", "release", "class", "watch", "export"),
    "CI and hosts (guide: autograder/bundles)": ("grade", "bundle"),
    "Authors (guide: solutions)": ("new", "lint", "preview", "verify"),
}
"""The commands by who needs them; a guide is the README.md of its folder."""

OPTION_GROUPS = {
    "Submissions": ("--student", "--from", "--force", "--only-failed"),
    "Grading": ("--seed", "--feedback", "--require-isolation", "--jobs", "--engine", "--scheduler"),
    "Results": ("--results", "--gradebook", "--html", "--dry-run"),
    "Reports": ("--format", "--output", "--report", "--hidden-checks"),
}
"""The options of commands that have many; what stands in no group comes last."""


class CommandsByDoor(click.Group):
    """A group whose help lists its commands under DOORS; click itself has a single list in alphabetical order."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes it
        """Write a section for each door: a line for each command."""
        for door, names in DOORS.items():
            with formatter.section(door):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(80)) for name in names], col_max=10)


class GroupedOptionsCommand(click.Command):
    """A command whose help lists its options under OPTION_GROUPS."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, and one for the options that are in none."""
        options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        records = {option.opts[0]: option.get_help_record(ctx) for option in options}
        lines = {name: record for name, record in records.items() if record}
        groups = [[name for name in names if name in lines] for names in OPTION_GROUPS.values()]
        others = [name for name in lines if not any(name in group for group in groups)]
        for title, names in zip((*OPTION_GROUPS, "Other options"), (*groups, others), strict=True):
            if names:
                with formatter.section(title):
                    formatter.write_dl([lines[name] for name in names])
