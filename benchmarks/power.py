"""How sure are the verdicts on speed? ``python -m benchmarks.power`` simulates samples.

For true ratios of the head to the base, and for spreads of the samples of processes,
the rules of the gate are applied to normal samples of equal spread, for the head and
for the control, batch by batch as they are drawn; a batch ends early where the first
processes give the verdict ``same``. The command prints the shares of the
verdicts as a table in Markdown; ``--draw docs/power.svg`` draws the share of those
that are called slower.
"""

import argparse
import collections
import math
from pathlib import Path

import numpy as np

from .share_curves import share_curves

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

SLOWDOWNS = (0, 3, 5, 7, 10, 15, 20, 30)
"""True slowdowns, in percent."""

SPREADS = (0.5, 1, 2, 5)
"""Standard deviations of the log-ratios of processes, in percent."""


def shares(slowdown, spread, runs, processes=8):
    """Return the share of each verdict among simulated cases, by its name.

    Parameters
    ----------
    slowdown, spread : float
        In percent.
    runs : int
        Number of cases.
    processes : int
        Number of samples in a batch.
    """
    from nbfact.harness.versions.verdicts import EARLY, alike, settle

    rng = np.random.default_rng(0)
    found = collections.Counter()
    for _ in range(runs):
        batches, final = [], False
        while not final:
            head, control = rng.normal(0, spread / 100, (2, processes))
            head += math.log1p(slowdown / 100)
            batches.append((head[:EARLY], control[:EARLY]))
            if not alike(batches):
                batches[-1] = head, control
            verdict, final = settle(batches)
        found[verdict] += 1
    return {verdict: count / runs for verdict, count in found.items()}


def table(runs):
    """Return the lines of the table: slower / same or not slower / inconclusive."""
    lines = [
        "| true slowdown | " + " | ".join(f"spread {s:g} %" for s in SPREADS) + " |",
        "|--:|" + "--:|" * len(SPREADS),
    ]
    for slowdown in SLOWDOWNS:
        cells = []
        for spread in SPREADS:
            found = shares(slowdown, spread, runs)
            quiet = sum(found.get(word, 0) for word in ("same", "not slower", "faster"))
            cells.append((found.get("slower", 0), quiet, found.get("inconclusive", 0)))
        text = " | ".join(" / ".join(f"{100 * x:.0f}" for x in cell) for cell in cells)
        lines.append(f"| {slowdown} % | {text} |")
    return lines


def drawing(runs):
    """Return an SVG image of the share of ``slower`` against the true slowdown."""
    grid = np.arange(0, 31, 1.0)
    titles = "true slowdown in percent", "share of cases called slower"
    curves = {
        f"spread {spread:g} %": (
            grid,
            [shares(slowdown, spread, runs).get("slower", 0) for slowdown in grid],
        )
        for spread in SPREADS
    }
    return share_curves(titles, range(0, 31, 5), curves, legend=True)


def main():
    """Print the table, and write the drawing where a file for it is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--draw", type=Path, metavar="FILE")
    options = parser.parse_args()
    print(*table(options.runs), sep="\n")
    if options.draw:
        options.draw.write_text(drawing(options.runs), encoding="utf-8")


if __name__ == "__main__":
    main()
