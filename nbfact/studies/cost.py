"""What a sweep costs: time and memory with order, number of factors, non-zeros."""

import functools
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithms import palm4msa
from ..constraints import SpLin
from ..targets import planted
from .tools.result_files import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Time and memory of one sweep of palm4msa"
NOTES = """\
J factors in SpLin((n, n), k), planted target, float64. time: median over the sweeps of
one call, the first left out. bytes: tracemalloc's peak of a call of two sweeps, the
target not counted (arrays that compiled code makes for itself are not seen).
Models. operations: with nnz = n k non-zeros in each factor, the update of the j-th from
the left (from 0) sends n columns forth and back through the j factors on its left, and
multiplies R A^H and R R^H (both sides) by it; steps, projections and copies take some
passes over n x n,

    sum over j of  4 n nnz j + 8 n nnz + 8 n^2;

dense: the same with dense products, 12 (J - 1) n^3 + 2 J n^2. model bytes: six arrays
of n x n (A^H, the step, R A^H, R R^H, two of work) and the factors twice, 12 bytes an
entry.
slope: of a straight line through all points, both axes logarithmic; 1 is linear."""

MEASURED, MODELS = ("time", "bytes"), ("operations", "dense", "model_bytes")
AXES = ("n", "J", "k")


@dataclass(frozen=True)
class Settings:
    """Values of each size; where one varies, the others are `fixed`."""

    n: tuple[int, ...] = (32, 64, 128, 256, 512)
    J: tuple[int, ...] = (2, 3, 5, 7, 9)
    k: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    fixed: tuple[int, int, int] = (128, 3, 4)
    sweeps: int = 15


FULL = Settings()
QUICK = Settings(n=(32, 64, 128), J=(2, 3, 5), k=(1, 4, 16), fixed=(64, 3, 4), sweeps=9)


def jobs(settings: Settings, peers: bool) -> list[tuple[str, Callable[[], list[Row]]]]:
    """Return one job for each value of each size; pyfaust has no part in it."""
    found = []
    for position, name in enumerate(AXES):
        for value in getattr(settings, name):
            sizes = list(settings.fixed)
            sizes[position] = value
            job = functools.partial(_rows, name, *sizes, settings.sweeps)
            found.append((f"{name} = {value}", job))
    return found


def _rows(varied, n, depth, k, sweeps):
    k = min(k, n)
    target = planted(n, depth, k, random_state=0)
    sets = [SpLin((n, n), k)] * depth
    palm4msa(
        planted(8, 2, 2, random_state=0), [SpLin((8, 8), 2)] * 2, n_iter=2
    )  # compiles
    ends = []
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
    """Return real operations of a sweep, those with dense products, and bytes held.

    Parameters
    ----------
    n, depth, k : int
        Order, number of factors, non-zeros a row of each.

    Returns
    -------
    sparse, dense, bytes : int

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
    """Return the slope of log y over log x, by least squares.

    Examples
    --------
    >>> round(slope([1, 2, 4], [3, 12, 48]), 12)
    2.0
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the fitted slopes, then all points."""
    slopes = []
    for name in AXES:
        chosen = [row for row in rows if row["varied"] == name]
        x = [row[name] for row in chosen]
        line = {"varied": name, "from": min(x), "to": max(x)}
        if len(set(x)) > 1:
            for key in (*MEASURED, *MODELS):
                line[key] = slope(x, [row[key] for row in chosen])
        slopes.append(line)
    return {f"{TITLE}: slopes": slopes, "Points": list(rows)}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw three panels of time, three of memory, with the models through the last."""
    panels = figure.subplots(2, len(AXES))
    for column, name in enumerate(AXES):
        chosen = [row for row in rows if row["varied"] == name]
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
    told = f"{slope(x, y):.2f}" if len(set(x)) > 1 else "-"
    return f"{name.replace('_', ' ')} {told}"
