"""What `autograder doctor` tells somebody who runs a course and no kernel."""

from __future__ import annotations

from rich.console import Console

from autograder.course import LEVELS, Level
from autograder.doctor import render_probes
from autograder.formats.text import to_plain_text
from autograder.sandbox.host.probe import LevelProbe


def told(*missing: Level) -> str:
    findings = [
        LevelProbe(level, level not in missing, f"{level} is missing", f"Install {level}.")
        if level in missing
        else LevelProbe(level, works=True)
        for level in LEVELS
    ]
    return to_plain_text(lambda console: console.print(render_probes(findings)))


def test_the_strongest_level_and_its_promise_come_first() -> None:
    assert told().startswith("Student code is isolated here at level A: ")
    assert told("A").startswith("Student code is isolated here at level B: ")
    assert "no network" in told()


def test_what_is_missing_is_told_with_its_reason_and_what_to_do() -> None:
    text = told("A", "B", "C")
    for level in "ABC":
        assert f"no: {level} is missing" in text
        assert f"level {level}: Install {level}." in text
    assert "To grade work that you do not trust" in text


def test_nothing_is_asked_for_that_would_bring_nothing() -> None:
    assert "Install C" not in told("C")
    assert "Install" not in told()


def test_strange_words_are_explained() -> None:
    for word in ("bubblewrap", "Landlock", "seccomp"):
        assert word in told()


def test_it_fits_a_narrow_terminal() -> None:
    console = Console(width=80, record=True, color_system=None)
    with console.capture() as capture:
        console.print(render_probes([LevelProbe(level, works=True) for level in LEVELS]))
    assert max(map(len, capture.get().splitlines())) <= 80
