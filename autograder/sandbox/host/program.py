"""Plain data of an execution: what the jail is asked to run, and what came of it."""

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


@dataclass(frozen=True)
class Program:
    """A submission, ready to be run.

    `module` is the name under which its cells run, "__main__" for a notebook. `support_modules` maps names of modules to their
    source text; the first one is the builder, with `arguments(arrays, names)`. `functions` maps names of functions to
    the names of their arguments, `result_counts` to the number of arrays that they return (1 where it says nothing).
    """

    module: str
    cells: tuple[Cell, ...]
    support_modules: Mapping[str, str]
    functions: Mapping[str, tuple[str, ...]]
    result_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """The function is called with fresh arguments, built from these arrays (float64) and names.

    Whether it changes those arrays is told only where the call is `detect_mutation`.
    """

    arrays: Arrays
    names: Names
    detect_mutation: bool = True


@dataclass(frozen=True)
class RepeatCall:
    """The function is called again with the very argument objects of an earlier step of the batch."""

    step: int


@dataclass(frozen=True)
class RecheckResult:
    """The result object of an earlier step of the batch is looked at anew: a buffer used again shows."""

    step: int


Step = Call | RepeatCall | RecheckResult


@dataclass(frozen=True)
class Batch:
    """All calls of one function; Again and Recall count these steps from 0."""

    function: str
    steps: tuple[Step, ...]

    @cached_property
    def request(self) -> bytes:
        """The request for these calls, as it is sent: packed once, however many submissions it is for."""
        return self._pack_request("batch", self.steps)

    @cached_property
    def digest(self) -> bytes:
        """The same bytes for the same calls."""
        return hashlib.sha256(self.request).digest()

    @cached_property
    def first_request(self) -> bytes:
        """The request for the first of them, after which others may be made before the rest."""
        return self._pack_request("begin", self.steps[:1])

    @cached_property
    def remaining_request(self) -> bytes:
        """The request for all after the first."""
        return self._pack_request("go on", self.steps[1:])

    def _pack_request(self, kind: str, steps: tuple[Step, ...]) -> bytes:
        return framing.encode_frame(
            (kind, self.function, [_encode_step(step) for step in steps]), framing.MAX_REQUEST_BYTES
        )


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
    """One array that a function returned, now float64 in its own memory; `dtype` is what it was (words.DTYPES)."""

    array: Array
    dtype: str


@dataclass(frozen=True, eq=False)
class Returned:
    """What a function returned, in order, and the arrays of its case as they were after the call, if it was watched.

    `digest` is the same for the same reply of the process.
    """

    values: tuple[ReturnedArray, ...]
    arguments: Arrays
    digest: bytes = b""


@dataclass(frozen=True)
class InvalidResult:
    """Something came back that is no plain array of real numbers.

    `description` is of a closed vocabulary ("None", "a list", "a tuple of 3", "an array of dtype complex128"). `position` says
    which of several results is meant, from 0; None is the whole.
    """

    position: int | None
    description: str


@dataclass(frozen=True)
class FunctionRaised:
    """An exception. `error` is a class name of Python or numpy, or words.OWN_ERROR; `text` is the student's.

    `cell` and `line` tell the last frame in the student's own code: the cell's label, and the line in that cell or
    file. Both are empty when the call itself failed, as with a wrong number of arguments.
    """

    error: str
    text: str
    cell: str
    line: int | None


@dataclass(frozen=True)
class ProcessEnded:
    """The process ended during this step. `code` is its exit code, or the number of the signal in a crash."""

    reason: EndReason
    code: int | None = None


@dataclass(frozen=True)
class FunctionMissing:
    """No such function: `similar_names` are functions there with a name like it.

    `callable` is False when the name is there and holds a value that cannot be called.
    """

    similar_names: tuple[str, ...]
    callable: bool = True


Outcome = Returned | InvalidResult | FunctionRaised | ProcessEnded | FunctionMissing


@dataclass(frozen=True)
class CellProblem:
    """A cell that stopped while the submission was loaded: with an exception, or (`ended`) with its process.

    `line` is where in this very cell, or script; `error` is a class name as in Raised, empty where the process ended.
    `defines` are the functions of the program that the text of this cell would have defined.
    """

    cell: str
    line: int | None
    error: str
    text: str
    defines: tuple[str, ...]
    ended: ProcessEnded | None = None


@dataclass(frozen=True)
class Execution:
    """What came of a program: its cells that stopped, in order, and for each function one outcome per step."""

    problems: tuple[CellProblem, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]]
