"""How sure are the verdicts on speed? ``python benchmarks/power.py`` simulates samples.

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

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

SLOWDOWNS = (0, 3, 5, 7, 10, 15, 20, 30)
"""True slowdowns, in percent."""

SPREADS = (0.5, 1, 2, 5)
"""Standard deviations of the log-ratios of processes, in percent."""

COLOURS = ("#1b6ca8", "#2a9d4a", "#c77d0a", "#b3313b")
WIDTH, HEIGHT, EDGE = 640, 360, 48  # of the drawing, in pixels


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

    def place(slowdown, share):
        x = EDGE + slowdown / grid[-1] * (WIDTH - 2 * EDGE)
        return f"{x:.1f},{HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE):.1f}"

    text = 'font-family="sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle" {text}>'
        "true slowdown in percent</text>",
        f'<text x="{EDGE}" y="20" {text}>share of cases called slower</text>',
    ]
    for share in (0, 0.5, 1):
        ends = place(0, share), place(grid[-1], share)
        parts.append(f'<polyline points="{" ".join(ends)}" stroke="#bbb" fill="none"/>')
        x, y = ends[0].split(",")
        parts.append(f'<text x="{float(x) - 30}" y="{y}" {text}>{share:.0%}</text>')
    for slowdown in (0, 5, 10, 15, 20, 25, 30):
        x, y = place(slowdown, 0).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 18}" text-anchor="middle" {text}>'
            f"{slowdown}</text>"
        )
    for row, (spread, colour) in enumerate(zip(SPREADS, COLOURS, strict=True)):
        points = [
            place(slowdown, shares(slowdown, spread, runs).get("slower", 0))
            for slowdown in grid
        ]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        parts.append(
            f'<text x="{WIDTH - 2 * EDGE - 60}" y="{HEIGHT - 140 + 20 * row}" '
            f'fill="{colour}" {text}>spread {spread:g} %</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


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
