"""How many submissions a second the jail grades, compared with the floor and with a fresh Python.

    python tests/benchmarks/bench_jail.py [--rounds N] [--seconds S]

Two workers (processes) run the same submission again and again: four functions of back-propagation through time, 30
calls together, T = 20 steps, H = 8 hidden units. The variants take turns, so that a machine that gets busy or hot
slows them all. README.md has figures and says what they mean.
"""

from __future__ import annotations

import argparse
import functools
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for `tests`, which a script in a sub-folder does not find

import numpy as np

from autograder.course import Level, Limits
from autograder.sandbox.guest import heap_fill, stub_modules
from autograder.sandbox.guest.student_module import StudentModule, SupportModules
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.program import Batch, Call, Program, Returned
from autograder.submission.script import parse_script
from tests.benchmarks.tally import Tally, cpu_seconds

SUBMISSION = ROOT / "tests" / "submissions" / "class" / "perfect" / "rnn_backprop.py"
NETWORK = ROOT / "solutions" / "rnn_backprop" / "network.py"
WORKERS = 2
T, H, D, K = 20, 8, 5, 4
CALLS = {"forward": 9, "dJ_dV": 7, "dJ_dW": 7, "dJ_dU": 7}
GRADIENT = ("net", "x", "y", "h", "y_hat")
ARGUMENTS = {"forward": ("net", "x", "h0"), "dJ_dV": GRADIENT, "dJ_dW": GRADIENT, "dJ_dU": GRADIENT}
NAMES = {"g1": "tanh", "g2": "softmax", "loss": "cross_entropy"}
Grade = Callable[[], None]


def arrays() -> Mapping[str, np.ndarray]:
    """Return the case of all calls."""
    rng = np.random.default_rng(0)
    shapes = {"U": (H, D), "W": (H, H), "V": (K, H), "b_h": (H,), "b_y": (K,), "x": (T, D), "h0": (H,)}
    case = {name: rng.normal(scale=0.3, size=shape) for name, shape in shapes.items()}
    return {
        **case,
        "y": np.eye(K)[rng.integers(K, size=T)],
        "h": np.tanh(rng.normal(size=(T + 1, H))),
        "y_hat": np.full((T, K), 1 / K),
    }


@contextmanager
def jail(level: Level) -> Iterator[Grade]:
    """The jail, as grading uses it."""
    cells = tuple(cell.runnable for cell in parse_script(SUBMISSION.read_text(encoding="utf-8")))
    support = {"network": NETWORK.read_text(encoding="utf-8")}
    program = Program("rnn_backprop", cells, support, ARGUMENTS, {"forward": 2})
    case = arrays()
    batches = [Batch(name, (Call(case, NAMES),) * calls) for name, calls in CALLS.items()]
    with Jail(level) as opened:

        def grade() -> None:
            execution = opened.run(program, batches, Limits())
            assert not execution.problems
            assert all(isinstance(call, Returned) for calls in execution.outcomes.values() for call in calls)

        grade()  # starts the zygote
        yield grade


@contextmanager
def floor(*, loaded: bool) -> Iterator[Grade]:
    """Fork, compute, exit: no limits, no replies. The fork loads the submission, unless it is already `loaded`."""
    stub_modules.install()
    support = SupportModules({"network": NETWORK.read_text(encoding="utf-8")})
    cells = [cell.runnable for cell in parse_script(SUBMISSION.read_text(encoding="utf-8"))]
    case = arrays()

    def load() -> StudentModule:
        module = StudentModule("rnn_backprop")
        for index, cell in enumerate(cells):
            module.run(index, cell.source)
        return module

    loaded_before = load()
    gc.collect()
    _filler = heap_fill.fill_heap_holes()
    gc.freeze()

    def grade() -> None:
        child = os.fork()
        if child == 0:
            module = loaded_before if loaded else load()
            for name, calls in CALLS.items():
                function = module.get(name)
                for _ in range(calls):
                    arguments = support.builder.arguments({key: array.copy() for key, array in case.items()}, NAMES)
                    function(*[arguments[argument] for argument in ARGUMENTS[name]])
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    yield grade


VARIANTS: Mapping[str, Callable[[], AbstractContextManager[Grade]]] = {
    "floor": functools.partial(floor, loaded=False),
    "loaded": functools.partial(floor, loaded=True),
    "A": functools.partial(jail, "A"),
    "B": functools.partial(jail, "B"),
    "D": functools.partial(jail, "D"),
}
TITLES = {
    "floor": "fork + load + 30 calls + exit",
    "loaded": "fork + 30 calls + exit",
    "A": "the jail at level A",
    "B": "the jail at level B",
    "D": "a fresh Python each (level D)",
}


def work(variant: str, pipe: Connection) -> None:
    """Be a worker: for each number of seconds received, grade for so long, and send the count and the CPU seconds."""
    with VARIANTS[variant]() as grade:
        pipe.send("ready")
        while seconds := pipe.recv():
            before, count = cpu_seconds(), 0
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                grade()
                count += 1
            pipe.send((count, cpu_seconds() - before))


def measure(rounds: int, seconds: float) -> dict[str, Tally]:
    """Measure all variants that work here, in turns."""
    context = multiprocessing.get_context("spawn")
    tallies = {}
    pipes = {}
    for variant in VARIANTS:
        pipes[variant] = []
        for _ in range(WORKERS):
            our_end, their_end = context.Pipe()
            context.Process(target=work, args=(variant, their_end), daemon=True).start()
            their_end.close()
            pipes[variant].append(our_end)
        try:
            for pipe in pipes[variant]:
                pipe.recv()
            tallies[variant] = Tally()
        except EOFError:
            print(f"{TITLES[variant]}: does not work here")
    for number in range(rounds):
        for variant in list(tallies)[:: 1 if number % 2 else -1]:
            tally, start = tallies[variant], time.perf_counter()
            for pipe in pipes[variant]:
                pipe.send(seconds)
            for pipe in pipes[variant]:
                count, cpu = pipe.recv()
                tally.submissions += count
                tally.cpu += cpu
            tally.wall += time.perf_counter() - start
    for variant in tallies:
        for pipe in pipes[variant]:
            pipe.send(0)
    return tallies


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each variant in each round")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the floor; the jail does this itself
    tallies = measure(options.rounds, options.seconds)
    print(f"{'':32}{'a second':>10}{'CPU ms each':>14}{'of the floor':>14}{'of fresh':>11}")
    for variant, tally in tallies.items():
        share, times = tally.rate / tallies["floor"].rate, tally.rate / tallies["D"].rate
        print(f"{TITLES[variant]:32}{tally.rate:10.0f}{1000 * tally.cpu_each:14.1f}{share:14.0%}{times:10.1f}x")


if __name__ == "__main__":
    main()
