"""Study of the speed of butterfly products, beside dense products and other toolboxes.

It examines no claim of a paper: it measures how many times faster nbfact multiplies by
a dyadic butterfly than the fastest alternative, which may be BLAS with the dense
matrix, SciPy, lazylinop or pyfaust.

``nbfact study product_speed`` took 6 minutes on one core of a busy AMD EPYC, and
``--peers`` runs lazylinop and pyfaust too. It writes ``product_speed.csv``,
``product_speed.md`` and ``product_speed.png``.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cases.products import BUTTERFLY, product_cases
from ..cases.registry import tasks
from ..harness import calibration
from ..harness.case import DENSE
from ..harness.measure import measure_task
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Products with a dyadic butterfly, one thread"
NOTES = """\
- The blocks of the butterfly are random rotations. Every result is checked against a
  product in a wider dtype before it is timed. All implementations of a line are timed
  in turn, on the same x; a cell holds medians.
- ours is `B @ x`, which allocates what it returns; kernel is the compiled kernel, which
  writes into an `out`; dense is the dense product, which writes into an `out` too.
- best rival is the fastest of the dense product, SciPy's CSR factors one after another,
  and, with --peers, lazylinop (with the factors as they are, and multiplied out to
  radix 4, 8, 16, or to two factors) and pyfaust (with the factors as they are, and
  after its `optimize_time`).
- ratio is the time of the best rival over ours: above 1, nbfact is faster."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    sizes : tuple of int
        Orders of the butterflies, powers of two.
    batches : tuple of int
        Numbers of columns of x.
    dtypes : tuple of str
        Dtypes of the butterflies and of x.
    budget : float
        Seconds for the timing of each order, number of columns and dtype.
    """

    sizes: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    batches: tuple[int, ...] = (1, 16, 256)
    dtypes: tuple[str, ...] = ("float32", "float64", "complex64")
    budget: float = 2.0


FULL = Settings()
QUICK = Settings(sizes=(256, 1024), dtypes=("float32",), budget=0.4)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each order, dtype and number of columns."""
    cases = product_cases(
        "butterfly", settings.sizes, settings.dtypes, settings.batches
    )
    return [
        (task, functools.partial(_rows, group, settings.budget, peers))
        for task, group in tasks(cases).items()
    ]


@functools.cache
def _calibration():
    return calibration.calibrate()


def _rows(group, budget, peers):
    """Time the cases of one task, and return a row for each.

    Raises
    ------
    ValueError
        When a result is wrong.
    """
    kept = [case for case in group if peers or not case.rival]
    found = []
    for row in measure_task(kept, budget, _calibration()):
        if not row["ok"]:
            raise ValueError(f"{row['case']}: {row['message']}")
        found.append(
            {
                **row["params"],
                "implementation": row["impl"],
                "seconds": row["time"]["median"],
                "least": row["time"]["min"],
                "error": row["error"],
            }
        )
    return found


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table of nbfact against the best rival, and one of the mean ratios."""
    lines = compared(rows)
    found = {TITLE: [{k: v for k, v in line.items() if k != "log"} for line in lines]}
    summary = []
    for dtype in values(lines, "dtype"):
        logs = [line["log"] for line in select(lines, dtype=dtype)]
        summary.append(
            {
                "dtype": dtype,
                "geometric mean": math.exp(sum(logs) / len(logs)),
                "least": math.exp(min(logs)),
            }
        )
    found["Ratios: time of the best rival over ours"] = summary
    return found


def compared(rows: Sequence[Row]) -> list[Row]:
    """Return one line for each product, with times of nbfact, dense and the best rival.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the study: one for each implementation of a product.

    Returns
    -------
    list of dict
        Times in microseconds, their ratios, and in ``log`` the logarithm of the last.
    """
    sizes = ("dtype", "n", "batch")
    groups: dict[tuple, dict[str, float]] = {}
    for row in rows:
        key = tuple(row[name] for name in sizes)
        groups.setdefault(key, {})[row["implementation"]] = row["seconds"]
    lines = []
    for key, seconds in groups.items():
        rivals = {
            name: time
            for name, time in seconds.items()
            if not name.startswith("nbfact")
        }
        best = min(rivals, key=lambda name: rivals[name])
        ours = seconds[BUTTERFLY]
        lines.append(
            {
                **dict(zip(sizes, key, strict=True)),
                "ours (µs)": ours * 1e6,
                "kernel (µs)": seconds["nbfact butterfly"] * 1e6,
                "dense (µs)": seconds[DENSE] * 1e6,
                "best rival (µs)": rivals[best] * 1e6,
                "best rival": best,
                "ratio to dense": seconds[DENSE] / ours,
                "ratio": rivals[best] / ours,
                "log": math.log(rivals[best] / ours),
            }
        )
    return lines


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the ratio to dense and to the best rival against the order."""
    lines = compared(rows)
    for axes, name in zip(
        figure.subplots(1, 2, sharey=True),
        ("ratio to dense", "ratio"),
        strict=True,
    ):
        for dtype in values(lines, "dtype"):
            for batch in values(lines, "batch"):
                chosen = select(lines, dtype=dtype, batch=batch)
                axes.loglog(
                    [line["n"] for line in chosen],
                    [line[name] for line in chosen],
                    marker="o",
                    label=f"{dtype}, batch {batch}",
                )
        axes.axhline(1, color="black", linewidth=0.8)
        axes.set(xlabel="n", ylabel="times faster")
        axes.set_title("than dense" if name != "ratio" else "than the best rival")
    figure.axes[0].legend(fontsize="small")
