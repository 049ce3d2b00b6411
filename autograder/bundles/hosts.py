"""The files of each host's bundle: the host's own, from templates/, around the kit and the exercise."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from autograder.bundles.sources import LOCK, SECRET_FILE, Sources

TEMPLATES = Path(__file__).parent / "templates"
MARK = "@EXERCISE@"  # in templates, stands for the name of the exercise


def gradescope(sources: Sources) -> dict[str, bytes]:
    """A zip file: setup.sh and run_autograder, as Gradescope calls them, with all that they need beside them."""
    return {**_templates("gradescope", sources), **_grader(sources), LOCK: sources.lock, **_secret(sources)}


def prairielearn(sources: Sources) -> dict[str, bytes]:
    """A question with its external grader, the kit for all questions, and the image that it runs in."""
    question = f"questions/{sources.exercise}"
    own = _templates("prairielearn", sources)
    page, mark = f"{question}/question.html", "@DOWNLOADS@"
    files = [
        name for name in sources.released if not name.startswith((f"{sources.exercise}.", "README", "requirements"))
    ]
    links = "\n".join(f'    <li><pl-file-download file-name="{name}"></pl-file-download></li>' for name in files)
    tests = {**sources.solutions, "course.toml": sources.settings, **_secret(sources)}
    return {
        **own,
        page: own[page].replace(mark.encode(), links.encode()),
        **_under("serverFilesCourse/autograder_kit", sources.kit),
        **_under(f"{question}/tests", tests),
        **_under(f"{question}/clientFilesQuestion", sources.released),
        f"{question}/info.json": _question(sources),
        f"image/{LOCK}": sources.lock,
    }


def github(sources: Sources) -> dict[str, bytes]:
    """Two repositories: one that students get, with the visible checks, and a private one that grades theirs."""
    return _two_repositories("github", ".github/visible_checks.py", sources)


def gitlab(sources: Sources) -> dict[str, bytes]:
    """The same two for GitLab."""
    return _two_repositories("gitlab", ".gitlab/visible_checks.py", sources)


def classroom50(sources: Sources) -> dict[str, bytes]:
    """A folder of autograders: what it holds is published, so these are the visible checks, and nothing secret."""
    checks = {f"given/{name}": content for name, content in sources.released.items() if _is_for_checks(name, sources)}
    return {
        **_templates("classroom50", sources),
        "autograder/visible_checks.py": _visible_checks(),
        **_under("autograder", checks),
    }


def _two_repositories(host: str, script: str, sources: Sources) -> dict[str, bytes]:
    grading = {**_grader(sources), LOCK: sources.lock, ".gitignore": f"{SECRET_FILE}\n__pycache__/\n".encode()}
    return {
        **_under("student-repository", {**sources.released, script: _visible_checks()}),
        **_under("grading-repository", grading),
        **_templates(host, sources),
    }


def _grader(sources: Sources) -> dict[str, bytes]:
    return {**sources.kit, **sources.solutions, "course.toml": sources.settings}


def _secret(sources: Sources) -> dict[str, bytes]:
    return {SECRET_FILE: sources.secret + b"\n"} if sources.secret else {}


def _visible_checks() -> bytes:
    return (Path(__file__).parent / "visible_checks.py").read_bytes()


def _is_for_checks(name: str, sources: Sources) -> bool:
    return name.endswith((".py", ".json")) and name != f"{sources.exercise}.py"


def _templates(host: str, sources: Sources) -> dict[str, bytes]:
    """The templates of one host, filled in; those of names with a mark are named so too."""
    folder = TEMPLATES / host
    return {
        path.relative_to(folder).as_posix().replace(MARK, sources.exercise).removesuffix(".in"): path.read_text(
            encoding="utf-8"
        )
        .replace(MARK, sources.exercise)
        .encode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _under(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _question(sources: Sources) -> bytes:
    """PrairieLearn's info.json; its uuid is told by the exercise and the secret, so that a new bundle is the same."""
    own = uuid.uuid5(uuid.NAMESPACE_OID, f"{sources.exercise} {sources.secret!r}")
    info = {
        "uuid": str(own),
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
