"""Describes the levels of isolation, strongest first. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course import LEVELS, Level

MIN_SECURE_LEVEL: Level = "B"
"""The weakest level that holds against code that tries to cheat."""


class JailError(Exception):
    """Raised if student code cannot be run, for a reason that is not its fault: a phrase without a full stop."""


@dataclass(frozen=True)
class LevelInfo:
    """A level in words: what it is made of, and what it promises, as one sentence."""

    title: str
    promise: str


LEVEL_INFO: dict[Level, LevelInfo] = {
    "A": LevelInfo(
        "a sealed process in a container of its own",
        "Student code can reach nothing but its own memory: no file but Python's own, not even the names of others, "
        "no network, no other process.",
    ),
    "B": LevelInfo(
        "a sealed process",
        "Student code can read no file but Python's own and write none, and has no network and no other process; "
        "it can find out which files exist and how large they are.",
    ),
    "C": LevelInfo(
        "a fresh process in a container",
        "Student code sees no file but Python's own and an empty folder, and has no network; but it may ask the kernel "
        "for anything, start processes, and fill the disk.",
    ),
    "D": LevelInfo(
        "a fresh process with limits",
        "Honest mistakes do no harm (endless loops, too much memory, crashes); code written to cheat can read "
        "whatever you can read, the solution included.",
    ),
    "E": LevelInfo(
        "a plain process",
        "Endless loops are ended; code written to cheat can read and change whatever you can.",
    ),
}


def at_least(level: Level, required: Level) -> bool:
    """Return whether a level is at least as strong as the required one."""
    return LEVELS.index(level) <= LEVELS.index(required)
