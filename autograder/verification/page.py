"""What `autograder verify` found out, for a person: tables at a terminal, or one page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.exercise.model import Check, Mistake
from autograder.exercise.numerical_gradient import CENTRAL_TOLERANCE
from autograder.formats.pages.environment import page_environment
from autograder.formats.text import to_plain_text
from autograder.verification.outcomes import MistakeOutcome, VerificationReport

PLAIN_TEXT_WIDTH = 140  # of what is piped; a terminal has its own width
MATRIX_LEGEND = (
    "x caught it, X the only check of the rubric that did, . did not, 1/2 with one of two seeds; "
    "V1, V2, ...: the checks that students run"
)


@dataclass(frozen=True)
class MatrixRow:
    """One mistake: a cell for each check of its function, as MATRIX_LEGEND explains it, and the names given."""

    mistake: Mistake
    cells: tuple[str, ...]
    diagnosis: str
    has_problems: bool


@dataclass(frozen=True)
class KillMatrix:
    """Which check of a function catches which of its mistakes.

    `columns` are the ids of the checks, shortened, and V1, V2, ... for the visible checks.
    """

    function: str
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True)
class MutantCounts:
    """How many changes of each kind were made in a function, how many each check caught, and how many none did."""

    function: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def render_text(report: VerificationReport) -> str:
    """Return what `print_report` prints as plain text."""
    return to_plain_text(lambda console: print_report(report, console), PLAIN_TEXT_WIDTH)


def print_report(report: VerificationReport, console: Console) -> None:
    """Print the kill matrix of each function, how sharp each check is, a summary and the problems."""
    for matrix in _kill_matrices(report):
        console.print(_matrix_table(matrix))
    if report.mistake_outcomes:
        console.print(Text(MATRIX_LEGEND, style="dim"), Text("\n"))
        console.print(_sharpness_table(report))
    for table in map(_mutants_table, count_mutants(report)):
        console.print(table)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, text in summarize(report):
        table.add_row(Text(label, style="bold"), Text(text))
    console.print(table)
    console.print()
    for problem in report.problems:
        console.print(Text(problem, style="red"))
    for mutant in report.mutants.living:
        console.print(Text("\n".join(["No check catches this change:", *mutant.difference]), style="yellow"))
        console.print(Text(f"To name it, add: {mutant.as_mistake}\n"))
    if report.mutants.living or not report.problems:
        is_content = report.mistake_outcomes and not report.mutants.living
        console.print(Text(conclusion(report), style="green" if is_content else "yellow"))


def render_html(report: VerificationReport) -> str:
    """Return the same as a page of HTML."""
    template = page_environment(Path(__file__).parent / "templates").get_template("verification.html")
    return template.render(
        report=report,
        matrices=_kill_matrices(report),
        counts=count_mutants(report),
        summary=summarize(report),
        conclusion=conclusion(report),
    )


def conclusion(report: VerificationReport) -> str:
    """Return what was proved if there are no problems: nothing about mistakes or right answers that are not there."""
    variants = any(sample.kind == "honest" for sample in report.sample_outcomes)
    if living := len(report.mutants.living):
        changes = "a change" if living == 1 else f"{living} changes"
        return f"The checks of {report.exercise} miss {changes} of the model answers: add cases that show them."
    if report.mistake_outcomes and variants:
        return f"The checks of {report.exercise} catch what they must, and cost no honest answer a point."
    missing = " and ".join(
        name
        for name, there in (("known mistakes", report.mistake_outcomes), ("honest variants", variants))
        if not there
    )
    return f"Nothing was proved about {missing}: {report.exercise} has none."


def summarize(report: VerificationReport) -> list[tuple[str, str]]:
    """Return the findings, a label and a line each."""
    samples = report.sample_outcomes
    lines = []
    for kind, points in (("reference", "all points"), ("stubs", "no points")):
        as_expected = not any(sample.problems for sample in samples if sample.kind == kind)
        lines.append((kind, points if as_expected else "wrong"))
    if report.gradient_errors:
        functions, largest_error = ", ".join(report.gradient_errors), max(report.gradient_errors.values())
        lines.append(("slopes", f"{functions} of the reference are the slopes of J, to {largest_error:.0e}"))
    if central := ", ".join(report.central_differences):
        note = f"the objective loses imaginary parts, so {central} is compared with central differences"
        lines.append(("note", f"{note}, to {CENTRAL_TOLERANCE:g}: avoid abs, max and float in it"))
    variants = [sample for sample in samples if sample.kind == "honest"]
    losing_count = sum(bool(variant.problems) for variant in variants)
    lines.append(("honest", f"{len(variants)} variants, {losing_count} of them lose points"))
    if outcomes := report.mistake_outcomes:
        caught, diagnosed = report.caught_count, report.diagnosed_count
        unnamed = sum(None in outcome.diagnoses for outcome in outcomes)
        misnamed = sum(bool(outcome.wrong_diagnoses) for outcome in outcomes)
        share, named = f"{100 * caught / len(outcomes):.1f} %", f"{100 * diagnosed / len(outcomes):.1f} %"
        lines.append(("mistakes", f"{caught} of {len(outcomes)} caught ({share})"))
        visible = len(outcomes) - len(report.hidden_only)
        only = ", ".join(f"{outcome.mistake.name} in {outcome.mistake.function}" for outcome in report.hidden_only)
        lines.append(("visible", f"{visible} of {len(outcomes)} caught by the checks that students run"))
        if only:
            lines.append(("hidden only", only))
        spread = f"{report.spread_count} of {len(outcomes)} get other points with another seed"
        lines.append(("spread", spread if len(report.seeds) > 1 else "not measured: --seeds 20 draws 20 times"))
        lines.append(("names", f"{diagnosed} named right ({named}), {unnamed} without a name, {misnamed} misnamed"))
    mutants = report.mutants
    if mutants.tried:
        fates = f"{mutants.count('caught')} caught, {mutants.count('same')} give the same numbers"
        untried = f", {mutants.untried} not tried: no time left" if mutants.untried else ""
        count = f"{len(mutants.tried)} of the model answers: {fates}, {len(mutants.living)} caught by no check{untried}"
        lines.append(("changes", count))
    lines += [("next", step) for step in report.next_steps]
    details = f"seeds {', '.join(map(str, report.seeds))}; isolation {report.isolation}"
    lines.append(("time", f"{report.grading_count} gradings in {report.seconds:.1f} s ({details})"))
    return lines


def _kill_matrices(report: VerificationReport) -> list[KillMatrix]:
    matrices = []
    for function in dict.fromkeys(outcome.mistake.function for outcome in report.mistake_outcomes):
        checks = [check for check in report.checks if check.function == function]
        outcomes = [outcome for outcome in report.mistake_outcomes if outcome.mistake.function == function]
        visible = [i for i, check in enumerate(report.visible_checks) if check.function == function]
        columns = [check.id.removeprefix(f"{function}.") for check in checks]
        columns += [f"V{number}" for number, _ in enumerate(visible, start=1)]
        rows = tuple(_matrix_row(outcome, checks, visible, len(report.seeds)) for outcome in outcomes)
        matrices.append(KillMatrix(function, tuple(columns), rows))
    return matrices


def count_mutants(report: VerificationReport) -> list[MutantCounts]:
    """Return for each function how many changes of each kind each of its checks catches."""
    counts = []
    for function in dict.fromkeys(mutant.function for mutant in report.mutants.tried):
        checks = [check.id for check in report.checks if check.function == function]
        mutants = [
            mutant for mutant in report.mutants.tried if (mutant.function, mutant.fate != "same") == (function, True)
        ]
        rows = []
        for kind in dict.fromkeys(mutant.mutation.kind for mutant in mutants):
            alike = [mutant for mutant in mutants if mutant.mutation.kind == kind]
            by_check = [sum(id in mutant.caught_by for mutant in alike) for id in checks]
            living = sum(mutant.fate == "lives" for mutant in alike)
            rows.append((kind, tuple(map(str, (len(alike), *by_check, living)))))
        columns = ("made", *(id.removeprefix(f"{function}.") for id in checks), "no check")
        counts.append(MutantCounts(function, columns, tuple(rows)))
    return counts


def _mutants_table(counts: MutantCounts) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.title, table.title_justify = f"changes of {counts.function}, and how many each check catches", "left"
    table.add_column("change of", no_wrap=True)
    for column in counts.columns:
        table.add_column(column, justify="right")
    for kind, cells in counts.rows:
        table.add_row(kind, *cells, style="yellow" if cells[-1] != "0" else "")
    return table


def _matrix_row(outcome: MistakeOutcome, checks: Sequence[Check], visible: Sequence[int], seed_count: int) -> MatrixRow:
    def cell(check: Check) -> str:
        catches = outcome.caught_by.get(check.id, 0)
        if catches not in (0, seed_count):
            return f"{catches}/{seed_count}"
        return "." if not catches else "X" if outcome.sole_check == check.id else "x"

    diagnosis = "right" if outcome.is_diagnosed_correctly else ", ".join(sorted(n or "-" for n in outcome.diagnoses))
    cells = [cell(check) for check in checks] + ["x" if i in outcome.failed_visible else "." for i in visible]
    return MatrixRow(outcome.mistake, tuple(cells), diagnosis, any(outcome.problems()))


def _matrix_table(matrix: KillMatrix) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.title, table.title_justify = matrix.function, "left"
    table.add_column("mistake", no_wrap=True)
    for column in matrix.columns:
        table.add_column(column, justify="center")
    table.add_column("named")
    for row in matrix.rows:
        table.add_row(row.mistake.name, *row.cells, row.diagnosis, style="red" if row.has_problems else "")
    return table


def _sharpness_table(report: VerificationReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="how sharp each check is", title_justify="left")
    table.add_column("check")
    for heading in ("catches", "as the only one"):
        table.add_column(heading, justify="right")
    for id, (caught, caught_alone) in report.catches.items():
        table.add_row(id, str(caught), str(caught_alone))
    return table
