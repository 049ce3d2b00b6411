"""Report how well this machine isolates student code, for readers who run a course and know no kernel."""

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
    """Probe this machine and print what it offers."""
    console.print(render_probes(probe_levels()))


def render_probes(probes: Sequence[LevelProbe]) -> RenderableType:
    """Render probes, strongest level first: the level in use, a table of all, and how to reach a stronger one."""
    best = next(probe for probe in probes if probe.works)
    info = LEVEL_INFO[best.level]
    level = (best.level, "bold")
    head = Text.assemble("Student code is isolated here at level ", level, f": {info.title}.\n{info.promise}")
    glossary = Text("\n".join(f"{word} {meaning}." for word, meaning in GLOSSARY), "dim")
    return Group(head, _levels_table(probes), *_advice(probes, best), glossary)


def _levels_table(probes: Sequence[LevelProbe]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("level", "what it is", "here"):
        table.add_column(column)
    for probe in probes:
        status = Text("works", "green") if probe.works else Text(f"no: {probe.reason}", "yellow")
        table.add_row(probe.level, LEVEL_INFO[probe.level].title, status)
    return table


def _advice(probes: Sequence[LevelProbe], best: LevelProbe) -> list[RenderableType]:
    # Advice on a level weaker than the one in use would gain nothing.
    missing = [probe for probe in probes if not probe.works and probe.advice and at_least(probe.level, best.level)]
    need = "To reach" if at_least(best.level, MIN_SECURE_LEVEL) else "To grade work that you do not trust, reach"
    return [Padding(Text(f"{need} level {probe.level}: {probe.advice}"), (0, 0, 1, 0)) for probe in missing]
