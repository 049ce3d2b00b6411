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


class GraderUnavailable(Exception):
    """Nothing can be graded: one sentence that says why and what to do."""


class GraderClient:
    """A grader of one exercise in a process of its own. Use it as a context manager."""

    def __init__(self, root: Path, exercise: str, max_score: float, warn: Callable[[str], None]) -> None:
        self._root, self._exercise, self._max_score, self._warn = root, exercise, max_score, warn
        self._start()

    def __enter__(self) -> GraderClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def grade(self, path: Path, name: str) -> Report:
        """The verdict on one submission; a `grader_error` where the process was lost over it twice."""
        for _ in range(2):
            try:
                self._send({"path": str(path.absolute()), "name": name})
                return report_lines.loads(self._receive())
            except (BrokenPipeError, EOFError):
                self._stop()
                self._start()
        lost = Note("instructor", "The grader's process was ended from outside while it graded this.")
        return Report(self._exercise, name, "grader_error", 0.0, self._max_score, 0, "", (lost,))

    def _start(self) -> None:
        command = [sys.executable, "-m", "autograder.nbgrader.autograding.grader_server", self._exercise]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=self._root, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            greeting = json.loads(self._receive())
        except EOFError:
            raise GraderUnavailable("The grader's process ended at its start: see what it said above.") from None
        if "error" in greeting:
            self._stop()
            raise GraderUnavailable(greeting["error"])
        for warning in greeting["warnings"]:
            self._warn(warning)

    def _send(self, question: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise EOFError
        return line

    def _stop(self) -> None:
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
