"""Compute what the report draws: fronts, winners within budgets, break-evens.

These are plain functions of the rows of :mod:`nbfact.harness.store`, which know nothing
of HTML or charts. A row that lacks what a plot needs is left out of the plot.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..case import DENSE
from ..project import Project
from . import fields

BUDGETS = (1e-2, 1e-6, 1e-12)
"""Largest relative errors for which the fastest implementation is named."""

LEAST = 1e-17
"""Least relative error that is drawn. Smaller ones, such as zero, are drawn there,
because a logarithmic axis has no zero."""

CURVE = "error against time"
"""Last words of the names of groups whose tasks differ in ``sweeps``, the number of
iterations, and which are drawn as one curve."""

Row = dict[str, Any]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the Pareto front of some points, from left to right.

    A point is on the front if no other point is as good in both coordinates and better
    in one.

    Parameters
    ----------
    points : sequence of (float, float)
        Cost and error of each point; less is better.

    Returns
    -------
    list of int
        Positions of the points on the front; the first of several equal points.

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
    """Return panels of the error against the time over that of the dense product.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.

    Returns
    -------
    list of dict
        Panels with ``machine``, ``family``, ``batch``, ``n`` and ``points``. These are
        those of :func:`fields.point`, the dense product among them, with ``front``,
        which says whether a point is on the Pareto front of its dtype; dtypes have
        different dense products.
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
    """Return the fastest implementations of each computation within error budgets.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    budgets : sequence of float
        Largest relative errors.

    Returns
    -------
    list of dict
        For each computation ``machine``, ``family``, ``batch``, ``n``, ``field`` (real
        or complex; dtypes of one field compete) and ``best``, which has for each
        budget the at most two fastest implementations, as :func:`fields.point`.
        Computations without an implementation within any budget are absent.

    Examples
    --------
    >>> row = {"group": "g", "params": {"n": 4, "dtype": "float32"}, "impl": "a"}
    >>> row |= {"error": 1e-7, "time": {"median": 1.0}}
    >>> [[p["impl"] for p in best] for best in ranking([row])[0]["best"]]
    [['a'], ['a'], []]
    """
    chosen = [row for row in rows if fields.right(row) and not _is_curve(row)]
    found = []
    names = ("machine", "family", "n", "batch", "field")
    for key, group in fields.grouped(chosen, *names):
        points = sorted((fields.point(row) for row in group), key=lambda p: p["time"])
        best = [_two(points, budget) for budget in budgets]
        if any(best):
            found.append({**key, "best": best})
    return found


def _is_curve(row):
    """Return whether the group of a row is drawn as a curve over sweeps."""
    return fields.text(row, "group").endswith(CURVE)


def _two(points, budget):
    """Return the first two different implementations within a budget."""
    kept: dict[str, Row] = {}
    for p in points:
        if p["error"] is not None and p["error"] <= budget:
            kept.setdefault(p["impl"], p)
    return list(kept.values())[:2]


def breakeven(rows: Sequence[Row], along: str) -> list[Row]:
    """Return panels of the time over that of the dense product against a size.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    along : {"n", "batch"}
        The size on the horizontal axis; the other one is fixed in each panel.

    Returns
    -------
    list of dict
        Panels with ``machine``, ``family``, ``along``, ``fixed`` (value of the other
        size), ``points``, which are those of :func:`fields.point` in series of at least
        two, and ``crossings`` with ``impl``, ``method``, ``dtype``, ``at`` and ``to``
        (``"faster"`` or ``"slower"``, which the implementation is beyond that place).
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
    """Yield the points of each implementation and dtype with at least two, sorted."""
    points = [fields.point(row) for row in rows]
    usable = [p for p in points if p["ratio"] and p[along]]
    series = fields.panels(usable, lambda p: p["impl"], lambda p: p["dtype"])
    for line in series.values():
        by_place = {p[along]: p for p in line if p[along] > 0}
        if len(by_place) > 1:
            yield [by_place[x] for x in sorted(by_place)]


def crossings(xs: Sequence[float], ratios: Sequence[float]) -> list[tuple[float, str]]:
    """Return where a ratio passes 1, interpolated linearly on logarithmic axes.

    Parameters
    ----------
    xs, ratios : sequences of positive float
        Increasing places, and the ratio of times at each.

    Returns
    -------
    list of (float, str)
        Each place, and ``"faster"`` or ``"slower"``: whether the ratio beyond the place
        is below or above 1.

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
    """Return panels of the error against the time for growing numbers of sweeps.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.

    Returns
    -------
    list of dict
        Panels with ``machine``, ``family``, ``n``, ``dtype`` and ``points``: those of
        :func:`fields.point` with ``sweeps``, sorted by implementation and sweeps.
    """
    chosen = [row for row in rows if _is_curve(row) and fields.right(row)]
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


def roofs(rows: Sequence[Row], project: Project) -> list[Row]:
    """Return panels of the share of the roof that the project's own cases reach.

    The roof of a case is the speed that the machine allows, see
    :func:`nbfact.harness.machine.roof_time`.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    project : Project
        The project whose implementations are shown.

    Returns
    -------
    list of dict
        Panels with ``family``, ``impl`` and ``points``: ``machine``, ``task`` (without
        the group), ``share`` and ``time``.
    """
    chosen = [
        row
        for row in rows
        if fields.right(row)
        and fields.number(row, "roof")
        and project.is_own(fields.text(row, "impl"))
        and not _is_curve(row)
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
    """Return the sizes and the dtype of a row as text."""
    columns = fields.batch(row)
    bits = [f"n={fields.size(row)}", columns and f"batch={columns}", fields.dtype(row)]
    return " ".join(filter(None, bits))
