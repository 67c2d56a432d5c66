"""Rows of a study as files: CSV, Markdown, PNG, each written whole or not at all."""

import csv
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]

MISSING = 'matplotlib is missing; pip install "nbfact[study]" brings it'


def new_figure() -> "Figure":
    """Return an empty figure of matplotlib, which is imported here.

    Raises
    ------
    ModuleNotFoundError
        When it is not installed; the message says what brings it.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError(MISSING) from None
    return Figure(figsize=(10, 6), layout="constrained")


def check_directory(path: Path) -> None:
    """Raise OSError unless files can be written in `path`, made when missing.

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
    """Return the keys of all rows, in the order they are met.

    Examples
    --------
    >>> columns([{"a": 1}, {"b": 2, "a": 3}])
    ['a', 'b']
    """
    return list(dict.fromkeys(key for row in rows for key in row))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as comma-separated values; ``None`` is an empty cell.

    Parameters
    ----------
    path : Path
        The file.
    rows : sequence of dict
        One line each, after the line of names.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_png(path: Path, draw: Callable[["Figure"], None]) -> None:
    """Let `draw` fill a figure, and write it.

    Parameters
    ----------
    path : Path
        The file.
    draw : callable
        Given the figure.
    """
    figure = new_figure()
    draw(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def markdown(tables: Mapping[str, Sequence[Row]]) -> str:
    """Return tables in Markdown, numbers with four significant digits.

    Parameters
    ----------
    tables : mapping of str to rows
        By caption.

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
    """Return one value as text; ``None`` as nothing.

    Examples
    --------
    >>> cell(0.123456), cell(1e-16), cell(12), cell(None)
    ('0.1235', '1e-16', '12', '')
    """
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def broken(rows: Sequence[Row]) -> list[str]:
    """Return a line for each number that is NaN or infinite.

    Examples
    --------
    >>> broken([{"error": 0.1}, {"error": float("nan")}])
    ['row 2: error is nan']
    """
    return [
        f"row {number}: {name} is {value}"
        for number, row in enumerate(rows, start=1)
        for name, value in row.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
