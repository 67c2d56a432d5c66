"""Measurements over commits, from asv's results and from the rows of several runs."""

import datetime
import itertools
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from ..case import DENSE
from . import curves, fields

ERROR = "relative error"
"""Unit that is drawn as steps, because an error stays until a commit changes it."""

Row = dict[str, Any]


def floors(verdicts: Iterable[Row]) -> dict[str, float]:
    """Return the noise floor of each case: how much a commit differs from itself.

    Parameters
    ----------
    verdicts : iterable of dict
        Rows of kind "verdict", whose control compares a commit with a copy of itself.

    Returns
    -------
    dict of str to float
        The floor of each case, relative to 1, and under ``""`` the median of all;
        empty if there is none.

    Examples
    --------
    >>> floors([{"case": "a", "floor": 0.02}, {"case": "b", "floor": None}])
    {'a': 0.02, '': 0.02}
    """
    found = {
        fields.text(row, "case"): floor
        for row in verdicts
        if (floor := fields.number(row, "floor")) is not None
    }
    if found:
        found[""] = statistics.median(found.values())
    return found


def timelines(
    rows: Sequence[Row], points: Sequence[Row], noise: dict[str, float]
) -> list[Row]:
    """Return panels of one measurement over at least two commits.

    Parameters
    ----------
    rows : sequence of dict
        Rows of kind "bench" of all runs.
    points : sequence of dict
        Points from :func:`nbfact.harness.report.asvfiles.read_points`.
    noise : dict
        Noise floors from :func:`floors`.

    Returns
    -------
    list of dict
        Panels with ``machine``, ``family`` (what is measured), ``setting``, ``unit``
        and ``points``, sorted by the date of the commit. A point has ``impl``,
        ``method``, ``commit``, ``date``, ``value``, ``low`` and ``high``. If its
        ``banded`` is true, ``least`` and ``most`` are the band around the first value
        in which an unchanged commit stays; otherwise they equal the value.
    """
    dates = {p["commit"][:8]: p["date"] for p in points}
    measured = [*_asv_points(points), *_row_points(rows, dates)]
    found = []
    keys = ("machine", "family", "setting", "unit")
    for key, group in fields.panels(measured, *map(_getter, keys)).items():
        if group := _several_commits(group):
            _add_bands(group, noise)
            panel = dict(zip(keys, key, strict=True))
            found.append({**panel, "points": group})
    return found


def _several_commits(points):
    """Return the points of lines with at least two commits, sorted by date."""
    lines = fields.panels(points, _getter("impl")).values()
    long = [line for line in lines if len({p["commit"] for p in line}) > 1]
    return sorted(itertools.chain(*long), key=_getter("date"))


def _getter(name):
    """Return a function that returns the value of a point under a key."""
    return lambda p: p[name]


def _add_bands(points, noise):
    """Write the band of each implementation around its first value into its points.

    Errors and bytes have no band, because they do not vary.
    """
    first: dict[str, float] = {}
    for p in points:
        p["least"] = p["most"] = p["value"]
        p["banded"] = False
        floor = noise.get(p.pop("case"), noise.get(""))
        if floor is not None and p["unit"] not in (ERROR, "bytes"):
            middle = first.setdefault(p["impl"], p["value"])
            p["least"], p["most"] = middle / (1 + floor), middle * (1 + floor)
            p["banded"] = True


def environments(names: Iterable[str]) -> dict[str, str]:
    """Return the words by which the names of some environments of asv differ.

    Examples
    --------
    >>> environments(["virtualenv-py3.12-numba0.60", "virtualenv-py3.12-numba0.68"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'virtualenv-py3.12-numba0.60': 'numba0.60',
     'virtualenv-py3.12-numba0.68': 'numba0.68'}
    >>> environments(["virtualenv-py3.12"])
    {'virtualenv-py3.12': ''}
    """
    words = {name: name.split("-") for name in names}
    shared = set.intersection(*map(set, words.values())) if words else set()
    return {
        name: " ".join(word for word in split if word not in shared)
        for name, split in words.items()
    }


def _asv_points(points):
    """Yield the points of asv that have a value, in the form that a panel needs."""
    words = environments({p["environment"] for p in points})
    for p in points:
        if not p["value"] or p["value"] < 0:
            continue  # a logarithmic axis has no zero
        machine = ", ".join(filter(None, [p["machine"], words[p["environment"]]]))
        params = dict(p["params"])
        impl = params.pop("impl", p["benchmark"].rpartition(".")[2])
        yield {
            "machine": machine,
            "family": "asv " + p["benchmark"],
            "setting": " ".join(f"{name}={value}" for name, value in params.items()),
            "unit": p["unit"] or "value",
            "impl": impl,
            "method": fields.method(impl),
            "commit": p["commit"][:8],
            "date": p["date"],
            "value": p["value"],
            "low": p["low"] or p["value"],
            "high": p["high"] or p["value"],
            "case": None,
        }


def _row_points(rows, dates):
    """Yield points of the time and of the error of each case at each commit.

    The time is given as a ratio where there is one; only the newest run counts. Rows of
    earlier versions have no date of the commit: `dates` of asv are used then, and where
    there is none, the date of the run.
    """
    known = [row for row in rows if fields.commit(row) and fields.right(row)]
    for row in fields.newest(known, fields.commit):
        date = _date(row, "machine", "commit_date")
        if date is None:
            date = dates.get(fields.commit(row).rstrip("+")) or _date(row, "started")
        if date is None:
            continue
        sizes = [f"n={fields.size(row)}", fields.batch(row)]
        p = fields.point(row)
        if p["impl"] == DENSE:
            continue  # it is in the ratios of the others
        shared = {
            "machine": fields.machine(row),
            "setting": " batch=".join(filter(None, sizes)) + " " + p["dtype"],
            "impl": p["impl"],
            "method": p["method"],
            "commit": fields.commit(row),
            "date": date,
            "case": fields.text(row, "case"),
        }
        name = fields.family(row)
        yardstick = fields.text(row, "yardstick")
        if p["ratio"] and p["impl"] != yardstick:
            values = [p[key] for key in ("ratio", "low", "high")]
            unit = f"time / {yardstick}"
        else:
            values = [fields.number(row, "time", key) for key in ("median", "q1", "q3")]
            unit = "seconds"
        values = [value or values[0] for value in values]
        names = ("value", "low", "high")
        yield {
            **shared,
            "family": f"{name}, time",
            "unit": unit,
            **dict(zip(names, values, strict=True)),
        }
        if p["error"] is not None:
            error = max(p["error"], curves.LEAST)
            yield {
                **shared,
                "family": f"{name}, error",
                "unit": ERROR,
                **dict.fromkeys(names, error),
            }


def _date(row, *keys):
    """Return the date under some keys of a row, in seconds since 1970, or None."""
    try:
        return datetime.datetime.fromisoformat(fields.text(row, *keys)).timestamp()
    except ValueError:
        return None
