"""The released checks: every message that a student can get, on an answer that causes it."""

from __future__ import annotations

import linecache
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograder.exercise.source import parse_cells, solution_lines
from autograder.release.build import SHIPPED_MODULES, STUDENT_FOLDER

ROOT = Path(__file__).resolve().parents[3]
EXERCISE = ROOT / "solutions" / "rnn_backprop"
RIGHT = "import numpy as np\n" + "\n\n".join(
    cell.source
    for cell in parse_cells((EXERCISE / "rnn_backprop.py").read_text(encoding="utf-8"))
    if cell.kind == "solution"
)


def module_of(code: str, file: Path | None) -> ModuleType:
    """Run code as the module of a file, or of a notebook whose only cell is In[1]."""
    module = ModuleType("__main__")
    name = str(file or "/tmp/ipykernel_1/2345.py")
    if file:
        module.__file__ = name
    else:
        vars(module)["In"] = ["", code]
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    exec(compile(code, name, "exec"), vars(module))
    return module


def check_output(checks: Any, monkeypatch: pytest.MonkeyPatch, code: str, *names: str, file: Path | None = None) -> str:
    """Return what check(*names) prints about an answer."""
    monkeypatch.setitem(sys.modules, "__main__", module_of(code, file))
    text = repr(checks.check(*names))
    assert all(len(line) < 80 for line in text.splitlines()), text
    return text


def without_progress(text: str) -> str:
    return text.partition("\nDone: ")[0]


def edited(*pairs: tuple[str, str]) -> str:
    code = RIGHT
    for old, new in pairs:
        assert old in code
        code = code.replace(old, new)
    return code


def returning_dW(value: str) -> str:
    return edited(("return dW", f"return {value}"))


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_right_answers_pass_and_are_consistent(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, RIGHT)
    assert "WRONG" not in text
    for name in ("forward", "dJ_dV", "dJ_dW", "dJ_dU"):
        assert f"{name}: all " in text
    assert text.count("It is also the slope of J through your own forward.") == 3  # once for each gradient


@pytest.mark.parametrize(
    ("value", "message_part"),
    [
        ("None", "dJ_dW returned None: did you forget return?"),
        ("dW.tolist()", "dJ_dW is a list of 3, not an array: make one with np.array or np.zeros."),
        ("3.0", "dJ_dW is a single number, not an array"),
        ("(dW, dW)", "dJ_dW returned a tuple of 2: return one array."),
        ("(dW,)", "dJ_dW returned a tuple of 1: return one array."),
        ("dW[0]", "dJ_dW has the wrong shape: expected (H, H) = (3, 3), got (3,)."),
        ("dW * np.nan", "dJ_dW holds nan in 9 of 9 entries, first in dJ_dW[0, 0]: look for 0/0"),
        ("np.abs(dW) / 0", "dJ_dW holds inf in 9 of 9 entries"),
        ("dW * 1j", "dJ_dW has dtype complex128: real numbers are needed"),
        ("dW.astype(object)", "dJ_dW has dtype object (rows of different lengths?)"),
        ("np.ma.array(dW)", "dJ_dW is a value of type MaskedArray"),
        ("np.matrix(dW)", "dJ_dW is a value of type matrix"),
        ("(x.__setitem__(0, 9.0), dW)[1]", "dJ_dW changes its input x: work on a copy"),
        ("(net.W.__setitem__(0, 9.0), dW)[1]", "dJ_dW changes its input W: work on a copy, W.copy()."),
        ("np.random.default_rng().normal(size=dW.shape)", "dJ_dW answers two equal calls differently"),
        ("exit(3)", "dJ_dW stops with SystemExit: 3"),
    ],
)
def test_unusable_results(checks: Any, monkeypatch: pytest.MonkeyPatch, value: str, message_part: str) -> None:
    text = check_output(checks, monkeypatch, returning_dW(value), "dJ_dW")
    assert message_part in unwrapped(text)
    assert text.startswith("dJ_dW: 0 of 4 checks pass")
    assert text.count(" (same)\n") == 3


@pytest.mark.parametrize(
    ("old", "new", "message_part"),
    [
        ("return np.array(h), np.array(y_hat)", "pass", "forward returned None: did you forget return?"),
        (
            "return np.array(h), np.array(y_hat)",
            "return np.array(h)",
            "returned one array: end it with `return h, y_hat`.",
        ),
        ("return np.array(h), np.array(y_hat)", "return h, y_hat", "h is a list of 4, not an array"),
        ("return np.array(h), np.array(y_hat)", "return np.array(h), None", "y_hat is None"),
        ("return np.array(h), np.array(y_hat)", "return [h0]", "returned a list of 1: end it with `return h, y_hat`."),
        (
            "return np.array(h), np.array(y_hat)",
            "return np.array(h[1:]), np.array(y_hat)",
            "expected (T+1, H) = (4, 3), got (3, 3)",
        ),
        ("h, y_hat = [h0], []", "h, y_hat = [0 * h0], []", "h[0] is not h0: the first row of h must be h0 itself."),
    ],
)
def test_unusable_results_of_forward(
    checks: Any, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message_part: str
) -> None:
    assert message_part in unwrapped(check_output(checks, monkeypatch, edited((old, new)), "forward"))


def test_forward_may_return_a_list(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = "np.array(h), np.array(y_hat)"
    text = check_output(checks, monkeypatch, edited((f"return {pair}", f"return [{pair}]")))
    assert "WRONG" not in text
    assert text.count("It is also the slope of J through your own forward.") == 3


def test_a_transposed_shape_is_recognised(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, edited(("return dU", "return dU.T")), "dJ_dU")
    assert "expected (H, D) = (3, 2), got (2, 3): is it transposed?" in unwrapped(text)


def test_transposed_numbers_of_a_square_matrix_are_recognised(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "your numbers are those of the transpose" in check_output(checks, monkeypatch, returning_dW("dW.T"), "dJ_dW")


def test_whole_numbers_are_refused_as_in_grading(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, returning_dW("dW.astype(int)"), "dJ_dW")
    assert "dJ_dW has dtype int64, which holds whole numbers only: leave out dtype." in unwrapped(text)


def test_wrong_numbers_show_the_smallest_case_and_the_worst_entry(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(
        checks, monkeypatch, edited(("later = delta_G1 @ net.W", "later = delta_G1 @ net.W.T")), "dJ_dW"
    )
    assert "dJ_dW is not the slope of J." in text
    for row in (
        "smallest failing case  T = 2, H = 2, D = 1, K = 2; tanh, softmax\n",
        "relative error         2.1 ",
        "(allowed: 0.001)",
        "worst entry            dJ_dW[",
        "right for              T = 1; wrong from T = 2 on\n",
        "right for              W = 0 and W symmetric;",
        "read                   equations (17) and (18) of the notebook",
        'see it again           check("dJ_dW", T=2, H=2, seed=0)',
    ):
        assert row in text
    assert "own forward" not in text  # it is neither, so there is nothing more to say


def stopping_early(function: str, steps: int) -> str:
    """Return right answers, but for a walk back through time of at most so many steps in one function."""
    start = RIGHT.index(f"def {function}(")
    walk = "for t in range(T, 0, -1):"
    assert walk in RIGHT[start:]
    return RIGHT[:start] + RIGHT[start:].replace(walk, f"for t in range(T, max(0, T - {steps}), -1):", 1)


@pytest.mark.parametrize("steps", [3, 4, 6])
@pytest.mark.parametrize("function", ["dJ_dW", "dJ_dU"])
def test_a_window_of_a_few_steps_fails(checks: Any, monkeypatch: pytest.MonkeyPatch, function: str, steps: int) -> None:
    text = check_output(checks, monkeypatch, stopping_early(function, steps), function)
    assert f"{function} is not the slope of J." in text


def test_a_forward_pass_of_three_steps_fails(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("range(1, len(x) + 1)", "range(1, min(len(x), 3) + 1)"))
    text = check_output(checks, monkeypatch, code, "forward")
    assert "expected (T+1, H) = (5, 2), got (4, 2)" in unwrapped(text)


def test_two_outputs_written_down_as_two_fail(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("dV = np.zeros_like(net.V)", "dV = np.zeros((2, len(net.W)))"))
    assert "WRONG" in check_output(checks, monkeypatch, code, "dJ_dV")


def test_each_function_is_called_once_on_each_case(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = RIGHT.replace("def dJ_dV(", "COUNT = []\n\ndef dJ_dV(", 1).replace(
        "dV = np.zeros_like(net.V)", "COUNT.append(1)\n    dV = np.zeros_like(net.V)"
    )
    module = module_of(code, None)
    monkeypatch.setitem(sys.modules, "__main__", module)
    assert "all 4 checks pass, in 33 cases" in repr(checks.check("dJ_dV"))
    assert len(module.COUNT) == 33 + 3  # the contract makes three calls more, to see what is kept between them


def test_low_precision_passes_with_a_note(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, returning_dW("dW.astype(np.float32)"), "dJ_dW")
    assert "all 4 checks pass" in text
    assert "Right, but in low precision" in text


@pytest.mark.parametrize(("factor", "verdict"), [(1 + 1e-9, ""), (1 + 1e-5, "low precision"), (1.01, "WRONG")])
def test_tolerances(checks: Any, monkeypatch: pytest.MonkeyPatch, factor: float, verdict: str) -> None:
    text = check_output(checks, monkeypatch, returning_dW(f"dW * {factor}"), "dJ_dW")
    assert verdict in text
    assert verdict or ("WRONG" not in text and "low precision" not in text)


def test_a_right_gradient_with_a_wrong_forward_passes_with_a_note(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, edited(("net.W @ h[t - 1]", "net.W.T @ h[t - 1]")), "dJ_dW")
    assert "dJ_dW: all 4 checks pass" in text
    assert 'not the slope of J through your own forward, though: check("forward") tells more.' in unwrapped(text)


def test_a_gradient_of_a_wrong_forward_is_wrong_with_a_note(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both = edited(("net.V @ h[t] + net.b_y", "2 * net.V @ h[t] + net.b_y"), ("e @ net.V / T", "2 * e @ net.V / T"))
    text = check_output(checks, monkeypatch, both, "dJ_dW")
    assert "dJ_dW is not the slope of J" in text
    assert "It is the slope of J through your own forward, though: look at forward first." in unwrapped(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("net.g1.jacobian(h[t])", "np.diag(1 - h[t] ** 2)"),
        ("net.loss.gradient(y_hat[t - 1], y[t - 1]) @ net.g2.jacobian(y_hat[t - 1])", "y_hat[t - 1] - y[t - 1]"),
    ],
)
def test_hard_coded_derivatives_get_a_hint(checks: Any, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    text = unwrapped(check_output(checks, monkeypatch, edited((old, new)), "dJ_dW"))
    _, _, derived = text.partition("WRONG Made of the jacobian and gradient passed in")
    assert "use net.loss.gradient and each jacobian as they are. A slope that is measured or written out" in derived


def test_no_hint_on_derivatives_for_another_cause(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "as they are" not in check_output(checks, monkeypatch, returning_dW("dW[0]"), "dJ_dW")


def test_an_exception_shows_the_students_line(checks: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = returning_dW("helper(dW)") + "\n\ndef helper(a):\n    return a[7]\n"
    text = check_output(checks, monkeypatch, code, "dJ_dW")
    assert "dJ_dW stops with IndexError: index 7 is out of bounds" in text
    assert f"cell In[1], line {len(code.splitlines())}:  return a[7]" in text
    text = check_output(checks, monkeypatch, code, "dJ_dW", file=tmp_path / "rnn_backprop.py")
    assert f"rnn_backprop.py, line {len(code.splitlines())}:  return a[7]" in text


def test_an_exception_in_given_code_shows_the_students_line(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(
        checks, monkeypatch, edited(("net.g2.function(net.V @ h[t] + net.b_y)", "net.g2.function(net.V)")), "forward"
    )
    assert "softmax.function works on one time step" in unwrapped(text)
    assert "y_hat.append(net.g2.function(net.V))" in text


def test_wrong_number_of_arguments(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, edited(("dJ_dW(net, x, y, h, y_hat)", "dJ_dW(net, x, y)")), "dJ_dW")
    assert "takes 3 positional arguments but 5 were given" in unwrapped(text)
    assert "called as dJ_dW(net, x, y, h, y_hat), so put the first line of the stub back." in unwrapped(text)


@pytest.mark.parametrize(
    ("pairs", "message_part"),
    [
        (
            [
                ("def dJ_dW", "KEPT = {}\n\ndef dJ_dW"),
                ("return dW", "KEPT.setdefault(dW.shape, dW)[:] = dW\n    return KEPT[dW.shape]"),
            ],
            "A later call of dJ_dW changes what an earlier one returned: make a new array each time.",
        ),
        (
            [
                ("def dJ_dW", "KEPT = {}\n\ndef dJ_dW"),
                ("dW = np.zeros_like(net.W)", "dW = KEPT.setdefault(net.W.shape, 0 * net.W)"),
            ],
            "dJ_dW answers two equal calls differently",
        ),
        (
            [
                ("def dJ_dW", "KEPT = []\n\ndef dJ_dW"),
                ("return dW", "KEPT.append(net.W[0, 0])\n    return dW + len(set(KEPT)) - 1"),
            ],
            "dJ_dW answers two equal calls differently",
        ),
    ],
)
def test_memory_of_earlier_calls(
    checks: Any, monkeypatch: pytest.MonkeyPatch, pairs: list[tuple[str, str]], message_part: str
) -> None:
    assert message_part in unwrapped(check_output(checks, monkeypatch, edited(*pairs), "dJ_dW"))


def test_a_stub_is_not_attempted_and_a_call_of_one_is_wrong(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = "raise NotImplementedError('dJ_dV is not written yet')"
    code = edited(("return dV", stub), ("return dW", "return dJ_dV(net, x, y, h, y_hat)"))
    assert without_progress(check_output(checks, monkeypatch, code, "dJ_dV")) == "dJ_dV is not attempted yet."
    assert "dJ_dW calls dJ_dV, which is not written yet." in check_output(checks, monkeypatch, code, "dJ_dW")


def test_a_stubs_line_above_written_code_is_named(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "raise NotImplementedError('dJ_dV is not written yet')"
    text = check_output(checks, monkeypatch, edited(("T = len(x)\n    dV", f"{line}\n    T = len(x)\n    dV")), "dJ_dV")
    message = "dJ_dV stops at raise NotImplementedError, so your code below it never runs: delete that line."
    assert message in unwrapped(text)
    assert line in unwrapped(text)
    on_condition = edited(("T = len(x)\n    dV", f"if len(x):\n        {line}\n    T = len(x)\n    dV"))
    text = check_output(checks, monkeypatch, on_condition, "dJ_dV")
    assert without_progress(text) == "dJ_dV is not attempted yet."


def test_swapped_results_are_named(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("return np.array(h), np.array(y_hat)", "return np.array(y_hat), np.array(h)"))
    assert "the shape of y_hat: are the two swapped?" in unwrapped(check_output(checks, monkeypatch, code, "forward"))


def test_a_cell_run_too_early(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, "", "dJ_dW")
    assert without_progress(text) == "Run the cell that defines dJ_dW first, then this one again."


def test_a_file_without_the_function(checks: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = check_output(checks, monkeypatch, "", "dJ_dW", file=tmp_path / "rnn_backprop.py")
    assert "rnn_backprop.py does not define dJ_dW: put the line `def dJ_dW(...)` back." in unwrapped(text)


def test_a_name_that_is_no_function(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, RIGHT + "\ndJ_dW = np.ones(3)\n", "dJ_dW")
    assert "dJ_dW is one array, not a function: another line took its name." in text


def test_an_unknown_name(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, RIGHT, "dJ_dX")
    assert text == "There is no 'dJ_dX' here, only forward, dJ_dV, dJ_dW, dJ_dU."


def test_prints_and_warnings_are_harmless(
    checks: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = returning_dW("(print('here'), np.zeros(1) / 0, dW)[-1]")
    assert "all 4 checks pass" in check_output(checks, monkeypatch, code, "dJ_dW")
    assert capsys.readouterr().err == ""  # nbgrader takes anything on stderr for a failure


def test_html_is_escaped_and_does_not_rely_on_colour(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("return dW", "raise ValueError('<script>alert(1)</script>')"))
    monkeypatch.setitem(sys.modules, "__main__", module_of(code, None))
    html = checks.check("dJ_dW", "dJ_dV")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "wrong</b>" in html
    assert "pass</b>" in html
    assert "color: inherit; background: none" in html  # so that dark themes show it as they show text


@pytest.mark.parametrize(
    ("code", "message_part"), [(RIGHT, ""), (returning_dW("0 * dW"), "is not the slope"), ("", "Run the cell")]
)
def test_check_raises_with_the_message_alone_under_nbgrader(
    checks: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str, message_part: str
) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    monkeypatch.setitem(sys.modules, "__main__", module_of(code, None))
    if not message_part:
        assert checks.check("dJ_dW") is None  # what a cell returns is points to nbgrader
        assert "all 4 checks pass" in capsys.readouterr().out
        return
    with pytest.raises(checks.NotPassedError, match=message_part) as raised:
        checks.check("dJ_dW")
    assert raised.value._render_traceback_() == str(raised.value).splitlines()


@pytest.mark.parametrize("wrt", ["U", "W", "V", "b_h", "b_y", "h0"])
def test_slope_measures_every_parameter(checks: Any, wrt: str) -> None:
    network, answers = checks.golden().given, module_of(RIGHT, None)
    rng = np.random.default_rng(1)
    arrays = {"U": (3, 2), "W": (3, 3), "V": (2, 3), "b_h": (3,), "b_y": (2,), "x": (4, 2), "h0": (3,), "y": (4, 2)}
    given = network.arguments(
        {name: rng.normal(size=shape) for name, shape in arrays.items()},
        {"g1": "tanh", "g2": "softmax", "loss": "squared_error"},
    )
    net, x, y, h0 = (given[name] for name in ("net", "x", "y", "h0"))
    before = {name: np.copy(getattr(net, name)) for name in "UWV"}
    path = wrt if wrt == "h0" else f"net.{wrt}"
    measured = checks.slope(path, network.J, answers.forward, net, x, y, h0)
    assert measured.shape == arrays[wrt]
    assert all(np.array_equal(getattr(net, name), array) for name, array in before.items())
    if wrt in "UVW":
        derived = getattr(answers, f"dJ_d{wrt}")(net, x, y, *answers.forward(net, x, h0))
        assert np.max(np.abs(derived - measured)) <= 1e-6 * np.max(np.abs(measured))


@pytest.mark.parametrize(
    ("path", "slopes"),
    [
        ("a", 6.0),
        ("items.0", [2.0, 4.0]),
        ("items.1.rate", 1.0),
        ("named.w", [[1.0]]),
    ],
)
def test_slope_measures_every_part_of_an_argument(checks: Any, path: str, slopes: Any) -> None:
    def J(a: float, items: Any, named: Any) -> float:
        return float(a**2 + (items[0] ** 2).sum() + items[1]["rate"] + named["w"].sum())

    measured = checks.slope(path, J, 3.0, (np.array([1.0, 2.0]), {"rate": 0.5}), named={"w": np.ones((1, 1))})
    np.testing.assert_allclose(measured, slopes, rtol=1e-6)


def test_slope_raises_for_unknown_arguments_and_bad_functions(checks: Any) -> None:
    with pytest.raises(ValueError, match=r"slope knows a, b; 'w' is none of them"):
        checks.slope("w", lambda a, b: a + b, 1.0, 2.0)
    with pytest.raises(ValueError, match="did you forget return"):
        checks.slope("a", lambda a: None, 1.0)
    with pytest.raises(TypeError, match="the name of an argument, J, and what J is called with"):
        checks.slope(lambda a: a, 1.0)


def test_the_reference_is_exact_on_the_golden_numbers(checks: Any) -> None:
    """Ten digits are enough: nothing passes with a note only because of their rounding."""
    for visible in checks.golden().checks:
        result = checks.run(visible, checks.Answers(module_of(RIGHT, None)))
        assert result.status == "pass"
        assert "low precision" not in result.message


SLOPE_SCRIPT = """
import sys
from types import ModuleType

import numpy as np

slope = ModuleType("slope")
sys.modules["slope"] = slope
exec(compile(sys.argv[1], "slope.py", "exec"), vars(slope))
network = ModuleType("network")
sys.modules["network"] = network
exec(compile(sys.argv[2], "network.py", "exec"), vars(network))

eye = np.eye(2)
arrays = {"U": eye, "W": eye, "V": eye, "b_h": eye[0], "b_y": eye[0], "x": eye, "h0": eye[0]}
given = network.arguments(arrays, {"g1": "identity", "g2": "identity", "loss": "squared_error"})
forward = lambda net, x, h0: (x, x @ net.V.T)
print(slope.slope("net.V", network.J, forward, given["net"], given["x"], 0 * eye, given["h0"]).round(6))
"""


def test_slope_needs_only_its_own_text_and_network(tmp_path: Path) -> None:
    """No file beside it, nor any name of a file: so it can be offered wherever student code runs."""
    texts = [STUDENT_FOLDER / "slope.py", EXERCISE / "network.py"]
    command = [sys.executable, "-I", "-c", SLOPE_SCRIPT, *(path.read_text(encoding="utf-8") for path in texts)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr == ""
    assert done.stdout == "[[0.5 0. ]\n [0.  0.5]]\n"


@pytest.mark.parametrize(("text", "message_part"), [(None, "is not beside checks.py"), ("{", "is damaged")])
def test_checks_report_missing_or_damaged_numbers(tmp_path: Path, text: str | None, message_part: str) -> None:
    for file in SHIPPED_MODULES:
        (tmp_path / file).write_text((STUDENT_FOLDER / file).read_text(encoding="utf-8"), encoding="utf-8")
    if text:
        (tmp_path / "checks.json").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "from checks import check; print(check(), check('forward'))"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr == ""
    assert done.stdout.count(f"checks.json {message_part}: put it there as it was handed out") == 2


WITHOUT_RECURSION = [("later = delta_G1 @ net.W", "later = 0 * delta_G1")]


def test_a_small_case_is_shown_in_full(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(edited(*WITHOUT_RECURSION), None))
    text = repr(checks.check("dJ_dW", T=3, H=2, seed=0))
    assert text.startswith(
        "dJ_dW: the check does not pass\n  WRONG  T = 3, H = 2, D = 1, K = 2; tanh, softmax with cross_entropy"
    )
    for row in (
        "W               [[0.9, -0.7],\n                            [0.4, 0.8]]",
        "y_hat  ",
        "your dJ_dW  ",
        "expected  ",
        "relative error  ",
    ):
        assert row in text
    assert "h0  " not in text  # the gradients do not get it
    assert repr(checks.check("dJ_dW", T=1, H=2, seed=0)).startswith("dJ_dW: the check passes")


def test_cases_are_found_by_their_traits(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(RIGHT, None))
    assert repr(checks.check("forward", g1="relu")).startswith("forward: the check passes")
    assert "all 3 checks pass" in repr(checks.check("forward", H=1))
    text = unwrapped(repr(checks.check("forward", T=77)))
    assert "There is no case with T=77 here. There are: T=1, H=1, seed=0 D = 1, K = 1;" in text


def test_the_case_named_by_a_message_exists(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, edited(*WITHOUT_RECURSION), "dJ_dW")
    case = re.search(r'see it again +check\("dJ_dW", (.*)\)', text)[1]
    assert "WRONG" in repr(eval(f'checks.check("dJ_dW", {case})', {"checks": checks}))
    assert "term by term           your dJ(3)/dW has the term k = 3;" in text


def test_a_case_that_raises(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(returning_dW("dW[9]"), None))
    assert "dJ_dW stops with IndexError" in repr(checks.check("dJ_dW", T=3, H=2, seed=0))


def test_no_hint_is_a_line_of_the_solution(checks: Any) -> None:
    solution = {
        line for line in solution_lines((EXERCISE / "rnn_backprop.py").read_text(encoding="utf-8")) if len(line) > 8
    }
    for hints in checks.golden().hints.values():
        assert 1 <= len(hints) <= 3
        assert not [line for text in hints for line in solution if line in text]


def test_html_of_wrong_numbers_has_the_map_as_a_table(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(edited(*WITHOUT_RECURSION), None))
    html = checks.check("dJ_dW")._repr_html_()
    assert 'aria-label="Relative error of each entry of dJ_dW"' in html
    assert "No entry of dJ_dW is right." in html
    assert html.count("smallest failing case") == 1  # the same is not said of each check
    assert html.count("<b>&#10007; wrong</b> (same reason): ") == 2
