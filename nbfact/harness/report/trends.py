"""Ratios of commits to a baseline, and the commits at which a measurement changed."""

from collections.abc import Iterable, Sequence
from typing import Any

from ..versions import change_points, findings, verdicts
from . import fields
from .timelines import ERROR

Row = dict[str, Any]

TIME, BLOCKS, PEAK, COMPILE = "time", "blocks allocated", "peak of memory", "first call"

MEASURES = {
    TIME: ("ratio", "time / baseline"),
    "error": ("error", ERROR),
    BLOCKS: ("blocks", "blocks + 1"),
    PEAK: ("peak", "bytes"),
    COMPILE: ("compile", "CPU seconds, empty cache"),
}
"""What a row of kind ``ratio`` holds: for each measure its key, and the unit of its
figure."""

_TOLERANCES = {
    ERROR: (verdicts.LOOSER, 1e-15),
    "blocks + 1": findings.BLOCKS,
    "bytes": findings.BYTES,
    "CPU seconds, empty cache": findings.COMPILE,
}
"""What is no change, for units of values that vary little, as for the gate."""


def panels(rows: Iterable[Row]) -> list[Row]:
    """Return a panel for each measure of each case, with a line for each machine.

    Parameters
    ----------
    rows : iterable of dict
        Rows of kind "ratio".

    Returns
    -------
    list of dict
        Panels as those of :func:`nbfact.harness.report.timelines.timelines`, with
        ``case``, ``measure`` and ``baseline``, the first commit of the case. The lines
        of a panel differ by ``machine``, which stands under ``impl`` too. Points have
        ``floor``, the noise of a comparison.
    """
    rows = [row for row in rows if not fields.lacks(row)]
    newest = fields.latest(rows, lambda row: _place(row, row["commit"]))
    ordered = sorted(
        newest.values(), key=lambda row: fields.seconds_of(row, "commit_date") or 0.0
    )
    found: dict[tuple[str, str], Row] = {}
    for row in ordered:
        for measure, (key, unit) in MEASURES.items():
            point = _point(row, key, newest)
            if point is None:
                continue
            panel = found.setdefault(
                (measure, row["case"]),
                {
                    "case": row["case"],
                    "measure": measure,
                    "family": row["case"].partition(" ")[0],
                    "unit": unit,
                    "baseline": row["commit"][:8],
                    "points": [],
                },
            )
            panel["points"].append(point)
    for panel in found.values():
        if panel["measure"] == TIME:
            _begin_at_one(panel["points"])
    return [panel for panel in found.values() if _several(panel["points"])]


def _begin_at_one(points):
    """Divide the ratios of each line by that of its first commit, in place.

    The commits may have been measured in any order, and the first that was measured is
    the one that ratios lead back to; lines of one figure begin at one place.
    """
    for line in fields.panels(points, lambda point: point["machine"]).values():
        first = line[0]["value"]
        for point in line:
            for key in ("value", "low", "high", "least", "most"):
                point[key] /= first


def _several(points):
    """Return whether there is more than one commit."""
    return len({point["commit"] for point in points}) > 1


def _place(row, commit):
    """Return the key of a row of one commit in the chain of its case."""
    return fields.machine(row), row["case"], commit


def _point(row, key, newest):
    """Return the point of one measure of a row, None if the row lacks it."""
    if key == "ratio":
        factor = _factor(row, newest)
        value, low, high = (
            factor * (fields.number(row, key, name) or row[key]["median"])
            for name in ("median", "low", "high")
        )
    else:
        number = fields.number(row, key)
        if number is None:
            return None
        value = {"blocks": number + 1, "error": max(number, 1e-17)}.get(key, number)
        if value <= 0:
            return None
        low = high = value
    machine = fields.machine(row)
    return {
        "machine": machine,
        "impl": machine,
        "commit": row["commit"][:8],
        "date": fields.seconds_of(row, "commit_date"),
        "value": value,
        "low": low,
        "high": high,
        "least": value,
        "most": value,
        "floor": fields.number(row, "floor"),
    }


def _factor(row, newest):
    """Return the ratio to the baseline of the commit that a row was measured beside.

    A commit that was measured beside itself begins a chain, and so does one whose
    partner is unknown.
    """
    factor, met = 1.0, {row["commit"]}
    while (against := row["against"]) not in met:
        met.add(against)
        row = newest.get(_place(row, against))
        if row is None:
            break
        factor *= row["ratio"]["median"]
    return factor


def changes(panel: Row) -> list[Row]:
    """Return the changes in a panel, and mark their points.

    Parameters
    ----------
    panel : dict
        A panel, whose points are sorted by date. Those at which a line changes get the
        ratio of the levels under ``change``; the others None.

    Returns
    -------
    list of dict
        ``machine``, ``case``, ``measure``, ``commit``, ``before`` (the last commit of
        the level before), ``date``, ``ratio`` (of the levels), ``levels`` and
        ``confidence``.
    """
    found = []
    for key, line in fields.panels(panel["points"], lambda p: p["impl"]).items():
        for point in line:
            point["change"] = None
        for change in _found(line, panel["unit"]):
            point, before = line[change.index], line[change.index - 1]
            point["change"] = change.ratio
            found.append(
                {
                    "machine": panel.get("machine") or key[0],
                    "case": panel.get("case") or f"{panel['setting']} [{key[0]}]",
                    "measure": panel.get("measure") or panel["family"],
                    "unit": panel["unit"],
                    "commit": point["commit"],
                    "before": before["commit"],
                    "date": point["date"],
                    "ratio": change.ratio,
                    "levels": (change.before, change.after),
                    "confidence": change.confidence,
                }
            )
    return found


def _found(line, unit):
    """Return the changes of one line, by the rule for its unit."""
    values = [point["value"] for point in line]
    if unit in _TOLERANCES:
        return change_points.steps(values, *_TOLERANCES[unit])
    if any(point.get("floor") is not None for point in line):
        ends = [(p["low"], p["high"], p.get("floor")) for p in line]
        errors = [change_points.standard_error(*end) for end in ends]
        return change_points.shifts(values, errors)
    return change_points.shifts(values)


def by_size(found: Sequence[Row]) -> list[Row]:
    """Return changes with the newest commit first, and the largest change of each."""
    size = [(-(row["date"] or 0), -abs(row["ratio"] - 1)) for row in found]
    return [found[i] for i in sorted(range(len(found)), key=size.__getitem__)]
