"""Runs commands of nbgrader, each in a process of its own that is forked: nbgrader and the kit are imported once.

`python -m tests.nbgrader.command_server` reads a command in JSON from each line, and answers with its exit code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests import courses


class CommandServer:
    """nbgrader, ready to run commands. Use it as a context manager."""

    def __enter__(self) -> CommandServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=courses.ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, course: Path, *arguments: str, expected: Iterable[int] = (0,)) -> str:
        """Run `nbgrader ARGUMENTS` in a course folder, and check the exit code. Returns what it printed."""
        home = courses.home_folder(course)
        environment, log = courses.clean_environment(home), home / "command.log"
        request = {"folder": str(course), "arguments": arguments, "environment": environment, "log": str(log)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        output = log.read_text(encoding="utf-8", errors="replace")
        assert code in expected, f"nbgrader {' '.join(arguments)}: {code}\n{output[-4000:]}"
        return output


def _serve() -> None:
    from nbgrader.apps.nbgraderapp import NbGraderApp

    # What a course's settings import, if they do; without them, nothing of it is used.
    from autograder.nbgrader.autograding import converters, preprocessors
    from autograder.nbgrader.exchange import exchange, zip_collect
    from autograder.nbgrader.gradebook import export
    from autograder.nbgrader.rendering import exporter

    assert all((converters, preprocessors, exchange, zip_collect, export, exporter))
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            sys.path[0] = request["folder"]
            sys.argv[1:] = request["arguments"]
            NbGraderApp.launch_instance()
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
