"""The files of each host's bundle: the host's own, from templates/, around the kit and the exercise."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from autograder.bundles.sources import LOCK_FILE, SECRET_FILE, Sources

TEMPLATES = Path(__file__).parent / "templates"
PLACEHOLDER = "@EXERCISE@"  # in templates, stands for the name of the exercise


def gradescope(sources: Sources) -> dict[str, bytes]:
    """A zip file: setup.sh and run_autograder, as Gradescope calls them, with all that they need beside them."""
    return {
        **_render_templates("gradescope", sources),
        **_grader_files(sources),
        LOCK_FILE: sources.lock,
        **_secret_file(sources),
    }


def prairielearn(sources: Sources) -> dict[str, bytes]:
    """A question with its external grader, the kit for all questions, and the image that it runs in."""
    question = f"questions/{sources.exercise}"
    templates = _render_templates("prairielearn", sources)
    page_path, links_placeholder = f"{question}/question.html", "@DOWNLOADS@"
    files = [
        name for name in sources.released if not name.startswith((f"{sources.exercise}.", "README", "requirements"))
    ]
    links = "\n".join(f'    <li><pl-file-download file-name="{name}"></pl-file-download></li>' for name in files)
    tests = {**sources.solutions, "course.toml": sources.settings, **_secret_file(sources)}
    return {
        **templates,
        page_path: templates[page_path].replace(links_placeholder.encode(), links.encode()),
        **_prefix_paths("serverFilesCourse/autograder_kit", sources.kit),
        **_prefix_paths(f"{question}/tests", tests),
        **_prefix_paths(f"{question}/clientFilesQuestion", sources.released),
        f"{question}/info.json": _question_info(sources),
        f"image/{LOCK_FILE}": sources.lock,
    }


def github(sources: Sources) -> dict[str, bytes]:
    """Two repositories: one that students get, with the visible checks, and a private one that grades theirs."""
    return _two_repositories("github", ".github/visible_checks.py", sources)


def gitlab(sources: Sources) -> dict[str, bytes]:
    """The same two for GitLab."""
    return _two_repositories("gitlab", ".gitlab/visible_checks.py", sources)


def classroom50(sources: Sources) -> dict[str, bytes]:
    """A folder of autograders: what it holds is published, so these are the visible checks, and nothing secret."""
    checks = {f"given/{name}": content for name, content in sources.released.items() if _is_check_file(name, sources)}
    return {
        **_render_templates("classroom50", sources),
        "autograder/visible_checks.py": _visible_checks_script(),
        **_prefix_paths("autograder", checks),
    }


def _two_repositories(host: str, script: str, sources: Sources) -> dict[str, bytes]:
    grading = {
        **_grader_files(sources),
        LOCK_FILE: sources.lock,
        ".gitignore": f"{SECRET_FILE}\n__pycache__/\n".encode(),
    }
    return {
        **_prefix_paths("student-repository", {**sources.released, script: _visible_checks_script()}),
        **_prefix_paths("grading-repository", grading),
        **_render_templates(host, sources),
    }


def _grader_files(sources: Sources) -> dict[str, bytes]:
    return {**sources.kit, **sources.solutions, "course.toml": sources.settings}


def _secret_file(sources: Sources) -> dict[str, bytes]:
    return {SECRET_FILE: sources.secret + b"\n"} if sources.secret else {}


def _visible_checks_script() -> bytes:
    return (Path(__file__).parent / "visible_checks.py").read_bytes()


def _is_check_file(name: str, sources: Sources) -> bool:
    return name.endswith((".py", ".json")) and name != f"{sources.exercise}.py"


def _render_templates(host: str, sources: Sources) -> dict[str, bytes]:
    """The templates of one host, filled in; those of names with a mark are named so too."""
    folder = TEMPLATES / host
    return {
        path.relative_to(folder).as_posix().replace(PLACEHOLDER, sources.exercise).removesuffix(".in"): path.read_text(
            encoding="utf-8"
        )
        .replace(PLACEHOLDER, sources.exercise)
        .encode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _prefix_paths(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _question_info(sources: Sources) -> bytes:
    """PrairieLearn's info.json; its uuid is told by the exercise and the secret, so that a new bundle is the same."""
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
