"""Sources read as text: what students get of each cell, and how a malformed source is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.exercise.source import (
    SCRIPT_CHECK_CELL,
    SourceError,
    extract_released_cells,
    parse_cells,
    solution_lines,
    student_text,
)

SOURCE = '''\
# %% [markdown]
# # Title

# %% setup
import numpy as np


# %% solution="double"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %% check="double"
# check("double")

# %%
print("anything else")

# %% [markdown] manual="why" points=1.5
# Why?
#
# ### BEGIN SOLUTION
# Because it is so.
# ### END SOLUTION
'''


def test_cells_are_read_in_order() -> None:
    assert [(cell.kind, cell.name, cell.points) for cell in parse_cells(SOURCE)] == [
        ("markdown", "", 0),
        ("setup", "", 0),
        ("solution", "double", 0),
        ("check", "double", 0),
        ("code", "", 0),
        ("manual", "why", 1.5),
    ]


def test_a_solution_becomes_a_stub_that_names_its_function() -> None:
    stub = student_text(parse_cells(SOURCE)[2])
    assert stub == 'def double(x):\n    """Twice x."""\n    raise NotImplementedError("double is not written yet")'


def test_lines_around_a_solution_are_kept() -> None:
    text = SOURCE.replace("    ### BEGIN", "    y = x\n    ### BEGIN").replace(
        "END SOLUTION\n\n", "END SOLUTION\n    return y\n\n", 1
    )
    lines = student_text(parse_cells(text)[2]).splitlines()
    assert lines[2] == "    y = x"
    assert lines[-1] == "    return y"


def test_extract_released_cells() -> None:
    released = extract_released_cells(SOURCE)
    assert released.setup_cells == {"import numpy as np"}
    assert released.check_cells == {'check("double")', SCRIPT_CHECK_CELL}
    assert released.stub_cells == {student_text(parse_cells(SOURCE)[2])}


def test_solution_lines_come_from_code_and_manual_answers() -> None:
    assert list(solution_lines(SOURCE)) == ["return 2 * x", "Because it is so."]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# %% setup", "# %% set-up", "This is not a cell header that a release knows: # %% set-up"),
        (
            'solution="double"',
            'solutoin="double"',
            'This is not a cell header that a release knows: # %% solutoin="double"',
        ),
        ("    ### END SOLUTION\n\n\n", "\n", 'in the cell "double"'),
        ("    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION", "    return 2 * x", "there is neither"),
        ("def double(x)", "def twice(x)", "There is no line `def double(` in the cell"),
        ('print("anything else")', "### BEGIN SOLUTION", 'whose header is not # %% solution="..."'),
        (
            "# %% [markdown]\n# # Title",
            '"""A docstring."""\n\n# %% [markdown]\n# # Title',
            "This is not a cell header",
        ),
    ],
)
def test_a_malformed_source_is_refused_in_one_sentence(old: str, new: str, message: str) -> None:
    assert old in SOURCE
    with pytest.raises(SourceError) as error:
        parse_cells(SOURCE.replace(old, new, 1))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_reading_a_source_imports_no_jupyter() -> None:
    """Grading reads sources too, and must not load nbgrader."""
    text = Path(extract_released_cells.__code__.co_filename).read_text(encoding="utf-8")
    assert "jupytext" not in text
    assert "nbformat" not in text


HINTS = '# %% setup\nx = 1\n\n# %% hints="f"\n# 1. Look here,\n#    and there.\n# 2. Look closer.\n'


def test_hints_are_read_and_not_released():
    released = extract_released_cells(HINTS)
    assert released.hints == {"f": ("Look here, and there.", "Look closer.")}
    assert released.setup_cells == {"x = 1"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("# Look here.", "must be numbered"),
        ("# 2. Look here.", "must be numbered"),
        ("# 1. a\n# 3. b", "must be numbered"),
        ("", "there are 0"),
        ("# 1. a\n# 2. b\n# 3. c\n# 4. d", "there are 4"),
    ],
)
def test_malformed_hints_are_refused(lines, message):
    with pytest.raises(SourceError, match=message):
        extract_released_cells(f'# %% hints="f"\n{lines}\n')
