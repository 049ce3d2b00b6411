"""Runs the cells of a program and calls its functions, in the process that belongs to the student code.

It receives a program, runs its cells, and then answers batches of calls, one frame per step:

    request                                           replies
    program module cells support_modules functions    (cell index | problem index stopped error text cell line)*
                                                      loaded, or failed text before any cell
    batch function steps                              for each step: returned | unusable | raised | missing
    begin function (step)                             for the first step of a batch
    go on function steps                              for each of its other steps
"""

from __future__ import annotations

import importlib
import os
import site
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from autograder.sandbox.guest import encoding, lockdown, stub_modules
from autograder.sandbox.guest.student_module import StudentModule, SupportModules
from autograder.sandbox.protocol import framing, vocabulary

BUILD_DATA = "_sysconfigdata"  # how the module begins that holds the settings of Python's build
MAX_REPEATED_ERRORS = 5  # of one class at one place in a row: after them, no fresh call is made


def main() -> None:
    """Run as a fresh process: use the standard streams as the channel, and serve until it closes.

    The command line holds the limits, in bytes of memory and seconds of CPU time; 0 0 stands for no limits.
    """
    source, sink = _claim_stdio()
    exit_code = 1
    try:
        sink.write(b"\0")  # with this byte, the kernel tells the grader the id of this process
        sink.flush()
        memory_bytes, cpu_seconds = map(int, sys.argv[1:])
        if cpu_seconds:
            lockdown.limit_resources(memory_bytes, cpu_seconds)
        prepare_interpreter()
        serve(source, sink)
    except EOFError:
        exit_code = 0
    finally:
        os._exit(exit_code)  # threads and exit handlers of student code do not run


def serve(source: BinaryIO, sink: BinaryIO, support_modules: SupportModules | None = None) -> None:
    """Load the program that arrives first, then answer every batch. Raises EOFError when the channel closes.

    `support_modules` are those that are loaded already; they are used if the program comes with the same ones.
    """
    channel = GuestChannel(source, sink)
    _, name, cells, sources, functions = channel.receive()
    try:
        if support_modules is None or support_modules.sources != dict(sources):
            support_modules = SupportModules(dict(sources))
    except Exception as error:  # noqa: BLE001 - a fault of the course's own files, for the instructor to read
        channel.send("failed", f"{type(error).__name__}: {error}"[: framing.MAX_TEXT_LENGTH])
        return
    module = StudentModule(name)
    sys.argv = [""]
    for index, text in cells:
        channel.send("cell", index)
        try:
            module.run(index, text)
        except BaseException as error:  # noqa: BLE001 - after any exception, SystemExit too, the next cell runs
            channel.send("problem", index, module.stopped, *encoding.encode_error(error, module, index))
    channel.send("loaded")
    builder = support_modules.builder
    by_name = {name: (tuple(names), count) for name, names, count in functions}
    caller = FunctionCaller(module, builder.arguments, getattr(builder, "flatten", None), by_name)
    while True:
        caller.answer_batch(channel, *channel.receive())


@dataclass(frozen=True)
class GuestChannel:
    """The channel, from inside: requests come in, replies go out."""

    source: BinaryIO
    sink: BinaryIO

    def receive(self) -> tuple[Any, ...]:
        """Return the next request. Raises EOFError when the channel is closed."""
        return framing.decode_message(framing.read_frame(self.source, framing.MAX_REQUEST_BYTES))

    def send(self, *reply: object) -> None:
        """Send one reply; in place of a reply that is too long, one that says so."""
        try:
            frame = framing.encode_frame(reply, framing.MAX_REPLY_BYTES)
        except framing.ProtocolError:
            frame = framing.encode_frame(("unusable", None, vocabulary.TOO_LARGE), framing.MAX_REPLY_BYTES)
        self.sink.write(frame)
        self.sink.flush()


@dataclass
class StepState:
    """One step of a batch, with the objects that later steps of the batch may use again.

    `sent` holds the packed arrays of the case, or nothing if changes of them need not be reported; `arrays` are their
    objects, `names` the names of the case. `executed` is False for a step that was answered without calling the
    function.
    """

    sent: dict[str, Any]
    arrays: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)
    arguments: list[object] = field(default_factory=list)
    result: object = None
    reply: tuple[Any, ...] = ()
    executed: bool = True

    def forget_objects(self) -> None:
        """Give up all objects of the step."""
        self.sent = self.arrays = self.names = {}
        self.arguments, self.result = [], None

    @property
    def has_result(self) -> bool:
        """Return whether the function returned, so that its result can be checked again."""
        return self.reply[0] in ("returned", "unusable")

    @property
    def error_key(self) -> tuple[Any, ...] | None:
        """Class, cell and line of the exception that the step raised, if it raised any."""
        match self.reply:
            case ("raised", error, _, cell, line):
                return error, cell, line
        return None


@dataclass(frozen=True)
class FunctionCaller:
    """Calls the functions of the student's module with arguments from the builder.

    `flatten` turns arguments into arrays and names again if the builder can. `functions` maps each name to the names of
    its arguments and its number of results.
    """

    module: StudentModule
    build_arguments: Any
    flatten: Any
    functions: Mapping[str, tuple[tuple[str, ...], int]]
    started_batches: dict[str, list[StepState]] = field(default_factory=dict)

    def answer_batch(self, channel: GuestChannel, kind: str, name: str, steps: tuple[Any, ...]) -> None:
        """Run the steps of a batch, or of a part of it, and send a reply after each."""
        function = self.module.get(name)
        states = self.started_batches.pop(name, None) if kind == "go on" else []
        if states is None or not callable(function):
            names = [name for name in self.module.function_names() if len(name) <= framing.MAX_NAME_LENGTH]
            listed = names[: framing.MAX_LISTED_FUNCTIONS]
            for _ in steps:
                channel.send("missing", listed, name in self.module)
            return
        # Only these steps are used by later ones ("again" and "recall" count from 0). Step 0 stays in any case: this
        # may be the first part of a batch, and what follows is not known yet.
        reused = {0, *(details[0] for step, *details in steps if step != "call")}
        for step, *details in steps:
            if step == "call" and _fails_repeatedly(states):
                states.append(StepState({}, {}, reply=states[-1].reply, executed=False))
            else:
                states.append(self._run_step(name, function, step, details, states))
            channel.send(*states[-1].reply)
            if step == "call" and len(states) - 1 not in reused:
                states[-1].forget_objects()  # the next step gets this memory, while it is in the processor's cache
        if kind == "begin":
            self.started_batches[name] = states

    def _run_step(self, name: str, function: Any, kind: str, details: list[Any], states: list[StepState]) -> StepState:
        argument_names, result_count = self.functions[name]
        earlier: StepState | None = None if kind == "call" else states[details[0]]
        if earlier is None:
            arrays, names, detect_mutation = details
            sent = dict(arrays) if detect_mutation else {}
            state = StepState(sent, framing.decode_trusted_arrays(arrays), dict(names))
        elif not earlier.executed or (kind == "recall" and not earlier.has_result):
            return earlier
        else:
            state = StepState(earlier.sent, earlier.arrays, earlier.names)
        try:
            if earlier is None:
                built = self.build_arguments(state.arrays, state.names)
                state.arguments = [built[argument] for argument in argument_names]
            else:
                state.arguments = earlier.arguments
            state.result = earlier.result if earlier and kind == "recall" else function(*state.arguments)
            changed = self._changed_arguments(argument_names, state) if state.sent else {}
            state.reply = encoding.encode_result(state.result, result_count, changed)
        except BaseException as error:  # noqa: BLE001 - student code may raise anything
            state.reply = ("raised", *encoding.encode_error(error, self.module))
        return state

    def _changed_arguments(self, argument_names: tuple[str, ...], state: StepState) -> dict[str, Any]:
        """Return the arrays of the case that the call changed, and an empty one for each name that it changed."""
        arrays, names = state.arrays, state.names
        if self.flatten is not None:
            try:
                arrays, names = self.flatten(dict(zip(argument_names, state.arguments, strict=True)))
            except Exception:  # noqa: BLE001 - the arguments now hold something that was never handed in
                arrays, names = {}, {}
        changed = {name: np.empty(0) for name, word in state.names.items() if names.get(name) != word}
        return changed | encoding.changed_arrays(arrays, state.sent)


def _fails_repeatedly(states: list[StepState]) -> bool:
    """Return whether the last steps all raised the same class of exception at the same place."""
    if not states or states[-1].error_key is None:
        return False
    errors = {state.error_key for state in states[-MAX_REPEATED_ERRORS:]}
    return len(states) >= MAX_REPEATED_ERRORS and len(errors) == 1


def prepare_interpreter() -> None:
    """Prepare what student code finds: the builtins of a normal start, stubs for libraries, no module of the kit."""
    # The process was started without `site`, which would also run whatever .pth files are on the path.
    site.setquit()
    site.setcopyright()
    site.sethelper()
    del sys.orig_argv[1:]  # it names folders
    _forget_build_folders()
    stub_modules.install()
    importlib.import_module("checks")  # a stub that nearly every submission imports
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
        _HIDDEN_MODULES.append(sys.modules.pop(name))
    sys.modules["autograder"] = None  # type: ignore[assignment]  # so that importing it raises ModuleNotFoundError


def _forget_build_folders() -> None:
    """Drop the settings of Python's build that name folders: it may have been built here, in somebody's home."""
    settings = [sysconfig.get_config_vars()]
    settings += [vars(module)["build_time_vars"] for name, module in sys.modules.items() if name.startswith(BUILD_DATA)]
    for known in settings:
        for name, value in list(known.items()):
            if isinstance(value, str) and "/" in value and not value.startswith(sys.prefix):
                del known[name]


_HIDDEN_MODULES: list[object] = []  # holds the modules that run this process, which sys.modules no longer does


def _claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Move the channel to other descriptors, and leave /dev/null to student code at 0, 1 and 2."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return source, sink
