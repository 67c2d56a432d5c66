"""What a command prints on standard error, and how a user's mistake ends it."""

import codecs
import functools
import inspect
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
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
    parameters = inspect.signature(command).parameters
    names = tuple(parameters)
    arguments = {
        name for name, one in parameters.items() if one.kind is not one.KEYWORD_ONLY
    }

    @functools.wraps(command)
    def wrapped(**options):
        try:
            check_files(options, arguments)
            return command(**options)
        except KeyboardInterrupt:
            say("interrupted; files are whole")
            raise typer.Exit(130) from None
        except (ValueError, OSError, ModuleNotFoundError) as error:
            say(with_dashes(str(error), names))
            raise typer.Exit(2) from None

    return wrapped


READ = ("matrix", "resume", "rows")
"""Options whose files must exist."""

WRITTEN = ("comment", "output")
"""Options whose files are written, into directories that are made where necessary."""


def check_files(options: Mapping[str, Any], arguments: Collection[str] = ()) -> None:
    """Raise OSError, which names the option, for a file that cannot be used.

    Parameters
    ----------
    options : mapping
        The values of a command's options and arguments, by their names.
    arguments : collection of str
        Names of those that a user gives without dashes.

    Raises
    ------
    OSError
        When a file to read does not exist or is a directory, or when there is a file
        where a file to write has a directory.

    Examples
    --------
    >>> check_files({"rows": [Path("none.csv")]})
    Traceback (most recent call last):
    FileNotFoundError: --rows none.csv: no such file
    """
    for name, value in options.items():
        shown = "" if name in arguments else f"{dashed(name)} "
        paths = value if isinstance(value, list) else [value]
        for path in (one for one in paths if isinstance(one, Path)):
            if name in READ and path.is_dir():
                raise IsADirectoryError(f"{shown}{path}: a directory, not a file")
            if name in READ and not path.exists():
                raise FileNotFoundError(f"{shown}{path}: no such file")
            if name in WRITTEN:
                place = path.absolute().parent
                while not place.exists():
                    place = place.parent
                if not place.is_dir():
                    message = f"{shown}{path}: {place} is not a directory"
                    raise NotADirectoryError(message)


def with_dashes(message: str, names: Sequence[str]) -> str:
    """Return a message in which the options of a command are named as a user does.

    Functions say ``time_limit=-1.0: ...``, and the user wrote ``--time-limit -1``.

    Examples
    --------
    >>> with_dashes("time_limit=-1.0: expected a number above 0", ["time_limit"])
    '--time-limit -1.0: expected a number above 0'
    >>> with_dashes("profile 'all'; expected one of quick, full", ["profile"])
    "--profile 'all'; expected one of quick, full"
    """
    words = "|".join(map(re.escape, names))
    return re.sub(
        rf"(?<![\w-])({words})=(?=\S)|^({words}) (?=')",
        lambda match: f"{dashed(match[1] or match[2])} ",
        message,
    )


def dashed(*names: str) -> str:
    """Return the names of options as a user writes them.

    Examples
    --------
    >>> dashed("n_iter", "rcg")
    '--n-iter, --rcg'
    """
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def say(message: object) -> None:
    """Print a message of the command on standard error, in one line."""
    print("nbfact:", " ".join(str(message).split()), file=sys.stderr)
