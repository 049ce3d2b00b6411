"""Every sentence about a finding: what is wrong, where, and what to do next.

Findings are data (evaluation/findings.py). They become English here and nowhere else, and nothing parses a sentence
again. No sentence holds an expected number of a hidden case. Text from a student's own code is quoted only if nothing
hidden can have reached that code: while it was loaded, and on the public case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from autograder.course import Limits
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE
from autograder.evaluation.findings import Finding, Remark
from autograder.evaluation.name_origins import NameOrigin
from autograder.evaluation.report import Code
from autograder.sandbox.host.program import CellProblem, EndReason
from autograder.student.arguments import spelled
from autograder.submission.sanitize import join_names, one_line
from autograder.submission.stub_lines import OwnCode

LONGEST_QUOTE = 200

_HINTS = {
    "NameError": "In a fresh run nothing has that name yet: define it in the function, or at the top level before it.",
    "ModuleNotFoundError": "Your work is graded with numpy and Python's own modules, and files beside it are not taken "
    "along: do without other libraries, and copy functions of your own into your work.",
    "FileNotFoundError": "Files of your own are not there when your work is graded: do without them.",
    "EOFError": "Nobody answers an input() when your work is graded: do without it.",
    "MemoryError": "Does a list or an array grow without end?",
    "RecursionError": "Does it call itself without end?",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence in two parts if it is about numbers.

    `statement` has no numbers in it, and other checks may share it; `detail` belongs to this check.
    """

    statement: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.statement}: {self.detail}" if self.detail else self.statement


NO_SENTENCE = Sentence("")  # of a check that passes


def sentence(finding: Finding) -> Sentence:
    """Return the sentence of a finding that is not a pass."""
    assert finding.code is not None
    text = _fill(_SENTENCES[finding.code], finding.fields)
    whole = text if isinstance(text, Sentence) else Sentence(text)
    if finding.passed_cases is None:
        return whole
    passed, cases = finding.passed_cases
    count = f"({passed} of the {cases} cases of this check {'is' if passed == 1 else 'are'} right.)"
    if whole.detail:
        return Sentence(whole.statement, f"{whole.detail} {count}")
    return Sentence(f"{whole.statement} {count}")


def remark(remark: Remark) -> str:
    """Return the sentence of a remark."""
    return str(_fill(_REMARKS[remark.code], remark.fields))


def _fill(template: str | Callable[..., str | Sentence], fields: Mapping[str, Any]) -> str | Sentence:
    return template.format(**fields) if isinstance(template, str) else template(**fields)


def quote(text: str) -> str:
    """Return text from a student's code as a single line, without control characters, shortened."""
    return one_line(text, LONGEST_QUOTE)


# --- The function could not be called, or did not return -------------------------------------------------------------


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


def _stub_line_left(function: str, own_code: OwnCode, cell: str, line: int | None) -> str:
    """`own_code` says on which side of the line of the stub the student's own code stands."""
    place = _place(cell, line)
    if own_code == "below":
        return (
            f"{function} stops at raise NotImplementedError in {place}, so your code below it never runs: "
            "delete that line."
        )
    return (
        f"{function} reaches raise NotImplementedError in {place}, below your code: return your result before that "
        "line, and delete it."
    )


def _raised(
    function: str,
    arguments: Sequence[str],
    error: str,
    text: str | None,
    cell: str,
    line: int | None,
    case: str,
    origin: NameOrigin | None = None,
    limits: Limits | None = None,
) -> str:
    """`text` is that of the exception, None if it must not be quoted; `origin` is that of a name that is not there."""
    place, quoted = _place(cell, line), quote(text or "")
    # A TypeError outside of every line of the student's: the call itself did not fit the parameters.
    if error == "TypeError" and line is None:
        why = f", {quoted}" if quoted else ""
        return f"{function} cannot be called with ({', '.join(arguments)}){why}: keep the arguments of the stub."
    if error == "NotImplementedError" and text is not None:
        return f"{function} does not get to its end: {quoted or 'it raises NotImplementedError'}."
    if error == "SystemExit":
        return f"{function} ends the program in {place}: it must return its result instead."
    why = f": {quoted}" if quoted else ""
    message = f"{function} raised {error} in {place}{why} (case: {case})."
    if text is not None and origin and limits and (hint := _origin_hint(origin, limits)):
        return f"{message} {hint}"
    return _with_hint(message, error)


def _origin_hint(origin: NameOrigin, limits: Limits) -> str:
    """Return why a name is not there, nothing if that is not known."""
    if origin.stopped is not None:
        reason = _reason(origin.stopped, limits)
        return f"{origin.name} is not there because the code that defines it stopped: {reason}."
    if origin.modules:
        verb = "is" if len(origin.modules) == 1 else "are"
        return (
            f"Does {origin.name} come from {join_names(origin.modules)}, which {verb} not there when your work is "
            "graded? Copy what you use of it into your work."
        )
    return ""


_ENDINGS: Mapping[EndReason, str] = {
    "cpu": "{function} did not finish within {limits.cpu_seconds:g} s of computing, over all its calls: "
    "does a loop in it never end?",
    "wall": "{function} did not finish within {limits.wall_seconds:g} s, and hardly computed: "
    "does it wait for something?",
    "memory": "{function} needs more than {limits.memory_mib} MiB of memory: "
    "does a list or an array in it grow without end?",
    "exit": "{function} ended the Python process (exit code {exit_code}): it must return its result instead.",
    "crash": "{function} crashed the Python process (signal {exit_code}): does it write outside its arrays?",
    "protocol": "{function} wrote into the grader's own channel: it must only return its result.",
}


# --- What came back is no array of the right kind --------------------------------------------------------------------


def _invalid_result(function: str, returns: Sequence[tuple[str, str]], position: int | None, what: str) -> str:
    """`returns` are the names and shapes of the results; `position` is the invalid one, None if it is the whole."""
    if len(returns) == 1:
        shape = returns[0][1]
        wanted = f"a plain numpy array of floats of shape {shape}" if shape != "()" else "a single number"
    elif any(shape == "()" for _, shape in returns):
        wanted = " and ".join(f"{name} {'(a number)' if shape == '()' else shape}" for name, shape in returns)
    else:
        wanted = f"the plain numpy arrays {' and '.join(f'{name} {shape}' for name, shape in returns)}"
    if what == "None" and position is None:
        return f"{function} returned None: did you forget a return statement? It must return {wanted}."
    which = f" for {returns[position][0]}" if len(returns) > 1 and position is not None else ""
    return f"{function} returned {what}{which}: it must return {wanted}."


def _wrong_shape(
    result: str,
    shape: tuple[int, ...],
    symbols: str,
    expected: tuple[int, ...],
    case: str,
    shape_of: str | None = None,
) -> str:
    """`shape_of` is another result that has this shape."""
    question = f" That is the shape of {shape_of}: are the two swapped?" if shape_of else ""
    if shape == expected[::-1] and shape != expected:
        question = " Is it transposed?"
    if not expected:
        return f"{result} has shape {shape} and must be a single number (case: {case})."
    return f"{result} has shape {shape} and must have shape {symbols} = {expected} (case: {case}).{question}"


def _not_finite(result: str, kind: str, where: Sequence[int], case: str) -> str:
    holds = f"holds {kind} at {list(where)}" if where else f"is {kind}"
    return f"{result} {holds} (case: {case}): look for a division by zero or an overflow."


# --- The numbers are wrong -------------------------------------------------------------------------------------------


def _wrong_numbers(statement: str, result: str, error: float, where: Sequence[int], case: str) -> Sentence:
    place, limit = f"{result}{list(where)}" if where else result, LOW_PRECISION_TOLERANCE
    detail = f"relative error {error:.2g} where {limit:g} is allowed, worst at {place} (case: {case})."
    return Sentence(f"{result} {statement}", detail)


def same_reason(check: str, finding: Finding) -> Sentence:
    """Return the sentence of a check with wrong numbers if the check with id `check` has explained them already."""
    detail = "relative error {error:.2g} (case: {case}).".format(**finding.fields)
    return Sentence(f"Most likely for the same reason as {check}", detail)


# --- The contract, and points that depend on other checks ------------------------------------------------------------


def _arguments_changed(function: str, arguments: Sequence[str]) -> str:
    return (
        f"{function} changes {' and '.join(map(spelled, arguments))} in place, which others still need: "
        "compute into arrays of your own (a -= b changes a; a = a - b does not)."
    )


_CHANGES_BETWEEN_CALLS = {
    "repeat_same_args": "{function} gives a different answer when it is called twice with the same arguments: "
    "make its sums and arrays anew in every call, and draw nothing at random.",
    "repeat_fresh_args": "{function} gives a different answer after it was called with other arguments: "
    "start its sums afresh in every call.",
    "recheck": "An array that {function} had returned changed during a later call: return a new array each time.",
}


# --- Remarks, for no points ------------------------------------------------------------------------------------------


def _low_precision(function: str, error: float, dtypes: Sequence[str]) -> str:
    made = f" ({' and '.join(dtypes)})" if dtypes else ""
    return f"{function} is right in low precision{made}, relative error {error:.1g}: compute in float64."


def reads_globals(function: str, names: Sequence[str]) -> str:
    """Tell the instructor that a function reads data that is set outside of it."""
    data = join_names(names)
    return f"{function} reads {data}, set outside of it: if that is data, it may not fit the arguments."


# --- The sentence of every code: a template for its fields, or a function of them ------------------------------------

_SENTENCES: Mapping[Code, str | Callable[..., str | Sentence]] = {
    "not_attempted": "{function} is not written yet.",
    "stub_line_left": _stub_line_left,
    "function_missing": _function_missing,
    "raised": _raised,
    "invalid_result": _invalid_result,
    "process_ended": lambda how, **fields: _ENDINGS[how].format(**fields),
    "wrong_shape": _wrong_shape,
    "wrong_dtype": "{function} returned numbers of dtype {dtype}: make its arrays float64, for example with "
    "np.zeros(shape).",
    "not_finite": _not_finite,
    "wrong_value": partial(_wrong_numbers, "is not right"),
    "wrong_gradient": partial(_wrong_numbers, "is not the slope of J"),
    "arguments_changed": _arguments_changed,
    "wrong_first_row": "{result}[0] is not {argument}: the first row of {result} must be {argument} itself.",
    "not_repeatable": lambda call, **fields: _CHANGES_BETWEEN_CALLS[call].format(**fields),
    "contract_needs_value": "This counts once {function} is right in at least one of its other checks.",
    "gated": "Right, but it counts only together with the check “{title}”.",
}
_REMARKS: Mapping[str, str | Callable[..., str]] = {
    "unscored_check": lambda title, finding: f"{title}: {sentence(finding).text}",
    "low_precision": _low_precision,
    "uses_numerical_gradient": "{function} looks measured rather than derived: where slopes are handed in that are not "
    "those of the functions, it returns the measured slope of J.",
    "own_derivatives": lambda function, functions: (
        f"{function} has derivatives of its own, written out by hand or taken by complex steps, right for "
        f"{join_names(functions)}: it does not follow the jacobians and gradients that are handed in."
    ),
    "ignores_arguments": "{function} does not use all that is handed in: it is right, and no longer follows its "
    "formula when it is given the results of other functions in another order, as if it computed them anew.",
}


# --- Loading the submission ------------------------------------------------------------------------------------------


def cell_problem(problem: CellProblem, limits: Limits, origin: NameOrigin | None = None) -> str:
    """Tell the student that a cell stopped while the submission was loaded; `origin` is that of an unknown name."""
    part = "Nothing" if problem.error in ("SyntaxError", "IndentationError", "TabError") else "Nothing after it"
    cell = "in that cell" if problem.cell else "up to the next # %% line"
    what = "What needs it" if problem.error == "ModuleNotFoundError" else "That class"
    skipped = f"{part} {cell} was run." if problem.stopped else f"{what} was left out, and the rest was run."
    text = f"While your code was run from top to bottom: {_reason(problem, limits)}. {skipped}"
    return f"{text} {hint}" if origin and (hint := _origin_hint(origin, limits)) else _with_hint(text, problem.error)


def more_cell_problems(count: int) -> str:
    """Tell the student how many more pieces of code stopped than are described."""
    pieces = "One more piece" if count == 1 else f"{count} more pieces"
    return f"{pieces} of your code stopped while it was run from top to bottom: start with the first ones."


_ENDINGS_OF_LOADING: Mapping[EndReason, str] = {
    "cpu": "no end after {limits.load_cpu_seconds:g} s of computing",
    "wall": "no end after {limits.load_wall_seconds:g} s of waiting",
    "memory": "more memory than {limits.memory_mib} MiB",
    "exit": "the end of the Python process (exit code {code})",
    "crash": "a crash of the Python process (signal {code})",
    "protocol": "a break of the grader's own channel",
}


def _reason(problem: CellProblem, limits: Limits) -> str:
    what, ended = problem.error, problem.ended
    if ended is not None:
        what = _ENDINGS_OF_LOADING[ended.reason].format(limits=limits, code=ended.code)
        # In a file nobody knows which line runs when its process ends: only where the piece begins.
        if not problem.cell and problem.line:
            return f"{what} in the code from line {problem.line} on"
    text = f": {quote(problem.text)}" if problem.text and problem.error != "SystemExit" else ""
    return f"{what} in {_place(problem.cell, problem.line)}{text}"


def _place(cell: str, line: int | None) -> str:
    return ", ".join(part for part in (cell, f"line {line}" if line is not None else "") if part) or "your code"


def _with_hint(message: str, error: str) -> str:
    return f"{message} {_HINTS[error]}" if error in _HINTS else message


# --- Feedback on wrong numbers ---------------------------------------------------------------------------------------


def common_mistakes(hints: Sequence[str]) -> str:
    """Tell the student that the numbers are those of a known mistake, or of two together: a hint for each."""
    what = "a common mistake" if len(hints) == 1 else "two common mistakes made together"
    return " ".join([f"Your numbers equal those of {what}.", *dict.fromkeys(hints)])


def where_to_read(equations: Sequence[str]) -> str:
    """Return where to read about equations such as "(17)"."""
    different = list(dict.fromkeys(equations))
    return f"equation{'s' if len(different) > 1 else ''} {join_names(different)} of the notebook"


def gradient_consistency(forward: str, consistent: bool) -> str:
    """Tell whether a wrong gradient is that of J through the student's own, wrong forward pass."""
    if consistent:
        return f"It is the slope of J through your own {forward}, which is wrong: look at {forward} first."
    return f"It is not the slope of J through your own {forward} either."


def only_forward_wrong(forward: str) -> str:
    """Tell the student that all gradients are right."""
    return f"Your gradients are right; only {forward} is off."


def consistent_gradients(forward: str, consistent: Mapping[str, bool]) -> str:
    """Tell which of the right gradients are those of J through the student's own, wrong forward pass."""
    fitting, others = ([name for name, fits in consistent.items() if fits is kind] for kind in (True, False))
    parts = []
    if fitting:
        verb = "is the slope" if len(fitting) == 1 else "are the slopes"
        parts.append(f"{join_names(fitting)} {verb} of J through your own {forward} too")
    if others:
        verb, need = ("is not the slope", "needs") if len(others) == 1 else ("are not the slopes", "need")
        parts.append(
            f"{join_names(others)} {verb} of J through your own {forward}, and {need} no change: {forward} does"
        )
    return f"{'; '.join(parts)}."


# --- Failures of the grader itself -----------------------------------------------------------------------------------


def grader_failed(error: BaseException, file: str, line: int | None) -> str:
    """Tell the instructor how and where the grader failed."""
    return quote(f"The grader failed with {type(error).__name__} in {file}, line {line}: {error}")


def feedback_failed(error: BaseException) -> str:
    """Tell the instructor that the verdict stands without feedback."""
    return f"No feedback beyond the checks' own could be made: {quote(f'{type(error).__name__}: {error}')}"
