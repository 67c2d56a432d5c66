"""Figures of the report: the rows of a panel for its chart, with caption and words.

A figure is a dict with ``kind`` (a key of
:func:`nbfact.harness.report.charts.specifications`), ``caption``, ``label`` (a
description for readers who do not see the chart), ``note`` (a line below it, possibly
empty), ``filters`` (values by which the selectors of its section choose it),
``columns`` (keys and titles of its table), ``rows``, and ``height`` if it has its own.
"""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from ..case import DENSE
from ..project import Project
from ..table import seconds
from . import curves, fields
from .charts import CROSSING
from .timelines import ERROR

INKS = 12
"""Number of colours of a theme besides that of the dense product."""

_IMPL = (("impl", "implementation"), ("dtype", "dtype"))
_RATIO = (("ratio", "time / dense"), ("low", "low"), ("high", "high"))

Row = dict[str, Any]


def colours(methods: Iterable[str], project: Project) -> dict[str, str]:
    """Return a colour of the theme for each method.

    The project's own methods take the first colours, and the dense product has the
    colour of the text.

    Examples
    --------
    >>> project = Project("nbfact", "1", (), ())
    >>> colours(["scipy", "nbfact", "dense A @ X"], project)
    {'dense A @ X': 'var(--ink)', 'nbfact': 'var(--c1)', 'scipy': 'var(--c2)'}
    """
    found = {DENSE: "var(--ink)"}
    others = sorted({*methods} - {DENSE}, key=lambda m: (not project.is_own(m), m))
    for index, method in enumerate(others):
        found[method] = f"var(--c{index % INKS + 1})"
    return found


def paint(figures: Sequence[Row], project: Project) -> list[Row]:
    """Give each row of some figures the colour of its method; return the figures.

    A method has one colour in all figures of a family.
    """
    for group in fields.panels(figures, lambda f: f["filters"].get("family")).values():
        methods = (row["method"] for figure in group for row in figure["rows"])
        inks = colours(methods, project)
        for figure in group:
            for row in figure["rows"]:
                row["colour"] = inks[row["method"]]
    return list(figures)


def pareto(rows: Sequence[Row], project: Project) -> list[Row]:
    """Return the figures of the error against the time over that of the dense product.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    project : Project
        The project whose implementations come first in the choice of colours.
    """
    figures: list[Row] = []
    for panel in curves.pareto(rows):
        points = panel["points"]
        best = sorted(
            (p for p in points if p["front"]), key=lambda p: (p["dtype"], p["ratio"])
        )
        words = "; ".join(
            f"{p['impl']} {p['dtype']}, {p['ratio']:.3g} of dense, "
            f"error {p['error']:.1e}"
            for p in best
        )
        names = dict.fromkeys(f"{p['impl']} {p['dtype']}" for p in best)
        figures.append(
            {
                "kind": "pareto",
                "caption": _caption(panel["n"], panel["batch"]),
                "label": f"Relative error against time over dense, {panel['family']}, "
                f"n = {panel['n']}, batch {panel['batch']}: {len(points)} points. "
                f"On the front, from fast to accurate: {words}.",
                "note": f"Front: {', '.join(names)}",
                "filters": _filters(panel, "machine", "family", "batch"),
                "columns": [
                    *_IMPL,
                    *_RATIO,
                    ("error", "relative error"),
                    ("time", "seconds"),
                    ("front", "on the front"),
                ],
                "rows": points,
            }
        )
    return paint(figures, project)


def breakeven(rows: Sequence[Row], along: str, project: Project) -> list[Row]:
    """Return the figures of the time over that of the dense product against a size.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    along : {"n", "batch"}
        The size on the horizontal axis.
    project : Project
        The project whose implementations come first in the choice of colours.
    """
    figures = []
    for panel in curves.breakeven(rows, along):
        fixed = _caption(None, panel["fixed"]) if along == "n" else panel["fixed"]
        fixed = f"n = {fixed}" if along == "batch" else fixed
        against = "n" if along == "n" else "the columns of X"
        marks = [
            {**mark, along: mark["at"], "ratio": 1.0, "crossing": True}
            for mark in panel["crossings"]
        ]
        for row in (*panel["points"], *marks):
            row["mark"] = CROSSING if "crossing" in row else row["dtype"]
        words = "; ".join(crossing(mark, along) for mark in panel["crossings"])
        drawn = {(p["impl"], p["dtype"]) for p in panel["points"]}
        figures.append(
            {
                "kind": along,
                "caption": f"Against {against}, {fixed}",
                "label": f"Time over dense against {against}, {panel['family']}, "
                f"{fixed}: {len(drawn)} lines. {words or 'None crosses 1'}.",
                "note": "" if words else "No line crosses 1.",
                "filters": _filters(panel, "machine", "family"),
                "columns": [*_IMPL, (along, along), *_RATIO, ("time", "seconds")],
                "rows": panel["points"] + marks,
            }
        )
    return paint(figures, project)


def crossing(mark: Row, along: str) -> str:
    """Return a break-even, a crossing of :func:`curves.breakeven`, in words.

    Examples
    --------
    >>> crossing({"impl": "x", "dtype": "float32", "at": 512.4, "to": "faster"}, "n")
    'x float32 is faster than dense from n = 512'
    """
    where = f"{along} = {place(mark['at'])}"
    return f"{mark['impl']} {mark['dtype']} is {mark['to']} than dense from {where}"


def place(value: float) -> str:
    """Return an interpolated size as text.

    Examples
    --------
    >>> place(1721.4), place(3.456)
    ('1721', '3.46')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def convergence(rows: Sequence[Row], project: Project) -> list[Row]:
    """Return the figures of the error against the time of growing numbers of sweeps.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    project : Project
        The project whose implementations come first in the choice of colours.
    """
    figures = []
    for panel in curves.convergence(rows):
        points = panel["points"]
        last = {p["impl"]: p for p in points}
        words = "; ".join(
            f"{impl} reaches {p['error']:.2g} in {seconds(p['time'])}"
            for impl, p in last.items()
        )
        figures.append(
            {
                "kind": "convergence",
                "caption": " ".join(
                    [
                        *panel["family"].partition(curves.CURVE)[2].split(),
                        f"n = {panel['n']}",
                        panel["dtype"],
                    ]
                ),
                "label": f"Relative error against time: {words}.",
                "note": "",
                "filters": _filters(panel, "machine"),
                "columns": [
                    ("impl", "implementation"),
                    ("sweeps", "sweeps"),
                    ("time", "seconds"),
                    ("error", "relative error"),
                ],
                "rows": points,
            }
        )
    return paint(figures, project)


def timelines(panels: Sequence[Row], project: Project) -> list[Row]:
    """Return the figures of measurements over commits.

    Parameters
    ----------
    panels : sequence of dict
        Panels from :func:`nbfact.harness.report.timelines.timelines`.
    project : Project
        The project whose implementations come first in the choice of colours.
    """
    figures = []
    for panel in panels:
        points = panel["points"]
        for p in points:
            moment = datetime.datetime.fromtimestamp(p["date"], datetime.UTC)
            p["day"] = moment.date().isoformat()
        commits = dict.fromkeys(p["commit"] for p in points)
        unit = panel["unit"]
        first, *_, last = commits
        banded = any(p["banded"] for p in points)
        figures.append(
            {
                "kind": {ERROR: "steps", "seconds": "seconds"}.get(unit, "timeline"),
                "caption": f"{panel['setting'] or panel['family']} ({unit})",
                "label": f"{panel['family']}, {panel['setting']}, {unit}, over "
                f"{len(commits)} commits from {first} to {last}.",
                "note": "Band: what the A/A control calls no change." if banded else "",
                "filters": _filters(panel, "machine", "family"),
                "columns": [
                    ("commit", "commit"),
                    ("day", "date"),
                    ("impl", "implementation"),
                    ("value", unit),
                    ("low", "low"),
                    ("high", "high"),
                ],
                "rows": points,
            }
        )
    return paint(figures, project)


def trends(panels: Sequence[Row], project: Project) -> list[Row]:
    """Return the figures of ratios to a baseline, and the like, coloured by machine.

    Parameters
    ----------
    panels : sequence of dict
        Panels from :func:`nbfact.harness.report.trends.panels`, with changes marked.
    project : Project
        The project whose cases these are.
    """
    figures = []
    for panel in panels:
        points = panel["points"]
        machines = {p["machine"] for p in points}
        steps = sum(p["change"] is not None for p in points)
        commits = dict.fromkeys(p["commit"] for p in points)
        for p in points:
            moment = datetime.datetime.fromtimestamp(p["date"], datetime.UTC)
            p["day"] = moment.date().isoformat()
        figures.append(
            {
                "kind": {"error": "steps", "first call": "seconds"}.get(
                    panel["measure"], "timeline"
                ),
                "caption": panel["case"],
                "label": f"{panel['case']}, {panel['unit']}, over "
                f"{len(commits)} commits on {len(machines)} machines or versions, "
                f"with {steps} changes.",
                "note": f"Baseline: {panel['baseline']}.",
                "filters": _filters(panel, "measure", "family"),
                "columns": [
                    ("commit", "commit"),
                    ("day", "date"),
                    ("machine", "machine"),
                    ("value", panel["unit"]),
                    ("low", "low"),
                    ("high", "high"),
                    ("change", "change"),
                ],
                "rows": points,
            }
        )
    return _by_machine(figures, project)


def roofs(rows: Sequence[Row], project: Project) -> list[Row]:
    """Return the figures of the shares of the roof, coloured by machine.

    Parameters
    ----------
    rows : sequence of dict
        Rows from :func:`fields.newest`.
    project : Project
        The project whose implementations are shown.
    """
    figures = []
    for panel in curves.roofs(rows, project):
        points = panel["points"]
        shares = [p["share"] for p in points]
        machines = {p["machine"] for p in points}
        figures.append(
            {
                "kind": "roof",
                "caption": panel["impl"],
                "label": f"Share of the roof reached by {panel['impl']}, "
                f"{panel['family']}: {len(points)} points on {len(machines)} machines, "
                f"from {min(shares):.1%} to {max(shares):.1%}.",
                "note": "",
                "height": 17 * len({p["task"] for p in points}),
                "filters": _filters(panel, "family"),
                "columns": [
                    ("machine", "machine"),
                    ("task", "case"),
                    ("share", "share of the roof"),
                    ("time", "seconds"),
                ],
                "rows": points,
            }
        )
    return _by_machine(figures, project)


def _by_machine(figures, project):
    """Give each row of some figures the colour of its machine; return the figures."""
    machines = {p["machine"] for figure in figures for p in figure["rows"]}
    inks = colours(machines, project)
    for figure in figures:
        for p in figure["rows"]:
            p["colour"] = inks[p["machine"]]
    return figures


def _caption(n, columns):
    """Return the sizes that are fixed in a panel as text."""
    bits = [n and f"n = {n}", columns and f"batch {columns}"]
    return ", ".join(filter(None, bits)) or "one size"


def _filters(panel, *names):
    """Return the values of a panel by which selectors can choose it."""
    return {name: panel[name] for name in names if panel[name] != ""}
