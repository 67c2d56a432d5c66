"""The picture of the study: increase of the inertia against time of assignment."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tools.intervals import half_width
from ..tools.legends import legend_below
from ..tools.rows import Row, known, select, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
"""Largest number of panels side by side."""

COLORS = (*(f"C{i}" for i in range(10)), "black")
"""Colours of the methods, of which there are eleven."""

LINEAR = 0.1
"""Increase in per cent up to which the axis of increases is linear, beyond it
logarithmic."""


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw a panel for each data set, at its largest K, with a mark for each method.

    Parameters
    ----------
    rows : sequence of dict
        Rows of clusterings whose assignment was timed; others are left out.
    figure : Figure
    """
    rows = [row for row in rows if row.get("us") and row.get("relative")]
    names = values(rows, "data")
    if not names:
        return  # a table is enough
    n_columns = min(COLUMNS, len(names))
    n_rows = -(-len(names) // n_columns)
    figure.set_size_inches(5 * COLUMNS, 4 * n_rows + 1.5)
    panels = figure.subplots(n_rows, n_columns, squeeze=False)
    styles = {
        name: {"color": COLORS[i % 11], "marker": "o^sDvP*X"[i % 8]}
        for i, name in enumerate(values(rows, "method"))
    }
    for axes, data in zip(panels.flat, names, strict=False):
        some = select(rows, data=data)
        most = max(values(some, "K"))
        _panel(axes, select(some, K=most), styles)
        axes.set_title(f"{data}, K = {most}, D = {some[0]['D']}")
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    legend_below(figure, panels.flat)


def _panel(axes: "Axes", rows, styles: dict[str, dict[str, Any]]):
    """Draw means over seeds with 95 % intervals; sparsities are numbers beside them."""
    for method in values(rows, "method"):
        for sparsity in values(select(rows, method=method), "sparsity"):
            some = select(rows, method=method, sparsity=sparsity)
            time = [1 / one for one in known(some, "ratio")]
            increase = [100 * (one - 1) for one in known(some, "relative")]
            at = float(np.mean(time)), float(np.mean(increase))
            options = {"label": method, "capsize": 2, "linestyle": "", **styles[method]}
            axes.errorbar(at[0], at[1], _half(increase), _half(time), **options)
            if sparsity is not None:
                place = (5, 4)
                axes.annotate(
                    str(sparsity), at, place, textcoords="offset points", fontsize=8
                )
    axes.axhline(0, color="0.7", linewidth=1, zorder=0)
    axes.axvline(1, color="0.7", linewidth=1, zorder=0)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yscale("symlog", linthresh=LINEAR)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.margins(0.1)
    axes.set(xlabel="time of assignment over K-means'", ylabel="inertia above, in %")


def _half(numbers):
    """Return half the interval of a mean, or 0 where there is none."""
    half = half_width(numbers)
    return half if np.isfinite(half) else 0.0
