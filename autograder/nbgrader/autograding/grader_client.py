"""The grader's process, seen from nbgrader's: started once for a command, asked once for each submission."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograder.evaluation.report import Note, Report
from autograder.evaluation.report_codec import read_report
from autograder.evaluation.seeds import hide_secret
from autograder.exercise.model import Exercise

MAX_ATTEMPTS = 2


class GraderUnavailable(Exception):
    """Nothing can be graded: one sentence that says why and what to do."""


class GraderClient:
    """A grader of one exercise in a process of its own. Use it as a context manager."""

    def __init__(self, root: Path, exercise: Exercise, warn: Callable[[str], None]) -> None:
        self._root, self._exercise, self._warn = root, exercise, warn
        hide_secret()  # the grader is handed it; student code may look for it here
        self._start()

    def __enter__(self) -> GraderClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def grade(self, path: Path, name: str) -> Report:
        """Return the verdict on one submission; a `grader_error` if the process ends twice while it grades."""
        # The process may have been killed for lack of memory: a new one tries once more.
        for _ in range(MAX_ATTEMPTS):
            try:
                self._send({"path": str(path.absolute()), "name": name})
                return read_report(self._receive())
            except (BrokenPipeError, EOFError):
                self._stop()
                self._start()
        lost = Note("instructor", "The grader's process was killed while it graded this.")
        return Report(self._exercise.name, name, "grader_error", 0.0, self._exercise.max_score, 0, "", (lost,))

    def _start(self) -> None:
        command = [sys.executable, "-m", "autograder.nbgrader.autograding.grader_server", self._exercise.name]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=self._root, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            greeting = self._receive()
        except EOFError:
            raise GraderUnavailable("The grader's process ended as it started: see its output above.") from None
        if "error" in greeting:
            self._stop()
            raise GraderUnavailable(greeting["error"])
        for warning in greeting["warnings"]:
            self._warn(warning)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):  # the process ended, perhaps in the middle of its answer
            raise EOFError
        return json.loads(line)

    def _stop(self) -> None:
        with self._process as process:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()  # which ends the server's loop
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
