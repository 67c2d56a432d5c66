"""What the report draws, from rows: fronts, winners within budgets, break-evens.

Plain functions of the rows of :mod:`nbfact.harness.store`; nothing here knows HTML or
charts. A row that lacks what a plot needs is left out of it.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..case import DENSE
from . import fields

BUDGETS = (1e-2, 1e-6, 1e-12)
"""Relative errors for which the fastest implementation is named."""

LEAST = 1e-17
"""Errors below it, zero among them, are drawn there: an axis of powers has no zero."""

PALM = "palm4msa error against time"
"""The group whose tasks differ by ``sweeps``, and are drawn as one curve."""

Row = dict[str, Any]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return which points no other beats in both coordinates, from left to right.

    Parameters
    ----------
    points : sequence of (float, float)
        Cost and error: less is better.

    Returns
    -------
    list of int
        Their positions. Of equal points, the first.

    Examples
    --------
    >>> front([(1, 1), (2, 0.5), (3, 0.7), (1, 2)])
    [0, 1]
    """
    kept: list[int] = []
    for index in sorted(range(len(points)), key=lambda i: (*points[i], i)):
        if not kept or points[index][1] < points[kept[-1]][1]:
            kept.append(index)
    return kept


def pareto(rows: Sequence[Row]) -> list[Row]:
    """Return panels of error against time over dense, with the front of each.

    Parameters
    ----------
    rows : sequence of dict
        As of :func:`fields.newest`.

    Returns
    -------
    list of dict
        ``machine``, ``family``, ``batch``, ``n``, and ``points``:
        :func:`fields.point`, the dense product among them, with ``front``: whether
        one is on the front of its dtype (another has another dense product).
    """
    chosen = [row for row in rows if fields.is_product(row) and fields.right(row)]
    found = []
    for key, group in fields.grouped(chosen, "machine", "family", "batch", "n"):
        points = [fields.point(row) for row in group]
        points = [p for p in points if p["ratio"] and p["error"] is not None]
        for rivals in fields.panels(points, lambda p: p["dtype"]).values():
            best = front([(p["ratio"], p["error"]) for p in rivals])
            for index, p in enumerate(rivals):
                p.update(front=index in best, drawn=max(p["error"], LEAST))
        if points:
            found.append({**key, "points": points})
    return found


def ranking(rows: Sequence[Row], budgets: Sequence[float] = BUDGETS) -> list[Row]:
    """Return the fastest implementation within each budget of error.

    Parameters
    ----------
    rows : sequence of dict
        As of :func:`fields.newest`.
    budgets : sequence of float
        Relative errors.

    Returns
    -------
    list of dict
        ``machine``, ``family``, ``batch``, ``n``, ``field`` (real or complex: dtypes
        of one field compete), and ``best``: for each budget the two fastest as
        :func:`fields.point`, or fewer. Computations where nothing keeps a budget are
        absent.

    Examples
    --------
    >>> row = {"group": "g", "params": {"n": 4, "dtype": "float32"}, "impl": "a"}
    >>> row |= {"error": 1e-7, "time": {"median": 1.0}}
    >>> [[p["impl"] for p in best] for best in ranking([row])[0]["best"]]
    [['a'], ['a'], []]
    """
    chosen = [row for row in rows if fields.right(row) and row.get("group") != PALM]
    found = []
    names = ("machine", "family", "n", "batch", "field")
    for key, group in fields.grouped(chosen, *names):
        points = sorted((fields.point(row) for row in group), key=lambda p: p["time"])
        best = [_two(points, budget) for budget in budgets]
        if any(best):
            found.append({**key, "best": best})
    return found


def _two(points, budget):
    """Return the first two implementations within a budget, each once."""
    kept = {}
    for p in points:
        if p["error"] is not None and p["error"] <= budget:
            kept.setdefault(p["impl"], p)
    return list(kept.values())[:2]


def breakeven(rows: Sequence[Row], along: str) -> list[Row]:
    """Return panels of the ratio to dense against ``n`` or ``batch``.

    Parameters
    ----------
    rows : sequence of dict
        As of :func:`fields.newest`.
    along : {"n", "batch"}
        The horizontal axis; the other one is fixed in each panel.

    Returns
    -------
    list of dict
        ``machine``, ``family``, ``along``, ``fixed`` (of the other), ``points``:
        :func:`fields.point`, each series of two at least, and ``crossings``: ``impl``,
        ``method``, ``dtype``, ``at``, ``to`` ("faster" or "slower" beyond it).
    """
    other = "n" if along == "batch" else "batch"
    chosen = [
        row
        for row in rows
        if fields.is_product(row) and fields.right(row) and row.get("impl") != DENSE
    ]
    found = []
    for key, group in fields.grouped(chosen, "machine", "family", other):
        points, marks = [], []
        for line in _lines(group, along):
            points += line
            xs, ys = [p[along] for p in line], [p["ratio"] for p in line]
            names = {name: line[0][name] for name in ("impl", "method", "dtype")}
            marks += [{**names, "at": x, "to": to} for x, to in crossings(xs, ys)]
        if points:
            shared = {**key, "along": along, "fixed": key.pop(other)}
            found.append({**shared, "points": points, "crossings": marks})
    return found


def _lines(rows, along):
    """Yield the points of each implementation and dtype in order, two at least."""
    points = [fields.point(row) for row in rows]
    usable = [p for p in points if p["ratio"] and p[along]]
    series = fields.panels(usable, lambda p: p["impl"], lambda p: p["dtype"])
    for line in series.values():
        by_place = {p[along]: p for p in line if p[along] > 0}
        if len(by_place) > 1:
            yield [by_place[x] for x in sorted(by_place)]


def crossings(xs: Sequence[float], ratios: Sequence[float]) -> list[tuple[float, str]]:
    """Return where a ratio passes 1, straight lines drawn between its logarithms.

    Parameters
    ----------
    xs, ratios : sequences of positive float
        Increasing places, and the ratio at each.

    Returns
    -------
    list of (float, str)
        The place, and what the ratio is beyond it: "faster" (below 1) or "slower".

    Examples
    --------
    >>> crossings([64, 256, 1024], [4.0, 2.0, 0.5])
    [(512.0, 'faster')]
    """
    found = []
    for i in range(1, len(xs)):
        before, after = math.log(ratios[i - 1]), math.log(ratios[i])
        if (before > 0) == (after > 0):
            continue
        share = before / (before - after)
        low, high = math.log2(xs[i - 1]), math.log2(xs[i])
        at = 2 ** (low + share * (high - low))
        found.append((at, "faster" if after <= 0 else "slower"))
    return found


def convergence(rows: Sequence[Row]) -> list[Row]:
    """Return panels of error against time for growing numbers of sweeps.

    Returns
    -------
    list of dict
        ``machine``, ``family``, ``n``, ``dtype`` and ``points``:
        :func:`fields.point` with ``sweeps``, each implementation's in their order.
    """
    chosen = [row for row in rows if row.get("group") == PALM and fields.right(row)]
    found = []
    for key, group in fields.grouped(chosen, "machine", "family", "n", "dtype"):
        points = [
            {**fields.point(row), "sweeps": fields.count(row, "params", "sweeps")}
            for row in group
        ]
        points = [p for p in points if p["error"] is not None]
        for p in points:
            p["drawn"] = max(p["error"], LEAST)
        points.sort(key=lambda p: (p["impl"], p["sweeps"] or 0))
        if points:
            found.append({**key, "points": points})
    return found


def roofs(rows: Sequence[Row]) -> list[Row]:
    """Return panels of the share of the roof reached, machines beside one another.

    Returns
    -------
    list of dict
        ``family``, ``impl``, and ``points``: ``machine``, ``task`` (without the
        group), ``share``, ``time``; only our implementations.
    """
    chosen = [
        row
        for row in rows
        if fields.right(row)
        and fields.number(row, "roof")
        and fields.text(row, "impl").startswith("nbfact")
        and row.get("group") != PALM
    ]
    found = []
    for key, group in fields.grouped(chosen, "family", "impl"):
        points = [
            {
                "machine": fields.machine(row),
                "task": _sizes(row),
                "share": fields.number(row, "roof"),
                "time": fields.number(row, "time", "median"),
            }
            for row in group
        ]
        found.append({**key, "points": points})
    return found


def _sizes(row):
    """Return the sizes and the dtype of a row: its case without the group."""
    columns = fields.batch(row)
    bits = [f"n={fields.size(row)}", columns and f"batch={columns}", fields.dtype(row)]
    return " ".join(filter(None, bits))
