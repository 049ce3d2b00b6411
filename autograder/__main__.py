"""`python -m autograder`, the same as the command `autograder`."""

import sys
from pathlib import Path

# `python -m` lets modules of the working folder go before all others, and that folder may be a student's
sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path.cwd().resolve()]
sys.path.append(str(Path(__file__).resolve().parents[1]))  # processes started from this one find the package, too

from autograder.cli import main  # noqa: E402 - after the line above

main()
