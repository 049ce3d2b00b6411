"""Global data that a function reads: found in its text, and never confused with what the function sets itself."""

from __future__ import annotations

import pytest

from autograder.submission.global_reads import global_reads

BEFORE = "import numpy as np\n\nx = np.ones(3)\nT: int = 4\na, b = 1, 2\nslope = lambda out: 1 - out**2\n"


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("    return len(x) * T\n", ("T",)),  # x is a parameter
        ("    return a + b\n", ("a", "b")),
        ("    T = len(x)\n    return T\n", ()),
        ("    a, b = x\n    return a * b\n", ()),
        ("    for T in range(3):\n        pass\n    return [a for a in x]\n", ()),
        ("    total = 0\n    total += b\n    return total\n", ("b",)),
        ("    return slope(x)\n", ()),  # a function is no data
        ('    """Needs T and a."""\n    return "b"  # T\n', ()),
        ("    return x.T + net.a\n", ()),
        ("    return np.sum(x, axis=T)\n", ("T",)),
        ("    with open(x) as a:\n        return a\n", ()),
    ],
)
def test_global_reads_of_one_function(body: str, reads: tuple[str, ...]) -> None:
    cells = [BEFORE, f"def f(\n    net,\n    x,\n):\n{body}\n\nT = 7\nprint(T)\n"]
    assert global_reads(["f"], cells) == ({"f": reads} if reads else {})


def test_the_last_definition_is_searched_and_globals_come_from_all_cells() -> None:
    cells = ["def f(x):\n    return k\n", "k = 3\n", "def f(x):\n    return x\n"]
    assert global_reads(["f"], cells) == {}
    assert global_reads(["f", "g"], cells[:2]) == {"f": ("k",)}
    assert global_reads(["g"], cells) == {}


@pytest.mark.parametrize(
    "text",
    [
        "def f(",
        "def f(x):",
        '"""',
        "(" * 50_000,
        "a," * 50_000,
        "'" * 50_000,
        "a = " * 30_000,
        "def f(x):\n" + " for a\n" * 20_000,
        "def f(x):\n " + "for " * 20_000,
    ],
)
def test_any_text_is_accepted(text: str) -> None:
    assert global_reads(["f"], [text, text]) == {}
