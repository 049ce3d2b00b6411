"""Untrusted side: the process in which student code runs. Nothing that it says is believed.

It is sent a program, runs its cells, and then answers batches of calls, one frame per step. What it is sent holds no
expected value, and it imports nothing of the trusted side.

    request                                                     replies
    program module cells given functions                        (cell index | problem index error text label line)*
                                                                loaded, or failed text before any cell
    batch function steps                                        for each step: returned | unusable | raised | missing
    begin function (step)                                       for the first step of a batch
    go on function steps                                        for each of its other steps
"""

from __future__ import annotations

import importlib
import os
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from autograder.sandbox.guest import encoding, lockdown, stub_modules
from autograder.sandbox.guest.student_module import GivenModules, StudentModule
from autograder.sandbox.protocol import framing, vocabulary

MOST_FUNCTIONS = 200  # told when one is missing
ENOUGH_ERRORS = 5  # in a row, of one class at one place: fresh calls after them are not made


def main() -> None:
    """As a process of its own: take over the standard input and output as the channel, and serve until it closes.

    Its arguments are the most bytes and CPU seconds that it may use, 0 0 for no such limit.
    """
    source, sink = _take_over()
    code = 1
    try:
        sink.write(b"\0")  # from which the kernel tells the grader the number of this process
        sink.flush()
        memory, cpu = map(int, sys.argv[1:])
        if cpu:
            lockdown.limit(memory, cpu)
        settle()
        serve(source, sink)
    except EOFError:
        code = 0
    finally:
        os._exit(code)  # whatever student code left behind (threads, exit handlers) does not run


def serve(source: BinaryIO, sink: BinaryIO, given: GivenModules | None = None) -> None:
    """Load the program that comes first, then answer every batch. Ends by EOFError when the channel closes.

    Modules that were `given` before are not loaded again.
    """
    channel = Channel(source, sink)
    _, name, cells, sources, functions = channel.receive()
    try:
        if given is None or given.sources != dict(sources):
            given = GivenModules(dict(sources))
    except Exception as error:  # noqa: BLE001 - a fault of the course's own files, for the instructor to read
        channel.send("failed", f"{type(error).__name__}: {error}"[: framing.LONGEST_TEXT])
        return
    module = StudentModule(name, cells)
    sys.argv = [""]
    for index, text, label, first_line in cells:
        channel.send("cell", index)
        try:
            module.run(text, label, first_line)
        except BaseException as error:  # noqa: BLE001 - SystemExit and all: the next cell runs
            channel.send("problem", index, *encoding.of_error(error, module, label))
    channel.send("loaded")
    bench = Bench(module, given.builder.arguments, {name: (tuple(names), count) for name, names, count in functions})
    while True:
        bench.answer(channel, *channel.receive())


@dataclass(frozen=True)
class Channel:
    """Where requests come from and replies go."""

    source: BinaryIO
    sink: BinaryIO

    def receive(self) -> tuple[Any, ...]:
        """The next request; EOFError when there will be none."""
        return framing.unpack(framing.read(self.source, framing.REQUEST_CAP))

    def send(self, *reply: object) -> None:
        """Send one reply. One over the cap tells just that."""
        try:
            frame = framing.pack(reply, framing.REPLY_CAP)
        except framing.FrameError:
            frame = framing.pack(("unusable", None, vocabulary.TOO_LARGE), framing.REPLY_CAP)
        self.sink.write(frame)
        self.sink.flush()


@dataclass
class Turn:
    """One step: the case's arrays, as sent and as objects, the argument objects, the result object, and the reply.

    `sent` is empty where nobody asks what became of them; `made` is False for a step that was answered without being
    made.
    """

    sent: dict[str, Any]
    arrays: dict[str, Any]
    arguments: list[object] = field(default_factory=list)
    result: object = None
    reply: tuple[Any, ...] = ()
    made: bool = True

    @property
    def returned(self) -> bool:
        """Whether there is a result to look at again."""
        return self.reply[0] in ("returned", "unusable")

    @property
    def error(self) -> tuple[Any, ...] | None:
        """Class, label and line of the exception that was raised, if one was."""
        kind, *rest = self.reply
        return (rest[0], *rest[2:]) if kind == "raised" else None


@dataclass(frozen=True)
class Bench:
    """Calls the functions of the student's module, with arguments made by the builder."""

    module: StudentModule
    build: Any
    functions: Mapping[str, tuple[tuple[str, ...], int]]
    begun: dict[str, list[Turn]] = field(default_factory=dict)

    def answer(self, channel: Channel, kind: str, name: str, steps: tuple[Any, ...]) -> None:
        """Make the steps of one batch, or of a part of it, and send a reply after each."""
        function = self.module.get(name)
        turns = self.begun.pop(name, None) if kind == "go on" else []
        if turns is None or not callable(function):
            for _ in steps:
                channel.send("missing", self.module.functions()[:MOST_FUNCTIONS], name in self.module)
            return
        wanted = {0, *(rest[0] for step, *rest in steps if step != "call")}
        for step, *rest in steps:
            if step == "call" and _hopeless(turns):
                turns.append(Turn({}, {}, reply=turns[-1].reply, made=False))
            else:
                turns.append(self._turn(name, function, step, rest, turns))
            channel.send(*turns[-1].reply)
            if len(turns) - 1 not in wanted:  # its memory is for the next one, and is warm
                turns[-1] = Turn({}, {}, reply=turns[-1].reply, made=turns[-1].made)
        if kind == "begin":
            self.begun[name] = turns

    def _turn(self, name: str, function: Any, kind: str, rest: list[Any], turns: list[Turn]) -> Turn:
        arguments, results = self.functions[name]
        earlier: Turn | None = turns[rest[0]] if kind != "call" else None
        if earlier and not earlier.made:
            return earlier
        turn = Turn(earlier.sent, earlier.arrays) if earlier else _turn_for(*rest)
        try:
            if kind == "recall" and earlier:
                turn.result = earlier.result
                turn.reply = earlier.reply
                if not earlier.returned:
                    return turn
            else:
                turn.arguments = earlier.arguments if earlier else self._fresh(turn.arrays, dict(rest[1]), arguments)
                turn.result = function(*turn.arguments)
            turn.reply = encoding.of_result(turn.result, results, turn.arrays, turn.sent)
        except BaseException as error:  # noqa: BLE001 - student code may raise anything
            turn.reply = ("raised", *encoding.of_error(error, self.module))
        return turn

    def _fresh(self, arrays: dict[str, Any], names: dict[str, str], arguments: tuple[str, ...]) -> list[object]:
        built = self.build(arrays, names)
        return [built[argument] for argument in arguments]


def _turn_for(arrays: tuple[Any, ...], _: object, watched: bool) -> Turn:
    return Turn(dict(arrays) if watched else {}, framing.trusted_arrays_in(arrays))


def _hopeless(turns: list[Turn]) -> bool:
    """Whether the last few steps all raised one class of exception at one place."""
    if not turns or turns[-1].error is None:
        return False
    errors = {turn.error for turn in turns[-ENOUGH_ERRORS:]}
    return len(turns) >= ENOUGH_ERRORS and len(errors) == 1 and None not in errors


def settle() -> None:
    """Let student code find what Python starts with, stand-ins for what draws, and no module of the kit."""
    site.setquit()  # the process was started without `site`, which would also run what others have put on the path
    site.setcopyright()
    site.sethelper()
    del sys.orig_argv[1:]  # folders of this machine
    stub_modules.install()
    importlib.import_module("checks")  # the stand-in that nearly every submission imports
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
