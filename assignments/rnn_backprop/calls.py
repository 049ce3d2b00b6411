"""Calling the functions of this exercise on a case, and what they return or stop with."""

from __future__ import annotations

import importlib
import inspect
import io
import linecache
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Literal

import numpy as np

if __package__:  # as a part of the grader
    from .arguments import arguments, changes, spelled, visible_paths
    from .feedback import CaseResult, Feedback
    from .golden import Arrays, Case, golden
    from .layout import PlainError
    from .rules import Array, array_problem
    from .time_limit import TimeLimitError, time_limit
else:  # beside the notebook
    from arguments import arguments, changes, spelled, visible_paths  # type: ignore[import-not-found,no-redef]  # as below
    from feedback import CaseResult, Feedback  # type: ignore[import-not-found,no-redef]  # it is found once both are released, into one folder
    from golden import Arrays, Case, golden  # type: ignore[import-not-found,no-redef]  # as above
    from layout import PlainError  # type: ignore[import-not-found,no-redef]  # as above
    from rules import Array, array_problem  # type: ignore[import-not-found,no-redef]  # as above
    from time_limit import TimeLimitError, time_limit  # type: ignore[import-not-found,no-redef]  # as above

MAX_PRINTED, MAX_LINE = 10_000, 60  # characters that are kept of what a function prints, and of each line
TIME_LIMIT = 5.0  # seconds that a function may take for the cases that are shown
MAX_SECONDS = 1.0  # of a function on the cases that are shown: a slower one is not tried on the others

Shapes = Mapping[str, tuple[int, ...]]  # of results, by name
Status = Literal["pass", "wrong", "not attempted yet", "not there yet"]


@dataclass
class FindingError(Exception):
    """Ends a check: what was found. Findings of one `reason` have the same cause, whatever their case."""

    message: str
    status: Status = "wrong"
    feedback: Any = None  # the same in parts, if there are any
    reason: tuple[object, ...] = ()


class StoppedError(FindingError):
    """The finding that a function took too long."""


class CheckInterrupted(PlainError, KeyboardInterrupt):  # it is one of KeyboardInterrupt's kind
    """A student interrupted a check: the message says where."""


class NotLoadedError(Exception):
    """The student's file cannot be imported: the message is one sentence that says why, and in which line."""


class Printed(io.TextIOBase):
    """What a function prints in many calls: the first lines are kept, the others are counted."""

    def __init__(self) -> None:
        self._start = ""
        self._line_count = 0

    def write(self, text: str) -> int:
        """Take what is printed."""
        self._start += text[: MAX_PRINTED - len(self._start)]
        self._line_count += text.count("\n")
        return len(text)

    def lines(self, room: int) -> list[str]:
        """Return the first lines, at most `room` and one that says how many more there are."""
        first = [line[:MAX_LINE] for line in self._start.splitlines()[:room]]
        more = self._line_count - len(first)
        return [*first, f"... and {more} more line{'s' if more > 1 else ''}"] if more > 0 else first


class Answers:
    """What the functions of a module return: each is called once on each case, however many checks ask for it."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.feedback: dict[tuple[str, str], Feedback] = {}  # by function and hint: it takes longer than the calls
        self.printed: dict[str, Printed] = {}  # by each function
        self._seconds: dict[str, float] = {}  # that each function has taken
        self._stopped: dict[str, FindingError] = {}  # functions that were stopped
        self._answers: dict[tuple[str, int], tuple[Arrays, Arrays] | FindingError] = {}

    def of(self, name: str, case: Case) -> tuple[Arrays, Arrays]:
        """Return the very arrays that a function returned on a case, and a copy of their numbers.

        Raises FindingError.
        """
        key = name, id(case)  # confirmations have the ids of the cases that are shown
        if key not in self._answers:
            self._answers[key] = self._stopped.get(name) or self._call(name, case)
        kept = self._answers[key]
        if isinstance(kept, FindingError):
            raise replace(kept)
        return kept

    def _call(self, name: str, case: Case) -> tuple[Arrays, Arrays] | FindingError:
        start, before = time.monotonic(), self._seconds.get(name, 0.0)
        try:
            printed = self.printed.setdefault(name, Printed())
            return answer(name, case, self.module, printed, TIME_LIMIT - before)
        except StoppedError as finding:
            self._stopped[name] = finding  # it is not called again
            return finding
        except FindingError as finding:
            return finding
        finally:
            self._seconds[name] = before + time.monotonic() - start

    def result(self, name: str, case: Case) -> CaseResult:
        """Return what a function made of a case beside what is expected. Raises FindingError."""
        return case.result(name, self.of(name, case)[1])

    def results(self, name: str) -> tuple[CaseResult, ...]:
        """Return what a function made of all its cases; nothing of a case on which it stopped."""
        return tuple(self._result_or_nothing(name, case) for case in golden().cases_of(name))

    def sets(self, name: str) -> list[tuple[CaseResult, ...]]:
        """Return what a function made of all its cases, once for each set of numbers; if it is slow, of the first."""
        shown, *others = golden().sets_of(name)
        results = [tuple(self._result_or_nothing(name, case) for case in shown)]
        for cases in others:
            if self._seconds.get(name, 0.0) > MAX_SECONDS:
                results.append(tuple(case.result(name, ()) for case in cases))
            else:
                results.append(tuple(self._result_or_nothing(name, case) for case in cases))
        return results

    def _result_or_nothing(self, name: str, case: Case) -> CaseResult:
        try:
            return self.result(name, case)
        except FindingError:
            return case.result(name, ())


def answer(
    name: str, case: Case, module: ModuleType, printed: Printed | None = None, seconds: float = TIME_LIMIT
) -> tuple[Arrays, Arrays]:
    """Call a function on a case: the very arrays that it returned, and a copy of their numbers.

    What it prints goes to `printed`, or nowhere. Raises FindingError if it stops, takes longer than `seconds`, changes
    what it is given, or returns something that cannot be compared; InterruptedError if the student interrupts it.
    """
    function, entry = find(name, module), golden().functions[name]
    arrays, names = visible_inputs(name, case)
    given = build(arrays, names, module)
    try:
        with redirect_stdout(printed or Printed()), time_limit(seconds):
            result = function(*(given[argument] for argument in entry["arguments"]))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a student's code raises
        raise _raised(name, error, module) from None
    except TimeLimitError as stop:
        line = _own_line(stop, module)
        why = f"{name} was stopped after {TIME_LIMIT:g} s: is there a loop that never ends?"
        raise StoppedError(f"{why}{line}", reason=(name, TimeLimitError)) from None
    except KeyboardInterrupt as stop:
        raise CheckInterrupted(f"{name} was interrupted.{_own_line(stop, module)}") from None
    for key in _changed_inputs(name, case, arrays, given, module):
        copy = f"work on a copy, {key}.copy()" if key.isidentifier() else "work on a copy of it"
        raise FindingError(f"{name} changes its input {spelled(key)}: {copy}.")
    raw = _results(name, result)
    expected = case.functions[name]["expected"]
    results = {key: array.shape for key, array in zip(entry["returns"], expected, strict=True)}
    if len(results) == 1:  # then those of the other functions that have one
        others = {name: results["expected"] for name, results in case.functions.items()}
        results |= {name: arrays[0].shape for name, arrays in others.items() if len(arrays) == 1}
    returns = zip(entry["returns"].items(), raw, expected, strict=True)
    return raw, tuple(_numbers(result, array, symbols, right, results) for (result, symbols), array, right in returns)


def visible_inputs(name: str, case: Case) -> tuple[dict[str, Array], Mapping[str, str]]:
    """Return what a function may see of a case: copies of its arrays, and its names."""
    entry = golden().functions[name]
    arrays = {key: case.arrays[key].copy() for key in visible_paths(case.arrays, entry["arguments"], entry["arrays"])}
    listed = entry["arrays"]
    return arrays, case.names if listed else {
        key: case.names[key] for key in visible_paths(case.names, entry["arguments"], ())
    }


def build(arrays: Mapping[str, Array], names: Mapping[str, str], module: ModuleType) -> dict[str, Any]:
    """Return arguments made of arrays and names; what the notebook defines itself is found in `module`."""
    if hasattr(golden().given, "arguments"):
        return golden().given.arguments(arrays, names)  # type: ignore[no-any-return]  # a dict, as the file says

    def find(name: str) -> Any:
        of, _, attribute = name.rpartition(".")
        return getattr(module if of == golden().exercise else importlib.import_module(of), attribute)

    return arguments(arrays, names, find)


def J_functions(module: ModuleType) -> list[str]:
    """Return the students' own functions through which J is computed: J takes them, or it is one of them."""
    if (J := _given_J(module)) is None:
        return [golden().J] if golden().J else []
    return [name for name in inspect.signature(J).parameters if name in golden().functions]


def own_J(arrays: Mapping[str, Array], names: Mapping[str, str], module: ModuleType) -> float:
    """Return J of these arguments through the functions of a module."""
    made, J = build(arrays, names, module), _given_J(module)
    if J is None:
        return float(find(golden().J, module)(*(made[name] for name in golden().functions[golden().J]["arguments"])))
    wanted = inspect.signature(J).parameters
    return float(J(*(find(name, module) if name in golden().functions else made[name] for name in wanted)))


def _given_J(module: ModuleType) -> Any:
    """Return J as the exercise gives it, in a file or in the set-up cell; None if it does not."""
    J = getattr(golden().given, "J", None) or getattr(module, "J", None)
    return J if callable(J) else None


def _changed_inputs(
    name: str, case: Case, arrays: Mapping[str, Array], given: Mapping[str, Any], module: ModuleType
) -> Sequence[str]:
    """Return the arguments that a call has changed; `arrays` are those of which they were made."""
    if hasattr(golden().given, "arguments"):
        return [key for key, array in arrays.items() if not np.array_equal(array, case.arrays[key])]
    before, names = visible_inputs(name, case)
    # What the notebook defines is of the exercise in the words, and of the module that it runs in.
    names = {key: word.replace(f" {golden().exercise}.", f" {module.__name__}.", 1) for key, word in names.items()}
    return changes({key: given[key] for key in golden().functions[name]["arguments"]}, before, names)


def load(name: str) -> ModuleType:
    """Import the student's .py file of this name. Raises NotLoadedError."""
    try:
        return importlib.import_module(name)
    except SyntaxError as error:
        file = Path(error.filename or f"{name}.py").name
        wrong = f"{file}, line {error.lineno}, is not Python: {error.msg}."
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001  # whatever a student's code raises
        own = [place for place in traceback.extract_tb(error.__traceback__) if Path(place.filename).stem == name]
        line = own[-1].lineno if own else 1
        reason = traceback.format_exception_only(error)[-1].strip()
        wrong = f"{name}.py stops in line {line}, before its functions can be tried: {reason}"
    raise NotLoadedError(wrong)


def find(name: str, module: ModuleType) -> Callable[..., Any]:
    """Return the function of this name. Raises FindingError if there is none."""
    function = getattr(module, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return]  # whatever can be called
    if function is not None:
        raise FindingError(f"{name} is {_a(function)}, not a function: another line took its name.")
    if file := getattr(module, "__file__", None):
        raise FindingError(f"{Path(file).name} does not define {name}: put the line `def {name}(...)` back.")
    raise FindingError(f"Run the cell that defines {name} first, then this one again.", "not there yet")


def _own_line(error: BaseException, module: ModuleType) -> str:
    """Return the innermost line of a module in which something happened, with a blank line before it."""
    own = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_globals is vars(module)]
    return f"\n\n  {_line(*own[-1], module)}" if own else ""


def _raised(name: str, error: BaseException, module: ModuleType) -> FindingError:
    own = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_globals is vars(module)]
    if isinstance(error, NotImplementedError):
        if own and _stands_above_code(*own[-1]):
            why = f"{name} stops at raise NotImplementedError, so your code below that is never run: remove that line."
            return FindingError(f"{why}\n\n  {_line(*own[-1], module)}", reason=(name, own[-1][0].f_code))
        other = str(error).partition(" is not written yet")[0]
        if other == name or other not in golden().functions:
            return FindingError(f"{name} is not attempted yet.", "not attempted yet")
        return FindingError(f"{name} calls {other}, which is not written yet.")
    if isinstance(error, TypeError) and error.__traceback__ and not error.__traceback__.tb_next:
        call = f"{name}({', '.join(golden().functions[name]['arguments'])})"
        return FindingError(f"{error}: it is called as {call}, so put the first line of the stub back.")
    message = f"{name} stops with {''.join(traceback.format_exception_only(error)).strip()}"
    if not own:
        return FindingError(message, reason=(name, type(error)))
    frame, line = own[-1]
    return FindingError(f"{message}\n\n  {_line(frame, line, module)}", reason=(name, type(error), frame.f_code, line))


def _stands_above_code(frame: FrameType, line: int) -> bool:
    """Return whether a line of a function stands above code that is never run, as a stub's line does that was left."""
    try:
        lines, first = inspect.getsourcelines(frame.f_code)
    except OSError:
        return False
    code = [text for text in lines[line - first :] if text.strip() and not text.lstrip().startswith("#")]
    indents = [len(text) - len(text.lstrip()) for text in code]
    return len(code) > 1 and min(indents) == indents[0]


def _line(frame: FrameType, line: int, module: ModuleType) -> str:
    """Return a line of code and where it stands. A notebook's cells are files to Python, with names nobody has seen."""
    source = linecache.getlines(frame.f_code.co_filename, vars(module))
    cells = [str(cell).strip() for cell in vars(module).get("In", [])]
    runs = [number for number, cell in enumerate(cells) if cell == "".join(source).strip()]
    where = f"cell In[{runs[-1]}]" if runs else Path(frame.f_code.co_filename).name
    return f"{where}, line {line}:  {''.join(source[line - 1 : line]).strip()}"


def _results(name: str, result: Any) -> tuple[Any, ...]:
    """Return what a function returned, one item for each name that it should return."""
    names = list(golden().functions[name]["returns"])
    if result is None:
        raise FindingError(f"{name} returned None: did you forget return?")
    if len(names) == 1 and not isinstance(result, tuple):
        return (result,)
    if len(names) > 1 and isinstance(result, tuple | list) and len(result) == len(names):
        return tuple(result)
    one = "return one number" if golden().functions[name]["returns"][names[0]] == "()" else "return one array"
    wanted = f"end it with `return {', '.join(names)}`" if len(names) > 1 else one
    raise FindingError(f"{name} returned {_a(result)}: {wanted}.", reason=(name, type(result)))


def _numbers(name: str, result: Any, symbols: str, expected: Array, results: Shapes) -> Array:
    """Return the numbers of one result as float64. Raises FindingError unless it can be compared."""
    array = np.asarray(result) if isinstance(result, bool | int | float | np.number | np.bool_) else result
    shape = expected.shape
    if type(array) is not np.ndarray:
        wanted = "a single number" if not shape else "an array: make one with np.array or np.zeros"
        raise FindingError(f"{name} is {_a(array)}, not {wanted}.", reason=(name, type(array)))
    if array.dtype.kind not in "fiub":
        hint = " (rows of different lengths?)" if array.dtype.kind == "O" else ""
        raise FindingError(f"{name} has dtype {array.dtype}{hint}: real numbers are needed, dtype float64.")
    dtype = "longdouble" if array.dtype.char == "g" else array.dtype.name
    problem = array_problem(array, dtype, expected)
    if problem is None:
        return array.astype(np.float64)
    if problem.code == "not_an_array":
        message = f"{name} is a single number, not an array: make one with np.array or np.zeros."
    elif not shape and problem.code == "wrong_shape":
        message = f"{name} has the shape {array.shape}, and it must be a single number."
    elif problem.code == "wrong_shape":
        owners = [result for result, other in results.items() if other == array.shape]
        hint = ": is it transposed?" if array.shape == shape[::-1] else "."
        if len(owners) == 1:
            hint = f", the shape of {owners[0]}: are the two swapped?"
        message = f"{name} has the wrong shape: expected {symbols} = {shape}, got {array.shape}{hint}"
    elif problem.code == "wrong_dtype":
        message = f"{name} has dtype {dtype}, which holds whole numbers only: leave out dtype."
    else:
        entries = f"{int((~np.isfinite(array)).sum())} of {array.size} entries, first in {name}{list(problem.entry)}"
        holds = f"holds {array[problem.entry]} in {entries}" if shape else f"is {array}"
        message = f"{name} {holds}: look for 0/0, log(0) or an overflow."
    raise FindingError(message, reason=(name, problem.code))


def _a(value: Any) -> str:
    for kind in (tuple, list):
        if isinstance(value, kind):
            return f"a {kind.__name__} of {len(value)}"
    other = f"a value of type {type(value).__name__}"
    return "None" if value is None else "one array" if type(value) is np.ndarray else other
