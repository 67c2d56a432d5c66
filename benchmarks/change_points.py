"""How soon is a change found? ``python -m benchmarks.change_points`` simulates commits.

Values with normal noise, one for each commit, are searched for changes after each
commit, as the report and ``nbfact history --changes`` do with times of which they know
no interval. Without a change, each one in the history is false. Changes that later
commits do not bear out are withdrawn, so the command also counts those that a reader
sees who looks after every commit. With a step, it prints in what share of the runs the
step is found within some commits, the first one with it included. ``--draw
docs/change_points.svg`` draws these shares.
"""

import argparse
import math
from pathlib import Path

import numpy as np

from .share_curves import share_curves

# asv imports this module with older versions of nbfact too, which lack what it needs;
# therefore functions import it.

BEFORE, AFTER = 50, 12
"""Number of commits before and after a step."""

LENGTH = 100
"""Number of commits without a change."""

STEPS = (3, 5, 8, 12, 20)
"""Steps, in percent."""

NOISE = 3
"""Standard deviation of the logarithms, in percent."""

NEAR = 2
"""Largest distance in commits of a change that is found from the step."""


def false_points(runs, tails=False):
    """Return the number of false changes per 1000 commits.

    With `tails`, the noise has the tails of Student's t with three degrees of freedom,
    and the same standard deviation.
    """
    from nbfact.harness.versions.change_points import shifts

    rng = np.random.default_rng(0)
    scale, count = NOISE / 100, 0
    for _ in range(runs):
        if tails:
            noise = rng.standard_t(3, LENGTH) / math.sqrt(3)
        else:
            noise = rng.normal(0, 1, LENGTH)
        count += len(shifts(np.exp(scale * noise)))
    return 1000 * count / (runs * LENGTH)


def seen_points(runs):
    """Return the number of false changes that are ever shown, per 1000 commits.

    The history is looked at after each commit.
    """
    from nbfact.harness.versions.change_points import shifts

    rng = np.random.default_rng(2)
    count = 0
    for _ in range(runs):
        values = np.exp(rng.normal(0, NOISE / 100, LENGTH))
        ends = range(1, LENGTH + 1)
        count += len({change.found for end in ends for change in shifts(values[:end])})
    return 1000 * count / (runs * LENGTH)


def delays(step, runs):
    """Return how many commits after a step it was found, infinity where it was not."""
    from nbfact.harness.versions.change_points import shifts

    rng = np.random.default_rng(1)
    found = []
    for _ in range(runs):
        logs = rng.normal(0, NOISE / 100, BEFORE + AFTER)
        logs[BEFORE:] += math.log1p(step / 100)
        seen = [
            change.found - BEFORE + 1
            for change in shifts(np.exp(logs))
            if abs(change.index - BEFORE) <= NEAR and change.found >= BEFORE
        ]
        found.append(min(seen, default=math.inf))
    return np.array(found)


def table(found):
    """Return the lines of the table of the shares that are found, in percent."""
    within = (2, 3, 4, 6, 9, 12)
    lines = [
        f"| step in noise of {NOISE} % | "
        + " | ".join(f"within {n}" for n in within)
        + " | median |",
        "|--:|" + "--:|" * (len(within) + 1),
    ]
    for step, late in found.items():
        shares = " | ".join(f"{np.mean(late <= n):.0%}" for n in within)
        middle = float(np.median(late))
        shown = f"{middle:g}" if math.isfinite(middle) else f"more than {AFTER}"
        lines.append(f"| {step} % | {shares} | {shown} |")
    return lines


def drawing(found):
    """Return an SVG image of the share that is found against the commits since."""
    commits = range(1, AFTER + 1)
    titles = (
        "commits since the step, the first one with it included",
        f"share of steps that are found, in noise of {NOISE} %",
    )
    curves = {
        f"{step} %": (commits, [np.mean(late <= n) for n in commits])
        for step, late in found.items()
    }
    return share_curves(titles, commits, curves, legend=False)


def main():
    """Print false changes and the table; write the drawing where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--draw", type=Path, metavar="FILE")
    options = parser.parse_args()
    for tails, name in ((False, "normal noise"), (True, "tails of Student's t")):
        rate = false_points(options.runs, tails)
        print(f"{rate:.2f} false changes per 1000 commits, {name}")
    rate = seen_points(max(1, options.runs // 20))
    print(f"{rate:.2f} per 1000 commits are ever shown, normal noise")
    found = {step: delays(step, options.runs) for step in STEPS}
    print(*table(found), sep="\n")
    if options.draw:
        options.draw.write_text(drawing(found), encoding="utf-8")


if __name__ == "__main__":
    main()
