"""Curves of how often `identify_butterfly` finds permuted chains again.

    python -m benchmarks.permuted_curves docs             # 10 seeds
    python -m benchmarks.permuted_curves /tmp --seeds 2

It writes permuted_chains.csv and permuted_chains.png into a folder: successes against
noise, against the order n and against the radix. Targets, successes and seeds are those
of `benchmarks/permuted_chains.py`.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbfact as nf
from nbfact.studies.tools.intervals import wilson
from nbfact.studies.tools.result_files import write_csv, write_png

from .permuted_chains import Permuted, gaussian, ranked, run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5)
"""Relative noises of the first panel."""

SHOWN = 0.2
"""Relative noise of the other panels."""

Point = tuple[tuple[int, ...], int]
"""The radices and the rank of a chain."""

OF_NOISE: list[Point] = [
    ((2, 2, 2, 2), 1),
    ((3, 3, 2, 2), 1),
    ((4, 4), 1),
    ((4, 4), 2),
    ((2, 2, 2, 2), 2),
]
"""Radices and ranks of the first panel."""

OF_ORDER: dict[str, list[Point]] = {
    "radix 2": [((2,) * count, 1) for count in (3, 4, 5, 6, 7)],
    "radix 3": [((3,) * count, 1) for count in (2, 3, 4)],
    "radix 2, rank 2": [((2,) * count, 2) for count in (4, 5)],
}
"""Radices and ranks of the second panel, by the name of their curve."""

OF_RADIX: dict[str, list[Point]] = {
    "two factors": [((p, p), 1) for p in (2, 3, 4, 5, 6, 8)],
    "two factors, rank 2": [((p, p), 2) for p in (4, 5, 6)],
}
"""Radices and ranks of the third panel."""


def plan() -> Iterator[tuple[str, str, tuple[int, ...], int, float]]:
    """Yield panel, curve, radices, rank and noise of each point."""
    for radices, rank in OF_NOISE:
        for noise in NOISES:
            yield "noise", named(radices, rank), radices, rank, noise
    for panel, curves in (("n", OF_ORDER), ("radix", OF_RADIX)):
        for curve, points in curves.items():
            for radices, rank in points:
                yield panel, curve, radices, rank, SHOWN


def named(radices: tuple[int, ...], rank: int) -> str:
    """Return the name of the curve of a chain."""
    words = " x ".join(map(str, radices))
    return words if rank == 1 else f"{words}, rank {rank}"


def kind_of(radices: tuple[int, ...], rank: int) -> Permuted:
    """Return Gaussian targets in a chain."""
    if rank > 1:
        return ranked(radices, None, rank)
    chain = nf.Chain.mixed_radix(radices)
    return Permuted(named(radices, rank), chain, gaussian(chain))


def measured(n_seeds: int) -> Iterator[dict[str, Any]]:
    """Yield the row of each point."""
    for panel, curve, radices, rank, noise in plan():
        kind = kind_of(radices, rank)
        count, seconds = run(kind, noise, n_seeds, search=False)
        low, high = wilson(count, n_seeds)
        row = {
            "panel": panel,
            "curve": curve,
            "radices": " x ".join(map(str, radices)),
            "rank": rank,
            "n": math.prod(radices),
            "noise": noise,
            "seeds": n_seeds,
            "successes": count,
            "least rate": low,
            "largest rate": high,
            "CPU seconds, median": seconds,
        }
        print(*row.values(), flush=True)
        yield row


def draw(rows: list[dict[str, Any]], figure: "Figure") -> None:
    """Draw a panel for noise, one for n and one for the radix, legends below them."""
    figure.set_size_inches(15, 5)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, name in zip(panels, ("noise", "n", "radix"), strict=True):
        draw_panel(axes, [row for row in rows if row["panel"] == name], name)
    panels[0].set_ylabel("successes")


def draw_panel(axes: "Axes", rows: list[dict[str, Any]], name: str) -> None:
    """Draw the curves of one panel with Wilson's 95 % intervals."""
    for number, curve in enumerate(dict.fromkeys(row["curve"] for row in rows)):
        some = [row for row in rows if row["curve"] == curve]
        at: list[float]
        if name == "noise":
            at = [NOISES.index(row["noise"]) for row in some]
        elif name == "n":
            at = [math.log2(row["n"]) for row in some]
        else:
            at = [int(row["radices"].split(" x ")[0]) for row in some]
        rates = [row["successes"] / row["seeds"] for row in some]
        shifted = [place + 0.05 * (number - 2) for place in at]
        low = [rate - row["least rate"] for rate, row in zip(rates, some, strict=True)]
        high = [
            row["largest rate"] - rate for rate, row in zip(rates, some, strict=True)
        ]
        low, high = ([max(0.0, one) for one in side] for side in (low, high))
        axes.errorbar(shifted, rates, (low, high), fmt="o-", capsize=2, label=curve)
    if name == "noise":
        axes.set_xticks(range(len(NOISES)), [f"{noise:g}" for noise in NOISES])
    if name == "n":
        orders = sorted({row["n"] for row in rows})
        axes.set_xticks([math.log2(n) for n in orders], list(map(str, orders)))
    label = {"noise": "relative noise", "n": "order n", "radix": "radix p, n = p²"}
    noise = "" if name == "noise" else f", noise {SHOWN:g}"
    axes.set(xlabel=label[name] + noise, ylim=(-0.03, 1.03))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8)


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    rows = list(measured(options.seeds))
    write_csv(options.folder / "permuted_chains.csv", rows)
    write_png(options.folder / "permuted_chains.png", lambda figure: draw(rows, figure))


if __name__ == "__main__":
    main()
