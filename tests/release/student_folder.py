"""The released folder, copied to where a student has it, and run there without the kit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.exercise.source import parse_cells, student_text

ROOT = Path(__file__).resolve().parents[2]
NAME = "rnn_backprop"
SOURCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text(encoding="utf-8")
ANSWERS = {cell.name: cell.source for cell in parse_cells(SOURCE) if cell.kind == "solution"}
STUBS = {cell.name: student_text(cell) for cell in parse_cells(SOURCE) if cell.kind == "solution"}

# A student's Python has none of this; imported before anything else, from the folder on PYTHONPATH.
HIDE_KIT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"autograder", "nbgrader", "jupytext", "msgpack", "rubric"}:
            raise ModuleNotFoundError(f"a student does not have {name}", name=name)

sys.meta_path.insert(0, Refuse())
"""

RUN_ALL_CELLS = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, allow_errors=True).execute()
nbformat.write(notebook, sys.argv[1])
"""


@dataclass(frozen=True)
class StudentFolder:
    """A student's folder and the ways to run it; each returns what the student sees."""

    folder: Path
    python: Path
    env: Mapping[str, str]

    def write_answers(self, answers: Mapping[str, str], *, notebook: bool = False) -> None:
        """Put code in place of the stubs of some functions, in the .py or in the notebook."""
        if notebook:
            notebook_data = self.read_notebook()
            for cell in notebook_data["cells"]:
                cell["source"] = answers.get(cell["id"], cell["source"])
            self.write_notebook(notebook_data)
            return
        file = self.folder / f"{NAME}.py"
        text = file.read_text(encoding="utf-8")
        for name, answer in answers.items():
            assert STUBS[name] in text
            text = text.replace(STUBS[name], answer)
        file.write_text(text, encoding="utf-8")

    def read_notebook(self) -> Any:
        """Return the notebook in the folder."""
        return json.loads((self.folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))

    def write_notebook(self, notebook: Any) -> None:
        """Save a changed notebook."""
        (self.folder / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def pytest(self) -> tuple[int, str]:
        """Type `pytest` in the folder: the exit code, and what is printed."""
        done = self.run("-m", "pytest", "-p", "no:cacheprovider")
        return done.returncode, re.sub(r" in [\d.]+s", "", done.stdout) + done.stderr

    def run_all_cells(self, training_seconds: float = 0, **env: str) -> dict[str, str]:
        """Run all cells of the notebook, and return the plain text output of each cell that has one.

        Those that draw or train are left out, unless they are given some seconds.
        """
        notebook = self.read_notebook()
        for cell in notebook["cells"] if training_seconds else ():
            cell["source"] = re.sub(
                r"\)  # (up to )?\d seconds", f", seconds={training_seconds})", "".join(cell["source"])
            )
        if not training_seconds:
            notebook["cells"] = [cell for cell in notebook["cells"] if "from learning" not in "".join(cell["source"])]
        self.write_notebook(notebook)
        done = self.run("-c", RUN_ALL_CELLS, f"{NAME}.ipynb", **env)
        assert done.returncode == 0, done.stderr
        return {cell["id"]: output for cell in self.read_notebook()["cells"] if (output := _plain_output(cell))}


def _plain_output(cell: Any) -> str:
    parts = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            parts.append("\n".join(output["traceback"]))
        elif output["output_type"] == "stream":
            parts.append(f"{output['name']}: {''.join(output['text'])}")
        else:
            assert "text/html" in output["data"]
            parts.append("".join(output["data"]["text/plain"]))
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(parts))


def copy_release(tmp_path: Path) -> StudentFolder:
    """The released folder, copied elsewhere."""
    folder = tmp_path / "handed out"
    shutil.copytree(ROOT / "assignments" / NAME, folder)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HIDE_KIT, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")}
    env = {
        **inherited,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(hook),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # among the plugins is the kit's own
    }
    return StudentFolder(folder, Path(sys.executable), env)
