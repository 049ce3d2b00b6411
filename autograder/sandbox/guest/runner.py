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
from autograder.sandbox.guest.student_module import StudentModule, SupportModules
from autograder.sandbox.protocol import framing, vocabulary

MAX_LISTED_FUNCTIONS = 200  # told when one is missing
MAX_REPEATED_ERRORS = 5  # in a row, of one class at one place: fresh calls after them are not made


def main() -> None:
    """As a process of its own: take over the standard input and output as the channel, and serve until it closes.

    Its arguments are the most bytes and CPU seconds that it may use, 0 0 for no such limit.
    """
    source, sink = _claim_stdio()
    code = 1
    try:
        sink.write(b"\0")  # from which the kernel tells the grader the number of this process
        sink.flush()
        memory, cpu = map(int, sys.argv[1:])
        if cpu:
            lockdown.limit_resources(memory, cpu)
        prepare_interpreter()
        serve(source, sink)
    except EOFError:
        code = 0
    finally:
        os._exit(code)  # whatever student code left behind (threads, exit handlers) does not run


def serve(source: BinaryIO, sink: BinaryIO, support_modules: SupportModules | None = None) -> None:
    """Load the program that comes first, then answer every batch. Ends by EOFError when the channel closes.

    Modules that were `support_modules` before are not loaded again.
    """
    channel = GuestChannel(source, sink)
    _, name, cells, sources, functions = channel.receive()
    try:
        if support_modules is None or support_modules.sources != dict(sources):
            support_modules = SupportModules(dict(sources))
    except Exception as error:  # noqa: BLE001 - a fault of the course's own files, for the instructor to read
        channel.send("failed", f"{type(error).__name__}: {error}"[: framing.MAX_TEXT_LENGTH])
        return
    module = StudentModule(name, cells)
    sys.argv = [""]
    for index, text, label, first_line in cells:
        channel.send("cell", index)
        try:
            module.run(text, label, first_line)
        except BaseException as error:  # noqa: BLE001 - SystemExit and all: the next cell runs
            channel.send("problem", index, *encoding.encode_error(error, module, label))
    channel.send("loaded")
    caller = FunctionCaller(
        module, support_modules.builder.arguments, {name: (tuple(names), count) for name, names, count in functions}
    )
    while True:
        caller.answer_batch(channel, *channel.receive())


@dataclass(frozen=True)
class GuestChannel:
    """Where requests come from and replies go."""

    source: BinaryIO
    sink: BinaryIO

    def receive(self) -> tuple[Any, ...]:
        """The next request; EOFError when there will be none."""
        return framing.decode_message(framing.read_frame(self.source, framing.MAX_REQUEST_BYTES))

    def send(self, *reply: object) -> None:
        """Send one reply. One over the cap tells just that."""
        try:
            frame = framing.encode_frame(reply, framing.MAX_REPLY_BYTES)
        except framing.ProtocolError:
            frame = framing.encode_frame(("unusable", None, vocabulary.TOO_LARGE), framing.MAX_REPLY_BYTES)
        self.sink.write(frame)
        self.sink.flush()


@dataclass
class StepState:
    """One step: the case's arrays, as sent and as objects, the argument objects, the result object, and the reply.

    `sent` is empty where nobody asks what became of them; `executed` is False for a step that was answered without being
    made.
    """

    sent: dict[str, Any]
    arrays: dict[str, Any]
    arguments: list[object] = field(default_factory=list)
    result: object = None
    reply: tuple[Any, ...] = ()
    executed: bool = True

    @property
    def has_result(self) -> bool:
        """Whether there is a result to look at again."""
        return self.reply[0] in ("returned", "unusable")

    @property
    def error_key(self) -> tuple[Any, ...] | None:
        """Class, label and line of the exception that was raised, if one was."""
        kind, *rest = self.reply
        return (rest[0], *rest[2:]) if kind == "raised" else None


@dataclass(frozen=True)
class FunctionCaller:
    """Calls the functions of the student's module, with arguments made by the builder."""

    module: StudentModule
    build_arguments: Any
    functions: Mapping[str, tuple[tuple[str, ...], int]]
    started_batches: dict[str, list[StepState]] = field(default_factory=dict)

    def answer_batch(self, channel: GuestChannel, kind: str, name: str, steps: tuple[Any, ...]) -> None:
        """Make the steps of one batch, or of a part of it, and send a reply after each."""
        function = self.module.get(name)
        turns = self.started_batches.pop(name, None) if kind == "go on" else []
        if turns is None or not callable(function):
            for _ in steps:
                channel.send("missing", self.module.function_names()[:MAX_LISTED_FUNCTIONS], name in self.module)
            return
        wanted = {0, *(rest[0] for step, *rest in steps if step != "call")}
        for step, *rest in steps:
            if step == "call" and _fails_repeatedly(turns):
                turns.append(StepState({}, {}, reply=turns[-1].reply, executed=False))
            else:
                turns.append(self._run_step(name, function, step, rest, turns))
            channel.send(*turns[-1].reply)
            if len(turns) - 1 not in wanted:  # its memory is for the next one, and is warm
                turns[-1] = StepState({}, {}, reply=turns[-1].reply, executed=turns[-1].executed)
        if kind == "begin":
            self.started_batches[name] = turns

    def _run_step(self, name: str, function: Any, kind: str, rest: list[Any], turns: list[StepState]) -> StepState:
        arguments, results = self.functions[name]
        earlier: StepState | None = turns[rest[0]] if kind != "call" else None
        if earlier and not earlier.executed:
            return earlier
        turn = StepState(earlier.sent, earlier.arrays) if earlier else _new_step(*rest)
        try:
            if kind == "recall" and earlier:
                turn.result = earlier.result
                turn.reply = earlier.reply
                if not earlier.has_result:
                    return turn
            else:
                turn.arguments = (
                    earlier.arguments if earlier else self._fresh_arguments(turn.arrays, dict(rest[1]), arguments)
                )
                turn.result = function(*turn.arguments)
            turn.reply = encoding.encode_result(turn.result, results, turn.arrays, turn.sent)
        except BaseException as error:  # noqa: BLE001 - student code may raise anything
            turn.reply = ("raised", *encoding.encode_error(error, self.module))
        return turn

    def _fresh_arguments(
        self, arrays: dict[str, Any], names: dict[str, str], arguments: tuple[str, ...]
    ) -> list[object]:
        built = self.build_arguments(arrays, names)
        return [built[argument] for argument in arguments]


def _new_step(arrays: tuple[Any, ...], _: object, detect_mutation: bool) -> StepState:
    return StepState(dict(arrays) if detect_mutation else {}, framing.decode_trusted_arrays(arrays))


def _fails_repeatedly(states: list[StepState]) -> bool:
    """Whether the last few steps all raised one class of exception at one place."""
    if not states or states[-1].error_key is None:
        return False
    errors = {turn.error_key for turn in states[-MAX_REPEATED_ERRORS:]}
    return len(states) >= MAX_REPEATED_ERRORS and len(errors) == 1 and None not in errors


def prepare_interpreter() -> None:
    """Let student code find what Python starts with, stand-ins for what draws, and no module of the kit."""
    site.setquit()  # the process was started without `site`, which would also run what others have put on the path
    site.setcopyright()
    site.sethelper()
    del sys.orig_argv[1:]  # folders of this machine
    stub_modules.install()
    importlib.import_module("checks")  # the stand-in that nearly every submission imports
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        _HIDDEN_MODULES.append(sys.modules.pop(name))
    sys.modules["autograder"] = None  # type: ignore[assignment]  # how Python is told that a module cannot be imported


_HIDDEN_MODULES: list[object] = []  # the modules that run this process, once sys.modules has forgotten them


def _claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """The channel, on descriptors of its own; student code finds nothing at 0, 1 and 2."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    return source, sink
