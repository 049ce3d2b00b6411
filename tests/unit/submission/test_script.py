"""Text of a script -> cells: where it is split, and where a header splits nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.submission.cells import MAX_CELLS, CellsError
from autograder.submission.magics import Scanner
from autograder.submission.script import MAX_HEADERS, parse_script

FUNCTION, REST, OTHER = "def f():\n    a = 1", "# %%\n    return a", "# %%\nb = 2"
OPENING, CLOSING = 'def g():\n    """One.', '# %%\ntwo"""\n    return 3'
WORDS = "# %% [markdown]\n# It isn't code."


def sources(text: str) -> list[str]:
    return [cell.runnable.source for cell in parse_script(text)]


class TestCells:
    def test_are_split_at_headers_and_keep_their_line_numbers(self):
        cells = parse_script("import a\n\n# %% one\nb = 1\n#%%\n\nc = 2\n# %%% sub\nd = 3\n")
        assert [(cell.runnable.source, cell.runnable.first_line) for cell in cells] == [
            ("import a", 1),
            ("b = 1", 4),
            ("c = 2", 7),
            ("d = 3", 9),
        ]
        assert all(cell.runnable.label == "" for cell in cells)

    @pytest.mark.parametrize("kind", ["[markdown]", "[md]", "[raw]", "a title [markdown]", '[markdown] id="a"'])
    def test_of_text_are_no_code(self, kind):
        assert sources(f"# %% {kind}\nthis = 'no code'\n# %%\nb") == ["b"]

    @pytest.mark.parametrize(
        "line", ["def f(x):", "@cache", "async def f(x):", "class A:", "import numpy as np", "from a.b import (c"]
    )
    def test_of_text_are_code_where_the_header_between_them_was_taken_away(self, line):
        text = f"# Words.\n\n{line}\n    a = 1"
        assert sources(f"# %% [markdown]\n{text}") == [text]

    def test_are_one_if_there_is_no_header(self):
        text = "# a title\nimport a\n\nx = '50 %% off'"
        assert sources(f"\n{text}\n") == [text]

    @pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "# %%\n# a comment\n\n# %%\n"])
    def test_are_none_if_there_is_no_code(self, text):
        assert sources(text) == []

    def test_of_a_notebook_exported_by_nbconvert_are_those_of_the_notebook(self):
        text = "#!/usr/bin/env python\n# coding: utf-8\n\n# # A title\n\n# In[1]:\n\n\na = 1\n\n\n# In[ ]:\n\n\nb = 2\n"
        cells = parse_script(text)
        assert [(cell.runnable.source, cell.runnable.first_line) for cell in cells] == [("a = 1", 9), ("b = 2", 15)]

    @pytest.mark.parametrize("line", ["# In[1]: is the first", "# In[a]:", "    # In[1]:"])
    def test_are_not_split_at_lines_that_only_resemble_a_header(self, line):
        assert len(sources(f"a = 1\n{line}\nb = 1")) == 1

    def test_of_too_large_a_number_are_refused(self):
        with pytest.raises(CellsError, match="2001 code cells"):
            parse_script("# %%\na = 1\n" * (MAX_CELLS + 1))

    def test_without_code_are_too_many_some_time(self):
        assert sources("# %%\n" * MAX_HEADERS + "a = 1") == ["a = 1"]
        with pytest.raises(CellsError, match="has 10001 cells, more than 10000"):
            parse_script("# %%\n" * (MAX_HEADERS + 1))

    def test_without_code_are_gone_through_once(self, monkeypatch):
        lines = []
        monkeypatch.setattr(Scanner, "feed", lambda scanner, line: lines.append(line))
        parse_script("a = 1\n" + "# %%\n" * 100)
        assert len(lines) == 102

    @given(st.lists(st.sampled_from(["# %%", "#%% [markdown]", "a = 1", "  b", "# c", "", "'\""]), max_size=12))
    def test_hold_the_lines_of_the_file_from_their_first_line_on(self, lines):
        for cell in parse_script("\n".join(lines)):
            source = cell.runnable.source.split("\n")
            start = cell.runnable.first_line - 1
            assert lines[start : start + len(source)] == source


class TestHeaderInsideAStatement:
    @pytest.mark.parametrize(
        ("texts", "spans"),
        [
            ([OTHER, OTHER], [(0, 1), (1, 2)]),
            ([FUNCTION, REST, OTHER], [(0, 2), (2, 3)]),
            ([FUNCTION, OTHER, REST], [(0, 1), (1, 2), (2, 3)]),
            ([FUNCTION, WORDS, REST, OTHER], [(0, 3), (3, 4)]),
            ([FUNCTION, WORDS, OTHER], [(0, 1), (2, 3)]),
            ([OPENING, CLOSING, OTHER], [(0, 2), (2, 3)]),
            ([OPENING, "# %%\nmore words", CLOSING, OTHER], [(0, 3), (3, 4)]),
            ([OTHER, f"# %%\n{OPENING}", CLOSING], [(0, 1), (1, 3)]),
            ([FUNCTION, "# %%\n    if a:", "# %%\n        a = 3", REST, OTHER], [(0, 4), (4, 5)]),
            (["try:\n    a", "# %%\nexcept E:\n    a = 2", OTHER], [(0, 2), (2, 3)]),
            (["@cache", "# %%\ndef f(): return 1", OTHER], [(0, 2), (2, 3)]),
            (["a = [1,  # one", "# %%\n2]", OTHER], [(0, 2), (2, 3)]),
            (["a = 1", "# %%\n  b = 2", OTHER], [(0, 1), (1, 2), (2, 3)]),
            (["a = 1", "# %%\nelse:\n  b = 2", OTHER], [(0, 1), (1, 2), (2, 3)]),
            ([FUNCTION, "# %%\n# nothing yet", REST], [(0, 3)]),
            (['def f():\n    """One\ntwo.\n"""', REST, OTHER], [(0, 2), (2, 3)]),
            (["def f():\n    a = (1\n+ 2)", REST, OTHER], [(0, 2), (2, 3)]),
            (["@cache(\n    size=1\n)", "# %%\ndef f(): return 1", OTHER], [(0, 2), (2, 3)]),
            (["try: a", "# %%\nexcept E: a = 2", "# %%\nelse: a = 3", OTHER], [(0, 3), (3, 4)]),
            ([FUNCTION, *["# %%\n    a = 2"] * 20, REST, OTHER], [(0, 22), (22, 23)]),
        ],
        ids=range(20),
    )
    def test_joins_the_sections_that_belong_to_it(self, texts, spans):
        cells = ["\n".join(texts[start:end]).removeprefix("# %%\n").strip("\n") for start, end in spans]
        assert sources("\n".join(texts)) == cells

    def test_does_not_join_what_follows_a_string_that_is_never_closed(self):
        assert sources('# %%\na = """\n# %%\nb = 1\n# %%\nc = 2') == ['a = """', "b = 1", "c = 2"]

    def test_joins_a_small_number_of_sections_only(self):
        assert len(sources('a = """\n' + "# %%\nwords\n" * 20 + '"""')) > 10
