"""autograder lint: what the author of an exercise must change."""

from __future__ import annotations

import click

from autograder.commands import common


@click.command("lint", epilog="Example: autograder lint ridge")
@common.exercise_argument
def command(exercise: str) -> None:
    """Say what its author must change in EXERCISE.

    Each problem is a sentence with its file and line. Every other command makes the same checks first.

    Exit code 2 when there is a problem.
    """
    _, loaded = common.open_exercise(exercise)
    for problem in loaded.mistake_problems:
        common.warn(problem)
    functions = ", ".join(function.name for function in loaded.functions)
    if measured := ", ".join(sorted(loaded.without_complex_step)):
        common.say(
            f"J loses imaginary parts, by float or abs perhaps, so {measured} is compared with central differences, "
            "which are less exact than complex steps."
        )
    common.say(f"{loaded.name} is sound: {len(loaded.checks)} checks, {loaded.max_score:g} points, for {functions}.")
