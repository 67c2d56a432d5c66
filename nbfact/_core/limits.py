"""Limits of sizes: what fits into the memory of this machine, and how many factors."""

import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checks import size

MAX_FACTORS = 1000
"""Largest number of factors that a function makes or asks for on its own, because the
time of `nbfact.hierarchical` grows with its square: 1000 factors take hours."""

UNKNOWN = 1 << 35
"""Bytes of memory, 32 GiB, of a machine that does not say how many it has."""

_CGROUPS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
"""Files in which Linux tells a container how many bytes it may use, or ``max``."""


@functools.cache
def machine_memory() -> int:
    """Return the bytes of memory that this process may use at most."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        found = UNKNOWN
    for path in _CGROUPS:
        try:
            found = min(found, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or no limit
            continue
    return found


def check_memory(what: str, entries: int, itemsize: int = 8) -> None:
    """Raise a ValueError when an array would not fit into the memory of this machine.

    Parameters
    ----------
    what : str
        The argument with its value, such as ``"n=1024"``, for the message.
    entries : int
        Number of entries of all arrays that exist together.
    itemsize : int
        Bytes of each.
    """
    needed = entries * itemsize
    if needed > machine_memory():
        raise ValueError(
            f"{what} is too large: it needs {_readable(needed)} of memory, this "
            f"machine has {_readable(machine_memory())}"
        )


def check_dense(shape: Sequence[int], itemsize: int) -> None:
    """Raise a ValueError when a dense array and a copy of it would not fit into memory.

    A short file can stand for a large array: of a sparse matrix it holds the entries
    alone.

    Parameters
    ----------
    shape : sequence of int
    itemsize : int
        Bytes of one entry.

    Examples
    --------
    >>> check_dense((1000, 1000), 8)
    """
    what = f"a dense array of shape {tuple(shape)}"
    check_memory(what, 2 * math.prod(shape), itemsize)


def dense_order(name: str, value: Any) -> int:
    """Return an argument that is the order of a dense matrix as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : int-like
        Order n of the matrix, at least 1.

    Raises
    ------
    TypeError
        When the value is not an integer.
    ValueError
        When it is not positive, or three real matrices of that order, as many as the
        functions hold that make one, do not fit into memory.
    """
    n = size(name, value)
    check_memory(f"{name}={n}", 3 * n * n)
    return n


def number_of_factors(name: str, value: Any, least: int = 1) -> int:
    """Return an argument that is a number of factors as an int.

    Raises
    ------
    TypeError
        When the value is not an integer.
    ValueError
        When it is below `least` or above `MAX_FACTORS`.
    """
    number = size(name, value, least)
    if number > MAX_FACTORS:
        raise ValueError(f"{name}={number}: expected at most {MAX_FACTORS}")
    return number


def _readable(count: int) -> str:
    """Return a number of bytes in words: 3 * 2**30 as ``3 GiB``."""
    for exponent, unit in enumerate(("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")):
        if count < 1000 * 1024**exponent:
            return f"{count / 1024**exponent:.3g} {unit}"
    return "more than 1000 PiB"
