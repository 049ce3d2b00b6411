"""How well student code is isolated on this machine, in words for somebody who runs a course and no kernel."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.sandbox.host.levels import LEVEL_INFO, MIN_SECURE_LEVEL, at_least
from autograder.sandbox.host.probe import LevelProbe, probe_levels

GLOSSARY = (
    ("bubblewrap", "starts a program in a container of its own, in which only chosen folders exist"),
    ("Landlock", "lets a process give up, for good, all files and connections but those it names"),
    ("seccomp", "lets a process give up, for good, most of what it can ask of the kernel"),
)


def print_isolation(console: Console) -> None:
    """Examine this machine, and say what it offers."""
    console.print(render_probes(probe_levels()))


def render_probes(probes: Sequence[LevelProbe]) -> RenderableType:
    """What was found, strongest level first."""
    level = next(finding.level for finding in probes if finding.works)
    level_info = LEVEL_INFO[level]
    head = Text.assemble(
        "Student code is isolated here at level ", (level, "bold"), f": {level_info.title}.\n{level_info.promise}"
    )
    return Group(head, _levels_table(probes), *_advice(probes), _glossary())


def _levels_table(probes: Sequence[LevelProbe]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("level", "what it is", "here"):
        table.add_column(column)
    for probe in probes:
        status = Text("works", "green") if probe.works else Text(f"no: {probe.reason}", "yellow")
        table.add_row(probe.level, LEVEL_INFO[probe.level].title, status)
    return table


def _advice(probes: Sequence[LevelProbe]) -> list[RenderableType]:
    failed_probes = [finding for finding in probes if not finding.works and finding.advice]
    best_level = next(finding.level for finding in probes if finding.works)
    stronger_probes = [finding for finding in failed_probes if at_least(finding.level, best_level)]
    if not stronger_probes:
        return []
    need = "To grade work that you do not trust, reach" if not at_least(best_level, MIN_SECURE_LEVEL) else "To reach"
    lines = [Padding(Text(f"{need} level {f.level}: {f.advice}"), (0, 0, 1, 0)) for f in stronger_probes]
    return list(lines)


def _glossary() -> RenderableType:
    return Text("\n".join(f"{word} {meaning}." for word, meaning in GLOSSARY), "dim")
