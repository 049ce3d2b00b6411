"""How long students wait for an answer: `autograder watch` in a burst and for one alone, and two other ways.

    python tests/benchmarks/bench_watch.py                    # some ten minutes; --help has the options

A class hands in within ten seconds: records as `nbgrader submit` makes them, prepared before and moved into the
exchange. Then one student hands in alone, five times. The same class is graded by `autograder class --gradebook
--html`, once before the burst and once after it, since a machine gets slower and faster, and a few of it by stock
nbgrader: collect, autograde, generate_feedback and release_feedback.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for `tests`, which a script in a sub-folder does not find

from tests import courses
from tests.classroom.generated_class import random_submissions
from tests.courses import NAME
from tests.in_process import exercise
from tests.watch.exchange import Exchange, finish

BURST_SECONDS = 10.0


def prepare(folder: Path, count: int) -> dict[str, Path]:
    """Write a notebook for each student, and return them."""
    notebooks = {}
    folder.mkdir()
    for submission in random_submissions(exercise(), count):
        script = folder / f"{submission.student}.py"
        script.write_text(submission.text, encoding="utf-8")
        notebooks[submission.student] = script.with_suffix(".ipynb")
        notebooks[submission.student].write_text(json.dumps(courses.notebook_from_script(script)), encoding="utf-8")
    return notebooks


def course_with_exchange(course: Path) -> Exchange:
    """Let a course use an exchange beside it."""
    exchange = Exchange(course.parent / f"{course.name}-exchange", "stock" if course.name == "stock" else "rnn")
    exchange.inbound.mkdir(parents=True)
    exchange.root.chmod(0o777)
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f'\nc.Exchange.root = "{exchange.root}"\n')
    return exchange


def record_of(exchange: Exchange, student: str, notebook: Path, second: int = 0) -> Path:
    """Hand in a notebook."""
    record = exchange.submit(student, second=second, finished=False)
    (record / f"{NAME}.py").unlink()
    shutil.copy(notebook, record / f"{NAME}.ipynb")
    finish(record)
    return record


def measure_burst(course: Path, notebooks: dict[str, Path]) -> tuple[float, list[float]]:
    """Return the seconds from the first submission to the last answer, and how long each of five waited alone."""
    exchange = course_with_exchange(course)
    inbound = exchange.inbound
    prepared = Exchange(course.parent / "prepared")
    records = [record_of(prepared, student, notebook) for student, notebook in notebooks.items()]
    command = [sys.executable, "-m", "autograder", "watch"]
    with (course.parent / "watch.log").open("w") as log:
        watcher = subprocess.Popen(command, cwd=course, stderr=log, env=courses.clean_environment(course / "home"))
        try:
            for second in range(4):  # its workers start
                wait_for_pages(exchange, [record_of(exchange, "warm", next(iter(notebooks.values())), second)])
            start = time.monotonic()
            moved = []
            for number, record in enumerate(records):
                pause = start + number * BURST_SECONDS / len(records) - time.monotonic()
                time.sleep(max(pause, 0))
                moved.append(record.rename(inbound / record.name))
            wait_for_pages(exchange, moved)
            burst = time.monotonic() - start
            time.sleep(15)  # it records the last of them, and is idle
            alone = []
            for second in range(5):
                begun = time.monotonic()
                wait_for_pages(exchange, [record_of(exchange, f"alone{second}", notebooks["student-00001"], second)])
                alone.append(time.monotonic() - begun)
                time.sleep(2)
        finally:
            watcher.terminate()
            watcher.wait()
    return burst, alone


def wait_for_pages(exchange: Exchange, records: Sequence[Path]) -> None:
    """Wait until all records have a page with a verdict, looking at each until it has."""
    for record in records:
        while " points" not in exchange.page(record):
            time.sleep(0.01)


def measure_class(course: Path, notebooks: dict[str, Path]) -> float:
    """Return the seconds that `autograder class` takes for the same, gradebook and pages included."""
    for student, notebook in notebooks.items():
        folder = course / "submitted" / student / NAME
        folder.mkdir(parents=True)
        shutil.copy(notebook, folder / f"{NAME}.ipynb")
    start = time.monotonic()
    courses.run_module(course, "autograder", "class", NAME, "submitted", "--gradebook", "--html", "--quiet")
    return time.monotonic() - start


def measure_stock(course: Path, notebooks: dict[str, Path]) -> dict[str, float]:
    """Return the seconds that each of nbgrader's own four commands takes."""
    exchange = course_with_exchange(course)
    for student, notebook in notebooks.items():
        record_of(exchange, student, notebook)
    seconds = {}
    for step in ("collect", "autograde", "generate_feedback", "release_feedback"):
        start = time.monotonic()
        courses.run_module(course, "nbgrader", step, NAME)
        seconds[step] = time.monotonic() - start
    return seconds


def format_steps(seconds: dict[str, float]) -> str:
    """Return how long each step took, as a part of a sentence."""
    return ", ".join(f"{step} {value:.1f}" for step, value in seconds.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=500)
    parser.add_argument("--stock", type=int, default=20, help="of them by stock nbgrader; 0 leaves it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebooks = prepare(folder / "class", options.students)
        kit = courses.make_kit_course(folder / "kit")
        for name in ("before", "after"):
            shutil.copytree(kit, folder / name)
        before = measure_class(folder / "before", notebooks)
        burst, alone = measure_burst(kit, notebooks)
        after = measure_class(folder / "after", notebooks)
        print(f"autograder class: {before:.1f} s before the burst, {after:.1f} s after it")
        print(f"autograder watch: {burst:.1f} s, {2 * burst / (before + after):.2f} of that (goal: 1.5)")
        print(f"one alone: median {statistics.median(alone):.2f} s, longest {max(alone):.2f} s (goal: 1)", flush=True)
        if options.stock:
            few = dict(list(notebooks.items())[: options.stock])
            steps = measure_stock(courses.make_stock_course(folder / "stock"), few)
            total = sum(steps.values())
            print(f"nbgrader, {len(few)} of them: {total:.1f} s, {total / len(few):.2f} s each ({format_steps(steps)})")


if __name__ == "__main__":
    main()
