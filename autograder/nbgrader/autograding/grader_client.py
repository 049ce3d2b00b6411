"""The grader's process, seen from nbgrader's: started once for a command, asked once for each submission."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.evaluation.report import Note, Report
from autograder.nbgrader.autograding import report_lines


class NoMarker(Exception):
    """Nothing can be graded: one sentence that says why and what to do."""


class Marker:
    """A grader of one exercise in a process of its own. Use it as a context manager."""

    def __init__(self, root: Path, exercise: str, most: float, warn: Callable[[str], None]) -> None:
        self._root, self._exercise, self._most, self._warn = root, exercise, most, warn
        self._start()

    def __enter__(self) -> Marker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def grade(self, path: Path, name: str) -> Report:
        """The verdict on one submission; a `grader_error` where the process was lost over it twice."""
        for _ in range(2):
            try:
                self._ask({"path": str(path.absolute()), "name": name})
                return report_lines.read(self._answer())
            except (BrokenPipeError, EOFError):
                self._end()
                self._start()
        lost = Note("instructor", "The grader's process was ended from outside while it graded this.")
        return Report(self._exercise, name, "grader_error", 0.0, self._most, 0, "", (lost,))

    def _start(self) -> None:
        command = [sys.executable, "-m", "autograder.nbgrader.autograding.grader_server", self._exercise]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=self._root, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            told = json.loads(self._answer())
        except EOFError:
            raise NoMarker("The grader's process ended at its start: see what it said above.") from None
        if "error" in told:
            self._end()
            raise NoMarker(told["error"])
        for warning in told["warnings"]:
            self._warn(warning)

    def _ask(self, question: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise EOFError
        return line

    def _end(self) -> None:
        with self._process as process:
            if process.stdin is not None:
                _quietly(process.stdin.close)  # it ends when nobody asks any more
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _quietly(close: Callable[[], None]) -> None:
    try:
        close()
    except OSError:
        return
