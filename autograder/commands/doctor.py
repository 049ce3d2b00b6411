"""autograder doctor: how well student code is isolated here."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> None:
    """Say how well student code is isolated on this machine.

    Tries every level, from the strongest to the weakest, and says what it protects against, and what to install or set
    where one does not work.
    """
    # late: rich and the probes of every level, 145 ms
    from rich.console import Console

    from autograder.doctor import print_isolation

    print_isolation(Console())
