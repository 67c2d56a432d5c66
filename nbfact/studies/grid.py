"""Study of the whole grid of products: every cell beside the best rival.

It examines no claim of a paper: it measures in which products somebody else is faster
than nbfact. A cell is an operator or its adjoint, an order, a dtype, a number of
vectors and a layout of x. Rivals are the dense product, SciPy's loop over sparse
factors, batched products of NumPy, scipy.fft and, where it is installed, lazylinop.

``nbfact study grid`` takes hours. It measures the cells in a random order, so that
what it has measured when it is interrupted is a sample, which ``--so-far`` writes to
``grid.csv``, ``grid.md`` and ``grid.png``; it resumes where it was. ``-k`` chooses
cells by their names, and ``--quick`` takes the first fiftieth of them.
"""

import functools
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cases.grid_cases import AT, GROUP, LAYOUTS, OUT, VECTOR, Cell, cell_cases
from ..cases.grid_operators import ADJOINT, FORWARD, KINDS
from ..harness import calibration
from ..harness.case import task_name
from ..harness.measure import measure_task
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The grid of products, beside the best rival of each"
QUESTION = (
    "For which operators, sizes and layouts is the product of another library faster "
    "than that of nbfact?"
)
PICTURE = (
    "Each dot of the picture is a cell, that is, a product with one operator, order, "
    "dtype, number of vectors and layout. The left panel shows the time of the best "
    "of the other ways, divided by that of nbfact: right of the line nbfact is "
    "faster. The right panel shows the least time that the machine allows, as a "
    "share of the time of nbfact. The short bars are medians."
)
PARALLEL = True  # each time is only compared with others of the same job
NOTES = """\
- A cell is one product: an operator or its adjoint, an order n, a number of vectors
  (batch), a dtype, and a layout. columns: x has one vector in each column; rows: one in
  each row; C and F are its order in memory.
- ours is the faster one of `A @ x` (`x @ A.T` for rows), which allocates the product,
  and `A.apply(x, out=)`, which does not. Rivals write into memory made beforehand
  wherever they can. x, the dense matrix and results made beforehand begin at lines of
  the cache, for all alike. ratio is the time of the best rival over ours, the median of
  the ratios within rounds in which all take turns: above 1, nbfact is faster.
  `ratio of @` is that of `A @ x` alone.
- Rivals: the dense product, in the faster one of two layouts; SciPy's loop over sparse
  factors, with memory made beforehand, for columns, for copies of rows and for one
  vector after the other, and the same with every two factors multiplied out; batched
  `numpy.matmul` in all its ways, `numpy.matvec` and BSR, for factors with blocks of
  more than two rows and columns, each with a copy of the blocks; scipy.fft; a few
  calls of NumPy a level;
  lazylinop where it is installed. Every result is checked against a product in a wider
  dtype before it is timed.
- The best rival is chosen in a first pass. Where it comes near to nbfact, a second pass
  times it again, with the rivals that were almost as fast and with more rounds, so that
  the choice favours the rivals a little.
- roof is the share that ours reaches of the least time that the machine allows, see
  `docs/benchmarks.md`. load is the number of processes that wanted to compute, on
  average over the minute before."""

SCALING = "Picoseconds for each real operation, forward, in columns C"
NEAR = 1.5
"""Ratio of the first pass up to which a second pass follows, and ratio of two rivals up
to which the slower one takes part in it."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    operators : tuple of str
        Keys of :data:`nbfact.cases.grid_operators.KINDS`.
    sizes : tuple of int
        Orders, powers of four.
    batches : tuple of int
        Numbers of vectors.
    dtypes : tuple of str
        Dtypes; an operator takes part in those that it has.
    sides, layouts : tuple of str
        Operators and adjoints, and layouts of several vectors.
    share : float
        Share of the cells that is measured: the first ones of a random order.
    dense_bytes : int
        Limit of the dense matrix, in bytes: larger ones are no rivals, because they
        have a hundred times as many entries as the factors.
    budgets : (float, float)
        Seconds for the timing of a cell, in the first pass and in the second.
    """

    operators: tuple[str, ...] = tuple(KINDS)
    sizes: tuple[int, ...] = (64, 256, 1024, 4096, 16384)
    batches: tuple[int, ...] = (1, 2, 3, 4, 8, 16, 64, 256)
    dtypes: tuple[str, ...] = ("float32", "float64", "complex64", "complex128")
    sides: tuple[str, ...] = (FORWARD, ADJOINT)
    layouts: tuple[str, ...] = LAYOUTS
    share: float = 1.0
    dense_bytes: int = 2**26
    budgets: tuple[float, float] = (0.03, 0.25)


FULL = Settings()
QUICK = Settings(share=0.02)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield the cells of the grid that some settings choose, in a random order.

    The order is always the same, so that the first cells are a sample of all.
    """
    found = [
        Cell(operator, side, n, batch, layout, dtype)
        for operator in settings.operators
        for n in settings.sizes
        for dtype in settings.dtypes
        if dtype in KINDS[operator].dtypes
        for side in settings.sides
        for batch in settings.batches
        for layout in (settings.layouts if batch > 1 else (VECTOR,))
    ]
    count = math.ceil(settings.share * len(found))
    for place in np.random.default_rng(0).permutation(len(found))[:count]:
        yield found[place]


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each cell; lazylinop needs no `peers`."""
    return [
        (task_name(GROUP, vars(cell)), functools.partial(_rows, cell, settings))
        for cell in cells(settings)
    ]


@functools.cache
def _calibration():
    return calibration.calibrate()


def _rows(cell, settings):
    """Return the row of a cell.

    Raises
    ------
    ValueError
        When a result of nbfact is wrong, or there is no right one of a rival.
    """
    task = list(cell_cases(cell, settings.dense_bytes))
    first, second = settings.budgets
    rows = _measured(task, first)
    times = _ratios(rows)
    best = min(ratio for name, ratio in times.items() if name not in (AT, OUT))
    if best < NEAR * min(times[AT], times.get(OUT, math.inf)):
        near = {name for name, ratio in times.items() if ratio <= NEAR * best}
        near |= {AT, OUT}
        rows = _measured([case for case in task if case.impl in near], second)
        times = _ratios(rows)
    return [_row(cell, rows, times)]


def _measured(task, budget):
    """Return the rows of the cases of a cell, by the name of the implementation."""
    rows = {row["impl"]: row for row in measure_task(task, budget, _calibration())}
    for name in (AT, OUT):
        if name in rows and not rows[name]["ok"]:
            raise ValueError(f"{rows[name]['case']}: {rows[name]['message']}")
    return {name: row for name, row in rows.items() if row["ok"]}


def _ratios(rows):
    """Return the times of the implementations over that of `A @ x`, within rounds."""
    return {name: row["ratio"]["median"] for name, row in rows.items()}


def _row(cell, rows, times):
    ours = min((name for name in times if name in (AT, OUT)), key=times.__getitem__)
    rivals = {name: time for name, time in times.items() if name not in (AT, OUT)}
    best = min(rivals, key=rivals.__getitem__)
    flops = rows[ours]["flops"]
    return {
        **vars(cell),
        "form": ours,
        "ours": rows[ours]["time"]["median"],
        "best rival": best,
        "rival": rows[best]["time"]["median"],
        "ratio": rivals[best] / times[ours],
        "ratio of @": rivals[best],
        "roof": rows[ours]["roof"],
        "flops": flops,
        "load": os.getloadavg()[0],
    }


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return tables of the ratios, of each cell that is lost, and of the scaling."""
    found = {f"{TITLE}: all cells": [_summary(rows)]}
    for name in ("operator", "n", "batch", "dtype", "layout", "side"):
        found[f"By {name}"] = [
            {name: value} | _summary(select(rows, **{name: value}))
            for value in sorted(values(rows, name))
        ]
    lost = sorted((row for row in rows if row["ratio"] < 1), key=lambda r: r["ratio"])
    caption = f"Below 1: {len(lost)} of {len(rows)} cells"
    found[caption] = [_shown(row) for row in lost]
    found[SCALING] = _scaling(rows)
    return {caption: some for caption, some in found.items() if some}


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    if not rows:
        return ""
    whole = _summary(rows)
    parts = [
        f"nbfact is faster than the best other way in {len(rows) - whole['below 1']} "
        f"of {len(rows)} cells, and slower by more than 5 percent in "
        f"{whole['below 0.95']}. The best other way takes "
        f"{whole['geometric mean']:.2f} times as long, in the geometric mean over all "
        "cells."
    ]
    parts += _by_operator(rows)
    worst = min(rows, key=lambda row: row["ratio"])
    name = f"{worst['operator']}, n = {worst['n']}, {worst['dtype']}, "
    name += f"{worst['batch']} vector{'s' * (worst['batch'] != 1)}, {worst['layout']}"
    parts.append(
        f'The worst cell is {name}: there the way "{worst["best rival"]}" takes '
        f"{worst['ratio']:.2f} times as long as nbfact."
    )
    return " ".join(parts)


def _by_operator(rows):
    """Return sentences on the operators with most and least gain, and most losses."""
    found = {
        name: _summary(select(rows, operator=name)) for name in values(rows, "operator")
    }
    if len(found) < 2:
        return []
    mean = {name: one["geometric mean"] for name, one in found.items()}
    most, *_, least = sorted(mean, key=mean.__getitem__, reverse=True)
    parts = [
        f"This mean is largest for the operator {most} ({mean[most]:.2f}) and least "
        f"for {least} ({mean[least]:.2f})."
    ]
    often = [
        f"{name} (in {found[name]['below 1']} of {found[name]['cells']} cells)"
        for name in sorted(found, key=lambda name: -found[name]["% below 1"])[:3]
        if found[name]["below 1"]
    ]
    if often:
        parts.append(f"Others are faster most often for {', '.join(often)}.")
    return parts


def _summary(rows):
    """Return the summary of some cells."""
    ratios = np.array([row["ratio"] for row in rows])
    loads = [row["load"] for row in rows]
    lost = int((ratios < 1).sum())
    return {
        "cells": len(rows),
        "geometric mean": float(np.exp(np.log(ratios).mean())),
        "least": float(ratios.min()),
        "below 1": lost,
        "% below 1": 100 * lost / len(rows),
        "below 0.95": int((ratios < 0.95).sum()),
        "@ below 1": sum(row["ratio of @"] < 1 for row in rows),
        "median % of roof": 100 * float(np.median([row["roof"] for row in rows])),
        "load": f"{min(loads):.0f} to {max(loads):.0f}",
    }


def _shown(row: Row) -> dict[str, Any]:
    names = ("operator", "side", "n", "batch", "layout", "dtype")
    return {
        **{name: row[name] for name in names},
        "ours (µs)": row["ours"] * 1e6,
        "rival (µs)": row["rival"] * 1e6,
        "best rival": row["best rival"],
        "ratio": row["ratio"],
        "ratio of @": row["ratio of @"],
        "% of roof": 100 * row["roof"],
    }


def _scaling(rows):
    """Return the time of an operation by order, for one vector and for columns."""
    chosen = [
        row
        for row in select(rows, side=FORWARD)
        if row["dtype"] in ("float32", "complex64")
        and row["layout"] in (VECTOR, LAYOUTS[0])
        and row["batch"] in (1, 64)
    ]
    found = []
    for key in dict.fromkeys((r["operator"], r["dtype"], r["batch"]) for r in chosen):
        names = dict(zip(("operator", "dtype", "batch"), key, strict=True))
        line: Row = names | {f"n={n}": None for n in sorted(values(rows, "n"))}
        for row in select(chosen, **names):
            line[f"n={row['n']}"] = row["ours"] / row["flops"] * 1e12
        found.append(line)
    return found


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw a dot for each cell, by operator: its ratio, and its share of the roof."""
    names = values(rows, "operator")[::-1]
    figure.set_size_inches(10, 1.5 + 0.35 * len(names))
    left, right = figure.subplots(1, 2, sharey=True)
    for place, operator in enumerate(names):
        some = select(rows, operator=operator)
        jitter = place + np.linspace(-0.3, 0.3, len(some))
        for axes, found in (
            (left, [row["ratio"] for row in some]),
            (right, [100 * row["roof"] for row in some]),
        ):
            axes.plot(found, jitter, ".", color="C0", markersize=4, alpha=0.6)
            axes.plot([np.median(found)] * 2, [place - 0.4, place + 0.4], color="C1")
    left.axvline(1, color="black", linewidth=0.8)
    left.set_xscale("log")
    left.set_xticks((0.25, 0.5, 1, 2, 4, 8), minor=False)
    left.xaxis.set_major_formatter("{x:g}")
    left.xaxis.set_minor_formatter("")
    left.set_yticks(range(len(names)), names)
    left.set(xlabel="best other time / nbfact's", title="speed")
    right.set(xlabel="% of what the machine allows", title="share of the roof")
