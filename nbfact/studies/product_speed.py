"""How fast a dyadic butterfly multiplies, beside dense products and other toolboxes."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cases.products import BUTTERFLY, product_cases
from ..cases.registry import tasks
from ..harness import machine
from ..harness.case import DENSE
from ..harness.measure import measure_task
from .tools.result_files import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Products with a dyadic butterfly, one thread"
NOTES = """\
Random rotations for blocks; every result is checked against a product in a wider dtype
before it is timed. All implementations of a line are timed in turn, on the same x; a
cell holds medians. ours: `B @ x`, which allocates what it returns; dense writes into
an `out`. best rival: the fastest of dense, SciPy's CSR factors one after another, and,
with --peers, lazylinop (as it is, and with factors multiplied out to radix 4, 8, 16 or
to two) and pyfaust (as it is, and after its `optimize_time`). ratio: time of the best
rival over ours; above 1 we are faster."""


@dataclass(frozen=True)
class Settings:
    """Orders, numbers of columns, dtypes, and seconds of samples for each of them."""

    sizes: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    batches: tuple[int, ...] = (1, 16, 256)
    dtypes: tuple[str, ...] = ("float32", "float64", "complex64")
    budget: float = 2.0


FULL = Settings()
QUICK = Settings(sizes=(256, 1024), dtypes=("float32",), budget=0.4)


def jobs(settings: Settings, peers: bool) -> list[tuple[str, Callable[[], list[Row]]]]:
    """Return one job for each order, dtype and batch."""
    cases = product_cases(
        "butterfly", settings.sizes, settings.dtypes, settings.batches
    )
    return [
        (task, functools.partial(_rows, group, settings.budget, peers))
        for task, group in tasks(cases).items()
    ]


@functools.cache
def _calibration():
    return machine.calibrate()


def _rows(group, budget, peers):
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
    """Return ours against the best rival, line by line, and what they come to."""
    lines = compared(rows)
    found = {TITLE: [{k: v for k, v in line.items() if k != "log"} for line in lines]}
    summary = []
    for dtype in dict.fromkeys(line["dtype"] for line in lines):
        logs = [line["log"] for line in lines if line["dtype"] == dtype]
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
    """Return one line for each product: ours, dense, the best rival, and ratios."""
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
        best = min(rivals, key=rivals.get)
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
        for dtype in dict.fromkeys(line["dtype"] for line in lines):
            for batch in dict.fromkeys(line["batch"] for line in lines):
                chosen = [
                    line
                    for line in lines
                    if (line["dtype"], line["batch"]) == (dtype, batch)
                ]
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
