"""Type `pytest` in this folder: it runs on the .py file the very checks that the notebook runs in its cells."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from types import ModuleType

import checks  # type: ignore[import-not-found]  # it is found once both are released, into one folder
import pytest
from calls import CheckInterrupted, NotLoadedError, load  # type: ignore[import-not-found]  # as checks
from golden import Golden, VisibleCheck, golden  # type: ignore[import-not-found]  # as checks
from results import Result  # type: ignore[import-not-found]  # as checks

FOLDER = Path(__file__).resolve().parent
NAME = Path(__file__).stem.removeprefix("test_")


def _module() -> ModuleType:
    """Import the .py file, or say in one sentence why that does not work."""
    try:
        module: ModuleType = load(NAME)
    except NotLoadedError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    return module


def _golden() -> Golden:
    """The golden numbers, or say in one sentence which file is missing."""
    try:
        return golden()
    except OSError as missing:
        raise pytest.Collector.CollectError(str(missing)) from None


def _notebook_has_answers() -> bool:
    try:
        cells = json.loads((FOLDER / f"{NAME}.ipynb").read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return any(
        f"def {function}(" in source and f'NotImplementedError("{function} is not' not in source
        for source in sources
        for function in GOLDEN.functions
    )


class _Summary:
    """Says at the end what pytest keeps to itself: the notes of checks that pass, and what was skipped."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        passed = [result for result in self.results if result.status == "pass"]
        notes = [
            f"{name}: {result.title}\n{textwrap.indent(result.message, ' ' * 4)}"
            for name in GOLDEN.functions
            for result in checks.merge_repeats(result for result in passed if result.function == name)
            if result.message
        ]
        if notes:
            terminalreporter.section("notes of checks that pass")
            terminalreporter.write_line("\n".join(notes))
        skipped = [result.function for result in self.results if result.status == "not attempted yet"]
        if skipped:
            terminalreporter.write_line(f"Not attempted yet in {NAME}.py: {', '.join(dict.fromkeys(skipped))}.")
        if progress := checks.noted(ANSWERS.module, self.results):
            terminalreporter.write_line(repr(progress))
        if skipped and len(skipped) == len(self.results) and _notebook_has_answers():
            terminalreporter.write_line(
                f"pytest checks {NAME}.py, which is untouched; {NAME}.ipynb is checked by its own cells, so run those."
            )


@pytest.fixture(scope="module")
def summary(request: pytest.FixtureRequest) -> _Summary:
    summary = _Summary()
    request.config.pluginmanager.register(summary)
    return summary


ANSWERS, GOLDEN = checks.Answers(_module()), _golden()


@pytest.mark.parametrize("visible", GOLDEN.checks, ids=lambda visible: f"{visible.function}: {visible.title}")
def test_check(visible: VisibleCheck, summary: _Summary) -> None:
    try:
        result = checks.run(visible, ANSWERS)
    except CheckInterrupted as stop:
        pytest.exit(str(stop), returncode=pytest.ExitCode.INTERRUPTED)
    summary.results.append(result)
    if result.status == "not attempted yet":
        pytest.skip(result.message)
    if result.status != "pass":
        results = checks.merge_repeats(other for other in summary.results if other.function == result.function)
        *_, result = checks.with_printed(results, ANSWERS, checks.PRINTED_LINES)
        if result.same_reason:
            pytest.fail(f"{result.title}: for the same reason.", pytrace=False)
        printed = "\n".join(["\n\nprinted:", *result.printed]) if result.printed else ""
        pytest.fail(f"{result.title}\n\n{result.message}{printed}", pytrace=False)
