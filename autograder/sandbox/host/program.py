"""Defines the data that goes into the jail (Program, Batch) and comes out of it (Outcome, Execution)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np

from autograder.exercise.model import Array, Arrays, Names
from autograder.sandbox.protocol import framing
from autograder.submission.cells import Cell

EndReason = Literal["cpu", "wall", "memory", "exit", "crash", "protocol"]


STAND_IN = """\
import checks


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(checks, name)
"""
"""The text of a module that does nothing, whatever is imported from it: as the stand-in for the checks does."""


@dataclass(frozen=True)
class Program:
    """A submission, ready to be run.

    `module` is the name under which its cells run. `support_modules` maps names of modules to their source text; the
    first one is the builder, with `arguments(arrays, names)`. `functions` maps names of functions to the names of
    their arguments, `result_counts` to the number of arrays that they return (1 if missing).

    All of it but `cells` comes from the exercise, and of the cells only the sources are sent: whatever a student can
    choose and the process can see stands in `code`.
    """

    module: str
    cells: tuple[Cell, ...]
    support_modules: Mapping[str, str]
    functions: Mapping[str, tuple[str, ...]]
    result_counts: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def code(self) -> bytes:
        """The sources of the cells, packed as they are sent: equal for a notebook and a script of the same code."""
        return framing.encode_message([cell.source for cell in self.cells], framing.MAX_REQUEST_BYTES)


@dataclass(frozen=True)
class Call:
    """Calls the function with fresh arguments, built from these arrays (float64) and names.

    The outcome tells whether the function changed the arrays only if `detect_mutation` is set.
    """

    arrays: Arrays
    names: Names
    detect_mutation: bool = True

    @cached_property
    def packed(self) -> bytes:
        """The call in the form in which it is sent."""
        arrays = framing.encode_arrays(self.arrays)
        return _pack(("call", arrays, list(self.names.items()), self.detect_mutation))


@dataclass(frozen=True)
class RepeatCall:
    """Calls the function again with the same argument objects as an earlier step of the batch."""

    step: int


@dataclass(frozen=True)
class RecheckResult:
    """Reads the result object of an earlier step again, which shows whether the function reuses a buffer."""

    step: int


@dataclass(frozen=True)
class PackedCall:
    """Calls the function like `Call`, with arguments that are packed already. The outcome tells nothing of changes.

    If `result_shapes` are given, right results have these shapes, and replies with such arrays are decoded faster.
    """

    packed: bytes
    result_shapes: tuple[tuple[int, ...], ...] | None = None


Step = Call | PackedCall | RepeatCall | RecheckResult


@dataclass(frozen=True)
class Batch:
    """All calls of one function. RepeatCall and RecheckResult count these steps from 0.

    `is_shared` says whether other submissions get the same calls, so that their replies may be the same, too.
    """

    function: str
    steps: tuple[Step, ...]
    is_shared: bool = True

    @cached_property
    def request(self) -> bytes:
        """The request for all steps, packed once for any number of submissions."""
        return self._pack_request("batch", self.steps)

    @cached_property
    def digest(self) -> bytes:
        """The SHA-256 of the request: equal calls have equal digests."""
        return hashlib.sha256(self.first_request + self.remaining_request).digest()

    @cached_property
    def first_request(self) -> bytes:
        """The request for the first step alone; other batches may run before the remaining steps."""
        return self._pack_request("begin", self.steps[:1])

    @cached_property
    def remaining_request(self) -> bytes:
        """The request for all steps but the first."""
        return self._pack_request("go on", self.steps[1:])

    def _pack_request(self, kind: str, steps: tuple[Step, ...]) -> bytes:
        packed_steps = framing.encode_sequence([_pack_step(step) for step in steps])
        request = framing.encode_sequence([_pack(kind), _pack(self.function), packed_steps])
        return framing.frame_of(request, framing.MAX_REQUEST_BYTES)


def pack_calls(
    count: int, stacks: Arrays, names: Names, result_shapes: tuple[tuple[int, ...], ...]
) -> list[PackedCall]:
    """Return `count` calls, one for each row of stacks of arrays, all of them packed at once."""
    shapes = tuple((name, stack.shape[1:]) for name, stack in stacks.items())
    zeros, places = _packed_zeros(shapes, tuple(names.items()))
    packed = np.empty((count, len(zeros)), np.uint8)
    packed[:] = np.frombuffer(zeros, np.uint8)
    for stack, place in zip(stacks.values(), places, strict=True):
        numbers = np.ascontiguousarray(stack, framing.WIRE_DTYPE).view(np.uint8)
        packed[:, place] = numbers.reshape(count, place.stop - place.start)
    return [PackedCall(row.tobytes(), result_shapes) for row in packed]


@lru_cache(200)  # of all cases of an exercise: they are drawn in stacks, so their sizes are always the same
def _packed_zeros(
    shapes: tuple[tuple[str, tuple[int, ...]], ...], names: tuple[tuple[str, str], ...]
) -> tuple[bytes, tuple[slice, ...]]:
    """Return a packed call whose arrays are all zero, and the places of their numbers in it."""

    def pack(arrays: Sequence[Array]) -> bytes:
        named = {name: array for (name, _), array in zip(shapes, arrays, strict=True)}
        return Call(named, dict(names), detect_mutation=False).packed

    return framing.encode_zeros(pack, [shape for _, shape in shapes])


def _pack_step(step: Step) -> bytes:
    match step:
        case Call() | PackedCall():
            return step.packed
        case RepeatCall(earlier):
            return _pack(("again", earlier))
        case RecheckResult(earlier):
            return _pack(("recall", earlier))


def _pack(item: object) -> bytes:
    return framing.encode_message(item, framing.MAX_REQUEST_BYTES)


@dataclass(frozen=True, eq=False)
class Returned:
    """The arrays that a function returned, in order, converted to float64.

    `dtypes` are what they were (vocabulary.DTYPES).
    `changed` are the arrays of its case that it changed, as they are after the call, if the call detects mutation; a
    name that it changed is an empty array there.
    `digest` is that of the reply, by which equal results are recognised; empty if no other submission gets the same
    call.
    """

    arrays: tuple[Array, ...]
    dtypes: tuple[str, ...]
    changed: Arrays = field(default_factory=dict)
    digest: bytes = b""


@dataclass(frozen=True)
class InvalidResult:
    """The function returned something that is no plain array of real numbers.

    `description` is from a closed vocabulary ("None", "a list", "a tuple of 3", "an array of dtype complex128").
    `position` is the index of the result in question; None stands for the result as a whole.
    """

    position: int | None
    description: str


@dataclass(frozen=True)
class FunctionRaised:
    """The function raised. `error` is a class name of Python or numpy, or vocabulary.STUDENT_ERROR.

    `cell` and `line` locate the last frame in the student's code: the label of the cell, and the line in that cell or
    file. Both are empty if the call itself failed, as with a wrong number of arguments.
    """

    error: str
    text: str
    cell: str
    line: int | None


@dataclass(frozen=True)
class ProcessEnded:
    """The process ended during this step. `code` is its exit code, or after a crash the number of the signal."""

    reason: EndReason
    code: int | None = None


@dataclass(frozen=True)
class FunctionMissing:
    """There is no such function; `similar_names` are functions of the student with a similar name.

    `callable` is False if the name exists and its value cannot be called.
    """

    similar_names: tuple[str, ...]
    callable: bool = True


Outcome = Returned | InvalidResult | FunctionRaised | ProcessEnded | FunctionMissing


@dataclass(frozen=True)
class CellProblem:
    """A cell that failed while the submission was loaded: it raised, or its process `ended`.

    `line` is a line of this cell or script. `error` is a class name as in FunctionRaised, empty if the process ended.
    `defines` are the names that the text of this cell would have defined. If it has not `stopped`, only what failed was
    left out. `star_imports` are the modules of which it imports everything, if a module is missing.
    """

    cell: str
    line: int | None
    error: str
    text: str
    defines: tuple[str, ...]
    ended: ProcessEnded | None = None
    stopped: bool = True
    star_imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Execution:
    """The result of a program: its failed cells in order, and for each function one outcome per step."""

    problems: tuple[CellProblem, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]]
