"""Each bundle, unpacked and run as its host does; what it wrote is what the host accepts."""

from __future__ import annotations

import ast
import json
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from autograder.bundles import BUNDLES
from autograder.bundles.sources import BundleError, Sources, collect_sources
from autograder.bundles.writing import write_folder, write_zip
from autograder.course import Level, find_course
from tests.formats import hosts
from tests.formats.validators import strict_json, validate

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "tests" / "submissions" / "class"
NAME = "rnn_backprop"
SECRET = "a-secret-of-the-tests"
SHELL_HOSTS = pytest.mark.skipif(os.name != "posix", reason="the hosts of bundles run Linux")


@pytest.fixture(scope="module")
def sources() -> Iterator[Sources]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SECRET", SECRET)
        yield collect_sources(find_course(ROOT), NAME)


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    """The scores of three submissions by the command itself, with the same secret."""
    command = [sys.executable, "-m", "autograder", "grade", NAME, *(str(CLASS / name) for name in SUBMISSIONS)]
    env = {**os.environ, "AUTOGRADER_SECRET": SECRET}
    process = subprocess.run(
        [*command, "--format=json"], cwd=ROOT, env=env, capture_output=True, check=True, timeout=120
    )
    return {Path(report["submission"]).name: report["score"] for report in json.loads(process.stdout)}


SUBMISSIONS = ("perfect", "notebook", "blank")


# --- What is in them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle_is_complete_and_names_no_registry(sources: Sources, name: str) -> None:
    files = BUNDLES[name].build_files(sources)
    host_files = {path: text for path, text in files.items() if "autograder/" not in path or name == "classroom50"}
    for path, content in host_files.items():
        assert "@EXERCISE@" not in path
        if not path.endswith((".ipynb", ".png", ".svg", ".lock")):
            text = content.decode(errors="replace")  # a zip file that is not compressed, too
            assert re.search(r"@[A-Z]+@|https?://[\w.]*(pypi|index|conda)|--index|simple/", text) is None, path
        if path.endswith((".yml", ".yaml")):
            assert yaml.safe_load(content)
        if path.endswith(".py"):
            ast.parse(content)


PUBLIC = {"github": "student-repository/", "gitlab": "student-repository/", "classroom50": ""}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_part_of_bundle_holds_no_answer(sources: Sources, name: str) -> None:
    public = {path: text for path, text in BUNDLES[name].build_files(sources).items() if path.startswith(PUBLIC[name])}
    assert public
    solution = sources.solutions[f"solutions/{NAME}/{NAME}.py"].decode()
    inside = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", solution, re.DOTALL)
    answer_lines = {line.strip() for block in inside for line in block.splitlines() if len(line.strip()) > 25}
    assert answer_lines
    for path, content in public.items():
        text = content.decode(errors="replace")  # a zip file that is not compressed, too
        assert SECRET not in text, path
        assert not any(line in text for line in answer_lines), path
        assert "rubric" not in path


def test_bundle_settings_are_the_course_settings(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_bytes(sources.settings)
    course, repository_course = find_course(tmp_path), find_course(ROOT)
    places = {"root", "exercises", "assignments", "secret_file", "demo", "isolation"}
    assert {k: v for k, v in vars(course).items() if k not in places} == {
        k: v for k, v in vars(repository_course).items() if k not in places
    }


@pytest.mark.parametrize(("level", "required"), [("A", "A"), ("B", "B"), ("C", "B"), ("D", "B"), ("E", "B")])
def test_bundle_settings_require_isolation_b(tmp_path: Path, level: Level, required: Level) -> None:
    settings = collect_sources(replace(find_course(ROOT), isolation=level), NAME).settings
    (tmp_path / "course.toml").write_bytes(settings)
    assert find_course(tmp_path).isolation == required


def test_zip_is_reproducible(sources: Sources, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_zip(BUNDLES["gradescope"].build_files(sources), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_write_folder_refuses_folder_with_other_files(sources: Sources, tmp_path: Path) -> None:
    files = BUNDLES["classroom50"].build_files(sources)
    write_folder(files, tmp_path)
    write_folder(files, tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"mine\.txt"):
        write_folder(files, tmp_path)


def test_bundle_without_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="run autograder release"):
        collect_sources(replace(find_course(ROOT), assignments=tmp_path), NAME)


# --- Gradescope -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gradescope(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/autograder as Gradescope builds it, elsewhere: source/, run_autograder beside it, setup.sh run."""
    root = tmp_path_factory.mktemp("host") / "autograder"
    write_zip(BUNDLES["gradescope"].build_files(sources), root.parent / "bundle.zip")
    root.mkdir()
    subprocess.run(["unzip", "-q", root.parent / "bundle.zip", "-d", root / "source"], check=True)
    for folder in ("submission", "results"):
        (root / folder).mkdir()
    shutil.copy(root / "source" / "run_autograder", root)
    log = root.parent / "log"
    env = hosts.environment(hosts.programs(root.parent / "bin"), LOG=str(log))
    process = hosts.run(["bash", root / "source" / "setup.sh"], root, env)
    assert process.returncode == 0, process.stderr
    assert "pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock" in log.read_text()
    return root


def run_gradescope(root: Path, submission: Path, *programs: Path) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(root / "submission")
    shutil.copytree(submission, root / "submission")
    metadata = {"id": 1, "created_at": "2026-05-01T12:00:00Z", "users": [{"name": "Ada", "email": "a@x.y", "id": 1}]}
    (root / "submission_metadata.json").write_text(json.dumps(metadata))
    path = Path(os.pathsep.join(map(str, (*programs, root.parent / "bin"))))
    return hosts.run([root / "run_autograder"], root, hosts.environment(path))


@SHELL_HOSTS
@pytest.mark.parametrize("submission", SUBMISSIONS)
def test_gradescope(gradescope: Path, expected: dict[str, float], submission: str) -> None:
    process = run_gradescope(gradescope, CLASS / submission)
    assert process.returncode == 0, process.stderr
    text = (gradescope / "results" / "results.json").read_text(encoding="utf-8")
    numbers = validate("gradescope", text)
    assert numbers
    assert float(numbers[0]) == expected[submission]
    assert strict_json(text)["stdout_visibility"] == "hidden"
    assert "answers" not in text


@SHELL_HOSTS
def test_gradescope_with_unreadable_submission(gradescope: Path, tmp_path: Path) -> None:
    (tmp_path / "essay.txt").write_text("An essay.")
    process = run_gradescope(gradescope, tmp_path)
    assert process.returncode == 0, process.stderr
    value = strict_json((gradescope / "results" / "results.json").read_text(encoding="utf-8"))
    assert value["score"] == 0
    assert "Refused" in value["output"]


@SHELL_HOSTS
def test_gradescope_has_no_results_when_the_grader_fails(gradescope: Path) -> None:
    (gradescope / "results" / "results.json").write_text("{}")
    settings = gradescope / "source" / "course.toml"
    original = settings.read_bytes()
    settings.write_text("isolation = 7")
    try:
        process = run_gradescope(gradescope, CLASS / "blank")
    finally:
        settings.write_bytes(original)
    assert process.returncode != 0
    assert not (gradescope / "results" / "results.json").exists()


@SHELL_HOSTS
def test_gradescope_without_isolation_has_the_reason_and_no_score(gradescope: Path, tmp_path: Path) -> None:
    settings = gradescope / "source" / "course.toml"
    original = settings.read_bytes()
    settings.write_bytes(require_isolation_a(original))
    try:
        process = run_gradescope(gradescope, CLASS / "perfect", without_containers(tmp_path))
    finally:
        settings.write_bytes(original)
    assert process.returncode == 1
    text = (gradescope / "results" / "results.json").read_text(encoding="utf-8")
    assert validate("gradescope", text) is None
    assert "score" not in strict_json(text)
    assert_says_what_is_missing(strict_json(text)["output"])
    assert_says_what_is_missing(process.stderr)


def without_containers(folder: Path) -> Path:
    """A folder of programs in which bubblewrap does not work, so that the host offers no level A."""
    (folder / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (folder / "bwrap").chmod(0o755)
    return folder


def require_isolation_a(settings: bytes) -> bytes:
    assert b'isolation = "B"' in settings
    return settings.replace(b'isolation = "B"', b'isolation = "A"')


def assert_says_what_is_missing(text: str) -> None:
    assert re.search(
        r'Isolation A is required, and this machine offers ([B-E]): .*write isolation = "\1" in course', text
    )


@SHELL_HOSTS
def test_gradescope_source_is_private(gradescope: Path) -> None:
    assert stat.S_IMODE((gradescope / "source").stat().st_mode) & 0o077 == 0


@SHELL_HOSTS
def test_gradescope_closes_what_was_handed_in(gradescope: Path) -> None:
    run_gradescope(gradescope, CLASS / "blank")
    assert stat.S_IMODE((gradescope / "submission").stat().st_mode) & 0o077 == 0


# --- PrairieLearn -----------------------------------------------------------------------------------------------------


@SHELL_HOSTS
@pytest.mark.parametrize("submission", ["notebook"])
def test_prairielearn(sources: Sources, expected: dict[str, float], tmp_path: Path, submission: str) -> None:
    process = run_prairielearn(sources, tmp_path, submission)
    assert process.returncode == 0, process.stderr
    assert stat.S_IMODE((tmp_path / "grade" / "student").stat().st_mode) & 0o077 == 0
    numbers = validate("prairielearn", (tmp_path / "grade/results/results.json").read_text(encoding="utf-8"))
    assert numbers
    assert float(numbers[0]) == pytest.approx(expected[submission])


@SHELL_HOSTS
def test_prairielearn_without_isolation_is_not_gradable_and_says_why(sources: Sources, tmp_path: Path) -> None:
    weak = replace(sources, settings=require_isolation_a(sources.settings))
    process = run_prairielearn(weak, tmp_path, "perfect", without_containers)
    assert process.returncode == 1
    value = strict_json((tmp_path / "grade/results/results.json").read_text(encoding="utf-8"))
    assert value["gradable"] is False
    assert_says_what_is_missing(value["format_errors"][0])


def run_prairielearn(
    sources: Sources, tmp_path: Path, submission: str, change: Callable[[Path], object] = lambda programs: None
) -> subprocess.CompletedProcess[str]:
    """Grade a submission as PrairieLearn does, with /grade in `tmp_path`. `change` may change the host's programs."""
    write_folder(BUNDLES["prairielearn"].build_files(sources), tmp_path / "course")
    question = tmp_path / "course" / "questions" / NAME
    info = json.loads((question / "info.json").read_text(encoding="utf-8"))
    options = info["externalGradingOptions"]
    assert (info["gradingMethod"], options["enabled"], info["type"]) == ("External", True, "v3")
    assert options["timeout"] <= 600
    grade = tmp_path / "grade"  # /grade, as PrairieLearn fills it
    for folder in options["serverFilesCourse"]:
        shutil.copytree(tmp_path / "course" / "serverFilesCourse" / folder, grade / "serverFilesCourse" / folder)
    shutil.copytree(question / "tests", grade / "tests")
    shutil.copytree(CLASS / submission, grade / "student")
    (grade / "data").mkdir()
    (grade / "data" / "data.json").write_text("{}")
    entrypoint = grade / Path(options["entrypoint"]).relative_to("/grade")
    programs = hosts.programs(tmp_path / "bin")
    change(programs)
    return hosts.run([entrypoint], Path("/"), hosts.environment(programs))


def test_prairielearn_download_links(sources: Sources) -> None:
    files = BUNDLES["prairielearn"].build_files(sources)
    page = files[f"questions/{NAME}/question.html"].decode()
    for name in re.findall(r'pl-file-download file-name="([^"]+)"', page):
        assert f"questions/{NAME}/clientFilesQuestion/{name}" in files
    assert f'optional-file-names="{NAME}.ipynb, {NAME}.py"' in page


# --- GitHub and GitLab ------------------------------------------------------------------------------------------------


@pytest.fixture
def github(sources: Sources, tmp_path: Path) -> Path:
    write_folder(BUNDLES["github"].build_files(sources), tmp_path / "bundle")
    return tmp_path / "bundle"


def student_repository(repository: Path, submission: str) -> Path:
    """A student's repository, with their work."""
    shutil.copytree(CLASS / submission, repository, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.toml"))
    return repository


@SHELL_HOSTS
@pytest.mark.parametrize(("submission", "code"), [("perfect", 0), ("notebook", 3), ("blank", 3)])
def test_github_visible_checks(github: Path, tmp_path: Path, submission: str, code: int) -> None:
    repository = student_repository(github / "student-repository", submission)
    workflow = (repository / ".github/workflows/checks.yml").read_text(encoding="utf-8")
    job = hosts.github_job(tmp_path, workflow, "checks", {"": repository}, {})
    assert job.code == code, job.log
    commands = [line for line in job.log[-1].splitlines() if line.startswith("::")]
    assert bool(commands) == (code != 0)
    if commands:
        validate("github", "\n".join(commands) + "\n")
    validate("markdown", (job.temp / "summary").read_text(encoding="utf-8"))
    assert "visible checks pass" in (job.temp / "summary").read_text(encoding="utf-8")


@SHELL_HOSTS
@pytest.mark.parametrize(("submission", "code"), [("perfect", 0), ("notebook", 3)])
def test_github_grading_repository(
    github: Path, expected: dict[str, float], tmp_path: Path, submission: str, code: int
) -> None:
    student = student_repository(github / "student-repository", submission)
    repository = github / "grading-repository"
    workflow = (repository / ".github/workflows/grade.yml").read_text(encoding="utf-8")
    values = {
        "inputs.repository": "org/ada",
        "inputs.ref": "",
        "inputs.fail-under": "100",
        "secrets.READ_STUDENT_REPOSITORIES": "token",
        "secrets.AUTOGRADER_SECRET": SECRET,
    }
    job = hosts.github_job(tmp_path, workflow, "grade", {"": repository, "org/ada": student}, values)
    assert job.code == code, job.log
    reports = job.workspace / "reports"
    numbers = validate("junit", (reports / "report.xml").read_text(encoding="utf-8"))
    validate("html", (reports / "report.html").read_text(encoding="utf-8"))
    validate("markdown", (job.temp / "summary").read_text(encoding="utf-8"))
    validate("github", "".join(f"{line}\n" for line in job.log[-1].splitlines() if line.startswith("::")))
    assert numbers
    assert float(numbers[0]) == expected[submission]
    outputs = dict(line.split("=") for line in (job.temp / "output").read_text().splitlines())
    assert (float(outputs["score"]), outputs["status"]) == (expected[submission], "graded")
    assert "token" not in str(job.log)


@SHELL_HOSTS
def test_github_without_isolation_says_why_in_an_annotation(github: Path, tmp_path: Path) -> None:
    repository, student = github / "grading-repository", student_repository(tmp_path / "student", "perfect")
    settings = (repository / "course.toml").read_bytes()
    (repository / "course.toml").write_bytes(require_isolation_a(settings))
    workflow = (repository / ".github/workflows/grade.yml").read_text(encoding="utf-8")
    inputs = {"inputs.repository": "org/ada", "inputs.ref": "", "inputs.fail-under": "0"}
    secrets = {"secrets.READ_STUDENT_REPOSITORIES": "token", "secrets.AUTOGRADER_SECRET": SECRET}
    checkouts = {"": repository, "org/ada": student}
    job = hosts.github_job(tmp_path, workflow, "grade", checkouts, {**inputs, **secrets}, without_containers)
    assert job.code == 1
    (annotation,) = [line for line in job.log[-1].splitlines() if line.startswith("::error")]
    assert_says_what_is_missing(annotation)
    assert "Isolation A is required" in (job.temp / "summary").read_text(encoding="utf-8")


def test_github_grades_in_a_step_without_the_secret() -> None:
    action = yaml.safe_load((ROOT / "autograder/ci/action.yml").read_text(encoding="utf-8"))
    (step,) = [step for step in action["runs"]["steps"] if "autograder grade" in step.get("run", "")]
    assert "secret" not in str(step).lower()


def test_github_action_names_no_score_where_nothing_was_graded(tmp_path: Path) -> None:
    """The lines of Python in the action, on the report of a host that cannot isolate student code."""
    script = (ROOT / "autograder/ci/action.yml").read_text(encoding="utf-8")
    lines = script[script.index("        import json, sys") : script.index("        END\n")]
    (tmp_path / "report.json").write_text('{"status": "grader_error", "score": 0, "max_score": 10}')
    command = [sys.executable, "-c", textwrap.dedent(lines), tmp_path / "report.json"]
    process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert process.stdout.splitlines() == ["score=", "max-score=10", "status=grader_error"]


@pytest.mark.parametrize("file", ["gitlab/grading-repository/.gitlab-ci.yml", "gitlab/README.md"])
def test_gitlab_has_secret_and_token_in_files(file: str) -> None:
    text = (ROOT / "autograder/bundles/templates" / file).read_text(encoding="utf-8")
    assert "AUTOGRADER_SECRET_FILE" in text
    assert re.findall(r"AUTOGRADER_SECRET\b(?!_FILE)|:\$READ_STUDENT_PROJECTS", text) == []


@SHELL_HOSTS
def test_gitlab(sources: Sources, expected: dict[str, float], tmp_path: Path) -> None:
    write_folder(BUNDLES["gitlab"].build_files(sources), tmp_path / "bundle")
    student = student_repository(tmp_path / "bundle" / "student-repository", "notebook")
    (tmp_path / "visible").mkdir()
    text = (student / ".gitlab-ci.yml").read_text(encoding="utf-8")
    process = hosts.gitlab_job(tmp_path / "visible", text, "checks", student)
    assert process.returncode == 3, process.stderr
    assert "<testcase" in (tmp_path / "visible/project/checks.xml").read_text(encoding="utf-8")

    server = tmp_path / "server" / "rnn" / "ada.git"
    shutil.copytree(student, server)
    identity = ["-c", "user.name=ada", "-c", "user.email=a@x.y", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--no-gpg-sign", "-m", "work"]):
        subprocess.run(["git", *identity, *command], cwd=server, check=True, capture_output=True)
    (tmp_path / "all").mkdir()
    grading = tmp_path / "bundle" / "grading-repository"
    text = (grading / ".gitlab-ci.yml").read_text(encoding="utf-8")
    (tmp_path / "secret").write_text(SECRET)  # a variable of type File
    variables = {"STUDENT_PROJECT": "rnn/ada", "AUTOGRADER_SECRET_FILE": str(tmp_path / "secret"), "FAIL_UNDER": "100"}
    server_variables = {"STUDENT_SERVER": str(tmp_path / "server")}
    process = hosts.gitlab_job(tmp_path / "all", text, "grade", grading, **variables, **server_variables)
    assert process.returncode == 3, process.stderr
    assert stat.S_IMODE((tmp_path / "all/project/submission").stat().st_mode) & 0o077 == 0
    numbers = validate("junit", (tmp_path / "all/project/reports/report.xml").read_text(encoding="utf-8"))
    assert numbers
    assert float(numbers[0]) == expected["notebook"]


# --- Classroom 50 -----------------------------------------------------------------------------------------------------


@SHELL_HOSTS
@pytest.mark.parametrize(("submission", "all_pass"), [("perfect", True), ("notebook", False)])
def test_classroom50(sources: Sources, tmp_path: Path, submission: str, all_pass: bool) -> None:
    write_folder(BUNDLES["classroom50"].build_files(sources), tmp_path / "bundle")
    entry = tmp_path / "bundle" / "autograder" / "autograder.py"
    py_compile.compile(str(entry), doraise=True)
    checkout = student_repository(tmp_path / "checkout", submission)
    variables = {
        "CLASSROOM": "cs101",
        "ASSIGNMENT": "bptt",
        "OWNER": "ada",
        "SUBMISSION_TAG": "submit/20260501T120000Z-abc",
    }
    bundle_variables = {"COMMIT_URL": "c", "RELEASE_URL": "r", "CLASSROOM50_BUNDLE_DIR": str(entry.parent)}
    env = hosts.environment(hosts.programs(tmp_path / "bin"), **variables, **bundle_variables)
    process = hosts.run(["python3", entry], checkout, env)
    assert process.returncode == 0, process.stderr
    text = (checkout / "result.json").read_text(encoding="utf-8")
    numbers = validate("classroom50", text)
    assert numbers
    assert (numbers[0] == numbers[1]) == all_pass
    assert numbers[1] > 0
    validate("markdown", (checkout / "release-body.md").read_text(encoding="utf-8"))


def test_classroom50_installs_nothing_in_the_checkout(sources: Sources, tmp_path: Path) -> None:
    """A student's pip.py there would be run for pip, with the job's environment."""
    write_folder(BUNDLES["classroom50"].build_files(sources), tmp_path / "bundle")
    folder = tmp_path / "bundle" / "autograder"
    without_numpy = (
        "import importlib.util, runpy, subprocess, sys\n"
        "importlib.util.find_spec = lambda name: None\n"
        "subprocess.run = lambda command, cwd=None, **_: sys.exit(str(cwd))\n"
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    command = [sys.executable, "-c", without_numpy, str(folder / "autograder.py")]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.stderr.strip() == str(folder)


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle_command(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "autograder", "bundle", NAME, "--for", name, "--output", str(tmp_path / "out")]
    env = {**os.environ, "AUTOGRADER_SECRET": SECRET}
    process = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")
    assert zipfile.is_zipfile(tmp_path / "out") == BUNDLES[name].zipped
    assert BUNDLES[name].description in process.stdout
