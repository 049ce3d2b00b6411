"""Zip files: one named member is read, nothing is extracted, and a crafted archive is refused in one sentence."""

from __future__ import annotations

import io
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

RELEASED = ReleasedFiles(frozenset(), frozenset(), frozenset(), ("f",))
ANSWER = b"def f(x):\n    return x\n"
LOST = "is damaged, or no zip file"


def member(name: str, **fields: object) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members:
            file.writestr(name, data, compress_type=method)
    return out.getvalue()


def patched(data: bytes, signature: bytes, place: int, value: bytes) -> bytes:
    """The archive with some bytes of its last record of one kind replaced."""
    at = data.rindex(signature) + place
    return data[:at] + value + data[at + len(value) :]


def in_both_heads(data: bytes, place: int, value: bytes) -> bytes:
    """The archive with a field changed in the local header and in the table of contents."""
    return patched(patched(data, b"PK\3\4", place, value), b"PK\1\2", place + 2, value)


@pytest.fixture
def made(tmp_path):
    def write(data: bytes) -> Path:
        path = tmp_path / "work.zip"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def read(made):
    return lambda data: read_submission(made(data), "ex", RELEASED)


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
        submission = read(zipped(("notes.txt", b""), (name, ANSWER), method=method))
        assert submission.cells[0].source == ANSWER.decode()
        where = name.replace("\\", "/")
        assert submission.notes[0] == f"{where} in work.zip was graded."
        assert submission.path.name == where.rpartition("/")[2]

    def test_what_macos_adds_and_what_is_hidden_is_left_out(self, read):
        hidden = ("__MACOSX/ex.py", "__MACOSX/._ex.py", "._ex.py", ".ipynb_checkpoints/ex.py", "a/.git/ex.py")
        submission = read(zipped(*((name, b"\0") for name in hidden), ("ex.py", ANSWER)))
        assert len(submission.notes) == 1

    @pytest.mark.parametrize(
        "name", ["../ex.py", "a/../../ex.py", "/ex.py", "C:\\ex.py", "c:ex.py", "./ex.py", "a//ex.py"]
    )
    def test_a_name_that_leads_elsewhere_is_no_name(self, read, refusal, name):
        assert "is empty" in refusal(zipped((name, ANSWER)))
        assert read(zipped((name, b"1/0"), ("ex.py", ANSWER))).cells[0].source == ANSWER.decode()

    def test_nothing_is_written(self, read, tmp_path):
        read(zipped(("../out.txt", b"out"), ("a/in.txt", b"in"), ("ex.py", ANSWER)))
        assert [path.name for path in tmp_path.iterdir()] == ["work.zip"]

    def test_a_notebook_and_a_script_are_told_apart_as_in_a_folder(self, read):
        submission = read(zipped(("a/ex.ipynb", b"{"), ("a/ex.py", ANSWER)))
        assert submission.path.name == "ex.py"
        assert "ex.ipynb is not a notebook" in submission.notes[1]

    @pytest.mark.parametrize("name", ["work.zip", "work.ZIP"])
    def test_a_folder_with_one_archive_and_nothing_else_that_could_be_meant(self, tmp_path, name):
        (tmp_path / name).write_bytes(zipped(("ex.py", ANSWER)))
        (tmp_path / "network.py").touch()
        assert read_submission(tmp_path, "ex", RELEASED).notes == (f"ex.py in {name} was graded.",)

    def test_in_a_folder_a_file_of_the_right_name_comes_first(self, tmp_path):
        (tmp_path / "work.zip").write_bytes(b"not looked at")
        (tmp_path / "ex.py").write_bytes(ANSWER)
        assert read_submission(tmp_path, "ex", RELEASED).notes == ()

    def test_of_two_archives_in_a_folder_none_is_opened(self, tmp_path):
        for name in ("a.zip", "b.zip"):
            (tmp_path / name).write_bytes(zipped(("ex.py", ANSWER)))
        with pytest.raises(SubmissionRefused, match=r"holds no ex.ipynb or ex.py, only a.zip and b.zip"):
            read_submission(tmp_path, "ex", RELEASED)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("members", "says"),
        [
            ((), "The zip file work.zip is empty: hand in ex.ipynb or ex.py."),
            ((("other.py", b""),), "The zip file work.zip holds no ex.ipynb or ex.py, only other.py"),
            ((("a/b/c/d/ex.py", ANSWER),), "is empty"),
            ((("in.zip", zipped(("ex.py", ANSWER))),), "holds no ex.ipynb or ex.py, only in.zip"),
            ((("a/ex.py", ANSWER), ("b/ex.py", ANSWER)), "holds a/ex.py and b/ex.py, and it is not plain"),
            ((("ex (1).py", ANSWER), ("a/ex (2).py", ANSWER)), "holds a/ex (2).py and ex (1).py, and it is not plain"),
            ((("a/ex.ipynb", b""), ("b/ex.ipynb", b""), ("ex.py", ANSWER)), "a/ex.ipynb and b/ex.ipynb"),
            ((("ex.py", b"\xff"),), "ex.py is not UTF-8 text"),
            ((("a\x1b[2J\nb.py", b""),), "only a [2J b.py"),
            ((("x" * 60_000 + "/ex.py", ANSWER),), "is empty"),
        ],
        ids=range(10),
    )
    def test_with_a_sentence(self, refusal, members, says):
        assert says in refusal(zipped(*members))

    @pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile's own, as the test makes the archive
    def test_a_name_that_is_there_twice(self, refusal):
        assert "holds ex.py and ex.py, and it is not plain" in refusal(zipped(("ex.py", ANSWER), ("ex.py", b"1/0")))

    def test_a_name_that_ends_at_a_null_byte_is_the_name_before_it(self, refusal):
        data = zipped(("ex.py", ANSWER), ("ex.py_txt", ANSWER)).replace(b"ex.py_txt", b"ex.py\0txt")
        assert "it is not plain which one is meant" in refusal(data)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
    def test_a_link_a_pipe_or_a_device(self, refusal, kind):
        odd = member("ex.py", external_attr=(kind | 0o777) << 16)
        assert "ex.py is a link, or no regular file, in its archive" in refusal(zipped((odd, b"/etc/passwd")))

    @pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
    def test_an_encrypted_member(self, refusal, flag):
        data = in_both_heads(zipped(("ex.py", ANSWER)), 6, struct.pack("<H", flag))
        assert "ex.py is locked with a password" in refusal(data)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_compression_that_may_ask_for_any_memory(self, refusal, method):
        assert "ex.py is compressed in a way that is not read here" in refusal(zipped(("ex.py", ANSWER), method=method))

    @pytest.mark.parametrize("method", [1, 6, 9, 93, 99, 65535])
    def test_a_compression_that_nobody_knows(self, refusal, method):
        data = in_both_heads(zipped(("ex.py", ANSWER)), 8, struct.pack("<H", method))
        assert "ex.py is compressed in a way that is not read here" in refusal(data)

    def test_an_archive_over_the_cap(self, made, refusal):
        path = made(b"")
        with path.open("wb") as file:
            file.truncate(archive.MAX_ARCHIVE_BYTES + 1)  # sparse
        with pytest.raises(UnreadableFileError, match="larger than 50 MB"):
            archive.list_members(path)

    def test_too_many_members(self, refusal):
        members = ((f"{number}", b"") for number in range(archive.MAX_MEMBERS + 1))
        assert "work.zip holds more than 10000 files" in refusal(zipped(*members, method=zipfile.ZIP_STORED))

    def test_a_table_of_contents_too_large_to_be_true(self, refusal):
        record = zipped(("a" * 65_000, b""))
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
            lambda data: patched(data, b"PK\5\6", 16, b"\xff\xff\xff\x7f"),
            lambda data: patched(data, b"PK\5\6", 12, b"\xff\xff\xff\x7f"),
            lambda data: patched(data, b"PK\5\6", 12, b"\xff\xff\xff\xff"),
            lambda data: patched(data, b"PK\1\2", 16, b"\1\2\3\4"),
            lambda data: patched(data, b"PK\1\2", 42, b"\xff\xff\0\0"),
            lambda data: patched(data, b"PK\3\4", 30, b"no"),
            lambda data: patched(data, b"PK\3\4", 26, b"\xff\xff"),
        ],
        ids=range(12),
    )
    def test_a_damaged_archive(self, refusal, change):
        sentence = refusal(change(zipped(("ex.py", ANSWER * 50))))
        assert LOST in sentence or "holds more than" in sentence

    def test_whatever_bytes_are_changed_it_is_read_or_refused(self, made):
        rng = random.Random(1)
        data = zipped(("ex.py", ANSWER * 20), ("a/b.txt", b"b" * 100))
        for _ in range(2000):
            wrong = bytearray(data)
            for _ in range(rng.choice((1, 1, 2, 5))):
                wrong[rng.randrange(len(wrong))] = rng.choice((0, 1, 255, rng.randrange(256)))
            said = ""
            try:
                read_submission(made(bytes(wrong)), "ex", RELEASED)
            except SubmissionRefused as reason:
                said = str(reason)
            assert not said or said.isprintable()


class TestBombs:
    def bounded(self, path: Path) -> str:
        """The sentence of the refusal, in little memory."""
        tracemalloc.start()
        try:
            with pytest.raises(SubmissionRefused) as reason:
                read_submission(path, "ex", RELEASED)
            assert tracemalloc.get_traced_memory()[1] < 40 << 20
        finally:
            tracemalloc.stop()
        return str(reason.value)

    def test_a_member_that_unpacks_to_more_than_the_cap(self, made):
        assert "ex.py is larger than 10 MB" in self.bounded(made(zipped(("ex.py", bytes(100 << 20)))))

    def test_a_member_that_says_it_is_small(self, made):
        data = zipped(("ex.py", bytes(100 << 20)))
        for place, size in ((22, 1000), (22, MAX_BYTES)):
            self.bounded(made(in_both_heads(data, place, struct.pack("<L", size))))

    def test_a_member_packed_as_no_work_is(self, made):
        assert "ex.py is packed more than 200-fold" in self.bounded(made(zipped(("ex.py", bytes(5_000_000)))))

    def test_members_that_share_their_bytes(self, made):
        data = zipped(("ex.py", ANSWER))
        start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
        table = data[start:end].replace(b"ex.py", b"ey.py") * 500 + data[start:end]
        tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 501, 501, len(table), start, 0)
        path = made(data[:start] + table + tail)
        said = ""
        try:
            assert read_submission(path, "ex", RELEASED).cells[0].source == ANSWER.decode()
        except SubmissionRefused as reason:  # newer Pythons see that the members overlap
            said = str(reason)
        assert not said or LOST in said


@pytest.mark.skipif(os.name != "posix", reason="needs links and named pipes")
class TestWhatIsNoArchive:
    def test_a_link(self, tmp_path):
        (tmp_path / "real.zip").write_bytes(zipped(("ex.py", ANSWER)))
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
