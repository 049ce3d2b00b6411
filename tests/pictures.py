"""Pictures of the pages, for the guides: a feedback page, and the page of a class made of sample submissions.

`python -m tests.pictures` takes them anew, in Chromium, into autograder/formats/pages/, after grading 48 submissions.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from autograder.course import Limits
from autograder.evaluation.report import Report
from autograder.formats.pages import class_page, feedback_page
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from tests.in_process import exercise

SUBMISSIONS = Path(__file__).parent / "submissions"
PICTURES = Path(__file__).parents[1] / "autograder" / "formats" / "pages"
COLOURS = 64  # enough for plain areas and text, and a third of the bytes
FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ines", "Jan", "Kai", "Lea")
LAST = ("Adler", "Costa", "Evans", "Gupta", "Ito", "Kim")


def folders() -> Iterator[Path]:
    """Yield the sample class, several times what is right, and every fifth submission with a known mistake."""
    sample = [path for path in sorted((SUBMISSIONS / "class").iterdir()) if path.is_dir()]
    yield from sample
    yield from 14 * [SUBMISSIONS / "class" / "perfect"]
    yield from 3 * [SUBMISSIONS / "class" / "blank"]
    yield from (path for path in sorted((SUBMISSIONS / "two_mistakes").iterdir()) if path.is_dir())
    yield from [path for path in sorted((SUBMISSIONS / "mistakes").iterdir()) if path.is_dir()][::5]


def reports() -> list[Report]:
    """Return the report of each submission of the class, the students named in order."""
    names = [f"{first} {last}" for last in LAST for first in FIRST]
    with Jail() as jail:
        grader = Grader(exercise(), jail, Limits(), seed=3)
        return [grader.grade(folder, name) for folder, name in zip(folders(), names, strict=False)]


def save(picture: bytes, name: str) -> None:
    """Save a screenshot with few colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)
    image.save(PICTURES / name, optimize=True)


def top(page: Page, last: Locator) -> bytes:
    """Return a picture of the page from its beginning to the end of an element."""
    box, size = last.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    clip = {"x": 0.0, "y": 0.0, "width": size["width"], "height": box["y"] + box["height"]}
    return page.screenshot(full_page=True, clip=clip)


def main() -> None:
    """Take the pictures."""
    graded = reports()
    (wrong,) = [report for report, folder in zip(graded, folders(), strict=False) if folder.name == "transposed_W"]
    links = {report.submission: "#" for report in graded}
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 900, "height": 900})
        file.write_text(feedback_page.render_page([wrong]), encoding="utf-8")
        page.goto(file.as_uri())
        save(top(page, page.locator(".check").first), "feedback.png")
        file.write_text(class_page.render_page(graded, links, {}), encoding="utf-8")
        page.goto(file.as_uri())
        save(top(page, page.locator("table.students tbody tr").nth(7)), "class.png")
        save(page.locator("table.checks").screenshot(), "checks.png")
        chromium.close()


if __name__ == "__main__":
    main()
