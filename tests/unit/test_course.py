"""course.toml, the secret, and the seed of a submission."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import CourseError, Limits, find_course
from autograder.evaluation.seeds import SECRET_VARIABLE, load_secret, submission_seed


def course(folder: Path, text: str = "") -> Path:
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


def test_nearest_course_above(tmp_path: Path) -> None:
    deep = course(tmp_path) / "a" / "b"
    deep.mkdir(parents=True)
    assert find_course(deep).root == tmp_path


def test_without_one_the_kit_s_own_course_is_used(tmp_path: Path) -> None:
    assert (find_course(tmp_path).exercises / "rnn_backprop" / "rubric.py").is_file()


def test_what_is_not_set_is_usual(tmp_path: Path) -> None:
    found = find_course(course(tmp_path))
    assert (found.exercises, found.limits) == (tmp_path / "solutions", Limits())


def test_settings_are_read(tmp_path: Path) -> None:
    found = find_course(course(tmp_path, 'exercises = "ex"\n[limits]\ncpu_seconds = 0.5\n'))
    assert (found.exercises, found.limits.cpu_seconds) == (tmp_path / "ex", 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exercises = [", "cannot be read"),
        ("excercises = 'x'", "'excercises'"),
        ("exercises = 3", "must be a path"),
        ("[limits]\nminutes = 3", "may hold cpu_seconds"),
        ("[limits]\ncpu_seconds = 0", "above 0"),
        ("[limits]\ncpu_seconds = true", "above 0"),
        ("limits = 3", "[limits]"),
    ],
)
def test_unusable_settings_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CourseError, match=r".") as told:
        find_course(course(tmp_path, text))
    assert says in str(told.value)


def test_unknown_exercise_names_the_known_ones() -> None:
    with pytest.raises(CourseError, match=r"no exercise called 'rnn'; there are: .*rnn_backprop"):
        find_course(Path(__file__)).exercise_folder("rnn")


def test_secret_is_made_once_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    found = find_course(course(tmp_path))
    secret = load_secret(found)
    assert secret is not None
    assert len(secret) == 64
    assert load_secret(found) == secret
    assert found.secret_file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".course-secret")] == [".course-secret"]


def test_secret_of_the_environment_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "told")
    found = find_course(course(tmp_path))
    assert load_secret(found) == b"told"
    assert not found.secret_file.exists()


def test_no_secret_where_none_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert load_secret(find_course(course(tmp_path, 'secret_file = "not/there"'))) is None


def test_unreadable_secret_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    (tmp_path / ".course-secret").mkdir()
    with pytest.raises(CourseError, match="secret"):
        load_secret(find_course(course(tmp_path)))


@given(st.text(), st.text(), st.binary())
def test_seed_depends_on_code_exercise_and_secret(code: str, exercise: str, secret: bytes) -> None:
    seed = submission_seed(code, exercise, secret)
    assert 0 <= seed < 2**53
    assert seed == submission_seed(code, exercise, secret)
    assert (
        len({seed, submission_seed(code + "#", exercise, secret), submission_seed(code, exercise, secret + b"#")}) == 3
    )


def test_how_much_students_are_told(tmp_path: Path) -> None:
    assert find_course(course(tmp_path)).feedback == "full"
    assert find_course(course(tmp_path, 'feedback = "hint"')).feedback == "hint"
    with pytest.raises(CourseError, match="feedback must be one of none, symptom, hint, full, not 'all'"):
        find_course(course(tmp_path, 'feedback = "all"'))
