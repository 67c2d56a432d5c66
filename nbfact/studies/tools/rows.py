"""Rows of a study, dicts from column names to values, and how to select among them."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
"""One row: a value for each column, by the name of the column."""


def select(rows: Sequence[Row], **wanted: Any) -> list[Row]:
    """Return the rows whose columns have the wanted values.

    Parameters
    ----------
    rows : sequence of dict
        Rows to choose among.
    **wanted
        Value that each named column must have.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> select([{"n": 1, "m": 2}, {"n": 3, "m": 2}], n=3)
    [{'n': 3, 'm': 2}]
    """
    return [
        row
        for row in rows
        if all(row.get(name) == value for name, value in wanted.items())
    ]


def values(rows: Sequence[Row], name: str) -> list[Any]:
    """Return the distinct values of a column, in the order of their first row.

    Parameters
    ----------
    rows : sequence of dict
        Rows to read.
    name : str
        The column. A row without it counts as None.

    Returns
    -------
    list

    Examples
    --------
    >>> values([{"n": 1}, {"n": 2}, {"n": 1}], "n")
    [1, 2]
    """
    return list(dict.fromkeys(row.get(name) for row in rows))


def known(rows: Sequence[Row], name: str) -> list[Any]:
    """Return the values of a column that are not None, one for each row that has one.

    Examples
    --------
    >>> known([{"error": 0.5}, {"error": None}, {"error": 0.5}], "error")
    [0.5, 0.5]
    """
    return [row[name] for row in rows if row[name] is not None]


def failure_table(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table of the attempts that raised, or no table when none did.

    Parameters
    ----------
    rows : sequence of dict
        Rows with the columns ``method`` and ``failure``; the latter is the message of
        an exception, or None.

    Returns
    -------
    dict of str to list of dict
        Under the caption "Failures", the number of failures of each method and the
        message of its first one.

    Examples
    --------
    >>> failure_table([{"method": "m", "failure": None}])
    {}
    """
    failed = [row for row in rows if row["failure"]]
    lines = []
    for method in values(failed, "method"):
        some = select(failed, method=method)
        first = some[0]["failure"]
        lines.append({"method": method, "failures": len(some), "first": first})
    return {"Failures": lines} if lines else {}
