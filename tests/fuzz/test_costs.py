"""Files that once cost seconds or gigabytes: each is read by a process with limits far above what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fuzz import costs
from tests.fuzz.costs import FUNCTIONS, HEAD, NAME, TAIL, cell, fill, notebook

MAX_MEBIBYTES = 300
LOOPS = "".join(f"# %%\ndef {name}(x):\n" + f"    for{' ' * 290}x\n" * 330 for name in FUNCTIONS)

LONG_IMPORT = f"from {'a' * 200_000}\n"
STUB_LINES = "def rnn_forward(x):\n    a = 1\n" + "    raise NotImplementedError\n" * 25_000


@pytest.mark.parametrize(
    ("entry", "file", "text"),
    [
        pytest.param("normalize", f"{NAME}.ipynb", HEAD + fill("{},") + "{}" + TAIL, id="3 million empty cells"),
        pytest.param("normalize", f"{NAME}.ipynb", HEAD + fill('{"":{}},'), id="a million cells, cut short"),
        pytest.param("normalize", f"{NAME}.ipynb", notebook(cell(fill("ab \n", 6_000_000))), id="6 MB of code"),
        pytest.param("read", f"{NAME}.py", "a = 1\n" + LOOPS, id="loops without a target"),
        pytest.param("read", f"{NAME}.py", fill("# %%\na\n"), id="a script of a million cells"),
        pytest.param("read", f"{NAME}.py", LONG_IMPORT + STUB_LINES, id="a long import, 25,000 lines of a stub"),
        pytest.param("timestamp", "timestamp.txt", fill("1 "), id="10 MB for a time"),
    ],
)
def test_a_file_costs_little(entry: str, file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    _, mebibytes, outcome = costs.measure(entry, tmp_path / file)
    assert mebibytes < MAX_MEBIBYTES, outcome


def test_a_large_notebook_of_much_output_is_read(tmp_path: Path) -> None:
    lines = [f"step {i}: {i / 7:.4f}\n" for i in range(150_000)]
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": lines},
        {"data": {"image/png": "iVBORw0K" * 400_000}},
    ]
    document = {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": "a = 1", "outputs": outputs}]}
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    costs.ENTRIES["read"](path)
