"""`autograder doctor`: the level in use, what is missing, and advice."""

from __future__ import annotations

from rich.console import Console

from autograder.course import LEVELS, Level
from autograder.doctor import render_probes
from autograder.formats.text import to_plain_text
from autograder.sandbox.host.probe import LevelProbe


def rendered(*missing: Level) -> str:
    probes = [
        LevelProbe(level, level not in missing, f"{level} is missing", f"Install {level}.")
        if level in missing
        else LevelProbe(level, works=True)
        for level in LEVELS
    ]
    return to_plain_text(lambda console: console.print(render_probes(probes)))


def test_the_strongest_level_and_its_promise_come_first() -> None:
    assert rendered().startswith("Student code is isolated here at level A: ")
    assert rendered("A").startswith("Student code is isolated here at level B: ")
    assert "no network" in rendered()


def test_each_missing_level_has_its_reason_and_advice() -> None:
    text = rendered("A", "B", "C")
    for level in "ABC":
        assert f"no: {level} is missing" in text
        assert f"level {level}: Install {level}." in text
    assert "To grade work that you do not trust" in text


def test_no_advice_on_weaker_levels() -> None:
    assert "Install C" not in rendered("C")
    assert "Install" not in rendered()


def test_technical_words_are_explained() -> None:
    for word in ("bubblewrap", "Landlock", "seccomp"):
        assert word in rendered()


def test_output_fits_a_narrow_terminal() -> None:
    console = Console(width=80, record=True, color_system=None)
    with console.capture() as capture:
        console.print(render_probes([LevelProbe(level, works=True) for level in LEVELS]))
    assert max(map(len, capture.get().splitlines())) <= 80
