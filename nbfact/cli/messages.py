"""What a command prints on standard error, and how a user's mistake ends it."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import typer


def reporting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that reports a user's mistake in one line, without traceback.

    A mistake ends with exit code 2, and Ctrl-C with 130.
    """

    @functools.wraps(command)
    def wrapped(**options):
        try:
            return command(**options)
        except KeyboardInterrupt:
            say("interrupted; files are whole")
            raise typer.Exit(130) from None
        except (ValueError, OSError, ModuleNotFoundError) as error:
            say(error)
            raise typer.Exit(2) from None

    return wrapped


def say(message: object) -> None:
    """Print a message of the command on standard error, in one line."""
    print("nbfact:", " ".join(str(message).split()), file=sys.stderr)
