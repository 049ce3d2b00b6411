"""The options --format and --report: the sample class in every format, and reports that cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from autograder.classroom.store import Columns, serialize_result
from autograder.course import find_course
from autograder.evaluation.report_codec import public_object
from autograder.exercise.loader import load_exercise
from autograder.formats import FORMATS
from autograder.formats.hosts import github
from autograder.grading import IsolationError, ungraded
from tests.formats import samples
from tests.formats.validators import strict_json, validate

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "tests" / "submissions" / "class"


def autograder(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder of the course."""
    command = [sys.executable, "-m", "autograder", *map(str, args)]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1", "GITHUB_STEP_SUMMARY": "", **env}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def sample_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample class, graded once, in every format: NAME for all, NAME/ one by one."""
    folder = tmp_path_factory.mktemp("reports")
    targets = []
    for name, format in FORMATS.items():
        (folder / name).mkdir()
        targets.append(f"{name}={folder / name}/")
        if format.scope != "one":
            targets.append(f"{name}={folder / f'{name}{format.suffix}'}")
    paths = sorted(path for path in CLASS.iterdir() if path.is_dir())
    done = autograder("grade", "rnn_backprop", *paths, *(f"--report={target}" for target in targets))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_class_in_every_format(sample_class: Path, name: str) -> None:
    format = FORMATS[name]
    written = sorted((sample_class / name).iterdir())
    assert len(written) == len([path for path in CLASS.iterdir() if path.is_dir()])
    numbers = [validate(name, file.read_text(encoding="utf-8")) for file in written]
    if format.scope != "one":
        validate(name, (sample_class / f"{name}{format.suffix}").read_text(encoding="utf-8"))
    shares = {  # the score in our own format, as a share of the maximum
        file.stem: Decimal(report["score"]) / Decimal(report["max_score"])
        for file in sorted((sample_class / "json").iterdir())
        for report in [strict_json(file.read_text(encoding="utf-8"))]
    }
    for file, totals in zip(written, numbers, strict=True):
        assert totals is None or abs(totals[0] / totals[1] - shares[file.stem]) < Decimal("1e-6")


def test_several_formats_at_once_and_one_on_stdout(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    reports = ["--report", f"junit={tmp_path / 'out.xml'}", "--report", f"html={tmp_path / 'out.html'}"]
    env = {"GITHUB_STEP_SUMMARY": str(summary)}
    fail_under = ("--format", "github", "--fail-under", "80")
    done = autograder("grade", "rnn_backprop", CLASS / "transposed_W", *reports, *fail_under, **env)
    assert done.returncode == 3
    validate("github", done.stdout)
    validate("junit", (tmp_path / "out.xml").read_text(encoding="utf-8"))
    validate("html", (tmp_path / "out.html").read_text(encoding="utf-8"))
    before, _, after = summary.read_text(encoding="utf-8").partition("\n")
    assert before == "before"
    validate("markdown", after)


def test_render_summary_fits_its_limit() -> None:
    for max_bytes in (1024 * 1024, 10_000, 500, 10, -5):
        text = github.render_summary([samples.HUGE_REPORT, *samples.SAMPLES.values()] * 20, max_bytes)
        assert len(text.encode()) <= max(0, max_bytes)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--report", "xml=out.xml"], "'xml=out.xml' is not FORMAT=PATH"),
        (["--report", "junit"], "'junit' is not FORMAT=PATH"),
        (["--report", "junit=no/such/folder/out.xml"], "there is no folder no/such/folder"),
        (["--report", "gradescope=no/such/"], "there is no folder no/such/"),
        (["--format", "gradescope"], "give a folder"),
        (["--report", "prairielearn=results.json"], "give a folder"),
        (["--hidden-checks", "never"], "'never'"),
    ],
)
def test_wrong_usage_is_an_error_before_anything_is_graded(args: list[str], message: str) -> None:
    done = autograder("grade", "rnn_backprop", CLASS / "perfect", CLASS / "blank", *args)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_a_report_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    bad.symlink_to(tmp_path / "gone" / "bad.xml")
    done = autograder("grade", "rnn_backprop", CLASS / "blank", f"--report=junit={bad}", f"--report=junit={good}")
    assert done.returncode == 1
    assert "bad.xml cannot be written" in done.stderr
    assert "blank" in done.stdout
    validate("junit", good.read_text(encoding="utf-8"))


def test_gradescope_visibility_applies_to_hidden_checks_only() -> None:
    render = FORMATS["gradescope"].render
    for when in ("visible", "after_due_date", "after_published", "hidden"):
        rendered = render([samples.MIXED], visibility=when)
        validate("gradescope", rendered)
        tests = strict_json(rendered)["tests"]
        for test, check in zip(tests, samples.MIXED.checks, strict=True):
            assert test["visibility"] == (when if check.hidden else "visible")


def test_stored_results_follow_their_schema() -> None:
    schema = json.loads(files("autograder.formats").joinpath("schemas/class-result-1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    columns = Columns((), ())
    for report in (*samples.SAMPLES.values(), samples.FAILED):
        stored = json.loads(serialize_result(report, "key", 0.5, columns).json_bytes)
        jsonschema.validate(stored, schema, jsonschema.Draft202012Validator)


def test_a_grader_error_is_no_zero() -> None:
    assert "score" not in strict_json(FORMATS["gradescope"].render([samples.FAILED]))
    assert strict_json(FORMATS["prairielearn"].render([samples.FAILED]))["gradable"] is False
    assert FORMATS["canvas"].render([samples.FAILED]).splitlines()[-1] == "dan,,,dan,,-"
    assert public_object(samples.FAILED)["status"] == "grader_error"
    assert strict_json(FORMATS["classroom50"].render([samples.FAILED]))["max-score"] == 0


@pytest.mark.parametrize("name", ["gradescope", "prairielearn", "classroom50", "github", "junit", "markdown", "html"])
def test_a_missing_isolation_is_said_in_the_result_of_every_host(name: str) -> None:
    reason = "Isolation B is required, and this machine offers D."
    exercise = load_exercise(find_course(ROOT).exercise_folder("rnn_backprop"))
    assert reason in FORMATS[name].render([ungraded(exercise, "dan", IsolationError(reason, "D"))])
