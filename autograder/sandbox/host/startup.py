"""How long a process for student code may take to start and to end, and what is said of one that does not start."""

from __future__ import annotations

from typing import IO

START_SECONDS = 60.0  # for starting Python and numpy on a slow machine
EXIT_GRACE_SECONDS = 5.0  # for a container to end after the process in it


def startup_failure(error: Exception, stderr_file: IO[bytes]) -> str:
    """Return a phrase on why a process did not start, with the last line that it wrote to its standard error."""
    stderr_file.seek(0)
    lines = stderr_file.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    summary = "did not get ready in time" if isinstance(error, TimeoutError) else "ended before it ran any"
    return f"{summary}: {lines[-1][:300]}" if lines else summary
