"""`python -m autograder`, the same as the command `autograder`."""

import sys
from pathlib import Path

# `python -m` puts the working folder first, and that may be a student's: none of its modules may be imported.
sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path.cwd().resolve()]
sys.path.append(str(Path(__file__).resolve().parents[1]))  # for this package, here and in processes started from here

from autograder.cli import main  # noqa: E402 - after sys.path is safe

main()
