"""How fast a class is graded: the kit, the floor, bare pytest, nbgrader with its kernels, and otter.

    python tests/benchmarks/bench_class.py                    # some seven minutes
    python tests/benchmarks/bench_class.py --short            # less than two; --help has the details

First, the kit and its floor grade the same 1,600 submissions (right, wrong and crashing), in slices that take turns, so
that a machine that gets busy slows them all; the slow ways grade a sample of every fourth slice. Only the kit gets past
submissions that hang, so these are left out of the comparison; the kit then grades another class with one in fifty of
them. Then one submission is graded from the shell, and `autograder class` grades classes of growing size, with one seed
for all: with two workers, with one, on Dask, and one of them once more, killed halfway and started again. The peak
memory of its main process is measured. The figure is drawn next to README.md, which says what the numbers mean. A line
that begins with "Goal" says what is to be reached.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the floor; the kit does this itself
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for `tests`, which a script in a sub-folder does not find

import psutil

from autograder.classroom.discovery import SubmissionEntry
from autograder.course import find_course
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from tests.benchmarks.tally import Tally, cpu_seconds
from tests.benchmarks.ways import NAME, SEED, WORKERS, Grade, bare_pytest, floor, hand_in, kit, otter, stock_nbgrader

ENVIRONMENT = {**os.environ, "AUTOGRADER_SECRET": "benchmark"}
FAST = ("floor", "seed", "kit")
SLOW_EVERY = 4  # rounds: in the others, the slow ways do not take a turn
LARGEST_HANGING = 400  # submissions in the class with one in fifty that hang
FIGURE = Path(__file__).with_name("class.svg")

TITLES = {
    "floor": "fork + the student's own compute: **the floor**",
    "seed": "the kit, one seed for all",
    "kit": "the kit, a seed for each",
    "pytest": "bare pytest, a process each, no plugins",
    "pytest as it comes": "pytest as it comes, a process each",
    "nbgrader": "nbgrader autograde, stock, kernels",
    "otter": "otter run, no container, a kernel each",
}


def compare(options: argparse.Namespace, exercise: Exercise, folder: Path) -> dict[str, Tally]:
    """Measure every way on slices of the same class, in turns, and the kit on a class with submissions that hang."""
    entries = hand_in(folder / "class", options.submissions)
    wrong = find_wrong_functions(exercise, folder / "before", entries)
    ways: dict[str, AbstractContextManager[Grade]] = {
        "floor": floor(exercise, wrong),
        "seed": kit(exercise, folder / "seed", SEED),
        "kit": kit(exercise, folder / "kit", None),
    }
    if options.pytest:
        ways["pytest"] = bare_pytest(folder / "pytest", options.pytest, plugins=False)
        ways["pytest as it comes"] = bare_pytest(folder / "plugins", options.pytest, plugins=True)
    if options.nbgrader and importlib.util.find_spec("nbgrader"):
        ways["nbgrader"] = stock_nbgrader(folder, options.nbgrader)
    if options.otter and shutil.which("otter"):
        ways["otter"] = otter(folder, options.otter)
    tallies = {way: Tally() for way in ways}
    with ExitStack() as stack:
        grades = {way: stack.enter_context(manager) for way, manager in ways.items()}
        for way in FAST:  # workers start at the first use
            grades[way](entries[: 2 * WORKERS])
        for number in range(options.rounds):
            part = entries[number :: options.rounds]
            turn = list(ways) if number % SLOW_EVERY == 0 else FAST
            for way in turn[:: 1 if (number + number // SLOW_EVERY) % 2 else -1]:
                _spend(tallies[way], grades[way], part)
        tallies["hanging"] = Tally()
        hanging = hand_in(folder / "hanging", min(options.submissions, LARGEST_HANGING), hanging=True)
        _spend(tallies["hanging"], grades["kit"], hanging)
    return tallies


def find_wrong_functions(
    exercise: Exercise, folder: Path, entries: Sequence[SubmissionEntry]
) -> dict[str, tuple[str, ...]]:
    """Return the functions of each submission that the kit runs on the diagnostic cases."""
    with kit(exercise, folder, SEED) as grade:
        grade(entries)
    wrong = {}
    for file in folder.glob("*.json"):
        checks = json.loads(file.read_bytes())["checks"]
        wrong[file.stem] = tuple({check["function"]: None for check in checks if check["feedback"]})
    return wrong


def _spend(tally: Tally, grade: Grade, entries: Sequence[SubmissionEntry]) -> None:
    cpu, start = cpu_seconds(), time.perf_counter()
    tally.submissions += grade(entries)
    tally.wall += time.perf_counter() - start
    tally.cpu += cpu_seconds() - cpu


def print_table(tallies: dict[str, Tally]) -> None:
    """Print the table of the ways, and how many times faster the kit is."""
    floor_tally = tallies["floor"]
    print(f"\n| {'way':47} | submissions | a second | CPU ms each | of the floor (clock) | of the floor (CPU) |")
    print("|:--|--:|--:|--:|--:|--:|")
    for way, title in TITLES.items():
        if way not in tallies:
            print(f"| {title:47} | - | not measured here | | | |")
            continue
        tally = tallies[way]
        print(
            f"| {title:47} | {tally.submissions} | {tally.rate:.2f} | {1000 * tally.cpu_each:.1f} "
            f"| {tally.rate / floor_tally.rate:.1%} | {floor_tally.cpu_each / tally.cpu_each:.1%} |"
        )
    for way in ("kit", "seed"):
        times = [
            f"{tallies[way].rate / tallies[other].rate:.0f} times {other}"
            for other in ("pytest", "pytest as it comes", "nbgrader", "otter")
            if other in tallies
        ]
        print(f"{TITLES[way]}: {', '.join(times) or 'nothing to compare with'}.")
    one, each = tallies["seed"].cpu_each, tallies["kit"].cpu_each
    print(f"Goal, one seed: {floor_tally.cpu_each / one:.0%} of the floor's CPU time (at least 60 %).")
    print(f"Goal, a seed for each: {each / one:.2f} times the CPU time of one seed (at most 1.25).")
    hanging = tallies["hanging"]
    print(f"With one in fifty hanging: {hanging.submissions} in {hanging.wall:.1f} s, {hanging.rate:.0f} a second.")


# --- Classes of growing size ------------------------------------------------------------------------------------------


def grade_from_shell(runs: int) -> None:
    """Print the CPU time of `autograder grade` for one right submission, all of its processes together."""
    command = [sys.executable, "-m", "autograder", "grade", NAME, "tests/submissions/class/perfect"]
    spent = []
    for _ in range(runs):
        before = os.times()
        subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    shortest, median = min(spent), statistics.median(spent)
    print(f"\nGoal, one submission from the shell: {shortest:.2f} to {median:.2f} s of CPU time (under 0.30): ", end="")
    print(f"the shortest of {runs} runs, and the median.", flush=True)


@dataclass(frozen=True)
class Run:
    """A run of the command: seconds, CPU seconds, and the peak memory of its main process in MiB."""

    seconds: float
    cpu: float
    memory: float


def run(folder: Path, results: Path, *arguments: str, kill_at: int = 0) -> Run:
    """Run `autograder class`; kill it once `kill_at` submissions have a result."""
    command = [sys.executable, "-m", "autograder", "class", NAME, str(folder), "--results", str(results), "--quiet"]
    command += ["--seed", str(SEED)]
    start = time.perf_counter()
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        memory = cpu = 0.0
        while process.poll() is None:
            memory = max(memory, _peak(process.pid))
            with suppress(psutil.Error):
                cpu = max(cpu, cpu_seconds(process.pid))
            if kill_at and len(list(results.glob("*.json"))) >= kill_at:
                process.kill()
            time.sleep(0.2)
        errors = process.stderr.read() if process.stderr else ""
    if process.returncode and not kill_at:
        raise SystemExit(f"autograder class ended with {process.returncode}: {errors}")
    return Run(time.perf_counter() - start, cpu, memory)


def _peak(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def scores(results: Path) -> list[dict[str, str]]:
    """Return the rows of scores.csv without the seconds."""
    with (results / "scores.csv").open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def grow(options: argparse.Namespace, folder: Path) -> dict[tuple[int, str], Run]:
    """Run classes of each size with one worker, two, and on Dask; kill and restart one of them."""
    runs: dict[tuple[int, str], Run] = {}
    print("\n| submissions | workers | seconds | a second | CPU s | memory of the main process, MiB |")
    print("|--:|:--|--:|--:|--:|--:|")
    for size in options.sizes:
        class_ = folder / f"class-{size}"
        hand_in(class_, size)
        ways = {"2": ("--jobs", "2")}
        if size <= options.dask:
            ways["2 on Dask"] = ("--jobs", "2", "--engine", "dask")
        if size <= options.single:
            ways["1"] = ("--jobs", "1")
        for way, arguments in ways.items():
            results = folder / f"results-{size}-{way}"
            measured = runs[size, way] = run(class_, results, *arguments)
            columns = (f"{measured.seconds:.1f}", f"{size / measured.seconds:.0f}", f"{measured.cpu:.1f}")
            print(f"| {size} | {way} | {' | '.join(columns)} | {measured.memory:.0f} |", flush=True)
            if scores(results) != scores(folder / f"results-{size}-2"):
                raise SystemExit(f"{size} with {way} workers: the scores are not those of the first run")
    print_goals(runs, folder)
    kill_and_restart(min(options.sizes, key=lambda size: abs(size - options.single)), folder)
    return runs


def print_goals(runs: dict[tuple[int, str], Run], folder: Path) -> None:
    """Print what Dask takes in addition, how memory grows, and digests of the scores, to compare two versions by."""
    print()
    for size, way in runs:
        if way == "2 on Dask":
            local, dask = runs[size, "2"], runs[size, way]
            more = f"{dask.seconds / local.seconds - 1:+.0%} by the clock, {dask.cpu / local.cpu - 1:+.0%} of CPU time"
            print(f"Goal, Dask on {size}: {more} (at most 15 % from 300 on).")
    sizes = sorted(size for size, way in runs if way == "2")
    *_, small, large = [sizes[0], *sizes]
    grown = runs[large, "2"].memory - runs[small, "2"].memory
    print(
        f"Goal, memory of the main process: {grown:+.1f} MiB from {small} to {large} (less than 10 from 1000 to 10000)."
    )
    for size in sizes:
        digest = hashlib.sha256(repr(scores(folder / f"results-{size}-2")).encode()).hexdigest()
        print(f"Scores of {size}, whatever the workers: {digest[:12]}.")


def kill_and_restart(size: int, folder: Path) -> None:
    """Kill a run halfway, start it again, and compare the scores with those of the first run."""
    class_, results = folder / f"class-{size}", folder / "results-killed"
    first = run(class_, results, "--jobs", "2", kill_at=size // 2)
    graded = len(list(results.glob("*.json")))
    second = run(class_, results, "--jobs", "2")
    same = "the same scores" if scores(results) == scores(folder / f"results-{size}-2") else "OTHER SCORES"
    print(f"\nKilled after {first.seconds:.0f} s with {graded} of {size} graded, then {second.seconds:.0f} s: {same}.")
    unchanged = run(class_, results, "--jobs", "2")
    print(f"Started once more, with nothing left to do: {unchanged.seconds:.1f} s.")


# --- The figure -------------------------------------------------------------------------------------------------------


def draw(tallies: dict[str, Tally], runs: dict[tuple[int, str], Run], figure: Path) -> None:
    """Draw both tables, if matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is None:
        print("No figure: matplotlib is not installed.")
        return
    import matplotlib as mpl  # late: 600 ms, and only the long run draws

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "class", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    import matplotlib.pyplot as plt

    drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    measured_ways = [way for way in TITLES if way in tallies]
    left.barh(
        [TITLES[way].replace("**", "") for way in measured_ways],
        [tallies[way].rate for way in measured_ways],
        color="#4878a8",
    )
    left.set(xscale="log", xlabel="submissions a second, two cores")
    left.invert_yaxis()
    for way, marker in (("1", "o"), ("2", "s"), ("2 on Dask", "^")):
        sizes = [size for size, measured_way in runs if measured_way == way]
        middle.plot(sizes, [size / runs[size, way].seconds for size in sizes], marker=marker, label=f"{way} worker(s)")
        right.plot(sizes, [runs[size, way].memory for size in sizes], marker=marker, label=f"{way} worker(s)")
    middle.set(xscale="log", ylim=(0, None), xlabel="submissions in the class", ylabel="a second, start included")
    right.set(xscale="log", ylim=(0, None), xlabel="submissions in the class", ylabel="main process, MiB")
    middle.legend(frameon=False)
    drawing.savefig(figure, metadata={"Date": None})
    print(f"The figure is {figure.relative_to(ROOT) if figure.is_relative_to(ROOT) else figure}.")


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=1600, help="that the kit and its floor grade")
    parser.add_argument("--rounds", type=int, default=16, help="slices of these")
    parser.add_argument("--pytest", type=int, default=10, help="how many of a slice pytest grades; 0 for none")
    parser.add_argument("--nbgrader", type=int, default=5, help="how many of a slice nbgrader grades; 0 for none")
    parser.add_argument("--otter", type=int, default=3, help="how many otter grades, if it is on the path; 0 for none")
    parser.add_argument("--sizes", type=int, nargs="*", default=[300, 1000, 10_000], help="of the classes that grow")
    parser.add_argument("--single", type=int, default=1000, help="largest class for one worker; it is killed, too")
    parser.add_argument("--dask", type=int, default=1000, help="largest class on Dask")
    parser.add_argument("--shell", type=int, default=10, help="runs of one submission from the shell")
    short = "--submissions 50 --rounds 2 --pytest 4 --nbgrader 2 --otter 2 --sizes 100"
    parser.add_argument("--short", action="store_true", help=short)
    parser.add_argument("--figure", type=Path, help=f"where to draw; {FIGURE.name} beside this, unless --short")
    if "--short" in sys.argv:
        parser.set_defaults(submissions=50, rounds=2, pytest=4, nbgrader=2, otter=2, sizes=[100])
    options = parser.parse_args()
    exercise = load_exercise(find_course(ROOT).exercise_folder(NAME))
    with tempfile.TemporaryDirectory() as place:
        tallies = compare(options, exercise, Path(place))
        print_table(tallies)
        grade_from_shell(options.shell)
        runs = grow(options, Path(place)) if options.sizes else {}
    if runs and (options.figure or not options.short):
        draw(tallies, runs, options.figure or FIGURE)


if __name__ == "__main__":
    main()
