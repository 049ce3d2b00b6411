"""How well student code is isolated on this machine, in words for somebody who runs a course and no kernel."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.sandbox.host.levels import ABOUT, SAFE, at_least
from autograder.sandbox.host.probe import Finding, examine

WORDS = (
    ("bubblewrap", "starts a program in a container of its own, in which only chosen folders exist"),
    ("Landlock", "lets a process give up, for good, all files and connections but those it names"),
    ("seccomp", "lets a process give up, for good, most of what it can ask of the kernel"),
)


def show(console: Console) -> None:
    """Examine this machine, and say what it offers."""
    console.print(examination(examine()))


def examination(findings: Sequence[Finding]) -> RenderableType:
    """What was found, strongest level first."""
    level = next(finding.level for finding in findings if finding.works)
    about = ABOUT[level]
    head = Text.assemble(
        "Student code is isolated here at level ", (level, "bold"), f": {about.title}.\n{about.promise}"
    )
    return Group(head, _table(findings), *_advice(findings), _glossary())


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("level", "what it is", "here"):
        table.add_column(column)
    for finding in findings:
        here = Text("works", "green") if finding.works else Text(f"no: {finding.reason}", "yellow")
        table.add_row(finding.level, ABOUT[finding.level].title, here)
    return table


def _advice(findings: Sequence[Finding]) -> list[RenderableType]:
    missing = [finding for finding in findings if not finding.works and finding.advice]
    best = next(finding.level for finding in findings if finding.works)
    stronger = [finding for finding in missing if at_least(finding.level, best)]
    if not stronger:
        return []
    need = "To grade work that you do not trust, reach" if not at_least(best, SAFE) else "To reach"
    lines = [Padding(Text(f"{need} level {f.level}: {f.advice}"), (0, 0, 1, 0)) for f in stronger]
    return list(lines)


def _glossary() -> RenderableType:
    return Text("\n".join(f"{word} {meaning}." for word, meaning in WORDS), "dim")
