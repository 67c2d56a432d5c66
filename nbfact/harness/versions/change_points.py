"""Find the commits at which a measurement changed, and how sure that is.

Three rules, for three kinds of measurements:

* :func:`shifts`, for values that vary from commit to commit by chance, such as times.
  Whenever a commit is added, the last few are compared with those before them, back to
  the change that was found last. The means of the two differ by more than chance where
  permutations of the values seldom make them differ as much [1]_.
* :func:`jumps`, for ratios with intervals from a comparison, which show the noise by
  themselves: the rule of the gate, for which two commits are enough.
* :func:`steps`, for what does not vary, such as errors and numbers of blocks.

References
----------
.. [1] D. S. Matteson and N. A. James, A nonparametric approach for multiple change
   point analysis of multivariate data, Journal of the American Statistical Association
   109, 2014. Apache Otava (once Hunter) tests benchmarks in this way.
"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..confidence import CONFIDENCE
from . import verdicts

LEVEL = 0.01
"""Largest share of permutations that may do as well as the real order. At each commit
a change is looked for anew, so this is below the usual 0.05."""

RECENT = 6
"""Largest number of commits, counted from the last one, that are compared with those
before: a change that is older would have been found at an earlier commit."""

FEWEST = 2
"""Least number of commits on each side: one outlier is no change."""

LEARNT = 12
"""Least number of commits whose noise tells what is a change."""

WITHDRAWN = 3.0
"""Number of standard errors that a change must keep while commits follow it."""

SHORT = 4
"""Largest number of odd commits that are no change, and no second one back, once usual
ones follow them."""

WINDOW = 100
"""Largest number of commits that are looked back at."""

PERMUTATIONS = 2000
"""Number of permutations, enough to tell shares of a thousandth apart."""

HOPELESS = 2.5
"""Modulus of Student's t below which no permutation test is made: it could not find
fewer than :data:`LEVEL` of the permutations as extreme."""


@dataclass(frozen=True)
class Change:
    """A change between two commits.

    Parameters
    ----------
    index : int
        Index of the first value after the change.
    found : int
        Index of the value with which it was found.
    before, after : float
        The levels: medians of the values from the change before this one, and up to
        the next one.
    confidence : float
        One minus the probability that equal versions look as different as this.
    """

    index: int
    found: int
    before: float
    after: float
    confidence: float

    @property
    def ratio(self) -> float:
        """The level after the change over that before it."""
        return self.after / self.before if self.before else math.inf


def shifts(values: Sequence[float], level: float = LEVEL) -> list[Change]:
    """Return the changes of positive values that vary by chance.

    Parameters
    ----------
    values : sequence of float
        A positive value for each commit, in their order.
    level : float
        Share of permutations, see :data:`LEVEL`.

    Returns
    -------
    list of Change
        In the order of the commits. With fewer than about a dozen commits there are
        too few permutations for any.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = np.exp(rng.normal(0, 0.02, 30)) * np.repeat([1.0, 1.2], 15)
    >>> [(change.index, change.found) for change in shifts(values)]
    [(15, 16)]
    """
    logs = np.log(np.asarray(values, dtype=float))
    found: list[tuple[int, int, float]] = []
    for end in range(LEARNT, len(logs) + 1):
        starts = [max(0, end - WINDOW), *(start for start, *_ in found)]
        kept = len(found) - _withdrawn(logs[:end], starts)
        found, starts = found[:kept], starts[: kept + 1]
        if end - starts[-1] < 2 * FEWEST:  # a change has just been found
            continue
        size, share = _last_part(logs[:end], starts, level)
        if share <= level:
            found.append((end - size, end - 1, 1 - share))
    starts = _refined(logs, [start for start, *_ in found])
    return _changes(values, starts, found)


def _residuals(logs, starts):
    """Return values less the mean of their part, for parts that begin at `starts`.

    Of several parts, each value is compared with the others of its part: the mean of
    what is drawn from all of them is not zero, and is subtracted once more.
    """
    parts = np.split(logs[starts[0] :], np.subtract(starts[1:], starts[0]))
    if len(parts) == 1:
        return parts[0] - parts[0].mean()
    scales = [len(part) / (len(part) - 1) for part in parts]
    pairs = zip(parts, scales, strict=True)
    return np.concatenate([scale * (part - part.mean()) for part, scale in pairs])


def _withdrawn(logs, starts):
    """Return how many of the last changes those commits that followed speak against.

    That is the last one; or the last two, where few commits lie between them and the
    level after them is that before them.
    """
    edges = [*starts, len(logs)]
    for count in range(1, min(3, len(starts))):
        if count == 2 and edges[-2] - edges[-3] > SHORT:
            break
        before, after = logs[edges[-2 - count] : edges[-1 - count]], logs[edges[-2] :]
        error = np.sqrt(1 / len(before) + 1 / len(after))
        error *= _residuals(logs, starts).std()
        if abs(after.mean() - before.mean()) < WITHDRAWN * error:
            return count
    return 0


def _last_part(logs, starts, level):
    """Return how many of the last values differ most from the others, and how likely.

    That is a number of values, and the share of permutations that differ as much. What
    is permuted are the residuals of all parts, of which as many are drawn as the last
    part has: so a part that has just begun is judged by the noise of those before it.
    """
    noise = _residuals(logs, starts)
    part = logs[starts[-1] :] - logs[starts[-1] :].mean()
    sizes = np.arange(FEWEST, min(RECENT, len(part) - FEWEST) + 1)
    gaps = _gaps(part[None], sizes)[0]
    best = int(np.argmax(gaps))
    # What is left of the variance when the parts may have different means.
    rest = np.sum(noise**2) - gaps[best] ** 2
    if gaps[best] ** 2 * (len(noise) - 2) <= HOPELESS**2 * rest:
        return int(sizes[best]), 1.0
    drawn = noise[_permutations(len(noise))[:, : len(part)]]
    drawn -= drawn.mean(axis=1, keepdims=True)
    as_far = np.count_nonzero(
        _gaps(drawn, sizes).max(axis=1) >= gaps[best] * (1 - 1e-9)
    )
    return int(sizes[best]), (1 + as_far) / (1 + PERMUTATIONS)


def _gaps(rows, sizes):
    """Return the modulus of the difference of means, in units of its standard error.

    For each row of values with the mean zero, and each number of last values; the unit
    is the standard error for values with the standard deviation 1.
    """
    n = rows.shape[1]
    tails = np.cumsum(rows[:, ::-1][:, : sizes[-1]], axis=1)[:, sizes - 1]
    return np.abs(tails) * np.sqrt(n / (sizes * (n - sizes)))


@functools.lru_cache(maxsize=WINDOW + 1)
def _permutations(n):
    """Return permutations of n values, the same in each process."""
    rng = np.random.default_rng(n)
    return rng.permuted(np.tile(np.arange(n), (PERMUTATIONS, 1)), axis=1)


def _refined(logs, starts):
    """Return where parts begin, each moved to where the means on both sides fit best.

    What was found with the first commits after a change can be off by a few.
    """
    edges = [0, *starts, len(logs)]
    for i in range(1, len(edges) - 1):
        low, high = edges[i - 1], edges[i + 1]
        part = logs[low:high] - logs[low:high].mean()
        n = len(part)
        heads = np.arange(1, n)
        near = np.abs(heads + low - edges[i]) <= RECENT
        gaps = np.abs(np.cumsum(part)[:-1]) * np.sqrt(n / (heads * (n - heads)))
        edges[i] = low + int(heads[np.argmax(np.where(near, gaps, -1))])
    return edges[1:-1]


def _changes(values, starts, found):
    """Return changes with the levels on both sides."""
    edges = [0, *starts, len(values)]
    levels = [float(np.median(values[a:b])) for a, b in itertools.pairwise(edges)]
    return [
        Change(start, max(at, start), before, after, confidence)
        for start, (_, at, confidence), before, after in zip(
            starts, found, levels, levels[1:], strict=False
        )
    ]


def jumps(
    ratios: Sequence[Mapping[str, float]], floors: Sequence[float]
) -> list[Change]:
    """Return the changes of ratios that have intervals.

    Parameters
    ----------
    ratios : sequence of mapping
        ``median``, ``low`` and ``high`` of each commit, all over the same baseline, as
        :func:`nbfact.harness.confidence.interval` returns them.
    floors : sequence of float
        Noise floor of each commit, see :func:`nbfact.harness.versions.verdicts.floor`.

    Returns
    -------
    list of Change
        A commit changes the ratio where its interval lies beyond that of the commit at
        which the present level began, by more than the threshold of the gate.

    Examples
    --------
    >>> ratios = [{"median": m, "low": 0.99 * m, "high": 1.01 * m} for m in (1, 1, 1.2)]
    >>> [change.index for change in jumps(ratios, [0.001] * 3)]
    [2]
    """
    start, found = 0, []
    for index in range(1, len(ratios)):
        limit = 1 + verdicts.threshold(max(floors[start], floors[index]))
        here, there = ratios[index], ratios[start]
        slower = here["low"] > limit * there["high"]
        if slower or here["high"] * limit < there["low"]:
            start = index
            found.append((index, index, CONFIDENCE))
    medians = [ratio["median"] for ratio in ratios]
    return _changes(medians, [start for start, *_ in found], found)


def steps(values: Sequence[float], factor: float, more: float = 0.0) -> list[Change]:
    """Return the changes of values that do not vary by chance.

    Parameters
    ----------
    values : sequence of float
        A value of at least zero for each commit.
    factor, more : float
        A value up to ``factor * level + more`` is no change, where `level` is the value
        of the commit at which the present level began; nor is one of which that holds
        the other way round.

    Returns
    -------
    list of Change

    Examples
    --------
    >>> [change.index for change in steps([1e-16, 2e-16, 1e-12], 4.0, 1e-15)]
    [2]
    """
    start, found = 0, []
    for index in range(1, len(values)):
        low, high = sorted((values[start], values[index]))
        if high > factor * low + more:
            start = index
            found.append((index, index, 1.0))
    return _changes(values, [start for start, *_ in found], found)
