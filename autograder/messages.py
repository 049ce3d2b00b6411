"""Every sentence that a verdict says to a student: what is wrong, where, and what to do next.

None of them holds an expected number of a hidden case, and text made by a student's own code stands in them only where
the student alone decided what it could be: while loading, and on the public case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autograder.compare import COARSE, Comparison
from autograder.exercise import Array, Case, Function
from autograder.sandbox.program import CellProblem, Ended, Limits, Missing, Raised, Unusable
from autograder.text import listing, plain

LONGEST_QUOTE = 200
COMMON = "Your numbers equal those of a common mistake. "

_HINTS = {
    "NameError": "In a fresh run nothing has that name yet: define it in the function, or at the top level before it.",
    "ModuleNotFoundError": "Your work is graded with numpy and Python's own modules: do without others.",
    "FileNotFoundError": "Files of your own are not there when your work is graded: do without them.",
    "EOFError": "Nobody answers an input() when your work is graded: do without it.",
    "MemoryError": "Does a list or an array grow without end?",
    "RecursionError": "Does it call itself without end?",
}


def quote(text: str) -> str:
    """Text that a student's code made, on one line, without control characters, and cut."""
    return plain(text, LONGEST_QUOTE)


def not_attempted(function: str) -> str:
    """The stub was left as it is."""
    return f"{function} is not written yet."


def missing(function: str, outcome: Missing, problems: Sequence[CellProblem]) -> str:
    """No function of that name, and the likeliest reason."""
    if not outcome.callable:
        return f"{function} is a value and not a function: give that value another name."
    for problem in problems:
        if function in problem.defines:
            return f"{function} is not there because the code that defines it stopped: {_what(problem)}."
    if outcome.similar:
        return (
            f"There is no function called {function}; did you rename it to {outcome.similar[0]}? Give it its name back."
        )
    return f"There is no function called {function}: keep the name of the stub, and define it at the top level."


def cell_problem(problem: CellProblem) -> str:
    """A cell that stopped while the submission was loaded."""
    part = "Nothing" if problem.error in ("SyntaxError", "IndentationError", "TabError") else "Nothing after it"
    cell = "in that cell" if problem.cell else "up to the next # %% line"
    # an import of what is not installed stops only what uses it
    skipped = "" if problem.error == "ModuleNotFoundError" else f" {part} {cell} was run."
    return _with_hint(f"While your code was run from top to bottom: {_what(problem)}.{skipped}", problem.error)


def _what(problem: CellProblem) -> str:
    text = f": {quote(problem.text)}" if problem.text and problem.error != "SystemExit" else ""
    if problem.ended and not problem.cell and problem.line:
        return f"{problem.error} in the code from line {problem.line} on"
    return f"{problem.error} in {_place(problem.cell, problem.line)}{text}"


def _place(cell: str, line: int | None) -> str:
    where = [part for part in (cell, f"line {line}" if line is not None else "") if part]
    return ", ".join(where) or "your code"


def _with_hint(message: str, error: str) -> str:
    return f"{message} {_HINTS[error]}" if error in _HINTS else message


def raised(function: Function, outcome: Raised, case: Case, told: bool) -> str:
    """An exception; its text only where `told`."""
    name, place = function.name, _place(outcome.cell, outcome.line)
    if outcome.error == "TypeError" and outcome.line is None:  # it never began
        why = f", {quote(outcome.text)}" if told and outcome.text else ""
        return f"{name} cannot be called with ({', '.join(function.arguments)}){why}: keep the arguments of the stub."
    if outcome.error == "NotImplementedError" and told:
        return f"{name} does not get to its end: {quote(outcome.text) or 'it raises NotImplementedError'}."
    if outcome.error == "SystemExit":
        return f"{name} ends the program in {place}: it must return its result instead."
    text = f": {quote(outcome.text)}" if told and outcome.text else ""
    return _with_hint(f"{name} raised {outcome.error} in {place}{text} (case: {case.about}).", outcome.error)


def unusable(function: Function, outcome: Unusable) -> str:
    """Something came back that is no plain array of numbers."""
    wanted = _wanted(function)
    if outcome.what == "None" and outcome.position is None:
        return f"{function.name} returned None: did you forget a return statement? It must return {wanted}."
    which = list(function.returns)[outcome.position] if outcome.position is not None else ""
    place = f" for {which}" if len(function.returns) > 1 and which else ""
    return f"{function.name} returned {outcome.what}{place}: it must return {wanted}."


def _wanted(function: Function) -> str:
    names = [f"{name} {shape}" for name, shape in function.returns.items()]
    if len(names) == 1:
        return f"a plain numpy array of floats of shape {next(iter(function.returns.values()))}"
    return f"the plain numpy arrays {' and '.join(names)}"


def ended(function: str, outcome: Ended, limits: Limits) -> str:
    """The process ended during a call."""
    match outcome.how:
        case "cpu":
            return (
                f"{function} did not finish within {limits.cpu_seconds:g} s of computing, over all its calls: "
                "does a loop in it never end?"
            )
        case "wall":
            return (
                f"{function} did not finish within {limits.wall_seconds:g} s, and hardly computed: "
                "does it wait for something?"
            )
        case "memory":
            return (
                f"{function} needs more than {limits.memory_mib} MiB of memory: "
                "does a list or an array in it grow without end?"
            )
        case "exit":
            return f"{function} ended the Python process (exit code {outcome.code}): it must return its result instead."
        case "crash":
            return f"{function} crashed the Python process (signal {outcome.code}): does it write outside its arrays?"
        case "protocol":
            return f"{function} wrote into the grader's own channel: it must only return its result."


def wrong_dtype(function: str, dtype: str) -> str:
    """Numbers of another kind than floats."""
    return f"{function} returned numbers of dtype {dtype}: make its arrays float64, for example with np.zeros(shape)."


def wrong_shape(function: Function, result: str, array: Array, right: Array, case: Case) -> str:
    """An array of another shape."""
    transposed = " Is it transposed?" if array.shape == right.shape[::-1] and array.shape != right.shape else ""
    return (
        f"{result} has shape {array.shape} and must have shape {function.returns[result]} = {right.shape} "
        f"(case: {case.about}).{transposed}"
    )


def not_finite(result: str, array: Array, case: Case) -> str:
    """NaN or infinity somewhere."""
    place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
    kind = "NaN" if np.isnan(array[tuple(place)]) else "infinity"
    return f"{result} holds {kind} at {place} (case: {case.about}): look for a division by zero or an overflow."


def wrong_value(result: str, comparison: Comparison, case: Case) -> str:
    """Another number than the reference's."""
    return f"{result} is not right: {_error(result, comparison)} (case: {case.about})."


def wrong_slope(result: str, comparison: Comparison, case: Case) -> str:
    """Another number than the measured slope."""
    return f"{result} is not the slope of J: {_error(result, comparison)} (case: {case.about})."


def how_wrong(comparison: Comparison, case: Case) -> str:
    """How far off in which case, to go on a sentence."""
    return f"relative error {comparison.error:.1e} (case: {case.about})"


def same_reason(first: str, brief: str) -> str:
    """A check that fails beside one that tells all about it, `first` by its id."""
    return f"Most likely for the same reason as {first}: {brief}."


def in_short(message: str) -> str:
    """The same without how far off in which case."""
    told, numbers, _ = message.partition(": relative error ")
    return f"{told}." if numbers else message


def looks_like(hint: str) -> str:
    """The numbers are those of a known mistake."""
    return f"{COMMON}{hint}"


def read(equations: str) -> str:
    """Where to read, "(17)" or "(17) and (18)"."""
    return f"equation{'s' if equations.count('(') > 1 else ''} {equations} of the notebook"


def own_forward(forward: str, fits: bool) -> str:
    """A wrong gradient beside a wrong forward pass."""
    if fits:
        return f"It is the slope of J through your own {forward}, which is wrong: look at {forward} first."
    return f"It is not the slope of J through your own {forward} either."


def only_forward(forward: str) -> str:
    """All gradients are right."""
    return f"Your gradients are right; only {forward} is off."


def through_own_forward(forward: str, fits: Mapping[str, bool]) -> str:
    """Which of the right gradients are the slopes of J through the student's own, wrong forward pass."""
    yes, no = ([name for name, fit in fits.items() if fit is kind] for kind in (True, False))
    parts = []
    if yes:
        are = "is the slope" if len(yes) == 1 else "are the slopes"
        parts.append(f"{listing(yes)} {are} of J through your own {forward} too")
    if no:
        many = len(no) > 1
        what = f"{listing(no)} {'are not the slopes' if many else 'is not the slope'} of J through your own {forward}"
        parts.append(f"{what}, and need{'' if many else 's'} no change: {forward} does")
    return f"{'; '.join(parts)}."


def _error(result: str, comparison: Comparison) -> str:
    place = f"{result}{list(comparison.where)}" if comparison.where else result
    return f"relative error {comparison.error:.1e} where {COARSE:.0e} is allowed, worst at {place}"


def changed_inputs(function: str, names: Sequence[str]) -> str:
    """Arguments were changed in place."""
    return (
        f"{function} changes {' and '.join(names)} in place, which others still need: "
        "compute into arrays of your own (a -= b changes a; a = a - b does not)."
    )


def repeated(function: str, what: str) -> str:
    """Equal calls gave unequal answers, or an earlier answer changed."""
    match what:
        case "again":
            return (
                f"{function} gives another answer when it is called twice with the same arguments: "
                "make its sums and arrays anew in every call, and draw nothing at random."
            )
        case "later":
            return (
                f"{function} gives another answer once it was called with other arguments in between: "
                "start its sums afresh in every call."
            )
        case _:
            return f"An array that {function} had returned changed during a later call: return a new array each time."


def some_right(right: int, cases: int) -> str:
    """How many cases of a check were right when not all were."""
    return f"({right} of the {cases} cases of this check {'is' if right == 1 else 'are'} right.)"


def manners_alone(function: str) -> str:
    """The contract was kept by wrong numbers."""
    return f"This counts once {function} is right in at least one of its other checks."


def condition(title: str) -> str:
    """Points withheld."""
    return f"Right, but it counts only together with the check “{title}”."


def only_a_note(title: str, message: str) -> str:
    """A check without points that did not pass."""
    return f"{title}: {message}"


def looks_measured(function: str) -> str:
    """For the instructor: its numbers are the slope of J where the formula gives something else."""
    return (
        f"{function} looks measured rather than derived: where slopes are handed in that are not those of the "
        "functions, it returns the measured slope of J."
    )


def not_as_handed_in(function: str) -> str:
    """For the instructor: it is right only as long as what is handed in is what it would compute itself."""
    return (
        f"{function} does not use all that is handed in: it is right, and no longer follows its formula when it is "
        "given the results of other functions in another order, as if it computed them anew."
    )


def reads_globals(function: str, names: Sequence[str]) -> str:
    """For the instructor: data that is set outside of the function."""
    return f"{function} reads {listing(names)}, set outside of it: if that is data, it may not fit what is handed in."


def low_precision(function: str, error: float, dtypes: set[str]) -> str:
    """Right, in float32."""
    made = f" ({' and '.join(sorted(dtypes))})" if dtypes else ""
    return f"{function} is right in low precision{made}, relative error {error:.0e}: compute in float64."
