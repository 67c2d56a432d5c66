"""Study of the cost of a sweep of palm4msa: time and memory against the sizes.

It examines no claim of a paper: it checks that time grows as the count of operations of
sparse factors predicts, with the order n, the number of factors J and the number k of
non-zeros in each row, rather than as that of dense products.

``nbfact study cost`` takes a few seconds. It writes ``cost.csv``, ``cost.md`` and
``cost.png``.
"""

import functools
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithms import palm4msa
from ..constraints import SpLin
from ..targets import planted
from .tools.rows import Row, select
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Time and memory of one sweep of palm4msa"
QUESTION = (
    "Do the time and the memory of one sweep of `palm4msa` grow as the operations "
    "on sparse factors do, or as those of dense products?"
)
PICTURE = (
    "The picture shows the time and the memory against each size, and beside them "
    "the growth of the two counts of operations."
)
NOTES = """\
- The target is planted, the product of J factors, in float64; the factors are sought in
  SpLin((n, n), k).
- time is the median over the sweeps of one call, without the first sweep. bytes is
  tracemalloc's peak during a call of two sweeps: it does not count the target, and does
  not see the arrays that compiled code allocates for itself.
- operations is a count. With nnz = n k non-zeros in each factor, the update of factor j
  (counted from the left, from 0) multiplies n columns by the j factors on its left,
  forth and back, and multiplies R A^H and R R^H (the latter on both sides) by the
  factor itself; steps, projections and copies make a few passes over n x n entries:

      sum over j of  4 n nnz j + 8 n nnz + 8 n^2

- dense is the same count with dense products, 12 (J - 1) n^3 + 2 J n^2.
- model_bytes counts six arrays of n x n entries (A^H, the step, R A^H, R R^H and two of
  scratch), and the factors twice, at 12 bytes an entry.
- The slopes are those of a straight line fitted to all points, with both axes
  logarithmic: 1 means linear growth."""

MEASURED, MODELS = ("time", "bytes"), ("operations", "dense", "model_bytes")
"""Columns that are measured, and columns that a model predicts."""

AXES = ("n", "J", "k")
"""Sizes that are varied one at a time."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    n, J, k : tuple of int
        Values of the order, the number of factors, and the non-zeros in each row.
    fixed : (int, int, int)
        Values of n, J and k while one of the others varies.
    sweeps : int
        Number of timed sweeps of each call.
    """

    n: tuple[int, ...] = (32, 64, 128, 256, 512)
    J: tuple[int, ...] = (2, 3, 5, 7, 9)
    k: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    fixed: tuple[int, int, int] = (128, 3, 4)
    sweeps: int = 15


FULL = Settings()
QUICK = Settings(n=(32, 64, 128), J=(2, 3, 5), k=(1, 4, 16), fixed=(64, 3, 4), sweeps=9)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each value of each size; pyfaust has no part in it."""
    found: list[Job] = []
    for position, name in enumerate(AXES):
        for value in getattr(settings, name):
            sizes = list(settings.fixed)
            sizes[position] = value
            job = functools.partial(_rows, name, tuple(sizes), settings.sweeps)
            found.append((f"{name} = {value}", job))
    return found


def _rows(varied, sizes, sweeps):
    """Return the row of one choice of (n, J, k), of which one is varied."""
    n, depth, k = sizes
    k = min(k, n)
    target = planted(n, depth, k, random_state=0)
    sets = [SpLin((n, n), k)] * depth
    small = planted(8, 2, 2, random_state=0)
    palm4msa(small, [SpLin((8, 8), 2)] * 2, n_iter=2)  # compiles the kernels
    ends: list[float] = []
    palm4msa(
        target,
        sets,
        n_iter=max(sweeps, 3),
        callback=lambda state: ends.append(time.perf_counter()),
    )
    tracemalloc.start()
    try:
        palm4msa(target, sets, n_iter=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    counts = operations(n, depth, k)
    return [
        {
            "varied": varied,
            **{"n": n, "J": depth, "k": k},
            "time": float(np.median(np.diff(ends))),
            "bytes": peak,
            **dict(zip(MODELS, counts, strict=True)),
        }
    ]


def operations(n: int, depth: int, k: int) -> tuple[int, int, int]:
    """Return what the models predict for one sweep: operations and bytes.

    Parameters
    ----------
    n, depth, k : int
        Order, number of factors, and number of non-zeros in each row of a factor.

    Returns
    -------
    sparse, dense : int
        Number of real operations, with sparse and with dense factors.
    bytes : int
        Bytes held at once.

    Examples
    --------
    >>> operations(8, 2, 1)
    (2304, 6400, 3456)
    """
    each = n * k
    passes = depth * (8 * n * each + 8 * n**2)
    sparse = passes + 4 * n * each * depth * (depth - 1) // 2
    dense = 12 * (depth - 1) * n**3 + 2 * depth * n**2
    return sparse, dense, 8 * 6 * n**2 + 2 * 12 * depth * each


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of log y against log x, by least squares.

    Examples
    --------
    >>> round(slope([1, 2, 4], [3, 12, 48]), 12)
    2.0
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table of the fitted slopes, and one of all points."""
    slopes = []
    for name in AXES:
        chosen = select(rows, varied=name)
        x = [row[name] for row in chosen]
        line: Row = {"varied": name, "from": min(x), "to": max(x)}
        if len(set(x)) > 1:
            for key in (*MEASURED, *MODELS):
                line[key] = slope(x, [row[key] for row in chosen])
        slopes.append(line)
    return {f"{TITLE}: slopes": slopes, "Points": list(rows)}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw time and memory against each size, with models through the last point."""
    panels = figure.subplots(2, len(AXES))
    for column, name in enumerate(AXES):
        chosen = select(rows, varied=name)
        for axes, key, models in zip(
            panels[:, column], MEASURED, (MODELS[:2], MODELS[2:]), strict=True
        ):
            x = [row[name] for row in chosen]
            measured = [row[key] for row in chosen]
            axes.loglog(x, measured, "o-", label=_label("measured", x, measured))
            for model in models:
                count = np.array([row[model] for row in chosen], float)
                through = count * measured[-1] / count[-1]
                axes.loglog(x, through, "--", label=_label(model, x, count))
            axes.set(xlabel=name, ylabel="seconds" if key == "time" else "bytes")
            axes.set_xticks(x, map(str, x))
            axes.minorticks_off()
            axes.set_ylim(axes.get_ylim()[0] / 2, axes.get_ylim()[1] * 2)
            axes.legend(fontsize="x-small", title="slope", title_fontsize="x-small")
    figure.suptitle(TITLE)


def _label(name, x, y):
    """Return the label of a line, which ends with its slope."""
    text = f"{slope(x, y):.2f}" if len(set(x)) > 1 else "-"
    return f"{name.replace('_', ' ')} {text}"
