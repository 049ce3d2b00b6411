"""A process that grades for nbgrader: paths come in, a line of JSON each, and reports go out.

A process of its own, because a grader makes its process one that others cannot look into, and because the server in
which formgrader runs has threads, sockets and students' tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from autograder.course import CourseError, find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import IsolationError, open_grader
from autograder.nbgrader.autograding import report_lines


def main(exercise: str) -> None:
    """Grade until nobody asks any more. The first line says whether that is possible."""
    warnings: list[str] = []
    try:
        course = find_course(Path.cwd())
        loaded = load_exercise(course.exercise_folder(exercise))
        with open_grader(course, loaded, warnings.append) as grader:
            _send_line(json.dumps({"warnings": warnings}))
            for line in sys.stdin:
                request = json.loads(line)
                _send_line(report_lines.dumps(grader.grade(Path(request["path"]), request["name"])))
    except (CourseError, ExerciseError, IsolationError) as error:
        _send_line(json.dumps({"error": str(error)}))


def _send_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
