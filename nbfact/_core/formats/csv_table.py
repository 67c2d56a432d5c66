"""Read tables of numbers separated by commas, with or without a row of names."""

import csv
import itertools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_NAME = re.compile(r"[^\W\d].*|\s*")
"""What a cell of a row of names holds: text that begins with a letter, or nothing."""


def read_csv(path: Path) -> np.ndarray:
    """Return a table of numbers separated by commas.

    Parameters
    ----------
    path : Path
        A text file. Lines that begin with ``#`` are comments. The first row may hold
        names of the columns in place of numbers.

    Raises
    ------
    ValueError
        When the file is no such table.
    """
    with open(path, encoding="utf-8-sig", errors="replace", newline=None) as file:
        rows = _rows(file)
        first = next(rows, "")
        names = _cells(first)
        is_named = all(map(_NAME.fullmatch, names)) and any(names)
        lines = rows if is_named else itertools.chain([first], rows)
        try:
            with warnings.catch_warnings():
                # NumPy warns of an empty table, which is refused later.
                warnings.simplefilter("ignore", UserWarning)
                table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
        except ValueError as error:
            raise ValueError(f"not a table of numbers ({error})") from None
    if is_named and table.size and table.shape[1] != len(names):
        raise ValueError(
            f"not a table of numbers ({len(names)} names of {table.shape[1]} columns)"
        )
    return table


def _rows(file) -> Iterator[str]:
    """Yield the lines that are not empty, without comments.

    A comment that holds numbers between commas is refused, because it may be a row
    whose first digit was damaged.
    """
    for number, line in enumerate(file, start=1):
        if not line.lstrip().startswith("#"):
            if not line.isspace():
                yield line
        elif any(map(_is_number, _cells(line.lstrip()[1:]))):
            raise ValueError(f"line {number} is a row of numbers in a comment")


def _cells(line):
    """Return the cells of a line, without quotes and spaces around them."""
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def _is_number(text):
    """Return whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
