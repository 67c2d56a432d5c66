"""What a command says on standard error, and how a user's mistake ends it."""

import functools
import sys
from collections.abc import Callable

import typer


def reporting(command: Callable) -> Callable:
    """Turn a user's mistake into one line and code 2, Ctrl-C into one and 130."""

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
    """Print a message of the command to standard error, on one line."""
    print("nbfact:", " ".join(str(message).split()), file=sys.stderr)
