"""What a command prints on standard error, and how a user's mistake ends it."""

import codecs
import functools
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import typer

_PLAIN = {
    "\N{MICRO SIGN}": "u",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{CIRCLED TIMES}": "x",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{ALMOST EQUAL TO}": "~",
    "\u03bb": "lambda",
    "\N{GREEK SMALL LETTER RHO}": "rho",
    "\N{GREEK SMALL LETTER SIGMA}": "sigma",
    "\N{SQUARE ROOT}": "sqrt",
    "\N{MIDDLE DOT}": "*",
    "\N{EN DASH}": "-",
    "\N{DOUBLE VERTICAL LINE}": "||",
}
"""What stands for a character on a terminal that does not know it."""


def degrade_output() -> None:
    """Make the standard streams print plain characters in place of unknown ones.

    A terminal or a pipe may know ASCII alone, and printing ``µ`` would end the command
    after its work was done. An error handler that a user chose stays.
    """
    codecs.register_error("nbfact-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        usual = ("strict", "surrogateescape", "backslashreplace")
        if getattr(stream, "errors", None) in usual and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="nbfact-plain")


def _plain(error):
    """Return what stands for the characters that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = ""
    for character in error.object[error.start : error.end]:
        base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
        text += _PLAIN.get(character) or base.decode() or "?"
    return text, error.end


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
