"""How soon is a change found? ``python -m benchmarks.change_points`` simulates commits.

A reader looks at the history after each commit, and whatever is shown then counts.
Without a change, each point is false. With a step, the command prints in what share of
the runs it is found within some commits, the first one with it included. The noise is
normal, 3 % of a value. There are three kinds of histories:

* ratios: what ``nbfact history --measure`` keeps of a commit, six values and six of the
  control, of which come a median, an interval and a noise floor;
* times: one value a commit, as asv keeps it;
* times, where the level and the noise are known beforehand: about the best that any
  rule can do which sees the values alone.

``--draw docs/change_points.svg`` draws the shares of the first two. ``--rival``
searches the times with Pelt of ruptures alone, for some penalties; it takes minutes.
"""

import argparse
import math
from collections.abc import Callable
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

NOISE = 0.03
"""Standard deviation of the logarithms."""

PROCESSES = 6
"""Number of values of a commit, of which a ratio is the median."""

NEAR = 2
"""Largest distance in commits of a change that is found from the step."""

WITHIN = (1, 2, 3, 4, 6, 9, 12)
"""Numbers of commits of the table."""

KNOWN = {3: 3.4, 6: 3.4}
"""Largest number of standard errors between a level that is known and the mean of the
last 3 and 6 commits. Fewer than one commit in 1000 is beyond."""

PENALTIES = (12, 18, 24)
"""Penalties of Pelt, in units of the variance, which it knows."""

Seen = list[tuple[int, int]]
"""The points that are ever shown: where each change is, and at which commit it was
found."""

Search = Callable[[np.ndarray, np.random.Generator], Seen]
"""Searches the logarithms of the levels of the commits, to which it adds noise."""


def normal(rng, shape):
    """Return normal noise."""
    return rng.normal(0, NOISE, shape)


def tails(rng, shape):
    """Return noise with the tails of Student's t with three degrees of freedom."""
    return NOISE * rng.standard_t(3, shape) / math.sqrt(3)


def spikes(rng, shape):
    """Return normal noise in which one value in 50 is 15 % to 60 % off."""
    off = rng.uniform(5, 20, shape) * rng.choice([-1, 1], shape)
    return normal(rng, shape) + NOISE * off * (rng.random(shape) < 0.02)


def times(noise=normal) -> Search:
    """Return the search of histories with one value a commit."""
    from nbfact.harness.versions.change_points import followed

    def search(levels, rng):
        logs = levels + noise(rng, len(levels))
        return followed(np.exp(logs))

    return search


def ratios(levels, rng) -> Seen:
    """Search a history of ratios with intervals."""
    from nbfact.harness.confidence import interval
    from nbfact.harness.versions.change_points import followed, standard_error
    from nbfact.harness.versions.verdicts import floor

    heads = levels[:, None] + normal(rng, (len(levels), PROCESSES))
    controls = normal(rng, (len(levels), PROCESSES))
    found = [interval(logs) for logs in heads]
    errors = [
        standard_error(ratio["low"], ratio["high"], floor(logs))
        for ratio, logs in zip(found, controls, strict=True)
    ]
    return followed([ratio["median"] for ratio in found], errors)


def known(levels, rng) -> Seen:
    """Search times whose level before the step, 0, and noise are known."""
    logs, seen, last = levels + normal(rng, len(levels)), [], -LENGTH
    sums = np.cumsum(np.concatenate([[0.0], logs])) / NOISE
    for end in range(max(KNOWN), len(logs) + 1):
        means = [(abs(sums[end] - sums[end - k]) / k**0.5, k) for k in KNOWN]
        beyond = [k for gap, k in means if gap > KNOWN[k]]
        if beyond and end - last > max(KNOWN):
            seen.append((end - beyond[0], end - 1))
            last = end
    return seen


def pelt(penalty) -> Search:
    """Return the search by Pelt of ruptures (in C), anew after each commit."""
    try:
        import ruptures
    except ModuleNotFoundError:
        message = "--rival needs ruptures: pip install ruptures"
        raise ModuleNotFoundError(message) from None

    def search(levels, rng):
        logs, seen = levels + normal(rng, len(levels)), []
        shown: list[int] = []
        for end in range(12, len(logs) + 1):
            finder = ruptures.KernelCPD(kernel="linear", min_size=2).fit(logs[:end])
            places = finder.predict(pen=penalty * NOISE**2)[:-1]
            new = [p for p in places if all(abs(p - old) > NEAR for old in shown)]
            seen += [(place, end - 1) for place in new]
            shown = places
        return seen

    return search


def false_points(search: Search, runs: int) -> float:
    """Return the number of points that are ever shown, per 1000 commits."""
    rng, levels = np.random.default_rng(0), np.zeros(LENGTH)
    count = sum(len(search(levels, rng)) for _ in range(runs))
    return 1000 * count / (runs * LENGTH)


def delays(search: Search, step: float, runs: int) -> np.ndarray:
    """Return how many commits after a step it was found, infinity where it was not."""
    rng, levels = np.random.default_rng(1), np.zeros(BEFORE + AFTER)
    levels[BEFORE:] = math.log1p(step / 100)
    found = []
    for _ in range(runs):
        late = [
            at - BEFORE + 1
            for place, at in search(levels, rng)
            if abs(place - BEFORE) <= NEAR and at >= BEFORE
        ]
        found.append(min(late, default=math.inf))
    return np.array(found)


def table(found: dict[str, np.ndarray]) -> list[str]:
    """Return the lines of the table of the shares that are found, in percent."""
    lines = [
        "| step | " + " | ".join(f"within {n}" for n in WITHIN) + " | median |",
        "|:--|" + "--:|" * (len(WITHIN) + 1),
    ]
    for step, late in found.items():
        shares = " | ".join(f"{np.mean(late <= n):.0%}" for n in WITHIN)
        middle = float(np.median(late))
        shown = f"{middle:g}" if math.isfinite(middle) else f"more than {AFTER}"
        lines.append(f"| {step} | {shares} | {shown} |")
    return lines


def drawing(found: dict[str, np.ndarray]) -> str:
    """Return an SVG image of the share that is found against the commits since."""
    commits = range(1, AFTER + 1)
    titles = (
        "commits since the step, the first one with it included",
        f"share of steps that are found, in noise of {NOISE:.0%}",
    )
    shares = {
        name: [float(np.mean(late <= n)) for n in commits]
        for name, late in found.items()
    }
    return share_curves(
        titles,
        commits,
        {name: (commits, share) for name, share in shares.items()},
        legend=True,
    )


def main() -> None:
    """Print false points and tables; write the drawing where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--draw", type=Path, metavar="FILE")
    parser.add_argument("--rival", action="store_true")
    options = parser.parse_args()
    searches: dict[str, tuple[Search, int]] = {
        "ratios": (ratios, options.runs),
        "times": (times(), options.runs),
        "times, level and noise known": (known, 10 * options.runs),
        "times, tails of Student's t": (times(tails), options.runs),
        "times, spikes": (times(spikes), options.runs),
    }
    if options.rival:
        searches = {
            f"times, Pelt with {penalty} variances": (pelt(penalty), options.runs)
            for penalty in PENALTIES
        }
    drawn: dict[str, np.ndarray] = {}
    for name, (search, runs) in searches.items():
        rate = false_points(search, runs)
        print(f"\n{name}: {rate:.2f} points per 1000 commits without a change\n")
        if name in ("times, tails of Student's t", "times, spikes"):
            continue
        found = {f"{step} %": delays(search, step, runs // 2) for step in STEPS}
        print(*table(found), sep="\n", flush=True)
        if name in ("ratios", "times"):
            drawn |= {f"{step}, {name}": found[step] for step in ("5 %", "8 %")}
    if options.draw:
        options.draw.write_text(drawing(drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
