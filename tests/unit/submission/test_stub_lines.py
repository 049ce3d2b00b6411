"""The line of a stub: left beside code of the student's own, or all there is."""

from __future__ import annotations

import pytest

from autograder.submission.stub_lines import is_unwritten, left_stub_lines

STUB = '    raise NotImplementedError("f is not written yet")\n'


@pytest.mark.parametrize(
    ("body", "own_code"),
    [
        (STUB, None),
        ('    """Return a number.\n\n    raise NotImplementedError\n    """\n' + STUB, None),
        ("    # to do\n    pass\n" + STUB, None),
        (STUB + "    return 1\n", "below"),
        ("    a = 1\n" + STUB + "    return a\n", "below"),
        ("    a = 1\n" + STUB, "above"),
        ("    a = 1\n    raise NotImplementedError\n", "above"),
        ("    if a:\n        raise NotImplementedError\n    return 1\n", None),
        ("    return 1\n", None),
    ],
)
def test_left_stub_lines(body, own_code):
    cells = ["import numpy as np", f"def f(a):\n{body}\nprint(f)"]
    assert left_stub_lines(["f", "g"], cells) == ({"f": own_code} if own_code else {})


def test_the_last_definition_counts():
    assert left_stub_lines(["f"], [f"def f(a):\n{STUB}    return 1", "def f(a):\n    return 1"]) == {}


def test_code_that_was_handed_out_is_not_the_students_own():
    stub = f"def f(a):\n    n = len(a)\n{STUB}"
    assert left_stub_lines(["f"], [stub], [stub]) == {}
    assert left_stub_lines(["f"], [f"{stub}    return n\n"], [stub]) == {"f": "below"}


def test_a_definition_on_one_line_has_no_code_of_its_own():
    assert left_stub_lines(["f"], ["def f(a): raise NotImplementedError"]) == {}


@pytest.mark.parametrize(
    "body", [STUB, '    """Of another release."""\n' + STUB, "    # to do\n    pass\n", "    ...\n"]
)
def test_a_function_with_no_more_than_a_stub_is_unwritten(body):
    assert is_unwritten("f", f"import numpy as np\ndef f(a):\n{body}")


@pytest.mark.parametrize(
    "cell",
    [
        f"def f(a):\n{STUB}    return a\n",
        "def f(a): return a",
        f"def f(a):\n    return a\ndef f(a):\n{STUB}",
        f"if True:\n    def f(a):\n    {STUB}",
    ],
)
def test_a_function_with_code_of_its_own_or_no_plain_definition_is_not_called_unwritten(cell):
    assert not is_unwritten("f", cell)
