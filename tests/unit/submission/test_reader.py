"""A submitted file or folder -> a Submission, or a refusal in one sentence."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from pathlib import Path

import pytest

from autograder.submission.notebook_json import Content
from autograder.submission.reader import MAX_COPIES, MAX_ENTRIES, ReleasedFiles, SubmissionRefused, read_submission
from autograder.submission.safe_files import MAX_BYTES

SET_UP = "import numpy as np\n\nprint('set-up')"
STUB = "def f(x):\n    raise NotImplementedError"
STUB_G = "def g(x):\n    raise NotImplementedError"
CHECK = 'check("f")'
RELEASED = ReleasedFiles(frozenset({CHECK}), frozenset({STUB, STUB_G}), ("f", "g"), ("network",))
ANSWER = "def f(x):\n    return x"


def script(*cells: str) -> str:
    return "\n".join(f"# %%\n{cell}\n" for cell in cells)


def notebook(*cells: str) -> str:
    code = [{"cell_type": "code", "metadata": {}, "outputs": [{"x": 1}], "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code})


BLANK = (SET_UP, STUB, CHECK, STUB_G)
SOLVED = (SET_UP, ANSWER, CHECK, STUB_G)


@pytest.fixture
def handed_in(tmp_path):
    """Write files by name into a folder, and read it as a submission."""

    def read(files: dict[str, str | bytes], path: str = ""):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_submission(tmp_path / path, "ex", RELEASED)

    return read


@pytest.fixture
def refusal(handed_in):
    """Write files by name into a folder, and return the sentence that refuses it as a submission."""

    def read(files: dict[str, str | bytes], path: str = "") -> str:
        with pytest.raises(SubmissionRefused) as reason:
            handed_in(files, path)
        sentence = str(reason.value)
        assert sentence.endswith(".")
        assert sentence.isprintable()
        assert len(sentence) < 400
        return sentence

    return read


class TestWhatIsRead:
    def test_a_stub_that_a_magic_drops_is_noted(self, handed_in):
        submission = handed_in({"ex.ipynb": notebook(SET_UP, f"%%timeit\n{ANSWER}", STUB_G)})
        assert submission.notes == (
            "code cell 2 starts with %%timeit, so what it defines is not kept (f): delete that line.",
        )

    @pytest.mark.parametrize(("name", "write"), [("ex.py", script), ("ex.ipynb", notebook)])
    def test_cells_are_all_that_runs_and_hold_no_released_check(self, handed_in, name, write):
        submission = handed_in({name: write(*SOLVED, "", "# words", "x = 1  \n")})
        assert [cell.source for cell in submission.cells] == [SET_UP, ANSWER, STUB_G, "x = 1  "]
        assert submission.kind == ("script" if name == "ex.py" else "notebook")
        assert submission.notes == ()
        assert submission.path.name == name

    def test_labels_count_the_cells_that_do_not_run_too(self, handed_in):
        submission = handed_in({"ex.ipynb": notebook(*SOLVED)})
        assert [cell.label for cell in submission.cells] == ["code cell 1", "code cell 2", "code cell 4"]

    def test_lines_are_those_of_the_file(self, handed_in):
        assert [cell.first_line for cell in handed_in({"ex.py": script(*SOLVED)}).cells] == [2, 7, 14]

    def test_a_changed_check_cell_with_its_metadata_is_still_no_code(self, handed_in):
        document = json.loads(notebook(*SOLVED))
        document["cells"][2]["source"] = "check('f')  # mine"
        document["cells"][2]["metadata"] = {"nbgrader": {"grade_id": "check_f", "grade": True}}
        submission = handed_in({"ex.ipynb": json.dumps(document)})
        assert not any("check" in cell.source for cell in submission.cells)

    def test_cells_hold_no_magics(self, handed_in):
        submission = handed_in({"ex.ipynb": notebook("%matplotlib inline\nx = !ls", "%%bash\nls")})
        assert [cell.source for cell in submission.cells] == ["pass\nx = None"]

    def test_a_byte_order_mark_is_ignored(self, handed_in):
        assert [cell.source for cell in handed_in({"ex.py": b"\xef\xbb\xbfx = 1"}).cells] == ["x = 1"]

    def test_nothing_of_a_submission_is_executed(self, handed_in, monkeypatch):
        for forbidden in ("exec", "eval", "compile", "__import__"):
            monkeypatch.delattr(f"builtins.{forbidden}")
        assert [cell.source for cell in handed_in({"ex.py": "1/0"}).cells] == ["1/0"]


class TestFilesBeside:
    CODE = "import numpy as np\nimport ex, helpers, unknown\nfrom network import *\nimport random\n" + ANSWER

    @pytest.mark.parametrize("path", ["", "ex.py"])
    def test_a_file_beside_that_is_imported_gets_a_note(self, handed_in, path):
        files = {"ex.py": self.CODE, "helpers.py": "a = 1", "random.py": "", "network.py": "", "other.py": ""}
        (note,) = handed_in(files, path).notes
        assert (
            note == "helpers.py lies beside your work and is not taken along: copy what you use of it into your work."
        )

    def test_several_files_beside_are_named_together(self, handed_in):
        files = {"ex.py": self.CODE, "helpers.py": "", "unknown.py": ""}
        (note,) = handed_in(files).notes
        assert note.startswith("helpers.py and unknown.py lie beside your work and are not taken along: copy what")

    def test_in_a_zip_file_only_those_of_its_folder_lie_beside_it(self, handed_in, tmp_path):
        with zipfile.ZipFile(tmp_path / "ex.zip", "w") as archive:
            for name in ("mine/ex.py", "mine/helpers.py", "unknown.py"):
                archive.writestr(name, self.CODE)
        assert [note.partition(" lies")[0] for note in handed_in({}, "ex.zip").notes][1:] == ["helpers.py"]


class TestWhichFile:
    @pytest.mark.parametrize("name", ["mine.py", "a b (3).ipynb", "X.PY", "ex.v2.Ipynb"])
    def test_a_file_given_by_its_path_may_have_any_name(self, handed_in, name):
        write = notebook if name.lower().endswith("ipynb") else script
        assert handed_in({name: write(*SOLVED), "ex.py": "1"}, name).path.name == name

    @pytest.mark.parametrize(
        "name",
        [
            "ex (1).ipynb",
            "ex(2).py",
            "ex-2.py",
            "ex_1.py",
            "Copy of ex.ipynb",
            "Copy of Copy of ex.ipynb",
            "Kopie von ex.ipynb",
            "ex-Copy1.ipynb",
            "ex - Copy.py",
            "ex - Copy (2).py",
            "ex copy 2.ipynb",
            "Ex.py",
            "ex.PY",
        ],
    )
    def test_a_name_changed_by_a_host_is_accepted_with_a_note(self, handed_in, name):
        write = notebook if name.lower().endswith("ipynb") else script
        submission = handed_in({name: write(*SOLVED), "network.py": "", "test_ex.py": ""})
        assert submission.path.name == name
        assert submission.notes == (f"{name} was taken for ex{Path(name).suffix.lower()}.",)

    @pytest.mark.parametrize(
        "name", ["ex.txt", "test_ex.py", "ex2.py", "exam.py", "ex_final.py", "my ex.ipynb", "ex", "._ex.py"]
    )
    def test_another_name_is_refused(self, refusal, name):
        sentence = refusal({name: "x = 1"})
        assert "holds no ex.ipynb or ex.py" in sentence
        assert name in sentence

    @pytest.mark.parametrize("name", ["my homework final.ipynb", "ex_final.py", "Übung 3 [neu].py", "test_ex.py"])
    def test_a_file_of_another_name_with_the_answers_is_taken_with_a_note(self, handed_in, name):
        text = notebook(*SOLVED) if name.endswith(".ipynb") else script(*SOLVED)
        submission = handed_in({name: text, "network.py": "def h(): pass", "notes.ipynb": notebook(SET_UP)})
        assert submission.path.name == name
        assert submission.notes == (f"{name} was taken for ex{Path(name).suffix}.",)

    def test_two_files_of_other_names_with_answers_are_refused(self, refusal):
        assert "holds no ex.ipynb or ex.py" in refusal({"a.py": script(*SOLVED), "b.py": script(*SOLVED)})

    def test_several_are_refused_by_name(self, refusal):
        sentence = refusal({"ex (1).py": "1", "ex (2).py": "2", "other.py": "3"})
        assert "ex (1).py and ex (2).py" in sentence
        assert "other" not in sentence

    def test_the_exact_name_wins(self, handed_in):
        submission = handed_in({"ex.py": script(*SOLVED), "ex (1).py": "1", "ex-2.py": "2"})
        assert submission.path.name == "ex.py"
        assert submission.notes == ("ex.py was graded, and not ex (1).py and ex-2.py beside it.",)

    def test_an_edited_copy_wins_over_the_unedited_file(self, handed_in):
        submission = handed_in({"ex.ipynb": notebook(*BLANK), "ex (1).ipynb": notebook(*SOLVED)})
        assert submission.path.name == "ex (1).ipynb"
        assert submission.notes == ("ex (1).ipynb was graded, because ex.ipynb is as it was handed out.",)

    def test_several_edited_copies_are_refused(self, refusal):
        files = {"ex.py": script(*BLANK), "ex (1).py": script(*SOLVED), "ex (2).py": script(*SOLVED)}
        assert "ex (1).py and ex (2).py, and it is unclear which one counts" in refusal(files)

    def test_the_exact_name_wins_over_several_of_the_other_kind(self, handed_in):
        submission = handed_in({"ex.py": script(*SOLVED), "ex (1).ipynb": "1", "ex (2).ipynb": "2"})
        assert submission.path.name == "ex.py"
        assert submission.notes == ("ex (1).ipynb and ex (2).ipynb beside it did not count.",)

    @pytest.mark.parametrize(
        ("in_script", "in_notebook", "taken"),
        [(BLANK, BLANK, "ex.ipynb"), (SOLVED, BLANK, "ex.py"), (BLANK, SOLVED, "ex.ipynb"), (SOLVED, (), "ex.py")],
        ids=["neither", "script", "notebook", "script beside an empty notebook"],
    )
    def test_of_notebook_and_script_the_edited_one_counts(self, handed_in, in_script, in_notebook, taken):
        submission = handed_in({"ex.py": script(*in_script), "ex.ipynb": notebook(*in_notebook)})
        assert submission.path.name == taken
        assert submission.notes == ()

    def test_of_edited_notebook_and_script_the_notebook_counts_with_a_note(self, handed_in):
        submission = handed_in({"ex.py": script(*SOLVED), "ex.ipynb": notebook(*SOLVED)})
        assert submission.path.name == "ex.ipynb"
        assert submission.notes == ("Both ex.ipynb and ex.py were worked on: ex.ipynb was graded.",)

    def test_beside_the_unedited_notebook_of_another_release_an_edited_script_counts(self, handed_in):
        old_stub = STUB.replace("\n", '\n    """In other words."""\n')
        submission = handed_in({"ex.py": script(*SOLVED), "ex.ipynb": notebook(SET_UP, old_stub, STUB_G)})
        assert submission.path.name == "ex.py"

    def test_beside_a_broken_notebook_an_edited_script_counts(self, handed_in):
        submission = handed_in({"ex.py": script(*SOLVED), "ex.ipynb": "{"})
        assert submission.path.name == "ex.py"
        assert "ex.ipynb is not a notebook" in submission.notes[0]

    def test_beside_a_broken_notebook_an_unedited_script_does_not_count(self, refusal):
        assert "ex.ipynb is not a notebook" in refusal({"ex.py": script(*BLANK), "ex.ipynb": "{"})


class TestFoldersInside:
    """A folder and a zip file of it are searched alike."""

    @pytest.fixture(params=["folder", "zip file"])
    def read(self, request, handed_in, tmp_path):
        def read_files(files: dict[str, str]):
            if request.param == "folder":
                return handed_in({f"work/{name}": text for name, text in files.items()}, "work")
            with zipfile.ZipFile(tmp_path / "work.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            return read_submission(tmp_path / "work.zip", "ex", RELEASED)

        return read_files

    @pytest.mark.parametrize("name", ["hw/ex.py", "My homework (final)/ü/ex.py", "a/b/c/ex.py", "hw/ex (1).py"])
    def test_the_file_is_found(self, read, name):
        assert read({name: script(*SOLVED), "hw/data.txt": ""}).path.name == name.rpartition("/")[2]

    def test_the_uppermost_file_counts_with_a_note(self, read):
        submission = read({"hw/ex.py": script(*SOLVED), "hw/old/ex.py": script(*SOLVED)})
        assert submission.path.parent.name == "hw"
        assert "ex.py was graded, and not hw/old/ex.py beside it." in submission.notes

    def test_an_edited_file_further_down_counts_if_the_uppermost_is_unedited(self, read):
        submission = read({"ex.py": script(*BLANK), "new/ex.py": script(*SOLVED)})
        assert submission.path.parent.name == "new"

    def test_two_on_one_level_are_refused(self, read):
        with pytest.raises(SubmissionRefused, match=r"a/ex.py and b/ex.py, and it is unclear which one counts"):
            read({"a/ex.py": script(*SOLVED), "b/ex.py": script(*SOLVED)})

    @pytest.mark.parametrize("name", [".ipynb_checkpoints/ex.py", "__MACOSX/ex.py", "a/b/c/d/ex.py"])
    def test_hidden_and_deep_folders_are_not_searched(self, read, name):
        with pytest.raises(SubmissionRefused, match=r"holds no ex.ipynb or ex.py|is empty"):
            read({name: script(*SOLVED)})

    def test_a_zip_file_in_a_folder_is_read(self, handed_in, tmp_path):
        (tmp_path / "hw").mkdir()
        with zipfile.ZipFile(tmp_path / "hw" / "work.zip", "w") as archive:
            archive.writestr("ex.py", script(*SOLVED))
        assert handed_in({}).path.name == "ex.py"

    def test_a_linked_folder_is_not_entered(self, refusal, handed_in, tmp_path):
        handed_in({"elsewhere/ex.py": script(*SOLVED)})
        (tmp_path / "hand-in").mkdir()
        (tmp_path / "hand-in" / "hw").symlink_to(tmp_path / "elsewhere")
        assert "holds no ex.ipynb or ex.py, only hw" in refusal({}, "hand-in")

    def test_very_many_files_beside_it_do_not_matter(self, handed_in, monkeypatch):
        monkeypatch.setattr("autograder.submission.reader.MAX_ENTRIES", 20)
        files = {f"venv/{number}.txt": "" for number in range(30)}
        assert handed_in({"ex.py": script(*SOLVED), **files}).notes == ()


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("files", "path", "message"),
        [
            ({}, "", "is empty: hand in ex.ipynb or ex.py"),
            ({}, "not_there", "cannot be read: No such file"),
            ({"a.txt": "1"}, "a.txt", "a.txt is neither a notebook (.ipynb) nor a script (.py)"),
            ({"ex.ipynb": "{"}, "", "ex.ipynb is not a notebook (not valid JSON)"),
            ({"ex.ipynb": '{"nbformat": 3}'}, "", "ex.ipynb is a notebook of format 3"),
            ({"ex.py": b"x = '\xe9'"}, "", "ex.py is not UTF-8 text (see byte 6)"),
            ({"ex.py": "x".encode("utf-16")}, "", "ex.py is not UTF-8 text"),
            ({"ex.py": b"x" * (MAX_BYTES + 1)}, "", "ex.py is larger than 10 MB"),
            ({"ex.py": "# %%\na\n" * 2001}, "", "ex.py has 2001 code cells"),
            ({f"{i}.txt": "" for i in range(9)}, "", "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more"),
            ({"a\x1b[31m\n" + "b" * 200: ""}, "", "a [31m bbb"),
        ],
        ids=range(11),
    )
    def test_refusals_say_what_to_do(self, refusal, files, path, message):
        assert message in refusal(files, path)

    @pytest.mark.parametrize("path", ["", "ex.py"])
    def test_a_link(self, refusal, tmp_path, path):
        (tmp_path / "elsewhere").write_text("x = 1")
        (tmp_path / "ex.py").symlink_to(tmp_path / "elsewhere")
        assert "ex.py is a symbolic link" in refusal({}, path)

    def test_a_link_to_a_folder(self, refusal, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "work").symlink_to(tmp_path / "elsewhere")
        assert refusal({}, "work") == "work is a symbolic link: name, or hand in, the file itself."

    @pytest.mark.parametrize("path", ["", "ex.py"])
    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a platform with named pipes")
    def test_a_pipe(self, refusal, tmp_path, path):
        os.mkfifo(tmp_path / "ex.py")
        assert "ex.py is not a regular file" in refusal({}, path)

    def test_a_folder_of_that_name(self, refusal, tmp_path):
        (tmp_path / "ex.py").mkdir()
        assert "ex.py is not a regular file" in refusal({})

    @pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs a platform with devices")
    def test_a_device(self):
        with pytest.raises(SubmissionRefused, match="neither a notebook"):
            read_submission(Path("/dev/null"), "ex", RELEASED)


class TestOddFolders:
    def test_a_huge_sparse_file(self, refusal, tmp_path):
        with (tmp_path / "ex.py").open("wb") as file:
            file.truncate(1 << 40)
        assert "ex.py is larger than 10 MB" in refusal({})

    def test_too_many_files(self, refusal, tmp_path):
        for number in range(MAX_ENTRIES + 1):
            (tmp_path / f"{number}").touch()
        assert "holds more than 10000 files: hand in only your own" in refusal({"ex.py": "x = 1"})

    @pytest.mark.slow  # makes 100,000 files
    def test_very_many_files(self, refusal, tmp_path):
        for number in range(100_000):
            (tmp_path / f"{number}").touch()
        assert "holds more than 10000 files" in refusal({"ex.py": "x = 1"})

    def test_a_deep_tree_is_not_entered(self, handed_in, tmp_path):
        folder = tmp_path
        for _ in range(40):
            folder = folder / ("d" * 50)
            folder.mkdir()
        assert handed_in({"ex.py": script(*SOLVED)}).notes == ()

    @pytest.mark.skipif(os.name != "posix", reason="needs named pipes and local sockets")
    def test_pipes_and_sockets_beside_it_are_not_touched(self, handed_in, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # the address of a socket is short
        os.mkfifo("pipe.py")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.ipynb")
            assert handed_in({"ex.py": script(*SOLVED)}).notes == ()

    @pytest.mark.skipif(os.name != "posix", reason="needs local sockets")
    def test_a_socket(self, refusal, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("ex.py")
            assert "ex.py is not a regular file" in refusal({})

    @pytest.mark.skipif(os.name != "posix", reason="needs names that only POSIX allows")
    @pytest.mark.parametrize(
        "name", ["ex.py\n", "\x1b[2Jex.py", "ex.py\u202e", "::error::ex.py", "ex.py'; rm", b"\xffex.py"]
    )
    def test_odd_names(self, refusal, tmp_path, name):
        (tmp_path / os.fsdecode(name)).touch()
        assert "holds no ex.ipynb or ex.py, only" in refusal({})

    def test_a_path_that_is_not_there_is_named_without_its_folder(self, tmp_path):
        with pytest.raises(SubmissionRefused) as refused:
            read_submission(tmp_path / "not_there", "ex", RELEASED)
        assert str(refused.value) == "not_there cannot be read: No such file or directory."

    def test_a_path_with_a_null_byte(self):
        with pytest.raises(SubmissionRefused, match="cannot be read"):
            read_submission(Path("a\0b"), "ex", RELEASED)


def copies(count: int, text: str) -> dict[str, str]:
    """Return a notebook as it was handed out, and copies by a browser."""
    return {"ex.ipynb": notebook(*BLANK)} | {f"ex ({number}).ipynb": text for number in range(1, count + 1)}


def content(path: Path) -> Content:
    return Content(path.read_bytes(), path.stat().st_size)


def test_very_many_copies_beside_an_unedited_file_are_refused_unread(refusal, monkeypatch):
    read = []
    monkeypatch.setattr(
        "autograder.submission.reader.read_file", lambda path, _: [read.append(path.name), content(path)][1]
    )
    assert "it is unclear which one counts" in refusal(copies(MAX_COPIES + 1, notebook(*BLANK)))
    assert read == ["ex.ipynb"]


def test_of_large_copies_only_some_are_read_and_each_once(refusal, monkeypatch):
    read = []
    monkeypatch.setattr("autograder.submission.reader.read_file", lambda path, _: [read.append(path), content(path)][1])
    large = notebook(*BLANK) + " " * (MAX_BYTES // 3)
    assert "it is unclear which one counts" in refusal(copies(MAX_COPIES, large))
    assert len(read) == len(set(read)) == 4
