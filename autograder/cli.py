"""The command line: the group of all commands, and the sentence and exit code for whatever goes wrong in them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from autograder.commands import bundle, classroom, demo, doctor, export, grade, init, watch
from autograder.commands.authoring import lint, new, preview, release, verify
from autograder.commands.common import (
    GRADER_ERROR,
    INTERRUPTED,
    WRONG_USAGE,
    CommandError,
    print_unencodable_text,
    say,
    warn,
)
from autograder.commands.help_sections import CommandsByDoor

# Two BLAS threads cost more time on matrices of this size than they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run a command; print its error as one sentence on stderr and exit with its code."""
    is_closed = sys.stdout is None  # as after >&-
    print_unencodable_text()
    if is_closed:
        warn("the output is closed, so nothing is shown there.")
    stdout = sys.stdout
    try:
        commands.main(prog_name="autograder", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(WRONG_USAGE)
    except click.ClickException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", None)
        see = f" See {command} --help." if command else ""
        say(f"autograder: {error.format_message()}{see}", err=True)
        sys.exit(error.exit_code)
    except CommandError as error:
        say(f"autograder: {error}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        say("autograder: interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except SystemExit:
        if sys.stdout is not stdout:  # click puts another there after autograder grade ... | head
            say("autograder: the output was closed before all of it was written.", err=True)
        raise
    except OSError as error:
        # What is still in the buffer of stdout cannot be written either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"autograder: {_describe(error)}", err=True)
        sys.exit(GRADER_ERROR)


def _describe(error: OSError) -> str:
    """Return one sentence about a file that a command needs, and that no other sentence speaks of."""
    what = f"{error.filename} cannot be used" if error.filename else "the output or a temporary file cannot be written"
    return f"{what} ({error.strerror or error}): make room or put it right, and run the same command again."


@click.group(
    cls=CommandsByDoor,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Students need no command: the README in their folder is their guide. COMMAND --help shows an example. "
    f"A guide is the README.md of its folder in a clone; those in autograder/ are below {Path(__file__).parents[1]}.",
)
@click.version_option(package_name="rnn-backprop-autograder", message="%(version)s")
def commands() -> None:
    """Hand out and grade numerical exercises: a student's code meets only arrays, never the answers."""


for module in (bundle, classroom, demo, doctor, export, grade, init, lint, new, preview, release, verify, watch):
    commands.add_command(module.command)
