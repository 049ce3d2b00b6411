"""A class, and the ways to grade it: the kit, the least that it could cost, bare pytest, nbgrader, and otter."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from autograder.classroom.cache_keys import compute_submission_key
from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import ResultStore, columns_for
from autograder.classroom.tasks import Task
from autograder.course import find_course
from autograder.evaluation.call_plans import plan_calls
from autograder.exercise.model import Case, Exercise
from autograder.grading import GradingConfig, ReadResult, read_or_refuse
from autograder.sandbox.guest import heap_fill, stub_modules, zygote
from autograder.sandbox.guest.student_module import StudentModule, SupportModules
from tests import courses

ROOT = Path(__file__).resolve().parents[2]
NAME = courses.NAME
WORKERS = 2
SAMPLES = ROOT / "tests" / "submissions"
KINDS = ("right", "wrong", "crashing", "hanging")
FIFTY = ("right",) * 20 + ("wrong",) * 20 + ("crashing",) * 9 + ("hanging",)
SEED = 7


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


def hand_in(folder: Path, count: int, *, hanging: bool = False) -> list[SubmissionEntry]:
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
        entries.append(SubmissionEntry(student.name, student))
    return entries


# --- The ways to grade it ---------------------------------------------------------------------------------------------

Grade = Callable[[Sequence[SubmissionEntry]], int]
"""Grades a slice of the class, or a sample of it; how many were graded."""


@contextmanager
def kit(exercise: Exercise, folder: Path, seed: int | None) -> Iterator[Grade]:
    """The workers of `autograder class`, and its results folder."""
    columns = columns_for(exercise)
    terms = GradingConfig(find_course(ROOT).limits, "E", b"benchmark", seed)
    with LocalWorkers(WORKERS, exercise, terms, columns, print) as engine, ResultStore(folder, columns) as store:

        def grade(entries: Sequence[SubmissionEntry]) -> int:
            count = 0
            for result in engine.run(
                (Task(entry, compute_submission_key(entry, b"")) for entry in entries), lambda: None
            ):
                store.save(result)
                count += 1
            return count

        yield grade


@contextmanager
def floor(exercise: Exercise, wrong: Mapping[str, tuple[str, ...]]) -> Iterator[Grade]:
    """Fork, run the submission, make the calls of the rubric, exit: no limit, no message, nobody judges.

    As in the kit, functions that are `wrong` are called on the public ladder, too, by the same fork.
    """
    context = multiprocessing.get_context("fork")
    pipes = []
    for _ in range(WORKERS):
        ours, theirs = context.Pipe()
        context.Process(target=_fork_them, args=(theirs, exercise), daemon=True).start()
        pipes.append(ours)

    def grade(entries: Sequence[SubmissionEntry]) -> int:
        for number, pipe in enumerate(pipes):
            pipe.send([(entry.path, wrong.get(entry.student, ())) for entry in entries[number::WORKERS]])
        return sum(pipe.recv() for pipe in pipes)

    yield grade
    for pipe in pipes:
        pipe.close()


def _fork_them(orders: Connection, exercise: Exercise) -> None:
    stub_modules.install()
    given = SupportModules({Path(file).stem: text for file, text in exercise.support_modules.items()})
    calls = {one.function.name: [posed.case for posed in one.cases.values()] for one in plan_calls(exercise, SEED)}
    calls = {name: [*cases, cases[0], cases[0]] for name, cases in calls.items()}  # again, and later
    zygote.preload()
    gc.collect()
    _taken = heap_fill.fill_heap_holes()
    gc.freeze()
    with suppress(EOFError):
        while True:
            orders_now = orders.recv()
            for path, wrong in orders_now:
                ladder = dict.fromkeys(wrong, exercise.diagnostic_cases)
                work = read_or_refuse(exercise, path)  # in the kit, too, the process that waits for the fork does it
                _fork(work, given, {name: [*calls[name], *ladder.get(name, ())] for name in calls}, exercise)
            orders.send(len(orders_now))


def _fork(work: ReadResult, given: SupportModules, asked: Mapping[str, Sequence[Case]], exercise: Exercise) -> None:
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
def bare_pytest(folder: Path, sample: int, *, plugins: bool) -> Iterator[Grade]:
    """The visible checks by pytest, a process each: fewer checks than the rubric has, and no jail.

    With the `plugins` that are installed here, as it comes; or without any, its own cache included.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", f"test_{NAME}.py"]
    if not plugins:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command += ["-p", "no:cacheprovider"]

    def one(entry: SubmissionEntry) -> None:
        place = folder / entry.student
        shutil.copytree(ROOT / "assignments" / NAME, place, dirs_exist_ok=True)
        shutil.copy(entry.path / f"{NAME}.py", place)
        subprocess.run(command, cwd=place, env=environment, capture_output=True)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda entries: len(list(pool.map(one, entries[:sample])))


@contextmanager
def stock_nbgrader(folder: Path, sample: int) -> Iterator[Grade]:
    """`nbgrader autograde` in a course as its own guide has it: hidden tests in the notebook, a kernel each."""
    course = courses.make_stock_course(folder / "stock")
    shutil.rmtree(course / "submitted", ignore_errors=True)

    def grade(entries: Sequence[SubmissionEntry]) -> int:
        chosen = _that_run(entries)[:sample]
        for entry in chosen:
            place = course / "submitted" / entry.student / NAME
            place.mkdir(parents=True)
            notebook = courses.notebook_from_script(entry.path / f"{NAME}.py")
            (place / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        courses.run_module(course, "nbgrader", "autograde", NAME)
        shutil.rmtree(course / "submitted")
        return len(chosen)

    yield grade


@contextmanager
def otter(folder: Path, sample: int) -> Iterator[Grade]:
    """`otter run` with hidden tests that hold the reference, not in a container: a process and a kernel each."""
    course = courses.make_otter_folder(folder / "otter")

    def one(entry: SubmissionEntry) -> None:
        place = course / entry.student
        place.mkdir()
        notebook = courses.notebook_from_script(entry.path / f"{NAME}.py")
        (place / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        where = ("-a", "autograder.zip", "-o", entry.student)
        courses.run_otter(course, "run", "--no-logo", *where, f"{entry.student}/{NAME}.ipynb")
        shutil.rmtree(place)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda entries: len(list(pool.map(one, _that_run(entries)[:sample])))


def _that_run(entries: Sequence[SubmissionEntry]) -> list[SubmissionEntry]:
    """Those that do not crash: a notebook that does is another matter for those who run it in a kernel."""
    return [entry for entry in entries if entry.student.startswith(("right", "wrong"))]
