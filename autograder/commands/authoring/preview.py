"""autograder preview: an exercise as its students see it, answered."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click

from autograder.commands import common


@click.command("preview", epilog="Example: autograder preview ridge --watch")
@common.exercise_argument
@click.option("--watch", is_flag=True, help="Show it again whenever a file of the exercise changes, until Ctrl+C.")
@click.option("--open/--no-open", "opens", default=True, help="Open the page in the browser.")
def command(exercise: str, watch: bool, opens: bool) -> None:
    """Show the students' notebook with the model answers in it.

    Builds the notebook, runs it, and writes it as a page to build/preview.
    """
    course, loaded = common.open_exercise(exercise)
    try:
        # late: nbgrader, nbclient and nbconvert, 2 s
        from autograder.release.build import ReleaseError
        from autograder.release.preview import open_preview
    except ModuleNotFoundError as missing:
        raise common.CommandError(
            f"A preview needs {missing.name}, which is not installed: "
            "install the kit's extra `release`, or run `make release` in a clone.",
            common.GRADER_ERROR,
        ) from None

    page = course.root / "build" / "preview" / f"{loaded.name}.html"
    saved = _saved(loaded.folder) if watch else iter(())
    next(saved, None)  # from here on it is watched: what is saved while a page is made is not missed
    with tempfile.TemporaryDirectory() as folder, open_preview(Path(folder), page) as preview:
        with common.translate_errors(ReleaseError, exit_code=common.GRADER_ERROR):
            preview.show(loaded, reload=watch)
        common.say(f"The page is {common.display_path(page)}.")
        if opens:
            webbrowser.open(page.as_uri())
        for changes in saved:
            if not changes:
                continue
            try:
                _, loaded = common.open_exercise(exercise)
                preview.show(loaded, reload=True)
                common.say("Shown again.")
            except (common.CommandError, ReleaseError) as error:
                common.say(str(error), err=True)


def _saved(folder: Path) -> Iterator[object]:
    """Yield what was saved in a folder since the last time: nothing, ten times a second, most of the time."""
    from watchfiles import watch  # late: 60 ms

    return watch(folder, watch_filter=_is_source, rust_timeout=100, yield_on_timeout=True)


def _is_source(_change: object, path: str) -> bool:
    return not {".cache", "__pycache__"} & set(Path(path).parts)
