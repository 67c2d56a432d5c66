"""What rows were measured with: versions of Python, Numba and NumPy, and a processor.

Times that were taken with other versions cannot be compared, and belong to lines of
their own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

KEY = "surroundings"
"""Key of a row under which :func:`tell_apart` writes the words."""


def surroundings(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the versions with which a row was measured.

    Returns
    -------
    tuple of str
        Versions of Python, Numba and NumPy, without their last number, and the
        processor that Numba compiled for, where a user chose it. Empty where the row
        says nothing.

    Examples
    --------
    >>> versions = {"python": "3.12.1", "numba": "0.68.1", "numpy": "2.4.6"}
    >>> surroundings({"machine": {"name": "m", "versions": versions}})
    ('Python 3.12', 'Numba 0.68', 'NumPy 2.4')
    """
    about = row.get("machine")
    about = about if isinstance(about, dict) else {}
    versions, environment = about.get("versions"), about.get("environment")
    versions = versions if isinstance(versions, dict) else {}
    found = []
    for key, title in (("python", "Python"), ("numba", "Numba"), ("numpy", "NumPy")):
        if key in versions:
            short = ".".join(str(versions[key]).split(".")[:2])
            found.append(f"{title} {short}")
    target = (
        environment.get("NUMBA_CPU_NAME") if isinstance(environment, dict) else None
    )
    return (*found, f"compiled for {target}") if target else tuple(found)


def tell_apart(rows: Iterable[dict[str, Any]]) -> None:
    """Write into rows the words in which their surroundings differ.

    Parameters
    ----------
    rows : iterable of dict
        Rows of results. Where the rows of one machine were measured with different
        versions, each of them gets these under :data:`KEY`, for a label.

    Examples
    --------
    >>> versions = {"python": "3.12.1", "numba": "0.68.1"}
    >>> rows = [{"machine": {"name": "m", "versions": {**versions, "numba": numba}}}
    ...         for numba in ("0.60.0", "0.68.1")]
    >>> tell_apart(rows)
    >>> [row["surroundings"] for row in rows]
    ['Numba 0.60', 'Numba 0.68']
    """
    by_machine: dict[str, list[tuple[dict[str, Any], tuple[str, ...]]]] = {}
    for row in rows:
        about = row.get("machine")
        name = str(about.get("name") if isinstance(about, dict) else None)
        if words := surroundings(row):
            by_machine.setdefault(name, []).append((row, words))
    for group in by_machine.values():
        shared = set.intersection(*(set(words) for _, words in group))
        for row, words in group:
            if different := [word for word in words if word not in shared]:
                row[KEY] = ", ".join(different)
