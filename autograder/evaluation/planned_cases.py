"""A case, the call of a function on it, and the results that are expected: for one seed, or for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from autograder.exercise.model import Array, Case, CaseStack, Exercise, Function
from autograder.exercise.numerical_gradient import gradients_of_J
from autograder.sandbox.host.program import Call, Outcome, PackedCall, pack_calls


@dataclass(frozen=True, eq=False)
class PlannedStack:
    """A case of a check as several seeds give it: its calls are packed together, and its slopes measured together."""

    exercise: Exercise
    function: Function
    cases: CaseStack

    @cached_property
    def calls(self) -> Sequence[PackedCall]:
        """The call of the function on each case."""
        if len(self.cases) == 1:
            return [PackedCall(make_call(self.function, self.cases.case(0)).packed)]
        stacks, names = self.function.visible_arrays(self.cases), self.function.visible_names(self.cases)
        return pack_calls(len(self.cases), stacks, names, tuple(result.shape[1:] for result in self.cases.expected))

    @cached_property
    def numerical_gradients(self) -> Array:
        """The numerical gradient of J with respect to the function's array, on each case."""
        return gradients_of_J(self.exercise, self.function, self.cases.arrays, self.cases.names)


@dataclass(frozen=True, eq=False)
class PlannedCase:
    """A case for one function, and the results that the reference returns on it: a row of a stack.

    `alone` is the case itself if the stack was made of it.
    """

    stack: PlannedStack
    row: int
    expected: tuple[Array, ...]
    alone: Case | None = None

    @classmethod
    def of(cls, exercise: Exercise, function: Function, case: Case, expected: tuple[Array, ...]) -> PlannedCase:
        """Return a case alone, with the results that are expected on it."""
        return cls(PlannedStack(exercise, function, CaseStack.of(case, expected)), 0, expected, case)

    @cached_property
    def case(self) -> Case:
        """The case."""
        return self.alone or self.stack.cases.case(self.row)

    @property
    def call(self) -> PackedCall:
        """The call of the function on the case."""
        return self.stack.calls[self.row]

    @cached_property
    def watched_call(self) -> Call:
        """The same call, whose outcome tells which arguments it changed."""
        return replace(make_call(self.stack.function, self.case), detect_mutation=True)

    @property
    def numerical_gradient(self) -> Array:
        """The numerical gradient of J with respect to the function's array, computed on first use."""
        gradient: Array = self.stack.numerical_gradients[self.row, ...]
        return gradient


@dataclass(frozen=True)
class CallResult:
    """A call of a student's function: what was planned, and what came back."""

    planned: PlannedCase
    outcome: Outcome

    @property
    def case(self) -> Case:
        """The case on which the function was called."""
        return self.planned.case

    @property
    def expected(self) -> tuple[Array, ...]:
        """What the reference returns on it."""
        return self.planned.expected


def make_call(function: Function, case: Case) -> Call:
    """Return the call of a function on a case, with the arrays that the function may see, and no watch on them."""
    return Call(function.visible_arrays(case), function.visible_names(case), detect_mutation=False)
