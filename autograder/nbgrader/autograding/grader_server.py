"""A process that grades for nbgrader: paths come in and reports go out, a line of JSON each.

It is a process of its own because a grader shields its process from others, and because the server in which formgrader
runs has threads, sockets and students' tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, find_course
from autograder.evaluation.report_codec import full_object
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import IsolationError, open_grader


def main(exercise: str) -> None:
    """Grade until the client closes the pipe. The first line holds `warnings`, or the `error` that prevents grading."""
    warnings: list[str] = []
    try:
        course = find_course(Path.cwd())
        with open_grader(course, load_exercise(course.exercise_folder(exercise)), warnings.append) as grader:
            _send({"warnings": warnings})
            for line in sys.stdin:
                request = json.loads(line)
                _send(full_object(grader.grade(Path(request["path"]), request["name"])))
    except (CourseError, ExerciseError, IsolationError) as error:
        _send({"error": str(error)})


def _send(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
