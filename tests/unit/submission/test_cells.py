"""Text of a notebook -> cells, and IPython's own lines in them."""

from __future__ import annotations

import json
from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given

from autograder.submission.cells import (
    MAX_CELLS,
    CellsError,
    defined_functions,
    normalize_source,
    parse_notebook,
)
from autograder.submission.magics import strip_magics
from autograder.submission.script import parse_script


def notebook(*sources: object, **fields: object) -> str:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **fields})


class TestNotebook:
    def test_labels_count_code_cells_alone(self):
        text = notebook("a = 1", ["b = 2\n", "c = 3"])
        document = json.loads(text)
        document["cells"].insert(1, {"cell_type": "markdown", "source": ["words"], "metadata": {}})
        cells = parse_notebook(json.dumps(document))
        assert [(cell.runnable.label, cell.runnable.source) for cell in cells] == [
            ("code cell 1", "a = 1"),
            ("code cell 2", "b = 2\nc = 3"),
        ]

    def test_a_cell_may_end_with_a_backslash_before_blank_lines(self):
        source = "a = 1 + \\\n    2 \\\n\n"
        cells = [*parse_notebook(notebook(source)), *parse_script(f"# %%\n{source}\n# %%\nb = 3")]
        assert cells[0].runnable.source == cells[1].runnable.source
        namespace: dict[str, int] = {}
        exec(cells[0].runnable.source, namespace)
        assert namespace["a"] == 3

    @pytest.mark.parametrize(
        ("metadata", "is_check"),
        [
            ({"nbgrader": {"grade_id": "check_forward", "grade": True}}, True),
            ({"nbgrader": {"grade_id": "check_forward", "grade": False}}, False),
            ({"nbgrader": {"grade_id": "forward", "grade": True}}, False),
            ({"nbgrader": {"grade_id": 5, "grade": True}}, False),
            ({"nbgrader": ["grade"]}, False),
            ({}, False),
            (None, False),
        ],
    )
    def test_a_check_cell_is_known_by_its_metadata(self, metadata, is_check):
        document = json.loads(notebook("my_own_check()"))
        document["cells"][0]["metadata"] = metadata
        assert [cell.is_check for cell in parse_notebook(json.dumps(document))] == [is_check]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "not valid JSON"),
            ("{", "not valid JSON"),
            ("[" * 100_000, "not valid JSON"),
            ('{"nbformat": ' + "9" * 5000 + "}", "not valid JSON"),
            ("[]", "not a notebook"),
            ("3", "not a notebook"),
            ('{"nbformat": "4"}', "not a notebook"),
            ('{"nbformat": true}', "not a notebook"),
            ('{"nbformat": 4.0}', "not a notebook"),
            ('{"nbformat": 4}', "without cells"),
            ('{"nbformat": 4, "cells": {}}', "without cells"),
            ('{"nbformat": 3, "worksheets": []}', "format 3"),
            ('{"nbformat": 1234567890123, "cells": []}', "format unknown"),
            (notebook("a", cells=[3]), "damaged at cell 1"),
            (notebook("a", 3), "damaged at cell 2"),
            (notebook(["a", 3]), "damaged at cell 1"),
            (notebook(None), "damaged at cell 1"),
            (notebook(*["a"] * (MAX_CELLS + 1)), "more than 2000"),
        ],
        ids=range(18),
    )
    def test_an_invalid_notebook_is_refused_with_the_reason(self, text, reason):
        with pytest.raises(CellsError, match=reason):
            parse_notebook(text)

    def test_half_characters_and_odd_newlines_are_repaired(self):
        [cell] = parse_notebook(notebook("a = '\ud800'\r\nb = 1\rc = 2"))
        assert cell.original_source == "a = '?'\nb = 1\nc = 2"

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["nbformat", "cells", "cell_type", "source", "metadata", "nbgrader"]), inner
                )
            ),
        )
    )
    def test_any_json_gives_cells_or_a_reason(self, document):
        if isinstance(document, dict):
            document["nbformat"] = 4
        with suppress(CellsError):
            assert isinstance(parse_notebook(json.dumps(document)), tuple)


class TestMagics:
    @pytest.mark.parametrize(
        ("line", "python"),
        [
            ("%matplotlib inline", "pass"),
            ("    %load_ext autoreload", "    pass"),
            ("!pip install numpy", "pass"),
            ("!!ls", "pass"),
            ("x = !ls -l", "x = None"),
            ("  a.b = %pwd", "  a.b = None"),
            ("files, more = !ls", "files, more = None"),
            ("%time y = f(3)", "y = f(3)"),
            ("  %time f(3)", "  f(3)"),
            ("%time", "pass"),
            ("%time !ls", "pass"),
            ("%time %time f(3)", "f(3)"),
            ("  %time %time", "  pass"),
            ("y = %time %time f(3)", "y = f(3)"),
            ("y = %time f(3)", "y = f(3)"),
            ("%timeit f(3)", "pass"),
            ("np.dot?", "pass"),
            ("np.dot??", "pass"),
            ("?np.dot", "pass"),
            ("%magic?", "pass"),
            ("x %= 3", "x %= 3"),
            ("x = 7 % 3", "x = 7 % 3"),
            ("x == y", "x == y"),
            ("x != y", "x != y"),
            ("print('a = %d' % x)", "print('a = %d' % x)"),
            ("s = '50 = !%'", "s = '50 = !%'"),
            ("s = 'what?'", "s = 'what?'"),
            ("# is it right?", "# is it right?"),
            ("x = 1  # why?", "x = 1  # why?"),
        ],
    )
    def test_a_magic_on_one_line(self, line, python):
        assert strip_magics(line) == python

    @pytest.mark.parametrize(
        "source",
        [
            "x = (7\n     % 3)",
            "x = [\n    7\n    %3,\n]",
            "x = 7 \\\n% 3",
            's = """\n%matplotlib inline\n!ls\n?help\n"""',
            "s = '''it's\n%time\n'''",
            "s = 'a \\\n% b'",
            "d = {  # a bracket ( in a comment\n  'a': 7\n  % 2}",
            's = r"\\\\"; x = (1\n% 2)',
            "s = f'{x}'; y = (\n%3)",
        ],
    )
    def test_a_line_that_continues_is_left_alone(self, source):
        assert strip_magics(source) == source

    @pytest.mark.parametrize(
        ("source", "python"),
        [
            ("s = 'it''s (' + \"[\"  # {\n%who", "s = 'it''s (' + \"[\"  # {\npass"),
            ("s = 'unclosed\n%who", "s = 'unclosed\npass"),
            ("!echo 'it''s (\nx = 1", "pass\nx = 1"),
            ("!echo a \\\n  b \\\n  c\nx = 1", "pass\n\n\nx = 1"),
            ("x = !ls \\\n  -l\ny = 1", "x = None\n\ny = 1"),
            ("if a:\n    !ls\nelse:\n    %who", "if a:\n    pass\nelse:\n    pass"),
            ("f(1,\n  2)\n%who", "f(1,\n  2)\npass"),
        ],
    )
    def test_a_magic_over_several_lines(self, source, python):
        assert strip_magics(source) == python

    @pytest.mark.parametrize("magic", ["%%time", "%%capture out", "%%prun -q", "\n\n%%time", "%%time\n%%capture"])
    def test_bodies_that_run_in_the_notebook_are_kept_on_their_lines(self, magic):
        source = f"{magic}\nx = 1\n%who"
        python = strip_magics(source)
        assert python.split() == ["x", "=", "1", "pass"]
        assert python.count("\n") == source.count("\n")

    @pytest.mark.parametrize("magic", ["bash", "writefile a.py", "html", "timeit", "javascript", "python3", "latex"])
    def test_other_cells_are_dropped(self, magic):
        assert strip_magics(f"%%{magic}\nx = 1\n") == ""

    @pytest.mark.parametrize(
        ("source", "line"),
        [
            ("\n %%timeit -n 3 \ndef f(): pass", "%%timeit -n 3"),
            ("%%time\n%%writefile a.py\ndef f(): pass", "%%writefile a.py"),
            ("%%time\ndef f(): pass", ""),
            ("def f(): pass\n%%bash", ""),
            ("", ""),
        ],
    )
    def test_non_python_magic_is_the_line_that_drops_the_cell(self, source, line):
        [cell] = parse_notebook(notebook(source))
        assert cell.non_python_magic == line

    @given(st.text(alphabet="ab=%!?'\"()[]\\# \n", max_size=60))
    def test_lines_stay_where_they_are(self, source):
        python = strip_magics(source)
        assert python == "" or python.count("\n") == source.count("\n")


def test_normalize_source():
    assert normalize_source("\n\na = 1  \n\n  b = 2\t\n\n") == "a = 1\n\n  b = 2"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):", ("f",)),
        ("  async  def g (", ("g",)),
        ("def ff(x):\n# def f(x)\nfdef = 1", ()),
        ("if a:\n\tdef f(x): pass\ndef g(): pass", ("f", "g")),
    ],
)
def test_defined_functions(source, names):
    assert defined_functions(source, ("f", "g")) == names
