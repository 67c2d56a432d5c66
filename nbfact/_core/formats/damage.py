"""What reading a damaged file may raise, and the one error that a user sees of it."""

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

DAMAGED = (
    ValueError, TypeError, LookupError, AttributeError, EOFError, OSError,
    RuntimeError, MemoryError, ArithmeticError, SyntaxError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""Errors that reading a file may raise when it is damaged, or of another kind."""

_MOST_TEXT = 200
"""Largest number of characters of a reason, because a damaged file may be in it."""


def reason(error: BaseException) -> str:
    r"""Return what an error says, in one line that is never empty nor long.

    Examples
    --------
    >>> reason(ValueError("two\n lines")), reason(EOFError())
    ('two lines', 'it ends too early')
    """
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, EOFError):
        return "it ends too early"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}..."


@contextlib.contextmanager
def naming(path: Any) -> Iterator[None]:
    """Turn what a damaged file raises into a ValueError that names the argument path.

    Examples
    --------
    >>> with naming("a.npy"):
    ...     raise EOFError
    Traceback (most recent call last):
        ...
    ValueError: path a.npy: it ends too early
    """
    try:
        yield
    except DAMAGED as error:
        raise ValueError(f"path {path}: {reason(error)}") from None
