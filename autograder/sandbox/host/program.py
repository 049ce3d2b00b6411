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

How = Literal["cpu", "wall", "memory", "exit", "crash", "protocol"]


@dataclass(frozen=True)
class Program:
    """A submission, ready to be run.

    `module` is the name under which its cells run, "__main__" for a notebook. `given` maps names of modules to their
    source text; the first one is the builder, with `arguments(arrays, names)`. `functions` maps names of functions to
    the names of their arguments, `results` to the number of arrays that they return (1 where it says nothing).
    """

    module: str
    cells: tuple[Cell, ...]
    given: Mapping[str, str]
    functions: Mapping[str, tuple[str, ...]]
    results: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """The function is called with fresh arguments, built from these arrays (float64) and names.

    Whether it changes those arrays is told only where the call is `watched`.
    """

    arrays: Arrays
    names: Names
    watched: bool = True


@dataclass(frozen=True)
class Again:
    """The function is called again with the very argument objects of an earlier step of the batch."""

    step: int


@dataclass(frozen=True)
class Recall:
    """The result object of an earlier step of the batch is looked at anew: a buffer used again shows."""

    step: int


Step = Call | Again | Recall


@dataclass(frozen=True)
class Batch:
    """All calls of one function; Again and Recall count these steps from 0."""

    function: str
    steps: tuple[Step, ...]

    @cached_property
    def frame(self) -> bytes:
        """The request for these calls, as it is sent: packed once, however many submissions it is for."""
        return self._packed("batch", self.steps)

    @cached_property
    def digest(self) -> bytes:
        """The same bytes for the same calls."""
        return hashlib.sha256(self.frame).digest()

    @cached_property
    def beginning(self) -> bytes:
        """The request for the first of them, after which others may be made before the rest."""
        return self._packed("begin", self.steps[:1])

    @cached_property
    def rest(self) -> bytes:
        """The request for all after the first."""
        return self._packed("go on", self.steps[1:])

    def _packed(self, kind: str, steps: tuple[Step, ...]) -> bytes:
        return framing.pack((kind, self.function, [_request(step) for step in steps]), framing.REQUEST_CAP)


def _request(step: Step) -> tuple[object, ...]:
    match step:
        case Call(arrays, names, watched):
            return "call", framing.arrays_out(arrays), list(names.items()), watched
        case Again(earlier):
            return "again", earlier
        case Recall(earlier):
            return "recall", earlier


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for each function, for loading each cell, for all together; memory in MiB.

    Time on the CPU is what counts; the wall clock is a backstop for code that waits.
    """

    cpu_seconds: float = 2.0
    wall_seconds: float = 10.0
    load_cpu_seconds: float = 5.0
    load_wall_seconds: float = 15.0
    submission_wall_seconds: float = 60.0
    memory_mib: int = 2048


@dataclass(frozen=True)
class Value:
    """One array that a function returned, now float64 in its own memory; `dtype` is what it was (words.DTYPES)."""

    array: Array
    dtype: str


@dataclass(frozen=True, eq=False)
class Returned:
    """What a function returned, in order, and the arrays of its case as they were after the call, if it was watched.

    `digest` is the same for the same reply of the process.
    """

    values: tuple[Value, ...]
    arguments: Arrays
    digest: bytes = b""


@dataclass(frozen=True)
class Unusable:
    """Something came back that is no plain array of real numbers.

    `what` is of a closed vocabulary ("None", "a list", "a tuple of 3", "an array of dtype complex128"). `position` says
    which of several results is meant, from 0; None is the whole.
    """

    position: int | None
    what: str


@dataclass(frozen=True)
class Raised:
    """An exception. `error` is a class name of Python or numpy, or words.OWN_ERROR; `text` is the student's.

    `cell` and `line` tell the last frame in the student's own code: the cell's label, and the line in that cell or
    file. Both are empty when the call itself failed, as with a wrong number of arguments.
    """

    error: str
    text: str
    cell: str
    line: int | None


@dataclass(frozen=True)
class Ended:
    """The process ended during this step. `code` is its exit code, or the number of the signal in a crash."""

    how: How
    code: int | None = None


@dataclass(frozen=True)
class Missing:
    """No such function: `similar` are functions there with a name like it.

    `callable` is False when the name is there and holds a value that cannot be called.
    """

    similar: tuple[str, ...]
    callable: bool = True


Outcome = Returned | Unusable | Raised | Ended | Missing


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
    ended: Ended | None = None


@dataclass(frozen=True)
class Execution:
    """What came of a program: its cells that stopped, in order, and for each function one outcome per step."""

    problems: tuple[CellProblem, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]]
