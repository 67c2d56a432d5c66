"""Files of a study: CSV rows, a Markdown page, a PNG picture, each written atomically.

A file is first written under a temporary name and then renamed, so that an interrupted
run leaves the earlier file whole.
"""

import csv
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._core.files import atomic_path
from .rows import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MATPLOTLIB_MISSING = 'matplotlib is missing; pip install "nbfact[study]" brings it'


def new_figure() -> "Figure":
    """Return an empty matplotlib figure; matplotlib is imported only here.

    Raises
    ------
    ModuleNotFoundError
        When matplotlib is not installed; the message names the extra that brings it.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MATPLOTLIB_MISSING) from None
    return Figure(figsize=(10, 6), layout="constrained")


def check_directory(path: Path) -> None:
    """Raise OSError unless files can be written in a directory, or once it is made.

    Parameters
    ----------
    path : Path
        The directory. It may be missing: then its nearest existing parent is checked.

    Raises
    ------
    NotADirectoryError
        When the path, or its nearest existing parent, is no directory.
    PermissionError
        When the directory is not writable.

    Examples
    --------
    >>> check_directory(Path("."))
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"--output {path}: not a directory")
    place = path.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(f"--output {path}: {place} is not a directory")
    if not os.access(place, os.W_OK):
        raise PermissionError(f"--output {path}: {place} is not writable")


def columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of all columns, in the order in which rows first have them.

    Examples
    --------
    >>> columns([{"a": 1}, {"b": 2, "a": 3}])
    ['a', 'b']
    """
    return list(dict.fromkeys(key for row in rows for key in row))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as comma-separated values, below a line of column names.

    Parameters
    ----------
    path : Path
        The file to write.
    rows : sequence of dict
        One line each. None, and a column that a row does not have, are empty cells.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[Row]:
    """Return the rows of a file that `write_csv` wrote.

    Parameters
    ----------
    path : Path
        The file. Cells that read as numbers are numbers, "True" and "False" are
        truth values, and empty ones None.
    """
    with open(path, encoding="utf-8", newline="") as file:
        return [
            {name: _value(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def _value(text: str) -> bool | int | float | str | None:
    """Return the value of a cell.

    Examples
    --------
    >>> [_value(text) for text in ("", "12", "1e-3", "3 x 4", "False")]
    [None, 12, 0.001, '3 x 4', False]
    """
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_png(path: Path, draw: Callable[["Figure"], None]) -> None:
    """Draw a figure and write it as a PNG picture.

    Parameters
    ----------
    path : Path
        The file to write.
    draw : callable
        ``draw(figure)`` fills the empty figure that it is passed.
    """
    figure = new_figure()
    draw(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def markdown(tables: Mapping[str, Sequence[Row]]) -> str:
    """Return tables in Markdown, with numbers of four significant digits.

    Parameters
    ----------
    tables : mapping of str to sequence of dict
        The rows of each table, by its caption.

    Returns
    -------
    str

    Examples
    --------
    >>> print(markdown({"Errors": [{"name": "x", "error": 0.123456}]}))
    ## Errors
    <BLANKLINE>
    | name | error |
    |:--|--:|
    | x | 0.1235 |
    <BLANKLINE>
    """
    parts = []
    for caption, rows in tables.items():
        names = columns(rows)
        numeric = [
            all(not isinstance(row.get(name), str) for row in rows) for name in names
        ]
        lines = [
            f"## {caption}",
            "",
            f"| {' | '.join(names)} |",
            f"|{'|'.join('--:' if right else ':--' for right in numeric)}|",
        ]
        for row in rows:
            lines.append(f"| {' | '.join(cell(row.get(name)) for name in names)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def cell(value: Any) -> str:
    """Return the text of one cell of a table; None gives an empty cell.

    Examples
    --------
    >>> cell(0.123456), cell(1e-16), cell(12), cell(None)
    ('0.1235', '1e-16', '12', '')
    """
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def not_finite(rows: Sequence[Row]) -> list[str]:
    """Return a message for each number of the rows that is NaN or infinite.

    Examples
    --------
    >>> not_finite([{"error": 0.1}, {"error": float("nan")}])
    ['row 2: error is nan']
    """
    return [
        f"row {number}: {name} is {value}"
        for number, row in enumerate(rows, start=1)
        for name, value in row.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
