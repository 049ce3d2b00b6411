"""Every sentence that a report says, made of findings: what is wrong, where, and what to do next.

Findings are data (see `evaluation/findings.py`); this is the one place where they become English, and nothing parses a
sentence again. No sentence holds an expected number of a hidden case, and text made by a student's own code stands in
them only where the student alone decided what it could be: while loading, and on the public case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Limits
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE
from autograder.evaluation.findings import Finding, Remark
from autograder.evaluation.report import Code
from autograder.sandbox.host.program import CellProblem, EndReason, ProcessEnded
from autograder.submission.sanitize import join_names, one_line

LONGEST_QUOTE = 200

_HINTS = {
    "NameError": "In a fresh run nothing has that name yet: define it in the function, or at the top level before it.",
    "ModuleNotFoundError": "Your work is graded with numpy and Python's own modules: do without others.",
    "FileNotFoundError": "Files of your own are not there when your work is graded: do without them.",
    "EOFError": "Nobody answers an input() when your work is graded: do without it.",
    "MemoryError": "Does a list or an array grow without end?",
    "RecursionError": "Does it call itself without end?",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence; one about numbers has a `statement`, which holds none and other checks may share, and a `detail`."""

    statement: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.statement}: {self.detail}" if self.detail else self.statement


def sentence(finding: Finding) -> Sentence:
    """Return the sentence of a finding that is no pass."""
    assert finding.code is not None
    made = _SENTENCES[finding.code](**finding.fields)
    made = made if isinstance(made, Sentence) else Sentence(made)
    if finding.passed_cases is None:
        return made
    passed, cases = finding.passed_cases
    partly = f"({passed} of the {cases} cases of this check {'is' if passed == 1 else 'are'} right.)"
    return (
        Sentence(made.statement, f"{made.detail} {partly}") if made.detail else Sentence(f"{made.statement} {partly}")
    )


def remark(remark: Remark) -> str:
    """Return the sentence of a remark."""
    return _REMARKS[remark.code](**remark.fields)


def quote(text: str) -> str:
    """Return text that a student's code made on one line, without control characters, and cut."""
    return one_line(text, LONGEST_QUOTE)


# --- The function could not be called, or did not return -------------------------------------------------------------


def _not_attempted(function: str) -> str:
    return f"{function} is not written yet."


def _function_missing(
    function: str, callable: bool, similar: Sequence[str], stopped: CellProblem | None, limits: Limits
) -> str:
    if not callable:
        return f"{function} is a value and not a function: give that value another name."
    if stopped is not None:
        return f"{function} is not there because the code that defines it stopped: {_reason(stopped, limits)}."
    if similar:
        return f"There is no function called {function}; did you rename it to {similar[0]}? Give it its name back."
    return f"There is no function called {function}: keep the name of the stub, and define it at the top level."


def _raised(
    function: str, arguments: Sequence[str], error: str, text: str | None, cell: str, line: int | None, case: str
) -> str:
    """`text` is that of the exception, None where it must not be quoted."""
    place, quoted = _place(cell, line), quote(text or "")
    if error == "TypeError" and line is None:  # it never began
        why = f", {quoted}" if quoted else ""
        return f"{function} cannot be called with ({', '.join(arguments)}){why}: keep the arguments of the stub."
    if error == "NotImplementedError" and text is not None:
        return f"{function} does not get to its end: {quoted or 'it raises NotImplementedError'}."
    if error == "SystemExit":
        return f"{function} ends the program in {place}: it must return its result instead."
    why = f": {quoted}" if quoted else ""
    return _with_hint(f"{function} raised {error} in {place}{why} (case: {case}).", error)


def _process_ended(function: str, how: EndReason, exit_code: int | None, limits: Limits) -> str:
    match how:
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
            return f"{function} ended the Python process (exit code {exit_code}): it must return its result instead."
        case "crash":
            return f"{function} crashed the Python process (signal {exit_code}): does it write outside its arrays?"
        case "protocol":
            return f"{function} wrote into the grader's own channel: it must only return its result."


# --- What came back is no array of the right kind --------------------------------------------------------------------


def _invalid_result(function: str, returns: Sequence[tuple[str, str]], position: int | None, what: str) -> str:
    """`returns` are the names and shapes of the results; `position` the result that is meant, None for the whole."""
    if len(returns) == 1:
        wanted = f"a plain numpy array of floats of shape {returns[0][1]}"
    else:
        wanted = f"the plain numpy arrays {' and '.join(f'{name} {shape}' for name, shape in returns)}"
    if what == "None" and position is None:
        return f"{function} returned None: did you forget a return statement? It must return {wanted}."
    which = f" for {returns[position][0]}" if len(returns) > 1 and position is not None else ""
    return f"{function} returned {what}{which}: it must return {wanted}."


def _wrong_shape(result: str, shape: tuple[int, ...], symbols: str, expected: tuple[int, ...], case: str) -> str:
    transposed = " Is it transposed?" if shape == expected[::-1] and shape != expected else ""
    return f"{result} has shape {shape} and must have shape {symbols} = {expected} (case: {case}).{transposed}"


def _wrong_dtype(function: str, dtype: str) -> str:
    return f"{function} returned numbers of dtype {dtype}: make its arrays float64, for example with np.zeros(shape)."


def _not_finite(result: str, kind: str, where: Sequence[int], case: str) -> str:
    return f"{result} holds {kind} at {list(where)} (case: {case}): look for a division by zero or an overflow."


# --- The numbers are wrong -------------------------------------------------------------------------------------------


def _wrong_value(result: str, error: float, where: Sequence[int], case: str) -> Sentence:
    return Sentence(f"{result} is not right", _numbers(result, error, where, case))


def _wrong_gradient(result: str, error: float, where: Sequence[int], case: str) -> Sentence:
    return Sentence(f"{result} is not the slope of J", _numbers(result, error, where, case))


def _numbers(result: str, error: float, where: Sequence[int], case: str) -> str:
    place = f"{result}{list(where)}" if where else result
    return (
        f"relative error {error:.1e} where {LOW_PRECISION_TOLERANCE:.0e} is allowed, worst at {place} (case: {case})."
    )


def same_reason(check: str, finding: Finding) -> Sentence:
    """Return the sentence of a check with wrong numbers, where `check` (an id) already says all about them."""
    fields = finding.fields
    detail = f"relative error {fields['error']:.1e} (case: {fields['case']})."
    return Sentence(f"Most likely for the same reason as {check}", detail)


# --- The contract, and points that depend on other checks ------------------------------------------------------------


def _arguments_changed(function: str, arguments: Sequence[str]) -> str:
    return (
        f"{function} changes {' and '.join(arguments)} in place, which others still need: "
        "compute into arrays of your own (a -= b changes a; a = a - b does not)."
    )


def _invariant_broken(message: str) -> str:
    return message


def _not_repeatable(function: str, call: str) -> str:
    match call:
        case "repeat_same_args":
            return (
                f"{function} gives another answer when it is called twice with the same arguments: "
                "make its sums and arrays anew in every call, and draw nothing at random."
            )
        case "repeat_fresh_args":
            return (
                f"{function} gives another answer once it was called with other arguments in between: "
                "start its sums afresh in every call."
            )
        case _:
            return f"An array that {function} had returned changed during a later call: return a new array each time."


def _contract_needs_value(function: str) -> str:
    return f"This counts once {function} is right in at least one of its other checks."


def _gated(title: str) -> str:
    return f"Right, but it counts only together with the check “{title}”."


# --- Remarks, for no points ------------------------------------------------------------------------------------------


def _unscored_check(title: str, finding: Finding) -> str:
    return f"{title}: {sentence(finding).text}"


def _low_precision(function: str, error: float, dtypes: Sequence[str]) -> str:
    made = f" ({' and '.join(dtypes)})" if dtypes else ""
    return f"{function} is right in low precision{made}, relative error {error:.0e}: compute in float64."


def _uses_numerical_gradient(function: str) -> str:
    return (
        f"{function} looks measured rather than derived: where slopes are handed in that are not those of the "
        "functions, it returns the measured slope of J."
    )


def _ignores_arguments(function: str) -> str:
    return (
        f"{function} does not use all that is handed in: it is right, and no longer follows its formula when it is "
        "given the results of other functions in another order, as if it computed them anew."
    )


_SENTENCES: Mapping[Code, Callable[..., str | Sentence]] = {
    "not_attempted": _not_attempted,
    "function_missing": _function_missing,
    "raised": _raised,
    "invalid_result": _invalid_result,
    "process_ended": _process_ended,
    "wrong_shape": _wrong_shape,
    "wrong_dtype": _wrong_dtype,
    "not_finite": _not_finite,
    "wrong_value": _wrong_value,
    "wrong_gradient": _wrong_gradient,
    "arguments_changed": _arguments_changed,
    "invariant_broken": _invariant_broken,
    "not_repeatable": _not_repeatable,
    "contract_needs_value": _contract_needs_value,
    "gated": _gated,
}
_REMARKS: Mapping[str, Callable[..., str]] = {
    "unscored_check": _unscored_check,
    "low_precision": _low_precision,
    "uses_numerical_gradient": _uses_numerical_gradient,
    "ignores_arguments": _ignores_arguments,
}


def reads_globals(function: str, names: Sequence[str]) -> str:
    """Say to the instructor that a function reads data that is set outside of it."""
    return (
        f"{function} reads {join_names(names)}, set outside of it: if that is data, it may not fit what is handed in."
    )


# --- Loading the submission ------------------------------------------------------------------------------------------


def cell_problem(problem: CellProblem, limits: Limits) -> str:
    """Say that a cell stopped while the submission was loaded."""
    part = "Nothing" if problem.error in ("SyntaxError", "IndentationError", "TabError") else "Nothing after it"
    cell = "in that cell" if problem.cell else "up to the next # %% line"
    # An import of what is not installed stops only what uses it.
    skipped = "" if problem.error == "ModuleNotFoundError" else f" {part} {cell} was run."
    text = f"While your code was run from top to bottom: {_reason(problem, limits)}.{skipped}"
    return _with_hint(text, problem.error)


def _reason(problem: CellProblem, limits: Limits) -> str:
    what = problem.error if problem.ended is None else _end_of_loading(problem.ended, limits)
    if problem.ended and not problem.cell and problem.line:
        return f"{what} in the code from line {problem.line} on"
    text = f": {quote(problem.text)}" if problem.text and problem.error != "SystemExit" else ""
    return f"{what} in {_place(problem.cell, problem.line)}{text}"


def _end_of_loading(ended: ProcessEnded, limits: Limits) -> str:
    match ended.reason:
        case "cpu":
            return f"no end after {limits.load_cpu_seconds:g} s of computing"
        case "wall":
            return f"no end after {limits.load_wall_seconds:g} s of waiting"
        case "memory":
            return f"more memory than {limits.memory_mib} MiB"
        case "exit":
            return f"the end of the Python process (exit code {ended.code})"
        case "crash":
            return f"a crash of the Python process (signal {ended.code})"
        case "protocol":
            return "a break of the grader's own channel"


def _place(cell: str, line: int | None) -> str:
    where = [part for part in (cell, f"line {line}" if line is not None else "") if part]
    return ", ".join(where) or "your code"


def _with_hint(message: str, error: str) -> str:
    return f"{message} {_HINTS[error]}" if error in _HINTS else message


# --- Feedback on wrong numbers ---------------------------------------------------------------------------------------


def common_mistake(hint: str) -> str:
    """Say that the numbers are those of a known mistake."""
    return f"Your numbers equal those of a common mistake. {hint}"


def where_to_read(equations: str) -> str:
    """Say where to read: "(17)" or "(17) and (18)"."""
    return f"equation{'s' if equations.count('(') > 1 else ''} {equations} of the notebook"


def gradient_consistency(forward: str, consistent: bool) -> str:
    """Say whether a wrong gradient is that of J through the student's own, wrong forward pass."""
    if consistent:
        return f"It is the slope of J through your own {forward}, which is wrong: look at {forward} first."
    return f"It is not the slope of J through your own {forward} either."


def only_forward_wrong(forward: str) -> str:
    """Say that all gradients are right."""
    return f"Your gradients are right; only {forward} is off."


def consistent_gradients(forward: str, consistent: Mapping[str, bool]) -> str:
    """Say which of the right gradients are those of J through the student's own, wrong forward pass."""
    yes, no = ([name for name, fits in consistent.items() if fits is kind] for kind in (True, False))
    parts = []
    if yes:
        are = "is the slope" if len(yes) == 1 else "are the slopes"
        parts.append(f"{join_names(yes)} {are} of J through your own {forward} too")
    if no:
        several = len(no) > 1
        verb = "are not the slopes" if several else "is not the slope"
        needs = f"need{'' if several else 's'} no change: {forward} does"
        parts.append(f"{join_names(no)} {verb} of J through your own {forward}, and {needs}")
    return f"{'; '.join(parts)}."


# --- Failures of the grader itself -----------------------------------------------------------------------------------


def grader_failed(error: BaseException, file: str, line: int | None) -> str:
    """Say to the instructor that the grader failed, with what and where."""
    return quote(f"The grader failed with {type(error).__name__} in {file}, line {line}: {error}")


def feedback_failed(error: BaseException) -> str:
    """Say to the instructor that the verdict stands without feedback."""
    return f"No feedback beyond the checks' own could be made: {quote(f'{type(error).__name__}: {error}')}"
