"""`pytest --exercise NAME --submission PATH`: run every check of the rubric as a test, with its title and points.

Nothing else is collected: neither the course's own tests nor a conftest.py that a student handed in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograder.course import CourseError, find_course

# Everything that needs numpy is imported late: first the plugin must know that a submission's numpy.py is out of reach.
if TYPE_CHECKING:
    from autograder.evaluation.report import Report
    from autograder.exercise.model import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options; without them this plugin does nothing."""
    group = parser.getgroup("autograder", "grading a submission")
    group.addoption("--exercise", metavar="NAME", help="the exercise that --submission is for")
    what = "grade this notebook, .py file or folder, each check as a test"
    group.addoption("--submission", metavar="PATH", help=what)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Refuse to run inside the submission or to import from it, before pytest imports any conftest.py."""
    options = early_config.known_args_namespace
    if (options.exercise is None) != (options.submission is None):
        raise pytest.UsageError("--exercise and --submission go together.")
    if options.submission is None:
        return
    path = Path(options.submission)
    if not path.exists():
        raise pytest.UsageError(f"There is no submission {path}.")
    folder = (path if path.is_dir() else path.parent).resolve()
    if Path.cwd().resolve().is_relative_to(folder):
        raise pytest.UsageError(
            f"This folder lies inside the submission {path}, or beside it: "
            "run pytest in the folder of the course, with the submission in a folder of its own."
        )
    # pytest looks for its root before it knows our options, and takes the word after --submission for a test folder.
    if early_config.rootpath.resolve().is_relative_to(folder):
        raise pytest.UsageError(
            f"pytest took {early_config.rootpath}, where the submission lies, for its root folder: "
            f"write --submission={path}, with an equals sign, or add --rootdir=."
        )
    if options.file_or_dir:
        raise pytest.UsageError("With --submission pytest takes no files or folders: the rubric says what is checked.")
    # `python -m pytest` puts the working folder on sys.path; PYTHONPATH may add any other.
    sys.path[:] = [entry for entry in sys.path if entry and not Path(entry).resolve().is_relative_to(folder)]


def pytest_collection(session: pytest.Session) -> bool | None:
    """Collect the checks of the rubric and nothing else."""
    config = session.config
    if config.option.submission is None:
        return None
    name = config.option.submission
    submission = SubmissionNode.from_parent(session, name=name, nodeid=name, path=Path(name))
    config.stash[SUBMISSION_KEY] = submission
    collected = config.hook.pytest_make_collect_report(collector=submission)
    config.hook.pytest_collectreport(report=collected)
    session.items = list(collected.result)
    config.hook.pytest_collection_modifyitems(session=session, config=config, items=session.items)
    config.hook.pytest_collection_finish(session=session)
    session.testscollected = len(session.items)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what the checks do not: the score, the seed, the notes and warnings."""
    submission = config.stash.get(SUBMISSION_KEY, None)
    if submission is None or submission.report is None:
        return
    report = submission.report
    terminalreporter.section("autograder")
    terminalreporter.line(f"{report.score:g} of {report.max_score:g} points, seed {report.seed}")
    for text in (*(note.text for note in report.notes), *submission.warnings):
        terminalreporter.line(text)


class CheckFailed(Exception):
    """A check did not pass; pytest shows this text and no traceback."""


class SubmissionNode(pytest.Collector):
    """A submission, graded when the first of its checks runs; `report` is None until then."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warnings: list[str] = []
        self.report: Report | None = None
        # late: numpy, 300 ms
        from autograder.exercise.loader import ExerciseError, load_exercise

        try:
            self.course = find_course(self.config.rootpath)
            self.exercise = load_exercise(self.course.exercise_folder(self.config.option.exercise))
        except (CourseError, ExerciseError) as error:
            raise pytest.UsageError(str(error)) from None

    def grade(self) -> Report:
        """Return the report that `autograder grade` gives, made on the first call."""
        # late: the sandbox and the evaluation, 140 ms
        from autograder.grading import IsolationError, open_grader

        if self.report is None:
            try:
                with open_grader(self.course, self.exercise, self.warnings.append) as grader:
                    self.report = grader.grade(self.path, self.name)
            except (CourseError, IsolationError) as error:
                raise pytest.UsageError(str(error)) from None
        return self.report

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each check, in the order of the rubric."""
        for check in self.exercise.checks:
            # pytest takes brackets in a name for the parameters of a test.
            name = f"{check.id}: {check.title}".translate(str.maketrans("[]", "()"))
            yield CheckItem.from_parent(self, name=name, check=check)


SUBMISSION_KEY = pytest.StashKey[SubmissionNode]()


class CheckItem(pytest.Item):
    """A check of the rubric."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        """Record the check's points, and fail with its message unless it passed."""
        assert isinstance(self.parent, SubmissionNode)
        report = self.parent.grade()
        result = next((result for result in report.checks if result.id == self.check.id), None)
        status, points = (result.status, result.points) if result else (report.status, 0.0)
        properties = {"points": points, "max_points": self.check.max_points, "status": status, "seed": report.seed}
        self.user_properties.extend((name, str(value)) for name, value in properties.items())
        if result is None:
            raise CheckFailed(" ".join(note.text for note in report.notes))
        if result.status != "pass":
            raise CheckFailed(result.message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the message of the check, without a traceback of the grader."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the location that pytest shows."""
        return self.path, None, self.name
