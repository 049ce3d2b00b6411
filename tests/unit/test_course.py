"""course.toml, the secret, and the seed of a submission."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import CourseError, Limits, Policy, find_course
from autograder.evaluation.seeds import SECRET_VARIABLE, load_secret


def write_course(folder: Path, text: str = "") -> Path:
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


def test_find_course_takes_the_nearest_above(tmp_path: Path) -> None:
    deep = write_course(tmp_path) / "a" / "b"
    deep.mkdir(parents=True)
    assert find_course(deep).root == tmp_path


def test_find_course_falls_back_to_the_kit_s_own(tmp_path: Path) -> None:
    assert (find_course(tmp_path).exercises / "rnn_backprop" / "rubric.py").is_file()


def test_missing_settings_have_defaults(tmp_path: Path) -> None:
    course = find_course(write_course(tmp_path))
    assert (course.exercises, course.limits) == (tmp_path / "solutions", Limits())


def test_settings_are_read(tmp_path: Path) -> None:
    course = find_course(write_course(tmp_path, 'exercises = "ex"\n[limits]\ncpu_seconds = 0.5\n'))
    assert (course.exercises, course.limits.cpu_seconds) == (tmp_path / "ex", 0.5)


def test_demo_table_names_the_sample_class(tmp_path: Path) -> None:
    demo = find_course(write_course(tmp_path, '[demo]\nsubmissions = "samples"\nin_full = "mia"\n')).demo
    assert (demo.submissions, demo.exercise, demo.in_full) == (tmp_path / "samples", "", "mia")
    assert find_course(write_course(tmp_path)).demo.submissions == tmp_path / "tests" / "submissions" / "class"


@pytest.mark.parametrize(
    ("text", "message_part"),
    [
        ("exercises = [", "cannot be read"),
        ("excercises = 'x'", "'excercises'"),
        ("exercises = 3", "must be a path"),
        ("[limits]\nminutes = 3", "may hold cpu_seconds"),
        ("[limits]\ncpu_seconds = 0", "above 0"),
        ("[limits]\ncpu_seconds = true", "above 0"),
        (
            "# size\n[limits]\nsubmission_mb = 101",
            "course.toml, line 3: limits.submission_mb must be a number above 0 and at",
        ),
        ("[limits]\nsubmission_mb = '1'", "course.toml, line 2: limits.submission_mb must be a number above 0 and at"),
        ("limits = {memory_mib = 0}", "course.toml: limits.memory_mib must be a number above 0, not 0."),
        ("limits = 3", "[limits]"),
        ("release_as = 'hw3'", "release_as must be a table"),
        ("release_as = { a = 3 }", "release_as.a must be made of letters"),
        ("release_as = { a = 'x/y' }", "not 'x/y'"),
        ("release_as = { a = 'x+y' }", "not 'x+y'"),
        ("release_as = { a = '..' }", "not '..'"),
        ("release_as = { a = 'hw3', b = 'hw3' }", "two exercises the name 'hw3'"),
        ("[demo]\nname = 'x'", "[demo] may hold exercise, in_full, submissions"),
        ("[demo]\nexercise = 3", "in quotes"),
    ],
)
def test_unusable_settings_are_named(tmp_path: Path, text: str, message_part: str) -> None:
    with pytest.raises(CourseError, match=r".") as error:
        find_course(write_course(tmp_path, text))
    assert message_part in str(error.value)


def test_unknown_exercise_names_the_known_ones() -> None:
    with pytest.raises(CourseError, match=r"no exercise called 'rnn'; there are: .*rnn_backprop"):
        find_course(Path(__file__)).exercise_folder("rnn")


def test_an_exercise_is_found_by_the_name_of_its_assignment(tmp_path: Path) -> None:
    for name in ("sums", "products"):
        (tmp_path / "solutions" / name).mkdir(parents=True)
        (tmp_path / "solutions" / name / f"{name}.py").touch()
    course = find_course(write_course(tmp_path, 'release_as = { sums = "Homework 3" }'))
    assert course.exercise_folder("Homework 3") == course.exercise_folder("sums") == tmp_path / "solutions" / "sums"
    assert [course.assignment_of(name) for name in course.exercise_names()] == ["products", "Homework 3"]
    assert [course.exercise_of(name) for name in ("Homework 3", "sums", "products")] == ["sums", None, "products"]
    with pytest.raises(CourseError, match="two exercises the name 'products'"):
        find_course(write_course(tmp_path, 'release_as = { sums = "products" }'))


def test_secret_is_made_once_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    course = find_course(write_course(tmp_path))
    secret = load_secret(course)
    assert secret is not None
    assert len(secret) == 64
    assert load_secret(course) == secret
    assert course.secret_file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".course-secret")] == [".course-secret"]


def test_secret_of_the_environment_takes_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "from the environment")
    course = find_course(write_course(tmp_path))
    assert load_secret(course) == b"from the environment"
    assert not course.secret_file.exists()


def test_no_secret_if_its_file_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert load_secret(find_course(write_course(tmp_path, 'secret_file = "not/there"'))) is None


def test_unreadable_secret_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    (tmp_path / ".course-secret").mkdir()
    with pytest.raises(CourseError, match="secret"):
        load_secret(find_course(write_course(tmp_path)))


def test_feedback_level(tmp_path: Path) -> None:
    assert find_course(write_course(tmp_path)).feedback == "full"
    assert find_course(write_course(tmp_path, 'feedback = "hint"')).feedback == "hint"
    with pytest.raises(CourseError, match="feedback must be one of none, symptom, hint, full, not 'all'"):
        find_course(write_course(tmp_path, 'feedback = "all"'))


# --- The policy of autograder watch -----------------------------------------------------------------------------------


def test_an_exercise_has_its_own_policy_over_that_of_the_course(tmp_path: Path) -> None:
    text = '[policy]\nanswers_a_day = 3\nbefore_due = "none"\n[policy.hw1]\nbefore_due = "symptom"\n'
    course = find_course(write_course(tmp_path, text))
    assert course.policy_of("hw1") == Policy(before_due="symptom", answers_a_day=3)
    assert course.policy_of("hw2") == Policy(before_due="none", answers_a_day=3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('before_due = "some"', "policy.before_due must be one of none, symptom, hint, full, not 'some'"),
        ("hidden_before_due = 1", "policy.hidden_before_due must be true or false"),
        ("answers_a_day = 0", "policy.answers_a_day must be a whole number above 0"),
        ("answers_a_day = true", "policy.answers_a_day must be a whole number above 0"),
        ('counts = "first"', "policy.counts must be last or best"),
        ("grace_minutes = -1", "policy.grace_minutes must be a number of minutes"),
        ("grace = 1", r"\[policy\] may hold before_due, after_due"),
    ],
)
def test_a_policy_that_cannot_be_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        find_course(write_course(tmp_path, f"[policy]\n{line}\n"))
