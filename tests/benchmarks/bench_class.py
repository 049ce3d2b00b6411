"""How fast a class is graded: the kit beside the least that it could cost, bare pytest, and nbgrader with its kernels.

    python tests/benchmarks/bench_class.py                    # about twelve minutes
    python tests/benchmarks/bench_class.py --short            # less than two; --help has the details

First, the same 200 submissions (right, wrong and crashing ones, one in fifty hanging) are graded in every way there is,
in slices that take turns, so that a machine that gets busy wrongs none of them. Those that hang are left out of what is
compared, since only the kit gets past them in time, and graded by the kit once more by themselves with the rest. Then
`autograder class` grades classes of growing size, with one seed for all: with one worker, with two, on Dask, and the
largest once more killed halfway and started again; the memory of its main process is looked at meanwhile. A figure is
drawn beside README.md, which says what the numbers mean.
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib.util
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the floor; the kit sees to it by itself
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # a script finds what lies beside it, and `tests` lies above

import psutil

from autograder.cases import plan
from autograder.classroom.keys import key_of
from autograder.classroom.roll import Entry
from autograder.classroom.store import Store, columns_of
from autograder.classroom.work import Task
from autograder.classroom.workers import LocalWorkers
from autograder.course import find_course
from autograder.exercise import Case, Exercise
from autograder.grading import Terms, Work, read
from autograder.loading import load_exercise
from autograder.sandbox import standins, zygote
from autograder.sandbox.loading import GivenModules, StudentModule
from tests import courses

NAME = courses.NAME
WORKERS = 2
SAMPLES = ROOT / "tests" / "submissions"
KINDS = ("right", "wrong", "crashing", "hanging")
FIFTY = ("right",) * 20 + ("wrong",) * 20 + ("crashing",) * 9 + ("hanging",)
SEED = 7
FIGURE = Path(__file__).with_name("class.svg")


# --- The class --------------------------------------------------------------------------------------------------------


def samples(kind: str) -> list[Path]:
    """Real submissions of one kind, as scripts."""
    rooms = {
        "right": ["class/perfect", "honest/*"],
        "wrong": ["class/transposed_W", "class/truncated_bptt", "mistakes/*"],
        "crashing": ["class/crashing", "bad_input/crash", "bad_input/endless_recursion", "bad_input/syntax_error"],
        "hanging": ["class/hanging"],
    }
    return [path for room in rooms[kind] for path in sorted(SAMPLES.glob(f"{room}/{NAME}.py"))]


def hand_in(folder: Path, count: int, *, hanging: bool = False) -> list[Entry]:
    """A class of so many, the same every time, each with a text and so with cases of its own."""
    rng, chosen = random.Random(SEED), [kind for kind in FIFTY if hanging or kind != "hanging"]
    rng.shuffle(chosen)
    found = {kind: samples(kind) for kind in KINDS}
    entries = []
    for number in range(count):
        kind = chosen[number % len(chosen)]
        student = folder / f"{kind}-{number:06}"
        student.mkdir(parents=True)
        text = rng.choice(found[kind]).read_bytes()
        (student / f"{NAME}.py").write_bytes(text + f"\n# {number} {rng.random()}\n".encode())
        entries.append(Entry(student.name, student))
    return entries


# --- The ways to grade it ---------------------------------------------------------------------------------------------

Grade = Callable[[Sequence[Entry]], int]
"""Grades a slice of the class, or a sample of it; how many were graded."""


@contextmanager
def kit(exercise: Exercise, folder: Path, seed: int | None) -> Iterator[Grade]:
    """The workers of `autograder class`, and its results folder."""
    columns = columns_of(exercise)
    terms = Terms(find_course(ROOT).limits, "E", b"benchmark", seed)
    with LocalWorkers(WORKERS, exercise, terms, columns, print) as engine, Store(folder, columns) as store:

        def grade(entries: Sequence[Entry]) -> int:
            count = 0
            for result in engine.run((Task(entry, key_of(entry, b"")) for entry in entries), lambda: None):
                store.keep(result)
                count += 1
            return count

        yield grade


@contextmanager
def floor(exercise: Exercise, wrong: Mapping[str, tuple[str, ...]]) -> Iterator[Grade]:
    """Fork, run the submission, make the calls of the rubric, exit: no limit, no message, nobody judges.

    As in the kit, functions that are `wrong` are called on the public ladder by another fork.
    """
    context = multiprocessing.get_context("fork")
    pipes = []
    for _ in range(WORKERS):
        ours, theirs = context.Pipe()
        context.Process(target=_fork_them, args=(theirs, exercise), daemon=True).start()
        pipes.append(ours)

    def grade(entries: Sequence[Entry]) -> int:
        for number, pipe in enumerate(pipes):
            pipe.send([(entry.path, wrong.get(entry.student, ())) for entry in entries[number::WORKERS]])
        return sum(pipe.recv() for pipe in pipes)

    yield grade
    for pipe in pipes:
        pipe.close()


def _fork_them(orders: Connection, exercise: Exercise) -> None:
    standins.install()
    given = GivenModules({Path(file).stem: text for file, text in exercise.given.items()})
    calls = {one.function.name: [posed.case for posed in one.cases.values()] for one in plan(exercise, SEED)}
    calls = {name: [*cases, cases[0], cases[0]] for name, cases in calls.items()}  # again, and later
    zygote.preload()
    gc.collect()
    gc.freeze()
    with suppress(EOFError):
        while True:
            orders_now = orders.recv()
            for path, wrong in orders_now:
                work = read(exercise, path)  # in the kit, too, this is done by the process that waits for the fork
                for asked in (calls, dict.fromkeys(wrong, exercise.ladder)):
                    if asked:
                        _fork(work, given, asked, exercise)
            orders.send(len(orders_now))


def _fork(work: Work, given: GivenModules, asked: Mapping[str, Sequence[Case]], exercise: Exercise) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        module = StudentModule(exercise.name)
        for cell in work.cells:
            with suppress(BaseException):
                module.run(cell.source, cell.label, cell.first_line)
        for function in exercise.functions:
            for case in asked.get(function.name, ()):
                arrays = {name: case.arrays[name].copy() for name in function.arrays if name in case.arrays}
                built = given.builder.arguments(arrays, case.names)
                try:
                    module.get(function.name)(*[built[name] for name in function.arguments])
                except BaseException:  # noqa: BLE001 - as the kit does, go on with the next function
                    break
    finally:
        os._exit(0)


@contextmanager
def bare_pytest(folder: Path, sample: int) -> Iterator[Grade]:
    """The visible checks by pytest, a process each and no plugin: fewer checks than the rubric has, and no jail."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{NAME}.py"]

    def one(entry: Entry) -> None:
        place = folder / entry.student
        shutil.copytree(ROOT / "assignments" / NAME, place, dirs_exist_ok=True)
        shutil.copy(entry.path / f"{NAME}.py", place)
        subprocess.run(command, cwd=place, env=environment, capture_output=True)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda entries: len(list(pool.map(one, entries[:sample])))


@contextmanager
def stock_nbgrader(folder: Path, sample: int) -> Iterator[Grade]:
    """`nbgrader autograde` in a course as its own guide has it: hidden tests in the notebook, a kernel each."""
    course = courses.make_stock(folder / "stock")
    shutil.rmtree(course / "submitted", ignore_errors=True)

    def grade(entries: Sequence[Entry]) -> int:
        chosen = [entry for entry in entries if entry.student.startswith(("right", "wrong"))][:sample]
        for entry in chosen:
            place = course / "submitted" / entry.student / NAME
            place.mkdir(parents=True)
            notebook = courses.as_notebook(entry.path / f"{NAME}.py")
            (place / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        courses.run(course, "nbgrader", "autograde", NAME)
        shutil.rmtree(course / "submitted")
        return len(chosen)

    yield grade


TITLES = {
    "floor": "fork + the student's own compute: **the floor**",
    "seed": "the kit, one seed for all",
    "kit": "the kit, a seed for each",
    "pytest": "bare pytest, a process each",
    "nbgrader": "nbgrader autograde, stock, kernels",
    "otter": "otter-grader",
}


@dataclass
class Tally:
    """What was counted so far: submissions, seconds by the clock, seconds on the CPU of all processes."""

    submissions: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Submissions in a second."""
        return self.submissions / self.wall

    @property
    def cpu_each(self) -> float:
        """Seconds on the CPU for each."""
        return self.cpu / self.submissions


def cpu_seconds() -> float:
    """What this process, and all below it, have used so far."""
    ourselves = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (ourselves, *ourselves.children(recursive=True)))


def compare(options: argparse.Namespace, exercise: Exercise, folder: Path) -> dict[str, Tally]:
    """Every way, on slices of the same class, in turns; and the kit once more with those that hang."""
    entries = hand_in(folder / "class", options.submissions)
    wrong = whose_functions_are_wrong(exercise, folder / "before", entries)
    ways: dict[str, AbstractContextManager[Grade]] = {
        "floor": floor(exercise, wrong),
        "seed": kit(exercise, folder / "seed", SEED),
        "kit": kit(exercise, folder / "kit", None),
    }
    if options.pytest:
        ways["pytest"] = bare_pytest(folder / "pytest", options.pytest)
    if options.nbgrader and importlib.util.find_spec("nbgrader"):
        ways["nbgrader"] = stock_nbgrader(folder, options.nbgrader)
    tallies = {way: Tally() for way in ways}
    with ExitStack() as stack:
        grades = {way: stack.enter_context(manager) for way, manager in ways.items()}
        for way in ("floor", "seed", "kit"):  # what starts at the first use
            grades[way](entries[: 2 * WORKERS])
        for number in range(options.rounds):
            part = entries[number :: options.rounds]
            for way in list(ways)[:: 1 if number % 2 else -1]:
                _spend(tallies[way], grades[way], part)
        tallies["hanging"] = Tally()
        _spend(tallies["hanging"], grades["kit"], hand_in(folder / "hanging", options.submissions, hanging=True))
    return tallies


def whose_functions_are_wrong(exercise: Exercise, folder: Path, entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """The functions of each submission that the kit looks at on the ladder."""
    with kit(exercise, folder, SEED) as grade:
        grade(entries)
    found = {}
    for file in folder.glob("*.json"):
        checks = json.loads(file.read_bytes())["checks"]
        found[file.stem] = tuple({check["function"]: None for check in checks if check["feedback"]})
    return found


def _spend(tally: Tally, grade: Grade, entries: Sequence[Entry]) -> None:
    cpu, start = cpu_seconds(), time.perf_counter()
    tally.submissions += grade(entries)
    tally.wall += time.perf_counter() - start
    tally.cpu += cpu_seconds() - cpu


def tell(tallies: dict[str, Tally]) -> None:
    """The table of the ways."""
    least = tallies["floor"]
    print(f"\n| {'way':47} | submissions | a second | CPU ms each | of the floor (clock) | of the floor (CPU) |")
    print("|:--|--:|--:|--:|--:|--:|")
    for way, title in TITLES.items():
        if way not in tallies:
            print(f"| {title:47} | - | not measured here | | | |")
            continue
        one = tallies[way]
        print(
            f"| {title:47} | {one.submissions} | {one.rate:.2f} | {1000 * one.cpu_each:.1f} "
            f"| {one.rate / least.rate:.1%} | {least.cpu_each / one.cpu_each:.1%} |"
        )
    for way in ("kit", "seed"):
        times = [
            f"{tallies[way].rate / tallies[other].rate:.0f} times {other}"
            for other in ("pytest", "nbgrader")
            if other in tallies
        ]
        print(f"{TITLES[way]}: {', '.join(times) or 'nothing to compare with'}.")
    hanging = tallies["hanging"]
    print(f"With one in fifty hanging: {hanging.submissions} in {hanging.wall:.1f} s, {hanging.rate:.0f} a second.")


# --- Classes of growing size ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """One run of the command: seconds, and the most memory that its main process had, in MiB."""

    seconds: float
    memory: float


def run(folder: Path, results: Path, *arguments: str, kill_at: int = 0) -> Run:
    """`autograder class`, killed once so many have a result, if asked for."""
    command = [sys.executable, "-m", "autograder", "class", NAME, str(folder), "--results", str(results), "--quiet"]
    command += ["--seed", str(SEED)]
    environment = {**os.environ, "AUTOGRADER_SECRET": "benchmark"}
    start = time.perf_counter()
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        memory = 0.0
        while process.poll() is None:
            memory = max(memory, _peak(process.pid))
            if kill_at and len(list(results.glob("*.json"))) >= kill_at:
                process.kill()
            time.sleep(0.2)
        said = process.stderr.read() if process.stderr else ""
    if process.returncode and not kill_at:
        raise SystemExit(f"autograder class ended with {process.returncode}: {said}")
    return Run(time.perf_counter() - start, memory)


def _peak(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def scores(results: Path) -> list[list[str]]:
    """scores.csv, but for the seconds."""
    with (results / "scores.csv").open(encoding="utf-8", newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def grow(options: argparse.Namespace, folder: Path) -> dict[tuple[int, str], Run]:
    """Classes of each size: with one worker, with two, on Dask; the largest killed halfway and started again."""
    runs: dict[tuple[int, str], Run] = {}
    print("\n| submissions | workers | seconds | a second | memory of the main process, MiB |\n|--:|:--|--:|--:|--:|")
    for size in options.sizes:
        class_ = folder / f"class-{size}"
        hand_in(class_, size)
        ways = {"2": ("--jobs", "2")}
        if size <= options.single:
            ways = {"1": ("--jobs", "1"), **ways, "2 on Dask": ("--jobs", "2", "--engine", "dask")}
        for way, arguments in ways.items():
            results = folder / f"results-{size}-{way}"
            one = runs[size, way] = run(class_, results, *arguments)
            print(f"| {size} | {way} | {one.seconds:.1f} | {size / one.seconds:.0f} | {one.memory:.0f} |", flush=True)
            if scores(results) != scores(folder / f"results-{size}-{next(iter(ways))}"):
                raise SystemExit(f"{size} with {way} workers: the scores are not those of the first run")
    size = max(options.sizes)
    results = folder / "results-killed"
    first = run(class_, results, "--jobs", "2", kill_at=size // 2)
    kept = len(list(results.glob("*.json")))
    second = run(class_, results, "--jobs", "2")
    same = "the same scores" if scores(results) == scores(folder / f"results-{size}-2") else "OTHER SCORES"
    print(f"\nKilled after {first.seconds:.0f} s with {kept} of {size} graded, then {second.seconds:.0f} s: {same}.")
    unchanged = run(class_, results, "--jobs", "2")
    print(f"Started once more, with nothing left to do: {unchanged.seconds:.1f} s.")
    return runs


# --- The figure -------------------------------------------------------------------------------------------------------


def draw(tallies: dict[str, Tally], runs: dict[tuple[int, str], Run], figure: Path) -> None:
    """Both tables as pictures, if matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is None:
        print("No figure: matplotlib is not installed.")
        return
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "class", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    import matplotlib.pyplot as plt

    drawing, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    shown = [way for way in TITLES if way in tallies]
    left.barh([TITLES[way].replace("**", "") for way in shown], [tallies[way].rate for way in shown], color="#4878a8")
    left.set(xscale="log", xlabel="submissions a second, two cores")
    left.invert_yaxis()
    for way, marker in (("1", "o"), ("2", "s"), ("2 on Dask", "^")):
        sizes = [size for size, one in runs if one == way]
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
    parser.add_argument("--submissions", type=int, default=200, help="that are graded in every way")
    parser.add_argument("--rounds", type=int, default=4, help="slices of these")
    parser.add_argument("--pytest", type=int, default=10, help="how many of each slice pytest grades; 0 for none")
    parser.add_argument("--nbgrader", type=int, default=5, help="how many of each slice nbgrader grades; 0 for none")
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000], help="of the classes that grow")
    parser.add_argument("--single", type=int, default=1000, help="largest class for one worker, and for Dask")
    short = "--submissions 50 --rounds 2 --pytest 4 --nbgrader 2 --sizes 100"
    parser.add_argument("--short", action="store_true", help=short)
    parser.add_argument("--figure", type=Path, help=f"where to draw; {FIGURE.name} beside this, unless --short")
    if "--short" in sys.argv:
        parser.set_defaults(submissions=50, rounds=2, pytest=4, nbgrader=2, sizes=[100])
    options = parser.parse_args()
    exercise = load_exercise(find_course(ROOT).exercise_folder(NAME))
    with tempfile.TemporaryDirectory() as place:
        tallies = compare(options, exercise, Path(place))
        tell(tallies)
        runs = grow(options, Path(place)) if options.sizes else {}
    if runs and (options.figure or not options.short):
        draw(tallies, runs, options.figure or FIGURE)


if __name__ == "__main__":
    main()
