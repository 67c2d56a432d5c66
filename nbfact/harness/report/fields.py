"""Read what is in a row of results with care, and put rows together.

Rows of an older schema lack keys, and damaged rows can hold anything. A number that is
missing or not finite is read as ``None``, and a missing text as a question mark.
"""

import datetime
import math
from collections.abc import Iterable
from typing import Any

from ..case import DENSE
from ..surroundings import KEY

Row = dict[str, Any]


def number(row: Any, *keys: str) -> float | None:
    """Return the number under some nested keys, None if it is no finite number.

    Examples
    --------
    >>> number({"time": {"median": 2}}, "time", "median")
    2.0
    >>> number({"time": None}, "time", "median"), number({"error": math.nan}, "error")
    (None, None)
    """
    value = inner(row, *keys)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def count(row: Any, *keys: str) -> int | None:
    """Return the number under some nested keys as an integer, or None."""
    value = number(row, *keys)
    return None if value is None else round(value)


def inner(row: Any, *keys: str) -> Any:
    """Return the value under some keys of nested mappings, None if there is none.

    Examples
    --------
    >>> inner({"machine": {"name": "m"}}, "machine", "name"), inner({}, "a", "b")
    ('m', None)
    """
    for key in keys:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def text(row: Any, *keys: str, default: str = "?") -> str:
    """Return the value under some nested keys as text, `default` if there is none.

    Examples
    --------
    >>> text({"impl": "x"}, "impl"), text({}, "impl")
    ('x', '?')
    """
    value = inner(row, *keys)
    return default if value is None else str(value)


def machine(row: Row) -> str:
    """Return the label of the machine of a row.

    It contains the number of threads, because times can be compared only on one machine
    with one number of threads, and what
    :func:`nbfact.harness.surroundings.tell_apart` wrote into the row.

    Examples
    --------
    >>> machine({"machine": {"name": "epyc-2c"}, "threads": 1})
    'epyc-2c, 1 thread'
    """
    threads = row.get("threads")
    plural = "" if threads == 1 else "s"
    name = f"{text(row, 'machine', 'name')}, {text(row, 'threads')} thread{plural}"
    words = text(row, KEY, default="")
    return f"{name}, {words}" if words else name


def lacks(row: Row) -> str:
    """Return what a row lacks that plots and tables need, as text; empty if nothing.

    Examples
    --------
    >>> lacks({"kind": "bench", "machine": {"name": "m"}, "time": "1 ms", "threads": 1})
    'with a time that is no number: not drawn'
    >>> lacks({"kind": "other"})
    "of the kind 'other', which is not shown"
    """
    kind = row.get("kind")
    if kind not in ("bench", "verdict", "ratio"):
        return f"of the kind {kind!r}, which is not shown"
    if not inner(row, "machine", "name"):
        return "without a machine: shown under the machine '?'"
    if kind == "ratio":
        return _lacks_of_ratio(row)
    if kind != "bench" or row.get("ok") is False or row.get("time") is None:
        return ""
    seconds = number(row, "time", "median")
    if seconds is None:
        return "with a time that is no number: not drawn"
    return "" if seconds > 0 else "with a time of zero or less: not drawn"


def _lacks_of_ratio(row):
    """Return what a row of one commit beside another one lacks, as text."""
    if not all(isinstance(row.get(key), str) for key in ("case", "commit", "against")):
        return "without a case or a commit: not drawn"
    if (number(row, "ratio", "median") or 0) <= 0:
        return "with a ratio that is no positive number: not drawn"
    if seconds_of(row, "commit_date") is None:
        return "with a date that cannot be read: not drawn"
    return ""


def seconds_of(row: Row, key: str) -> float | None:
    """Return a date of a row in seconds since 1970, None where it cannot be read.

    Examples
    --------
    >>> seconds_of({"date": "1970-01-02T00:00:00+00:00"}, "date")
    86400.0
    """
    try:
        return datetime.datetime.fromisoformat(text(row, key)).timestamp()
    except ValueError:
        return None


def unstable(row: Row) -> bool:
    """Return whether the machine of a row was too busy for its rates to repeat.

    Examples
    --------
    >>> unstable({"calibration": {"unstable": True}}), unstable({"calibration": None})
    (True, False)
    """
    return inner(row, "calibration", "unstable") is True


def commit(row: Row) -> str:
    """Return the short commit of a row, with a plus if files differed from it.

    Examples
    --------
    >>> commit({"machine": {"commit": "0123456789", "dirty": True}}), commit({})
    ('01234567+', '')
    """
    name = text(row, "machine", "commit", default="")[:8]
    return name + "+" if name and inner(row, "machine", "dirty") else name


def newest(rows: Iterable[Row], *more: Any) -> list[Row]:
    """Return the row of the newest run for each case on each machine.

    Parameters
    ----------
    rows : iterable of dict
        Rows of one kind.
    *more : callable
        Functions of a row; rows with different values are kept apart too.

    Returns
    -------
    list of dict
        Rows in the order in which their cases are first met.

    Examples
    --------
    >>> old = {"case": "a", "started": "2026-01-01T00:00:00+00:00"}
    >>> new = {"case": "a", "started": "2026-01-02T00:00:00+00:00"}
    >>> newest([new, old]) == [new]
    True
    """
    keys = (machine, KEYS["case"], *more)
    return list(latest(rows, lambda row: tuple(key(row) for key in keys)).values())


def latest(rows: Iterable[Row], key: Any) -> dict[Any, Row]:
    """Return the newest row for each value of ``key(row)``.

    Of rows whose runs began at the same time, the last one is taken.

    Examples
    --------
    >>> rows = [{"started": "2026-01-02"}, {"started": "2026-01-01"}, {}]
    >>> latest(rows, lambda row: "all")
    {'all': {'started': '2026-01-02'}}
    """
    kept: dict[Any, Row] = {}
    for row in rows:
        name = key(row)
        if name not in kept or started(kept[name]) <= started(row):
            kept[name] = row
    return kept


def started(row: Row) -> str:
    """Return when the run of a row began as text that sorts, empty if unknown."""
    return text(row, "started", default="")


def when(row: Row) -> str:
    """Return when the run of a row began, to the minute, for a reader.

    Examples
    --------
    >>> when({"started": "2026-11-20T10:00:59+00:00"}), when({})
    ('2026-11-20 10:00 UTC', 'at an unknown time')
    """
    try:
        began = datetime.datetime.fromisoformat(started(row))
    except ValueError:
        return "at an unknown time"
    return began.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def family(row: Row) -> str:
    """Return the computation of a row without sizes: its group and other parameters.

    Examples
    --------
    >>> family({"group": "fwht", "params": {"n": 8, "layout": "rows", "batch": 1}})
    'fwht layout=rows'
    """
    known = ("m", "n", "batch", "dtype", "sweeps")
    params = inner(row, "params")
    params = params if isinstance(params, dict) else {}
    more = [f"{key}={value}" for key, value in params.items() if key not in known]
    return " ".join([text(row, "group"), *more])


def size(row: Row) -> str:
    """Return the size of the matrix of a row as ``64x256`` or ``64``.

    Examples
    --------
    >>> size({"params": {"m": 64, "n": 256}}), size({"params": {"n": 64}})
    ('64x256', '64')
    """
    n = text(row, "params", "n")
    m = inner(row, "params", "m")
    return n if m is None else f"{m}x{n}"


def method(impl: str) -> str:
    """Return the name of an implementation without its parameters.

    All implementations with one such name have one colour.

    Examples
    --------
    >>> method("svd r=8"), method("nbfact butterfly")
    ('svd', 'nbfact butterfly')
    """
    words = [word for word in impl.split() if "=" not in word]
    return " ".join(words) or impl


def point(row: Row) -> Row:
    """Return what plots show of a row: names, sizes, times, ratio, interval, error.

    Where processes differ too much for an interval, `doubt` says so.
    """
    ratio = number(row, "ratio", "median")
    dense = text(row, "impl") == text(row, "yardstick")
    seconds = number(row, "time", "median")
    return {
        "impl": text(row, "impl"),
        "method": method(text(row, "impl")),
        "dtype": text(row, "params", "dtype"),
        "n": count(row, "params", "n"),
        "batch": count(row, "params", "batch"),
        "time": seconds,
        "cold": number(row, "cold", "median"),
        "doubt": "unstable" if row.get("unstable") is True else "",
        "ratio": 1.0 if dense and ratio is None and seconds else ratio,
        "low": number(row, "ratio", "low") or ratio,
        "high": number(row, "ratio", "high") or ratio,
        "error": number(row, "error"),
    }


def is_product(row: Row) -> bool:
    """Return whether a row is of a product that is compared with the dense product.

    Examples
    --------
    >>> is_product({"yardstick": "dense A @ X"}), is_product({"yardstick": "numpy"})
    (True, False)
    """
    return row.get("yardstick") == DENSE


def right(row: Row) -> bool:
    """Return whether a row has a right result and a time.

    Examples
    --------
    >>> right({"ok": True, "time": {"median": 1.0}}), right({"ok": True, "time": None})
    (True, False)
    """
    seconds = number(row, "time", "median")
    return row.get("ok") is not False and seconds is not None and seconds > 0


def panels(rows: Iterable[Row], *keys: Any) -> dict[tuple, list[Row]]:
    """Split rows by the values of some functions, in the order they are met.

    Examples
    --------
    >>> panels([{"group": "a"}, {"group": "b"}], lambda row: row["group"]).keys()
    dict_keys([('a',), ('b',)])
    """
    found: dict[tuple, list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(key(row) for key in keys), []).append(row)
    return found


def batch(row: Row) -> str:
    """Return the number of columns of a row as text, empty where there is none.

    Examples
    --------
    >>> batch({"params": {"batch": 16}}), batch({"params": {}})
    ('16', '')
    """
    return text(row, "params", "batch", default="")


def dtype(row: Row) -> str:
    """Return the dtype of a row."""
    return text(row, "params", "dtype")


def realness(row: Row) -> str:
    """Return whether the numbers of a row are real or complex.

    Examples
    --------
    >>> realness({"params": {"dtype": "complex64"}}), realness({})
    ('complex', 'real')
    """
    return "complex" if dtype(row).startswith("complex") else "real"


KEYS = {
    "machine": machine,
    "family": family,
    "batch": batch,
    "n": size,
    "dtype": dtype,
    "field": realness,
    "impl": lambda row: text(row, "impl"),
    "case": lambda row: text(row, "case"),
}
"""Functions of a row by which :func:`grouped` can split rows."""


def grouped(rows: Iterable[Row], *names: str) -> list[tuple[dict[str, str], list[Row]]]:
    """Split rows into the panels of a plot, sorted by size within a computation.

    Parameters
    ----------
    rows : iterable of dict
        Rows of kind "bench".
    *names : str
        Keys of :data:`KEYS`.

    Returns
    -------
    list of (dict, list of dict)
        For each panel the values that its rows share, by those names, and the rows.

    Examples
    --------
    >>> rows = [{"group": "g", "params": {"n": n}} for n in (8, 4)]
    >>> [key for key, _ in grouped(rows, "family", "n")]
    [{'family': 'g', 'n': '4'}, {'family': 'g', 'n': '8'}]
    """
    blocks = panels(rows, machine, family).values()
    ordered = [row for block in blocks for row in sorted(block, key=_size)]
    found = panels(ordered, *(KEYS[name] for name in names))
    return [(dict(zip(names, key, strict=True)), group) for key, group in found.items()]


def _size(row):
    """Return the sizes by which the rows of one computation are sorted."""
    return tuple(count(row, "params", name) or 0 for name in ("n", "batch"))
