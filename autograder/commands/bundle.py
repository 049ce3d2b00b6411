"""autograder bundle: an exercise packed for a host."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.bundles import BUNDLES
from autograder.commands import common
from autograder.course import CourseError


@click.command("bundle", epilog="Example: autograder bundle ridge --for gradescope")
@common.exercise_argument
@click.option("--for", "host", type=click.Choice(list(BUNDLES)), required=True, help="The host that grades it.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The folder, or for Gradescope the zip file, to write.  [default: build/EXERCISE-HOST]",
)
def command(exercise: str, host: str, output: Path | None) -> None:
    """Pack EXERCISE for a host that grades it.

    The bundle is complete: the kit, the exercise, the locked requirements, and the files that the host looks for. Keep
    it private: it holds the answers. Only student-repository/ (github, gitlab) and the bundle for classroom50 do not.
    """
    # late: zipfile and secrets, 30 ms
    from autograder.bundles.sources import BundleError, collect_sources
    from autograder.bundles.writing import write_folder, write_zip

    bundle = BUNDLES[host]
    course = common.open_course()
    path = output or course.root / "build" / f"{exercise}-{host}{'.zip' if bundle.zipped else ''}"
    try:
        sources = collect_sources(course, exercise)
        (write_zip if bundle.zipped else write_folder)(bundle.build_files(sources), path)
    except (CourseError, BundleError) as error:
        raise common.CommandError(str(error)) from None
    except OSError as error:
        raise common.CommandError(f"{error.filename} cannot be read or written: {error.strerror}.") from None
    path = common.display_path(path)
    common.say(f"Wrote {path}: {bundle.description}.")
    if not bundle.zipped:
        common.say(f"{path / 'README.md'} says how to use it.")
