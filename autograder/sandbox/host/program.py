"""Defines the data that goes into the jail (Program, Batch) and comes out of it (Outcome, Execution)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

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


@dataclass(frozen=True)
class RepeatCall:
    """Calls the function again with the same argument objects as an earlier step of the batch."""

    step: int


@dataclass(frozen=True)
class RecheckResult:
    """Reads the result object of an earlier step again, which shows whether the function reuses a buffer."""

    step: int


Step = Call | RepeatCall | RecheckResult


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

    def pack(self) -> None:
        """Pack the requests for the first step and for the others, which are usually sent one after the other."""
        _ = self.first_request, self.remaining_request

    def _pack_request(self, kind: str, steps: tuple[Step, ...]) -> bytes:
        request = (kind, self.function, [_encode_step(step) for step in steps])
        return framing.encode_frame(request, framing.MAX_REQUEST_BYTES)


def _encode_step(step: Step) -> tuple[object, ...]:
    match step:
        case Call(arrays, names, detect_mutation):
            return "call", framing.encode_arrays(arrays), list(names.items()), detect_mutation
        case RepeatCall(earlier):
            return "again", earlier
        case RecheckResult(earlier):
            return "recall", earlier


@dataclass(frozen=True)
class ReturnedArray:
    """One array that a function returned, converted to float64; `dtype` is what it was (vocabulary.DTYPES)."""

    array: Array
    dtype: str


@dataclass(frozen=True, eq=False)
class Returned:
    """The arrays that a function returned, in order.

    `arguments` are the arrays of its case after the call if the call detects mutation, else before it. `digest` is that
    of the reply, by which equal results are recognised; empty if no other submission gets the same call.
    """

    values: tuple[ReturnedArray, ...]
    arguments: Arrays
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
