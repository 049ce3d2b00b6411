"""The rooms of the engine: which may import which, and the figure of what they really import.

`python -m tests.rooms` draws autograder/rooms.svg anew; tests/unit/test_project.py holds the table and the figure.
"""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "autograder"
FIGURE = PACKAGE / "rooms.svg"

ROOMS: dict[str, set[str]] = {
    "student": set(),
    "course": set(),
    "submission": set(),
    "exercise": {"student", "submission"},
    "sandbox.protocol": set(),
    "sandbox.guest": {"sandbox.protocol"},
    "sandbox.host": {"sandbox.guest", "sandbox.protocol", "course", "exercise", "submission"},
    "evaluation": {"sandbox.host", "course", "exercise", "student", "submission"},
    "feedback": {"evaluation", "sandbox.host", "course", "exercise", "student", "submission"},
    "release": {"exercise", "student", "submission"},
    "grading": {"feedback", "evaluation", "sandbox.host", "course", "exercise", "submission"},
    "formats": {"evaluation", "student", "submission"},
    "classroom": {"grading", "formats", "evaluation", "sandbox.host", "course", "exercise", "submission"},
    "verification": {"classroom", "grading", "formats", "release", "evaluation", "exercise"},
    "bundles": {"grading", "evaluation", "sandbox.guest", "course", "exercise", "submission"},
    "nbgrader": {"grading", "formats", "release", "evaluation", "course", "exercise", "submission"},
    "watch": {
        *("classroom", "nbgrader", "formats", "grading", "feedback", "evaluation", "sandbox.host"),
        *("course", "exercise", "submission"),
    },
    "doctor": {"sandbox.host"},
    "pytest_plugin": {"grading", "evaluation", "course", "exercise"},
    "commands": {
        *("bundles", "classroom", "course", "doctor", "evaluation", "exercise", "formats", "grading", "nbgrader"),
        *("release", "submission", "verification", "watch"),
    },
    "cli": {"commands"},
    "__main__": {"cli"},
}
"""What each room may import, from the ground up: a room stands above every room that it imports."""

SIDES_OF_THE_SANDBOX = ("host", "protocol", "guest")


def room_of(module: str) -> str:
    """Return the room of a module, as ROOMS has it: "sandbox.guest" for sandbox.guest.runner."""
    first, *rest = module.split(".")
    return f"{first}.{rest[0]}" if first == "sandbox" and rest and rest[0] in SIDES_OF_THE_SANDBOX else first


def modules() -> dict[str, Path]:
    """Return the file of each module of the package, by its dotted name below it.

    Without the modules in student/: released into one folder, they find each other there by bare names.
    """
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py" and path.parent != PACKAGE / "student"
    }


def imports(path: Path) -> set[str]:
    """Return everything that a file imports, anywhere in it, as dotted names; `from a import b` gives a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = f"{node.module}." if node.module else ""  # `from . import a` names no module
            found.update(f"{prefix}{alias.name}" for alias in node.names)
    return found


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a module of the package imports, its own included."""
    ours = (name.removeprefix("autograder.") for name in imports(path) if name.startswith("autograder."))
    return {room_of(name) for name in ours if name != "__version__"}


def arrows() -> dict[tuple[str, str], int]:
    """Return for each pair of rooms how many modules of the first import something of the second."""
    counts: dict[tuple[str, str], int] = {}
    for module, path in modules().items():
        for room in imported_rooms(path) - {room_of(module)}:
            counts[room_of(module), room] = counts.get((room_of(module), room), 0) + 1
    return counts


# --- The figure -------------------------------------------------------------------------------------------------------

CELL, LEFT, TOP = 26, 150, 120  # pixels
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #222 }
  .count { font-size: 11px; text-anchor: middle; fill: #fff }
  .row { text-anchor: end }
  .grid { stroke: #ddd }
  .own { fill: #ddd }
  .import { fill: #1f6feb }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .grid { stroke: #444 } .own { fill: #444 } .import { fill: #388bfd } .count { fill: #fff }
  }
"""


def figure() -> str:
    """Return the matrix of imports as SVG: a row for each room, a number in the column of each that it imports.

    Rows and columns go from the top of the house to its ground, so all numbers lie to the right of the diagonal.
    """
    rooms = [*reversed(ROOMS)]
    size = CELL * len(rooms)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + size + 40} {TOP + size + 10}" role="img">',
        "<title>Which room of autograder/ imports which: every import goes to a room further down.</title>",
        f"<style>{STYLE}</style>",
    ]
    for place, room in enumerate(rooms):
        start = place * CELL
        middle = start + CELL // 2
        parts += [
            f'<line class="grid" x1="{LEFT}" y1="{TOP + start}" x2="{LEFT + size}" y2="{TOP + start}"/>',
            f'<line class="grid" x1="{LEFT + start}" y1="{TOP}" x2="{LEFT + start}" y2="{TOP + size}"/>',
            f'<rect class="own" x="{LEFT + start}" y="{TOP + start}" width="{CELL}" height="{CELL}"/>',
            f'<text class="row" x="{LEFT - 8}" y="{TOP + middle + 4}">{room}</text>',
            f'<text transform="translate({LEFT + middle + 4} {TOP - 8}) rotate(-60)">{room}</text>',
        ]
    for (room, imported), count in sorted(arrows().items()):
        x, y = (LEFT + rooms.index(imported) * CELL + CELL // 2, TOP + rooms.index(room) * CELL + CELL // 2)
        parts.append(
            f'<circle class="import" cx="{x}" cy="{y}" r="10"/><text class="count" x="{x}" y="{y + 4}">{count}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    FIGURE.write_text(figure(), encoding="utf-8")
