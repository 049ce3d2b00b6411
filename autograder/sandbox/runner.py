"""Untrusted side: the process in which student code runs. Nothing that it says is believed.

It is sent a program, runs its cells, and then answers batches of calls, one frame per step. What it is sent holds no
expected value, and it imports nothing of the trusted side.

    request                                                     replies
    program module cells given functions memory cpu             (cell index | problem index error text label line)*
                                                                loaded, or failed text before any cell
    batch function steps                                        for each step: returned | unusable | raised | missing
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from autograder.sandbox import answers, frames, standins, words
from autograder.sandbox.loading import StudentModule, import_given

if sys.platform != "win32":
    import resource

FILE_BYTES = 64 << 20  # of one file that student code writes, in a folder that is removed afterwards
MOST_FUNCTIONS = 200  # told when one is missing


def main() -> None:
    """Take over the standard input and output as the channel, and serve until it closes."""
    source, sink = _take_over()
    code = 1
    try:
        serve(source, sink)
    except EOFError:
        code = 0
    finally:
        os._exit(code)  # whatever student code left behind (threads, exit handlers) does not run


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Load the program that comes first, then answer every batch. Ends by EOFError when the channel closes."""
    channel = Channel(source, sink)
    _, name, cells, given, functions, memory, cpu = channel.receive()
    limit(memory, cpu)
    forget_the_kit()
    standins.install()
    try:
        builder = import_given(dict(given))
    except Exception as error:  # noqa: BLE001 - a fault of the course's own files, for the instructor to read
        channel.send("failed", f"{type(error).__name__}: {error}"[: frames.LONGEST_TEXT])
        return
    module = StudentModule(name)
    sys.argv = [""]
    for index, text, label, first_line in cells:
        channel.send("cell", index)
        try:
            module.run(text, label, first_line)
        except BaseException as error:  # noqa: BLE001 - SystemExit and all: the next cell runs
            channel.send("problem", index, *answers.of_error(error, module, label))
    channel.send("loaded")
    bench = Bench(module, builder.arguments, {name: (tuple(names), count) for name, names, count in functions})
    while True:
        _, function, steps = channel.receive()
        bench.answer(function, steps, channel)


@dataclass(frozen=True)
class Channel:
    """Where requests come from and replies go."""

    source: BinaryIO
    sink: BinaryIO

    def receive(self) -> tuple[Any, ...]:
        """The next request; EOFError when there will be none."""
        return frames.unpack(frames.read(self.source, frames.REQUEST_CAP))

    def send(self, *reply: object) -> None:
        """Send one reply. One over the cap tells just that."""
        try:
            frame = frames.pack(reply, frames.REPLY_CAP)
        except frames.FrameError:
            frame = frames.pack(("unusable", None, words.TOO_LARGE), frames.REPLY_CAP)
        self.sink.write(frame)
        self.sink.flush()


@dataclass
class Turn:
    """One step that was made: the case's arrays, the argument objects, the result object and the reply."""

    arrays: dict[str, Any]
    arguments: list[object] = field(default_factory=list)
    result: object = None
    reply: tuple[Any, ...] = ()

    @property
    def returned(self) -> bool:
        """Whether there is a result to look at again."""
        return self.reply[0] in ("returned", "unusable")


@dataclass(frozen=True)
class Bench:
    """Calls the functions of the student's module, with arguments made by the builder."""

    module: StudentModule
    build: Any
    functions: Mapping[str, tuple[tuple[str, ...], int]]

    def answer(self, name: str, steps: tuple[Any, ...], channel: Channel) -> None:
        """Make the steps of one batch, and send a reply after each."""
        function = self.module.get(name)
        if not callable(function):
            for _ in steps:
                channel.send("missing", self.module.functions()[:MOST_FUNCTIONS], name in self.module)
            return
        turns: list[Turn] = []
        for kind, *rest in steps:
            turns.append(self._turn(name, function, kind, rest, turns))
            channel.send(*turns[-1].reply)

    def _turn(self, name: str, function: Any, kind: str, rest: list[Any], turns: list[Turn]) -> Turn:
        arguments, results = self.functions[name]
        earlier = turns[rest[0]] if kind != "call" else None
        turn = Turn(earlier.arrays if earlier else frames.arrays_in(rest[0]))
        try:
            if kind == "recall" and earlier:
                turn.result = earlier.result
                turn.reply = earlier.reply
                if not earlier.returned:
                    return turn
            else:
                turn.arguments = earlier.arguments if earlier else self._fresh(turn.arrays, dict(rest[1]), arguments)
                turn.result = function(*turn.arguments)
            turn.reply = answers.of_result(turn.result, results, turn.arrays)
        except BaseException as error:  # noqa: BLE001 - student code may raise anything
            turn.reply = ("raised", *answers.of_error(error, self.module))
        return turn

    def _fresh(self, arrays: dict[str, Any], names: dict[str, str], arguments: tuple[str, ...]) -> list[object]:
        built = self.build(arrays, names)
        return [built[argument] for argument in arguments]


def limit(memory: int, cpu: int) -> None:
    """Limit this process to so many bytes and CPU seconds, where the platform can. The parent measures more finely."""
    if sys.platform == "win32":
        return
    wanted = {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (FILE_BYTES, FILE_BYTES),
        resource.RLIMIT_CPU: (
            cpu,
            cpu + 5,
        ),  # at the first one a signal of its own, by which the parent knows the reason
    }
    for which, (soft, hard) in wanted.items():
        with suppress(
            ValueError, OSError
        ):  # a lower limit holds already, or macOS has none; the parent watches as well
            resource.setrlimit(which, (soft, hard))


def forget_the_kit() -> None:
    """Take the kit off the path and out of sys.modules: student code has no use for it, nor any of its names."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "numpy").exists():  # installed among the libraries, it has to share their folder
        sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != root]
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        _KEPT.append(sys.modules.pop(name))
    sys.modules["autograder"] = None  # type: ignore[assignment]  # how Python is told that a module cannot be imported


_KEPT: list[object] = []  # the modules that run this process, once sys.modules has forgotten them


def _take_over() -> tuple[BinaryIO, BinaryIO]:
    """The channel, on descriptors of its own; student code finds nothing at 0, 1 and 2."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return source, sink
