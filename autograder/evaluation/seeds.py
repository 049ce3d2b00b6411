"""The secret of a course, and the seeds of submissions that are derived from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from autograder.course import Course, CourseError
from autograder.sandbox.host import own_process
from autograder.submission.safe_files import write_atomically

SECRET_VARIABLE = "AUTOGRADER_SECRET"
SEED_BITS = 53  # a JSON number that every reader keeps exactly


def load_secret(course: Course) -> bytes | None:
    """Return the course's secret: AUTOGRADER_SECRET, else that of its file, which is made if missing.

    Hides the variable. Returns None if the file cannot be made. Raises CourseError if it exists and cannot be read.
    """
    if from_environment := os.environ.get(SECRET_VARIABLE):
        hide_secret()
        return os.fsencode(from_environment)  # it may be of any bytes
    try:
        return course.secret_file.read_bytes().strip() or None
    except FileNotFoundError:
        return _make_secret(course.secret_file)
    except OSError as error:
        raise CourseError(f"The course's secret {course.secret_file} cannot be read: {error.strerror}.") from None


def has_secret(course: Course) -> bool:
    """Return whether the course has a secret already, so that `load_secret` makes none."""
    return bool(os.environ.get(SECRET_VARIABLE)) or course.secret_file.exists()


def hide_secret() -> None:
    """Keep AUTOGRADER_SECRET from other processes: none reads it from this one, or inherits it unless handed it."""
    own_process.hide_variable(SECRET_VARIABLE)


def _make_secret(file: Path) -> bytes | None:
    secret = secrets.token_hex(32).encode()
    try:
        write_atomically(file, secret + b"\n", mode=0o600, overwrite=False)
    except FileExistsError:
        # Another grader started at the same time and made it first: every grader must use that one.
        return file.read_bytes().strip() or None
    except OSError:
        return None
    return secret


def submission_seed(code: bytes, exercise: str, secret: bytes | None) -> int:
    """Return the seed of a submission's cases, from the code that its process is sent.

    Whatever a student can change that the process could see changes `code`, and with it all hidden cases. Without the
    secret, students could compute the seed themselves.
    """
    digest = hmac.new(secret or b"", exercise.encode() + b"\0" + code, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)
