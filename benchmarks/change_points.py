"""How soon is a change found? ``python benchmarks/change_points.py`` simulates commits.

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

COLOURS = ("#888888", "#1b6ca8", "#b3313b", "#c77d0a", "#2a9d4a")
WIDTH, HEIGHT, EDGE = 640, 360, 48  # of the drawing, in pixels


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

    def place(commits, share):
        x = EDGE + (commits - 1) / (AFTER - 1) * (WIDTH - 2 * EDGE)
        return f"{x:.1f},{HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE):.1f}"

    text = 'font-family="sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle" {text}>'
        "commits since the step, the first one with it included</text>",
        f'<text x="{EDGE}" y="20" {text}>share of steps that are found, in noise of '
        f"{NOISE} %</text>",
    ]
    for share in (0, 0.5, 1):
        ends = place(1, share), place(AFTER, share)
        parts.append(f'<polyline points="{" ".join(ends)}" stroke="#bbb" fill="none"/>')
        x, y = ends[0].split(",")
        parts.append(f'<text x="{float(x) - 38}" y="{y}" {text}>{share:.0%}</text>')
    for commits in range(1, AFTER + 1):
        x, y = place(commits, 0).split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) + 18}" text-anchor="middle" {text}>'
            f"{commits}</text>"
        )
    for (step, late), colour in zip(found.items(), COLOURS, strict=True):
        line = [place(n, np.mean(late <= n)) for n in range(1, AFTER + 1)]
        x, y = line[-1].split(",")
        parts += [
            f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>',
            f'<text x="{float(x) + 6}" y="{float(y) + 4}" fill="{colour}" {text}>'
            f"{step} %</text>",
        ]
    return "\n".join([*parts, "</svg>\n"])


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
