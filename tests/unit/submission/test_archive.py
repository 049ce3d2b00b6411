"""Zip files: a single member is read, nothing is extracted, and a crafted archive is refused in one sentence."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from autograder.submission import archive
from autograder.submission.reader import ReleasedFiles, SubmissionRefused, read_submission
from autograder.submission.safe_files import MAX_BYTES, UnreadableFileError

RELEASED = ReleasedFiles(frozenset(), frozenset(), ("f",))
ANSWER = b"def f(x):\n    return x"
DAMAGED = "is damaged, or not a zip file"


def member(name: str, **fields: object) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def make_zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members:
            file.writestr(name, data, compress_type=method)
    return out.getvalue()


def replace_bytes(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Return the archive with some bytes replaced in the last record that has a signature."""
    at = data.rindex(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def replace_in_both_headers(data: bytes, offset: int, value: bytes) -> bytes:
    """Return the archive with a field changed in the local header and in the table of contents."""
    return replace_bytes(replace_bytes(data, b"PK\3\4", offset, value), b"PK\1\2", offset + 2, value)


@pytest.fixture
def write_archive(tmp_path):
    def write(data: bytes) -> Path:
        path = tmp_path / "work.zip"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def read(write_archive):
    return lambda data: read_submission(write_archive(data), "ex", RELEASED)


@pytest.fixture
def refusal(read):
    def sentence(data: bytes) -> str:
        with pytest.raises(SubmissionRefused) as reason:
            read(data)
        text = str(reason.value)
        assert text.isprintable()
        assert len(text) < 500
        return text

    return sentence


class TestWhatIsRead:
    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    @pytest.mark.parametrize("name", ["ex.py", "a/ex.py", "a/b/c/ex.py", "a\\ex.py", "ex (1).py", "Übung/ex.py"])
    def test_a_member_of_the_right_name_in_up_to_three_folders(self, read, name, method):
        submission = read(make_zip(("notes.txt", b""), (name, ANSWER), method=method))
        assert submission.cells[0].source == ANSWER.decode()
        member_path = name.replace("\\", "/")
        assert submission.notes[0] == f"{member_path} in work.zip was graded."
        assert submission.path.name == member_path.rpartition("/")[2]

    def test_files_of_macos_and_hidden_files_are_ignored(self, read):
        hidden = ("__MACOSX/ex.py", "__MACOSX/._ex.py", "._ex.py", ".ipynb_checkpoints/ex.py", "a/.git/ex.py")
        submission = read(make_zip(*((name, b"\0") for name in hidden), ("ex.py", ANSWER)))
        assert len(submission.notes) == 1

    @pytest.mark.parametrize(
        "name", ["../ex.py", "a/../../ex.py", "/ex.py", "C:\\ex.py", "c:ex.py", "./ex.py", "a//ex.py"]
    )
    def test_a_path_out_of_the_archive_is_ignored(self, read, refusal, name):
        assert "is empty" in refusal(make_zip((name, ANSWER)))
        assert read(make_zip((name, b"1/0"), ("ex.py", ANSWER))).cells[0].source == ANSWER.decode()

    def test_a_notebook_of_equal_lines_of_output_is_read_however_well_it_is_packed(self, read):
        output = {"output_type": "stream", "name": "stdout", "text": ["loss: 0.125\n"] * 300_000}
        cell = {"cell_type": "code", "source": ANSWER.decode(), "outputs": [output]}
        text = json.dumps({"nbformat": 4, "cells": [cell]}).encode()
        data = make_zip(("ex.ipynb", text))
        assert len(data) < len(text) / 300
        assert read(data).cells[0].source == ANSWER.decode()

    def test_nothing_is_written(self, read, tmp_path):
        read(make_zip(("../out.txt", b"out"), ("a/in.txt", b"in"), ("ex.py", ANSWER)))
        assert [path.name for path in tmp_path.iterdir()] == ["work.zip"]

    def test_a_broken_notebook_beside_an_edited_script_gives_way_to_it(self, read):
        submission = read(make_zip(("a/ex.ipynb", b"{"), ("a/ex.py", ANSWER)))
        assert submission.path.name == "ex.py"
        assert "ex.ipynb is not a notebook" in submission.notes[1]

    @pytest.mark.parametrize("name", ["work.zip", "work.ZIP"])
    def test_the_only_archive_of_a_folder_without_another_candidate_is_read(self, tmp_path, name):
        (tmp_path / name).write_bytes(make_zip(("ex.py", ANSWER)))
        (tmp_path / "network.py").touch()
        assert read_submission(tmp_path, "ex", RELEASED).notes == (f"ex.py in {name} was graded.",)

    def test_in_a_folder_a_file_of_the_right_name_comes_first(self, tmp_path):
        (tmp_path / "work.zip").write_bytes(b"not looked at")
        (tmp_path / "ex.py").write_bytes(ANSWER)
        assert read_submission(tmp_path, "ex", RELEASED).notes == ()

    def test_of_two_archives_in_a_folder_none_is_opened(self, tmp_path):
        for name in ("a.zip", "b.zip"):
            (tmp_path / name).write_bytes(make_zip(("ex.py", ANSWER)))
        with pytest.raises(SubmissionRefused, match=r"holds no ex.ipynb or ex.py, only a.zip and b.zip"):
            read_submission(tmp_path, "ex", RELEASED)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ((), "The zip file work.zip is empty: hand in ex.ipynb or ex.py."),
            ((("other.py", b""),), "The zip file work.zip holds no ex.ipynb or ex.py, only other.py"),
            ((("a/b/c/d/ex.py", ANSWER),), "is empty"),
            ((("in.zip", make_zip(("ex.py", ANSWER))),), "holds no ex.ipynb or ex.py, only in.zip"),
            ((("a/ex.py", ANSWER), ("b/ex.py", ANSWER)), "holds a/ex.py and b/ex.py, and it is unclear"),
            ((("ex (1).py", ANSWER), ("a/ex (2).py", ANSWER)), "holds a/ex (2).py and ex (1).py, and it is unclear"),
            ((("a/ex.ipynb", b""), ("b/ex.ipynb", b""), ("ex.py", ANSWER)), "a/ex.ipynb and b/ex.ipynb"),
            ((("ex.py", b"\xff"),), "ex.py is not UTF-8 text"),
            ((("a\x1b[2J\nb.py", b""),), "only a [2J b.py"),
            ((("x" * 60_000 + "/ex.py", ANSWER),), "is empty"),
        ],
        ids=range(10),
    )
    def test_refusals_say_what_to_do(self, refusal, members, message):
        assert message in refusal(make_zip(*members))

    @pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile's own, as the test makes the archive
    def test_a_name_that_occurs_twice(self, refusal):
        assert "holds ex.py and ex.py, and it is unclear" in refusal(make_zip(("ex.py", ANSWER), ("ex.py", b"1/0")))

    def test_a_name_that_ends_at_a_null_byte_is_the_name_before_it(self, refusal):
        data = make_zip(("ex.py", ANSWER), ("ex.py_txt", ANSWER)).replace(b"ex.py_txt", b"ex.py\0txt")
        assert "it is unclear which one counts" in refusal(data)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
    def test_a_link_a_pipe_or_a_device(self, refusal, kind):
        special_file = member("ex.py", external_attr=(kind | 0o777) << 16)
        assert "ex.py is a link, or no regular file, in its archive" in refusal(
            make_zip((special_file, b"/etc/passwd"))
        )

    @pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
    def test_an_encrypted_member(self, refusal, flag):
        data = replace_in_both_headers(make_zip(("ex.py", ANSWER)), 6, struct.pack("<H", flag))
        assert "ex.py is locked with a password" in refusal(data)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_compression_that_may_need_any_amount_of_memory(self, refusal, method):
        assert "ex.py is compressed in a way that is not read here" in refusal(
            make_zip(("ex.py", ANSWER), method=method)
        )

    @pytest.mark.parametrize("method", [1, 6, 9, 93, 99, 65535])
    def test_an_unknown_compression(self, refusal, method):
        data = replace_in_both_headers(make_zip(("ex.py", ANSWER)), 8, struct.pack("<H", method))
        assert "ex.py is compressed in a way that is not read here" in refusal(data)

    def test_an_archive_over_the_cap(self, write_archive, refusal):
        path = write_archive(b"")
        with path.open("wb") as file:
            file.truncate(archive.MAX_ARCHIVE_BYTES + 1)  # sparse
        with pytest.raises(UnreadableFileError, match="larger than 100 MB"):
            archive.list_members(path)

    def test_too_many_members(self, refusal):
        members = ((f"{number}", b"") for number in range(archive.MAX_MEMBERS + 1))
        assert "work.zip holds more than 10000 files" in refusal(make_zip(*members, method=zipfile.ZIP_STORED))

    def test_a_table_of_contents_over_the_cap(self, refusal):
        record = make_zip(("a" * 65_000, b""))
        record = record[record.index(b"PK\1\2") : record.index(b"PK\5\6")]
        table = record * 100
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(table), 0, 0)
        assert "holds more than 10000 files" in refusal(table + end)

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: b"",
            lambda data: b"PK",
            lambda data: b"not a zip file",
            lambda data: data[: len(data) // 2],
            lambda data: data[40:],
            lambda data: replace_bytes(data, b"PK\5\6", 16, b"\xff\xff\xff\x7f"),
            lambda data: replace_bytes(data, b"PK\5\6", 12, b"\xff\xff\xff\x7f"),
            lambda data: replace_bytes(data, b"PK\5\6", 12, b"\xff\xff\xff\xff"),
            lambda data: replace_bytes(data, b"PK\1\2", 16, b"\1\2\3\4"),
            lambda data: replace_bytes(data, b"PK\1\2", 42, b"\xff\xff\0\0"),
            lambda data: replace_bytes(data, b"PK\3\4", 30, b"no"),
            lambda data: replace_bytes(data, b"PK\3\4", 26, b"\xff\xff"),
        ],
        ids=range(12),
    )
    def test_a_damaged_archive(self, refusal, change):
        sentence = refusal(change(make_zip(("ex.py", ANSWER * 50))))
        assert DAMAGED in sentence or "holds more than" in sentence

    def test_an_archive_with_random_damage_is_read_or_refused(self, write_archive):
        rng = random.Random(1)
        data = make_zip(("ex.py", ANSWER * 20), ("a/b.txt", b"b" * 100))
        for _ in range(2000):
            damaged = bytearray(data)
            for _ in range(rng.choice((1, 1, 2, 5))):
                damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 255, rng.randrange(256)))
            refusal_text = ""
            try:
                read_submission(write_archive(bytes(damaged)), "ex", RELEASED)
            except SubmissionRefused as reason:
                refusal_text = str(reason)
            assert not refusal_text or refusal_text.isprintable()


def test_a_notebook_whose_outputs_hardly_shrink_is_read(write_archive):
    picture = base64.b64encode(random.Random(0).randbytes(12_000_000)).decode()
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [{"data": {"image/png": picture}}]}
    path = write_archive(make_zip(("ex.ipynb", json.dumps({"nbformat": 4, "cells": [cell]}).encode())))
    assert read_submission(path, "ex", RELEASED).cells[0].source == "x = 1"


class TestBombs:
    def refusal_in_little_memory(self, path: Path) -> str:
        """Return the text of the refusal, and check how much memory it took."""
        tracemalloc.start()
        try:
            with pytest.raises(SubmissionRefused) as reason:
                read_submission(path, "ex", RELEASED)
            assert tracemalloc.get_traced_memory()[1] < 40 << 20
        finally:
            tracemalloc.stop()
        return str(reason.value)

    def test_a_member_that_unpacks_to_more_than_the_cap(self, write_archive):
        assert "ex.py is larger than 10 MB" in self.refusal_in_little_memory(
            write_archive(make_zip(("ex.py", bytes(100 << 20))))
        )

    def test_a_member_that_claims_to_be_small(self, write_archive):
        data = make_zip(("ex.py", bytes(100 << 20)))
        for offset, size in ((22, 1000), (22, MAX_BYTES)):
            self.refusal_in_little_memory(write_archive(replace_in_both_headers(data, offset, struct.pack("<L", size))))

    def test_members_that_share_their_bytes(self, write_archive):
        data = make_zip(("ex.py", ANSWER))
        start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
        table = data[start:end].replace(b"ex.py", b"ey.py") * 500 + data[start:end]
        tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 501, 501, len(table), start, 0)
        path = write_archive(data[:start] + table + tail)
        refusal_text = ""
        try:
            assert read_submission(path, "ex", RELEASED).cells[0].source == ANSWER.decode()
        except SubmissionRefused as reason:  # newer Pythons see that the members overlap
            refusal_text = str(reason)
        assert not refusal_text or DAMAGED in refusal_text


@pytest.mark.skipif(os.name != "posix", reason="needs links and named pipes")
class TestWhatIsNoArchive:
    def test_a_link(self, tmp_path):
        (tmp_path / "real.zip").write_bytes(make_zip(("ex.py", ANSWER)))
        (tmp_path / "work.zip").symlink_to(tmp_path / "real.zip")
        with pytest.raises(SubmissionRefused, match=r"work.zip is a symbolic link"):
            read_submission(tmp_path / "work.zip", "ex", RELEASED)

    @pytest.mark.parametrize("folder", [True, False])
    def test_a_pipe(self, tmp_path, folder):
        os.mkfifo(tmp_path / "work.zip")
        with pytest.raises(SubmissionRefused, match=r"work.zip is not a regular file"):
            read_submission(tmp_path if folder else tmp_path / "work.zip", "ex", RELEASED)

    def test_a_folder_of_that_name_is_a_folder(self, tmp_path):
        (tmp_path / "work.zip").mkdir()
        (tmp_path / "work.zip" / "ex.py").write_bytes(ANSWER)
        assert read_submission(tmp_path / "work.zip", "ex", RELEASED).notes == ()
