"""The secret of a course, and the seed of a submission that is made of it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from autograder.course import Course, CourseError
from autograder.submission.safe_files import write_atomically

SECRET_VARIABLE = "AUTOGRADER_SECRET"
SEED_BITS = 53  # a JSON number that every reader keeps exactly


def load_secret(course: Course) -> bytes | None:
    """The course's secret: AUTOGRADER_SECRET, else its file, else one made now; None where none can be kept.

    Raises CourseError when the file is there but cannot be read.
    """
    if told := os.environ.get(SECRET_VARIABLE):
        return told.encode()
    try:
        return course.secret_file.read_bytes().strip() or None
    except FileNotFoundError:
        return _make_secret(course.secret_file)
    except OSError as error:
        raise CourseError(f"The course's secret {course.secret_file} cannot be read: {error.strerror}.") from None


def _make_secret(file: Path) -> bytes | None:
    secret = secrets.token_hex(32).encode()
    try:
        write_atomically(file, secret + b"\n", mode=0o600, overwrite=False)
    except FileExistsError:  # another grader started at the same time
        return file.read_bytes().strip() or None
    except OSError:
        return None
    return secret


def submission_seed(code: str, exercise: str, secret: bytes | None) -> int:
    """The seed of a submission's cases: told by its own code, and by the secret to whoever knows it."""
    message = f"{exercise}\0{code}".encode("utf-8", "surrogatepass")
    digest = hmac.new(secret or b"", message, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)
