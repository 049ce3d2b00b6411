"""A class, and the ways to grade it: the kit, the floor, bare pytest, nbgrader and otter."""

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
from autograder.course import Limits, find_course
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
# The calls of the floor: those that the rubric asked for on 2026-11-29. They stay, whatever it asks later: with more
# calls on both sides, the kit would come nearer to the floor and be no faster.
_OTHERS = "squared binary relu sigmoid_squared linear"
_GRADIENT = "distinct square ones large slope slope_squared handed_in handed_in_squared"
FLOOR_CASES = {
    "forward": f"contract plain {_OTHERS} start memory one_step distinct square ones",
    "dJ_dV": f"contract plain {_OTHERS} one_step memory {_GRADIENT}",
    "dJ_dW": f"contract one_step plain {_OTHERS} start memory {_GRADIENT}",
    "dJ_dU": f"contract one_step plain {_OTHERS} start memory {_GRADIENT}",
}
FLOOR_REPEATS = 2  # of the first call, as in a contract
FLOOR_DIAGNOSTIC_CASES = 33  # for a function with wrong numbers


# --- The class --------------------------------------------------------------------------------------------------------


def samples(kind: str) -> list[Path]:
    """Return the scripts of real submissions of one kind."""
    patterns = {
        "right": ["class/perfect", "honest/*"],
        "wrong": ["class/transposed_W", "class/truncated_bptt", "mistakes/*"],
        "crashing": ["class/crashing", "bad_input/crash", "bad_input/endless_recursion", "bad_input/syntax_error"],
        "hanging": ["class/hanging"],
    }
    return [path for pattern in patterns[kind] for path in sorted(SAMPLES.glob(f"{pattern}/{NAME}.py"))]


def hand_in(folder: Path, count: int, *, hanging: bool = False) -> list[SubmissionEntry]:
    """Write a class of `count` submissions, the same every time; no two texts are equal, so each has its own cases."""
    rng, kinds = random.Random(SEED), [kind for kind in FIFTY if hanging or kind != "hanging"]
    rng.shuffle(kinds)
    scripts = {kind: samples(kind) for kind in KINDS}
    entries = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        student = folder / f"{kind}-{number:06}"
        student.mkdir(parents=True)
        text = rng.choice(scripts[kind]).read_bytes()
        (student / f"{NAME}.py").write_bytes(text + f"\n# {number} {rng.random()}\n".encode())
        entries.append(SubmissionEntry(student.name, folder, student.name))
    return entries


# --- The ways to grade it ---------------------------------------------------------------------------------------------

Grade = Callable[[Sequence[SubmissionEntry]], int]
"""Grades a slice of the class, or a sample of it, and returns how many it graded."""


@contextmanager
def kit(exercise: Exercise, folder: Path, seed: int | None) -> Iterator[Grade]:
    """The workers of `autograder class`, and its results folder."""
    config = GradingConfig(find_course(ROOT).limits, "E", b"benchmark", seed)
    workers, columns = LocalWorkers(WORKERS, [exercise], config, print), columns_for(exercise)
    with workers as engine, ResultStore(folder, columns) as store:

        def grade(entries: Sequence[SubmissionEntry]) -> int:
            count = 0
            tasks = (Task(entry, compute_submission_key(entry, b""), exercise.name) for entry in entries)
            for result in engine.run(tasks, lambda: None):
                store.save(result)
                count += 1
            return count

        yield grade


@contextmanager
def floor(exercise: Exercise, wrong: Mapping[str, tuple[str, ...]]) -> Iterator[Grade]:
    """Fork, run the submission, make the calls of FLOOR_CASES, exit: no limits, no replies, no evaluation.

    As in the kit, the same fork also calls functions that are `wrong` on the diagnostic cases.
    """
    context = multiprocessing.get_context("fork")
    pipes = []
    for _ in range(WORKERS):
        our_end, their_end = context.Pipe()
        context.Process(target=_serve_forks, args=(their_end, exercise), daemon=True).start()
        pipes.append(our_end)

    def grade(entries: Sequence[SubmissionEntry]) -> int:
        for number, pipe in enumerate(pipes):
            pipe.send([(entry.path, wrong.get(entry.student, ())) for entry in entries[number::WORKERS]])
        return sum(pipe.recv() for pipe in pipes)

    yield grade
    for pipe in pipes:
        pipe.close()


def _serve_forks(pipe: Connection, exercise: Exercise) -> None:
    stub_modules.install()
    support = SupportModules({Path(file).stem: text for file, text in exercise.support_modules.items()})
    calls = _floor_calls(exercise)
    zygote.preload()
    gc.collect()
    _filler = heap_fill.fill_heap_holes()
    gc.freeze()
    with suppress(EOFError):
        while True:
            submissions = pipe.recv()
            for path, wrong in submissions:
                diagnostic = dict.fromkeys(wrong, exercise.diagnostic_cases[:FLOOR_DIAGNOSTIC_CASES])
                # As in the kit, by the process that waits for the fork.
                submission = read_or_refuse(exercise, path, Limits())
                cases = {name: [*calls[name], *diagnostic.get(name, ())] for name in calls}
                _grade_in_fork(submission, support, cases, exercise)
            pipe.send(len(submissions))


def _floor_calls(exercise: Exercise) -> dict[str, list[Case]]:
    """Return the cases on which the floor calls each function."""
    planned = {id: call.case for plan in plan_calls(exercise, SEED) for id, call in plan.cases.items()}
    calls = {name: [planned[f"{name}.{case}"] for case in cases.split()] for name, cases in FLOOR_CASES.items()}
    return {name: [*cases, *cases[:1] * FLOOR_REPEATS] for name, cases in calls.items()}


def _grade_in_fork(
    submission: ReadResult, support: SupportModules, cases: Mapping[str, Sequence[Case]], exercise: Exercise
) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        module = StudentModule(exercise.name)
        for index, cell in enumerate(submission.cells):
            with suppress(BaseException):
                module.run(index, cell.source)
        for function in exercise.functions:
            for case in cases.get(function.name, ()):
                arrays = {name: case.arrays[name].copy() for name in function.arrays if name in case.arrays}
                arguments = support.builder.arguments(arrays, case.names)
                try:
                    module.get(function.name)(*[arguments[name] for name in function.arguments])
                except BaseException:  # noqa: BLE001 - as the kit does, go on with the next function
                    break
    finally:
        os._exit(0)


@contextmanager
def bare_pytest(folder: Path, sample: int, *, plugins: bool) -> Iterator[Grade]:
    """Run the visible checks by pytest, a process each: fewer checks than the rubric has, and no jail.

    With `plugins`, those that are installed here; without, none, not even pytest's own cache.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", f"test_{NAME}.py"]
    if not plugins:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command += ["-p", "no:cacheprovider"]

    def grade_entry(entry: SubmissionEntry) -> None:
        workspace = folder / entry.student
        shutil.copytree(ROOT / "assignments" / NAME, workspace, dirs_exist_ok=True)
        shutil.copy(entry.path / f"{NAME}.py", workspace)
        subprocess.run(command, cwd=workspace, env=environment, capture_output=True)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda entries: len(list(pool.map(grade_entry, entries[:sample])))


@contextmanager
def stock_nbgrader(folder: Path, sample: int) -> Iterator[Grade]:
    """Run `nbgrader autograde` in a course as its guide sets it up: hidden tests in the notebook, a kernel each."""
    course = courses.make_stock_course(folder / "stock")
    shutil.rmtree(course / "submitted", ignore_errors=True)

    def grade(entries: Sequence[SubmissionEntry]) -> int:
        chosen = _without_crashing(entries)[:sample]
        for entry in chosen:
            target = course / "submitted" / entry.student / NAME
            target.mkdir(parents=True)
            notebook = courses.notebook_from_script(entry.path / f"{NAME}.py")
            (target / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        courses.run_module(course, "nbgrader", "autograde", NAME)
        shutil.rmtree(course / "submitted")
        return len(chosen)

    yield grade


@contextmanager
def otter(folder: Path, sample: int) -> Iterator[Grade]:
    """Run `otter run` with hidden tests that hold the reference, in no container: a process and a kernel each."""
    course = courses.make_otter_folder(folder / "otter")

    def grade_entry(entry: SubmissionEntry) -> None:
        target = course / entry.student
        target.mkdir()
        notebook = courses.notebook_from_script(entry.path / f"{NAME}.py")
        (target / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        options = ("-a", "autograder.zip", "-o", entry.student)
        courses.run_otter(course, "run", "--no-logo", *options, f"{entry.student}/{NAME}.ipynb")
        shutil.rmtree(target)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda entries: len(list(pool.map(grade_entry, _without_crashing(entries)[:sample])))


def _without_crashing(entries: Sequence[SubmissionEntry]) -> list[SubmissionEntry]:
    """Return the entries that do not crash: tools that run notebooks in a kernel treat those that do differently."""
    return [entry for entry in entries if entry.student.startswith(("right", "wrong"))]
