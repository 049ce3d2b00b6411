"""The registry of formats: small modules, loaded only when used, listed in the guide of bundles/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder import formats
from autograder.bundles import BUNDLES
from autograder.formats import FORMATS

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "autograder" / "bundles" / "README.md"
FOLDER = Path(formats.__file__).parent


@pytest.mark.parametrize("module", sorted({format.module for format in FORMATS.values()}))
def test_a_format_is_a_small_module(module: str) -> None:
    assert len((FOLDER / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_registry_loads_no_format() -> None:
    code = "import sys, autograder.formats; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith("autograder.formats.")} == set()


def marked_section(text: str, name: str) -> str:
    """Return the text between <!-- name --> and <!-- /name -->."""
    return text.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def test_the_guide_shows_the_formats_of_the_registry() -> None:
    assert marked_section(GUIDE.read_text(encoding="utf-8"), "formats") == formats.markdown_table()


def test_the_guide_names_every_bundle() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in BUNDLES if f"`{name}`" not in guide] == []
