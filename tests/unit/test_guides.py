"""The guides: their links lead somewhere, and their commands exist; `tests/test_guide_sessions.py` runs these."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from autograder import cli
from autograder.commands import help_sections

ROOT = Path(__file__).resolve().parents[2]
GUIDES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "assignments/README.md",
    "autograder/README.md",
    "autograder/bundles/README.md",
    "autograder/classroom/README.md",
    "autograder/feedback/README.md",
    "autograder/nbgrader/README.md",
    "autograder/watch/README.md",
    "solutions/README.md",
    "tests/README.md",
)
TEXTS = {guide: (ROOT / guide).read_text(encoding="utf-8") for guide in GUIDES}
WITH_AN_END = [guide for guide in GUIDES if guide not in ("README.md", "CONTRIBUTING.md")]
COMMAND = re.compile(r"(?m)^ *(?:\$ )?(?:\.venv/bin/)?autograder ([a-z].*)$|`autograder\s+([a-z][^`]*)`")


def without_code(text: str) -> str:
    """Return the text without blocks and spans of code, which may hold brackets and signs that mean nothing here."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^ *```.*?^ *```", "", text))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands_in(text: str) -> list[list[str]]:
    """Return the arguments of every `autograder ...` that stands on a line of its own or in a span of code."""
    lines = [re.split(r"\s#|\s&&\s", line or span)[0] for line, span in COMMAND.findall(text)]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("guide", GUIDES)
def test_links_of_a_guide_lead_to_files_and_headings(guide: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(TEXTS[guide])):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / guide).parent / path if path else ROOT / guide
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def parse(name: str, *arguments: str) -> None:
    """Parse the arguments of a command without using them; NoSuchOption if it does not have one."""
    command = cli.commands.commands[name]
    command.make_parser(click.Context(command, info_name=name)).parse_args(args=list(arguments))


def test_commands_of_the_guides_have_the_options_that_they_are_shown_with() -> None:
    shown = [arguments for text in TEXTS.values() for arguments in commands_in(text)]
    assert len(shown) > 20
    for arguments in shown:
        parse(*arguments)


@pytest.mark.parametrize("name", cli.commands.commands)
def test_the_help_of_a_command_ends_with_an_example_of_it(name: str) -> None:
    word, program, *arguments = shlex.split(cli.commands.commands[name].epilog or "")
    assert (word, program, arguments[0]) == ("Example:", "autograder", name)
    parse(*arguments)


def test_every_command_is_behind_one_door() -> None:
    assert sorted(name for names in help_sections.DOORS.values() for name in names) == sorted(cli.commands.commands)


def test_the_guides_that_the_help_names_exist() -> None:
    folders = [
        folder
        for door in help_sections.DOORS
        for named in re.findall(r"guides?: ([^)]+)", door)
        for folder in named.split(", ")
    ]
    assert len(folders) >= 4
    assert [folder for folder in folders if f"{folder}/README.md" not in GUIDES] == []


def test_the_guides_that_messages_name_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "autograder").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r"\b(?:autograder|solutions)/[\w/]*README\.md", text)}
    assert len(named) >= 3
    assert sorted(named - set(GUIDES)) == []


@pytest.mark.parametrize("guide", WITH_AN_END)
def test_a_guide_begins_with_what_its_reader_has_at_its_end(guide: str) -> None:
    assert "At the end of this page" in TEXTS[guide][:600]


def test_the_readme_is_short_and_leads_to_every_guide() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 150
    assert [guide for guide in GUIDES[1:] if f"({guide})" not in TEXTS["README.md"]] == []
