"""The files of each host's bundle: those that the host looks for, from templates/, with the kit and the exercise."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from autograder.bundles.sources import LOCK_FILE, SECRET_FILE, Sources

TEMPLATES = Path(__file__).parent / "templates"
# What reads a submission and runs its cells. It needs numpy at most, where grading needs more.
VISIBLE_CHECKS_KIT = re.compile(
    r"autograder/(__init__|bundles/(__init__|run_cells)|submission/\w+|sandbox/__init__"
    r"|sandbox/guest/(__init__|slope|student_module|stub_modules))\.py"
)
PLACEHOLDER = "@EXERCISE@"  # stands for the exercise's name, in the text of templates and in their paths


def gradescope(sources: Sources) -> dict[str, bytes]:
    """Return setup.sh and run_autograder, which Gradescope calls, and everything that they need."""
    return {**_render_templates("gradescope", sources), **_grader_files(sources), **_secret_file(sources)}


def prairielearn(sources: Sources) -> dict[str, bytes]:
    """Return a question with its external grader, the kit for all questions, and the image that it runs in."""
    question = f"questions/{sources.exercise}"
    templates = _render_templates("prairielearn", sources)
    page = f"{question}/question.html"
    # The page itself links to README, notebook and script; the requirements are in the image.
    not_linked = (f"{sources.exercise}.", "README", "requirements")
    files = [name for name in sources.released if not name.startswith(not_linked)]
    links = "\n".join(f'    <li><pl-file-download file-name="{name}"></pl-file-download></li>' for name in files)
    tests = {**sources.solutions, "course.toml": sources.settings, **_secret_file(sources)}
    return {
        **templates,
        page: templates[page].replace(b"@DOWNLOADS@", links.encode()),
        **_prefix_paths("serverFilesCourse/autograder_kit", sources.kit),
        **_prefix_paths(f"{question}/tests", tests),
        **_prefix_paths(f"{question}/clientFilesQuestion", sources.released),
        f"{question}/info.json": _question_info(sources),
        f"image/{LOCK_FILE}": sources.lock,
    }


def github(sources: Sources) -> dict[str, bytes]:
    """Return two repositories: one that students get, with the visible checks, and a private one that grades theirs."""
    return _two_repositories("github", ".github", sources)


def gitlab(sources: Sources) -> dict[str, bytes]:
    """Return the two repositories for GitLab."""
    return _two_repositories("gitlab", ".gitlab", sources)


def classroom50(sources: Sources) -> dict[str, bytes]:
    """Return a folder of autograders. Students can read all of it, so it holds the visible checks and no answer."""
    return {**_render_templates("classroom50", sources), **_prefix_paths("autograder", _visible_checks(sources))}


def _two_repositories(host: str, folder: str, sources: Sources) -> dict[str, bytes]:
    grading = {**_grader_files(sources), ".gitignore": f"{SECRET_FILE}\n__pycache__/\n".encode()}
    student = {**sources.released, **_prefix_paths(folder, _visible_checks(sources))}
    return {
        **_prefix_paths("student-repository", student),
        **_prefix_paths("grading-repository", grading),
        **_render_templates(host, sources),
    }


def _visible_checks(sources: Sources) -> dict[str, bytes]:
    """Return visible_checks.py and what it needs beside it: no student's change of a given file changes the checks."""
    kit = {path: content for path, content in sources.kit.items() if VISIBLE_CHECKS_KIT.fullmatch(path)}
    given = {
        path: content
        for path, content in sources.released.items()
        if path.endswith((".py", ".json")) and path != f"{sources.exercise}.py"
    }
    return {
        "visible_checks.py": sources.kit["autograder/bundles/visible_checks.py"],
        "released.json": sources.released_facts,
        **_prefix_paths("kit", kit),
        **_prefix_paths("given", given),
    }


def _grader_files(sources: Sources) -> dict[str, bytes]:
    return {**sources.kit, **sources.solutions, "course.toml": sources.settings, LOCK_FILE: sources.lock}


def _secret_file(sources: Sources) -> dict[str, bytes]:
    return {SECRET_FILE: sources.secret + b"\n"} if sources.secret else {}


def _render_templates(host: str, sources: Sources) -> dict[str, bytes]:
    """Return the templates of a host by path, with the exercise's name filled in."""
    folder = TEMPLATES / host
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix().replace(PLACEHOLDER, sources.exercise).removesuffix(".in")
            files[name] = path.read_text(encoding="utf-8").replace(PLACEHOLDER, sources.exercise).encode()
    return files


def _prefix_paths(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _question_info(sources: Sources) -> bytes:
    """Return PrairieLearn's info.json, with the same uuid each time for an exercise and a secret."""
    question_uuid = uuid.uuid5(uuid.NAMESPACE_OID, f"{sources.exercise} {sources.secret!r}")
    info = {
        "uuid": str(question_uuid),
        "title": sources.exercise.replace("_", " ").capitalize(),
        "topic": "Programming",
        "tags": ["code"],
        "type": "v3",
        "gradingMethod": "External",
        "externalGradingOptions": {
            "enabled": True,
            "image": "YOUR-ACCOUNT/autograder",
            "entrypoint": "/grade/tests/run.sh",
            "serverFilesCourse": ["autograder_kit/"],
            "timeout": 180,
        },
    }
    return (json.dumps(info, indent=2) + "\n").encode()
