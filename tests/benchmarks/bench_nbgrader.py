"""CPU per submission: nbgrader with its kernels, nbgrader with this kit, and the kit alone into nbgrader's gradebook.

    python tests/benchmarks/bench_nbgrader.py [--submissions N] [--rounds N]

The same notebooks, half of them right and half with a mistake, are graded by three commands, each in a course folder
of its own:

    nbgrader autograde rnn_backprop                         stock: a kernel each, hidden tests in the notebook
    nbgrader autograde rnn_backprop                         with the nbgrader_config.py of this kit
    autograder class rnn_backprop submitted --gradebook     no nbgrader but its gradebook

What counts is the time on the CPU, user and system, of the command and of every process below it, its start included,
divided by the submissions. The commands take turns, in folders that are made anew for each round, so that a
machine that gets busy slows them all. README.md has figures.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for `tests`, which a script in a sub-folder does not find

from tests import courses

NAME = courses.NAME
PR_SET_CHILD_SUBREAPER = 36
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "stock": ("nbgrader", "autograde", NAME),
    "kit": ("nbgrader", "autograde", NAME),
    "class": ("autograder", "class", NAME, "submitted", "--gradebook", "--quiet"),
}
TITLES = {
    "stock": "nbgrader autograde, stock, with kernels",
    "kit": "nbgrader autograde, with the kit",
    "class": "autograder class --gradebook",
}
SECRET = {"AUTOGRADER_SECRET": "the same for all, so that all see the same cases"}
GOALS = {"kit": 0.4, "class": 0.1}


@dataclass
class Spent:
    """Seconds of a command over all rounds so far: CPU time and wall-clock time."""

    cpu: float = 0.0
    wall: float = 0.0


def scripts(count: int) -> Iterator[Path]:
    """Yield submissions that run to their end, alternately right and with one mistake."""
    right = sorted((ROOT / "solutions" / NAME / "honest").glob("*.py"))
    wrong = sorted((ROOT / "tests" / "submissions" / "mistakes").glob(f"*/{NAME}.py"))
    for number in range(count):
        files = wrong if number % 2 else right
        yield files[number * len(files) // count]


def hand_in(course: Path, count: int) -> None:
    """Fill submitted/ of a course."""
    for number, script in enumerate(scripts(count)):
        folder = course / "submitted" / f"student{number:03}" / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(json.dumps(courses.notebook_from_script(script)), encoding="utf-8")


def spend(course: Path, command: str) -> Spent:
    """Run a command in a course folder; return the time of it and of all processes below it."""
    module, *arguments = COMMANDS[command]
    before, start = _children(), time.perf_counter()
    completed = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=course,
        env=courses.clean_environment(courses.home_folder(course)) | SECRET,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    if completed.returncode:
        output = f"{completed.stdout[-500:]}\n{completed.stderr[-3000:]}"
        raise SystemExit(f"{TITLES[command]} ended with {completed.returncode}:\n{output}")
    _reap()
    return Spent(_children() - before, wall)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    """Become the parent of orphaned processes, so that their CPU time is counted when they are reaped."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def measure(folder: Path, count: int, rounds: int) -> dict[str, Spent]:
    """Run all commands on the same submissions, in turns."""
    templates = {"stock": courses.make_stock_course(folder / "stock"), "kit": courses.make_kit_course(folder / "kit")}
    for course in templates.values():
        hand_in(course, count)
    spent = {command: Spent() for command in COMMANDS}
    for number in range(rounds):
        points = {}
        for command in list(COMMANDS)[:: 1 if number % 2 else -1]:
            course = folder / f"{command}-{number}"
            shutil.copytree(templates.get(command, templates["kit"]), course)
            run = spend(course, command)
            spent[command].cpu += run.cpu
            spent[command].wall += run.wall
            points[command] = courses.points_by_student(course)
            shutil.rmtree(course)
        if points["kit"] != points["class"] or len(points["stock"]) != count:
            raise SystemExit(f"They do not agree: {points}")
    return spent


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    _adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        spent = measure(Path(folder), options.submissions, options.rounds)
    graded = options.submissions * options.rounds
    stock = spent["stock"].cpu
    print(f"{'':42}{'CPU s each':>12}{'s each':>9}{'of stock':>11}{'goal':>8}")
    for command, used in spent.items():
        goal = f"{GOALS[command]:8}" if command in GOALS else ""
        print(f"{TITLES[command]:42}{used.cpu / graded:12.3f}{used.wall / graded:9.3f}{used.cpu / stock:11.2f}{goal}")


if __name__ == "__main__":
    main()
