"""Tests of calling student functions: results arrive as float64, or are described in a closed vocabulary."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from autograder.course import Limits
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import (
    Batch,
    Call,
    Execution,
    FunctionRaised,
    InvalidResult,
    Outcome,
    Program,
    RecheckResult,
    RepeatCall,
    Returned,
)
from autograder.sandbox.protocol.vocabulary import STUDENT_ERROR
from autograder.submission.cells import Cell

BUILDER = """
def arguments(arrays, names):
    return {**arrays, "net": [arrays["x"], names["g"]]}
"""
X = np.arange(6.0).reshape(2, 3)
CALL = Call({"x": X, "h": np.array([0.5, -1.0])}, {"g": "tanh"})

VALID = {  # functions of (net, x, h) that return one array, and its dtype
    "plain": ("x * 2.0", "float64"),
    "integers": ("x.astype(np.int32) * 2", "int32"),
    "booleans": ("x > 2", "bool"),
    "single": ("x.astype(np.float32)", "float32"),
    "half": ("x.astype(np.float16)", "float16"),
    "long": ("x.astype(np.longdouble)", "longdouble"),
    "swapped": ("x.astype('>f8')", "float64"),
    "fortran": ("np.asfortranarray(x)", "float64"),
    "strided": ("x[::-1, ::-2]", "float64"),
    "broadcast": ("np.broadcast_to(h, (3, 2))", "float64"),
    "not_finite": ("np.array([np.nan, -np.inf])", "float64"),
    "scalar_array": ("np.array(3.0)", "float64"),
    "scalar": ("x.sum()", "float64"),
    "a_float": ("3.0", "float64"),
    "a_large_int": ("10**30", "float64"),
    "a_small_int": ("3", "int64"),
    "a_bool": ("True", "bool"),
    "empty": ("np.zeros((0, 3))", "float64"),
    "read_only": ("np.frombuffer(x.tobytes())", "float64"),
    "from_net": ("net[0]", "float64"),
}
INVALID = {  # results that are no plain array, and how they are described
    "nothing": ("None", "None"),
    "a_list": ("[[1.0]]", "a list"),
    "a_tuple": ("(x, x, x)", "a tuple of 3"),
    "an_int": ("10**400", "an int too large for a float"),
    "a_string": ("'x'", "a string"),
    "a_dict": ("{'x': x}", "a dict"),
    "a_function": ("lambda: x", "a function"),
    "a_generator": ("(row for row in x)", "a generator"),
    "an_error": ("NotImplemented", "NotImplemented"),
    "a_class": ("int", "a class"),
    "dots": ("...", "an ellipsis (...)"),
    "masked": ("np.ma.masked_less(x, 2)", "a masked array"),
    "matrix": ("np.asmatrix(x)", "a matrix (np.matrix)"),
    "subclass": ("x.view(Sub)", "a subclass of ndarray"),
    "pretends": ("Pretender()", "an object that is no array"),
    "a_complex": ("x + 1j", "an array of dtype complex128"),
    "objects": ("np.array([x, None], dtype=object)", "an array of dtype object"),
    "strings": ("x.astype(str)", "an array of strings"),
    "dates": ("x.astype('datetime64[s]')", "an array of dates"),
    "fields": ("np.zeros(2, dtype='f8,i4')", "a structured array"),
    "too_large": ("np.zeros((4000, 4000))", "far more numbers than were asked for"),
    "endless": ("np.broadcast_to(1.0, (10**9, 10**9))", "far more numbers than were asked for"),
}
PAIRS = {  # functions that should return two arrays, and the problem with them
    "as_tuple": ("(x, h)", None),
    "as_list": ("[x, h]", None),
    "as_named_tuple": ("Pair(x, h)", None),
    "one_array": ("x", (None, "one array")),
    "three": ("(x, h, h)", (None, "a tuple of 3")),
    "one_in_a_list": ("[x]", (None, "a list of 1")),
    "none": ("None", (None, "None")),
    "second_missing": ("(x, None)", (1, "None")),
    "first_masked": ("(np.ma.array(x), h)", (0, "a masked array")),
    "iterator": ("iter((x, h))", (None, "an object that is no array")),
}
ERRORS = {  # bodies that raise, error, text
    "stub": ("raise NotImplementedError('not written')", "NotImplementedError", "not written"),
    "leaves": ("raise SystemExit", "SystemExit", ""),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
    "recurses": ("return recurses(net, x, h)", "RecursionError", "maximum recursion depth exceeded"),
    "own": ("raise Own('why')", STUDENT_ERROR, "why"),
    "no_text": ("raise Silent", STUDENT_ERROR, ""),
    "long_text": ("raise ValueError('a' * 1000)", "ValueError", "a" * 300),
    "shapes": ("return x @ x", "ValueError", "matmul: Input operand 1 has a mismatch"),
    "singular": ("return np.linalg.inv(np.zeros((2, 2)))", "LinAlgError", "Singular matrix"),
    "axis": ("return x.sum(axis=5)", "AxisError", "axis 5 is out of bounds"),
    "frozen": ("net.missing", "AttributeError", "'list' object has no attribute 'missing'"),
    "much_memory": ("return np.ones(10**10)", "MemoryError", "Unable to allocate"),
}

SOURCE = "\n".join(
    [
        "import collections\nimport numpy as np",
        "class Sub(np.ndarray): pass",
        "class Own(ValueError): pass",
        "class Silent(Exception):\n    def __str__(self): raise SystemExit",
        "class Pretender:\n    __class__ = np.ndarray\n    dtype = np.dtype(float)\n    shape = (2, 3)",
        "Pair = collections.namedtuple('Pair', 'a b')",
        *(f"def {name}(net, x, h): return {body}" for name, (body, _) in {**VALID, **INVALID, **PAIRS}.items()),
        *(f"def {name}(net, x, h):\n    {body}" for name, (body, _, _) in ERRORS.items()),
        "def two_only(net, x): return x",
        "def none_at_all(): return 3",
        "def changes(net, x, h):\n    x += 1\n    h[:] = 0\n    return x",
        "def reshapes(net, x, h):\n    x.shape = (6,)\n    return h",
        "def retypes(net, x, h):\n    x.dtype = np.int64\n    return h",
        "buffer = np.zeros(2)",
        "def reuses(net, x, h):\n    buffer[:] = buffer + 1\n    return buffer",
        "def fails_once(net, x, h):\n    net.append(1)\n    if len(net) == 3: raise ValueError\n    return h",
        "count = 0",
        "def counted():\n    global count\n    count += 1\n    return count",
        "def comes_round(net, x, h):\n    if counted() <= 5: raise ValueError(count)\n    return h",
        "def here_and_there(net, x, h):\n    if counted() % 2: raise ValueError(count)\n    raise ValueError(count)",
        "def now_and_then(net, x, h):\n    if counted() % 2: raise ValueError(count)\n    return h",
        "np.seterr(all='raise')",
    ]
)


CURRENT_JAIL: list[Jail] = []  # in which `execute` runs programs; set by the fixture below


@pytest.fixture(scope="module", params=["AB", "DE"], ids=["sealed", "fresh"], autouse=True)
def jail(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test of this module in a sealed fork, and in a fresh process that is not sealed."""
    for level in request.param:
        with suppress(JailError), Jail(level) as jail:
            CURRENT_JAIL[:] = [jail]
            yield
            return
    pytest.skip("neither level works on this machine; autograder doctor says why")


def execute(steps: dict[str, tuple[Call | RepeatCall | RecheckResult, ...]], result_count: int = 1) -> Execution:
    functions = dict.fromkeys(steps, ("net", "x", "h"))
    program = Program(
        "__main__", (Cell(SOURCE, "code cell 1"),), {"kit": BUILDER}, functions, dict.fromkeys(steps, result_count)
    )
    execution = CURRENT_JAIL[0].run(
        program, [Batch(*item) for item in steps.items()], Limits(cpu_seconds=30, wall_seconds=60)
    )
    assert execution.problems == ()
    return execution


@pytest.fixture(scope="module")
def single(jail: None) -> dict[str, Outcome]:
    """Return the outcome of each function that should return one array, all from one process."""
    names = [*VALID, *INVALID, *ERRORS, "two_only", "none_at_all"]
    return {name: outcome for name, (outcome,) in execute(dict.fromkeys(names, (CALL,))).outcomes.items()}


@pytest.fixture(scope="module")
def double(jail: None) -> dict[str, Outcome]:
    """Return the outcome of each function that should return two arrays."""
    return {name: outcome for name, (outcome,) in execute(dict.fromkeys(PAIRS, (CALL,)), 2).outcomes.items()}


@pytest.mark.parametrize("name", VALID)
def test_arrays_of_real_numbers_arrive_as_float64(name, single):
    body, dtype = VALID[name]
    outcome = single[name]
    assert isinstance(outcome, Returned), outcome
    [array] = outcome.arrays
    expected = np.asarray(eval(body, {"np": np, "x": X, "h": CALL.arrays["h"], "net": [X]}), dtype=float)
    np.testing.assert_array_equal(array, expected)
    assert array.shape == expected.shape
    assert (array.dtype, *outcome.dtypes) == (np.float64, dtype)
    assert array.flags.writeable
    assert outcome.changed == {}


@pytest.mark.parametrize("name", INVALID)
def test_any_other_result_is_described_in_known_words(name, single):
    assert single[name] == InvalidResult(None, INVALID[name][1])


@pytest.mark.parametrize("name", PAIRS)
def test_several_results_are_a_tuple_or_a_list(name, double):
    problem = PAIRS[name][1]
    if problem is None:
        assert isinstance(double[name], Returned)
        assert [array.shape for array in double[name].arrays] == [(2, 3), (2,)]
    else:
        assert double[name] == InvalidResult(*problem)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory that holds, for one of them")
def test_exceptions_are_reported_with_their_place(name, single):
    _, error, text = ERRORS[name]
    outcome = single[name]
    assert isinstance(outcome, FunctionRaised), outcome
    assert (outcome.error, outcome.cell) == (error, "code cell 1")
    assert outcome.text.startswith(text)
    assert len(outcome.text) <= 300
    assert outcome.line == SOURCE.split("\n").index(f"def {name}(net, x, h):") + 2


@pytest.mark.parametrize("name", ["two_only", "none_at_all"])
def test_a_wrong_number_of_arguments_is_a_type_error_without_a_place(name, single):
    outcome = single[name]
    assert isinstance(outcome, FunctionRaised)
    assert (outcome.error, outcome.cell, outcome.line) == ("TypeError", "", None)
    assert "positional argument" in outcome.text


def test_changed_arguments_are_reported_and_each_call_has_fresh_ones():
    first, second = execute({"changes": (CALL, CALL)}).outcomes["changes"]
    for outcome in (first, second):
        assert isinstance(outcome, Returned)
        np.testing.assert_array_equal(outcome.changed["x"], X + 1)
        np.testing.assert_array_equal(outcome.changed["h"], [0, 0])


def test_changed_arguments_are_not_reported_without_detect_mutation():
    [outcome] = execute({"changes": (replace(CALL, detect_mutation=False),)}).outcomes["changes"]
    assert isinstance(outcome, Returned)
    assert outcome.changed == {}


@pytest.mark.parametrize(("name", "shape"), [("reshapes", (6,)), ("retypes", (0,))])
def test_reshaped_and_retyped_arguments_are_reported(name, shape):
    [outcome] = execute({name: (CALL,)}).outcomes[name]
    assert isinstance(outcome, Returned)
    assert outcome.changed["x"].shape == shape


def test_repeat_call_uses_the_same_objects():
    outcomes = execute({"changes": (CALL, RepeatCall(0), RepeatCall(1))}).outcomes["changes"]
    assert [outcome.changed["x"][0, 0] for outcome in outcomes] == [1, 2, 3]


def test_repeat_call_after_an_error_uses_the_same_objects():
    first, second, third = execute({"fails_once": (CALL, RepeatCall(0), CALL)}).outcomes["fails_once"]
    assert isinstance(first, FunctionRaised)
    assert isinstance(second, Returned)
    assert isinstance(third, FunctionRaised)


def test_recheck_result_shows_a_reused_buffer():
    outcomes = execute({"reuses": (CALL, CALL, RecheckResult(0), CALL, RecheckResult(2))}).outcomes["reuses"]
    assert [outcome.arrays[0][0] for outcome in outcomes] == [1, 2, 2, 3, 3]


def test_recheck_without_a_result_repeats_the_outcome():
    first, second = execute({"stub": (CALL, RecheckResult(0))}).outcomes["stub"]
    assert first == second
    assert execute({"nothing": (CALL, RecheckResult(0))}).outcomes["nothing"] == (InvalidResult(None, "None"),) * 2


def test_no_fresh_call_is_made_after_five_equal_errors():
    steps = (*(CALL,) * 7, RecheckResult(6), RepeatCall(6), RepeatCall(0))
    outcomes = execute({"comes_round": steps}).outcomes["comes_round"]
    assert [type(outcome) for outcome in outcomes] == [FunctionRaised] * 9 + [Returned]
    assert [outcome.text for outcome in outcomes[:9]] == ["1", "2", "3", "4", "5", *["5"] * 4]


@pytest.mark.parametrize("name", ["here_and_there", "now_and_then"])
def test_different_errors_or_results_between_them_do_not_stop_calls(name):
    outcomes = execute({name: (CALL,) * 12}).outcomes[name]
    assert len({outcome.text for outcome in outcomes if isinstance(outcome, FunctionRaised)}) >= 6
