"""Stand-ins for hosts: their folders and variables, and the steps of a workflow run here, as act does.

Installing is replaced by the environment that runs the tests: `python -m venv` links it, pip and apt-get do nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SHIM = f"""#!/usr/bin/env bash
case "$1 $2" in
"-m venv") mkdir -p "${{@: -1}}/bin" && cp "$0" "${{@: -1}}/bin/python" ;;
"-m pip") [ -z "${{LOG:-}}" ] || echo "pip ${{*:3}}" >> "$LOG" ;;
*) exec {shlex.quote(sys.executable)} "$@" ;;
esac
"""
NOTHING = '#!/usr/bin/env bash\n[ -z "${LOG:-}" ] || echo "$(basename "$0") $*" >> "$LOG"\n'


def programs(folder: Path) -> Path:
    """A folder of programs that stand in for those that install something."""
    folder.mkdir()
    for name, text in (("python", SHIM), ("python3", SHIM), ("apt-get", NOTHING), ("sudo", NOTHING)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def environment(bin: Path, **more: str) -> dict[str, str]:
    """What a process of a host has, and nothing of ours."""
    return {"PATH": f"{bin}:/usr/local/bin:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), **more}


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program of a bundle."""
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


@dataclass
class Job:
    """A job of GitHub Actions. `checkouts` are the repositories by name: "" is its own; `with_` what `with` may say."""

    workspace: Path
    temp: Path
    env: dict[str, str]
    checkouts: Mapping[str, Path]
    values: dict[str, str]
    log: list[str] = field(default_factory=list)
    code: int = 0

    def steps(self, steps: Sequence[Mapping[str, Any]], values: Mapping[str, str], action: Path | None = None) -> None:
        """Run the steps of a job, or of a composite action that lies in `action`."""
        for number, step in enumerate(steps):
            if self.code and step.get("if") != "always()":
                continue
            given = {name: self.resolve(str(value), values) for name, value in step.get("with", {}).items()}
            if "uses" in step:
                self.uses(step["uses"], given)
            else:
                self.shell(step, values, action, f"{number}")

    def uses(self, name: str, given: Mapping[str, str]) -> None:
        """An action: a checkout copies, one of the repository itself is run, others do nothing here."""
        if name.startswith("actions/checkout@"):
            place = self.workspace / given.get("path", "")
            shutil.copytree(self.checkouts[given.get("repository", "")], place, dirs_exist_ok=True)
        elif name.startswith("./"):
            folder = self.workspace / name
            action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
            known = {key: str(one.get("default", "")) for key, one in action["inputs"].items()}
            assert given.keys() <= known.keys()
            assert all(key in given for key, one in action["inputs"].items() if one.get("required"))
            inputs = {f"inputs.{key}": value for key, value in {**known, **given}.items()}
            self.steps(action["runs"]["steps"], inputs, folder)
        else:
            assert re.fullmatch(r"actions/(setup-python|upload-artifact)@v\d+", name)

    def shell(self, step: Mapping[str, Any], values: Mapping[str, str], action: Path | None, name: str) -> None:
        """A step of shell commands, run as GitHub does: bash -e -o pipefail, on a file."""
        script = self.temp / f"{name}.sh"
        script.write_text(self.resolve(step["run"], values), encoding="utf-8")
        own = {key: self.resolve(str(value), values) for key, value in step.get("env", {}).items()}
        path = {"GITHUB_ACTION_PATH": str(action)} if action else {}
        done = run(["bash", "-e", "-o", "pipefail", script], self.workspace, {**self.env, **own, **path})
        self.log.append(done.stdout + done.stderr)
        self.code = done.returncode

    def resolve(self, text: str, values: Mapping[str, str]) -> str:
        """The text with its ${{ expressions }}."""
        known = {**self.values, **values}
        return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda match: known[match[1]], text)


def github_job(
    tmp_path: Path,
    workflow: str,
    job: str,
    checkouts: Mapping[str, Path],
    values: Mapping[str, str],
    change: Callable[[Path], object] = lambda folder: None,
) -> Job:
    """Run one job of a workflow file; its outputs and its summary lie in `temp`. `change` may change the programs."""
    workspace, temp = tmp_path / "work", tmp_path / "temp"
    workspace.mkdir()
    temp.mkdir()
    folder = programs(tmp_path / "bin")
    change(folder)
    env = environment(
        folder,
        CI="true",
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(workspace),
        GITHUB_OUTPUT=str(temp / "output"),
        GITHUB_STEP_SUMMARY=str(temp / "summary"),
        RUNNER_TEMP=str(temp),
        LOG=str(temp / "log"),
    )
    made = Job(workspace, temp, env, checkouts, dict(values))
    parsed = yaml.safe_load(workflow)
    assert parsed["permissions"] == {"contents": "read"}
    made.steps(parsed["jobs"][job]["steps"], {})
    return made


def gitlab_job(
    tmp_path: Path, text: str, job: str, project: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the script of one job of a .gitlab-ci.yml in a checkout of its project."""
    parsed = yaml.safe_load(text)
    workspace = tmp_path / "project"
    shutil.copytree(project, workspace)
    script = tmp_path / "script.sh"
    lines = [line.replace("/opt/autograder", str(tmp_path / "opt")) for line in parsed[job]["script"]]
    script.write_text("\n".join(["set -eo pipefail", *lines]), encoding="utf-8")
    usual = {name: str(value) for name, value in parsed.get("variables", {}).items()}
    env = environment(programs(tmp_path / "bin"), **{**usual, "CI": "true", **variables})
    return run(["bash", script], workspace, env)
