"""Find the commits at which a measurement changed, and how sure that is.

Two rules, for two kinds of measurements:

* :func:`shifts`, for values that vary from commit to commit by chance, such as times
  and ratios. Whenever a commit is added, the last few are compared with those before
  them, back to the change that was found last, for several numbers of last commits
  [1]_. A change is a difference of the means that Student's t finds too large for
  chance. The noise is estimated from the values; or it is known, where comparisons
  come with intervals, and then two commits are enough.
* :func:`steps`, for what does not vary, such as errors and numbers of blocks.

References
----------
.. [1] T. L. Lai, Sequential changepoint detection in quality control and dynamical
   systems, Journal of the Royal Statistical Society B 57, 1995: windows of several
   sizes that end at the newest value, a generalized likelihood ratio for each.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

CHANCES = {2: 1e-4, 3: 5e-4, 4: 2e-4, 6: 5e-4, 9: 2e-4}
"""The chance below which a difference counts, for each number of last commits that are
compared with those before. The windows overlap, so that the chances together are not
their sum: about one commit in 2000 without a change looks like one
(``python -m benchmarks.change_points``). Two commits would be fooled by an outlier, and
have to be very sure; one commit is never enough."""

SURE = {1: 5e-5, **CHANCES}
"""The same for values whose noise is known. Each was measured several times, so one can
be enough."""

LEARNT = 12
"""Least number of commits whose noise tells what is a change."""

FEWEST = 3
"""Least number of commits before those that are compared with them."""

CLIP = 3.3
"""Number of standard deviations beyond which a value counts as being that far off.
A single outlier, which a loaded machine makes, is no change."""

KEPT = 2.0
"""Number of standard errors that a change must keep while commits follow it."""

SHORT = 4
"""Largest number of odd commits that are no change, and no second one back, once usual
ones follow them."""

NEAR = 6
"""Largest number of commits by which the first one of a change may be corrected, when
those that follow show it better."""

WINDOW = 400
"""Largest number of commits that are looked back at."""

DEGREES = 5
"""Degrees of freedom of what :func:`standard_error` returns, of six samples."""

LEAST = 0.025
"""Least change of values whose noise is known: half of the gate's least threshold,
since two builds of equal code differ by as much as a percent or two."""

MAD = 1.4826
"""Standard deviation over the median modulus, of normal noise."""

NORMAL = 2 * 2.5758
"""Width of an interval at 99 % over its standard error, of normal noise. The range of
six samples is 5.0 standard errors of their median."""


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


def shifts(
    values: Sequence[float], errors: Sequence[float] | None = None
) -> list[Change]:
    """Return the changes of positive values that vary by chance.

    Parameters
    ----------
    values : sequence of float
        A positive value for each commit, in their order.
    errors : sequence of float, optional
        Standard error of the logarithm of each value, where it is known, as from
        :func:`standard_error`. By default the noise is estimated from the values, which
        takes a dozen commits.

    Returns
    -------
    list of Change
        In the order of the commits.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = np.exp(rng.normal(0, 0.02, 30)) * np.repeat([1.0, 1.2], 15)
    >>> [(change.index, change.found) for change in shifts(values)]
    [(15, 17)]
    >>> [change.index for change in shifts([1.0, 1.01, 1.2], [0.004] * 3)]
    [2]
    """
    return _changes(values, _search(values, errors)[0])


def followed(
    values: Sequence[float], errors: Sequence[float] | None = None
) -> list[tuple[int, int]]:
    """Return all changes that are shown to a reader who looks after each commit.

    Parameters
    ----------
    values, errors : sequence of float
        As for :func:`shifts`.

    Returns
    -------
    list of (int, int)
        The index of the first value after a change, as it was first shown, and that of
        the value with which it was found. Some are withdrawn later on.

    Examples
    --------
    >>> followed([1.0, 1.01, 1.2, 1.2], [0.004] * 4)
    [(2, 2)]
    """
    return _search(values, errors)[1]


def _search(values, errors):
    """Return the changes that are left at the end, and all that were ever found.

    The first ones are triples: where the change is, where it was found, and the
    confidence.
    """
    history = _Noisy(values, errors)
    found: list[tuple[int, int, float]] = []
    ever: list[tuple[int, int]] = []
    for end in range(2 if history.known else LEARNT, len(values) + 1):
        first = max(0, end - WINDOW)
        starts = [first, *(start for start, *_ in found if start > first)]
        kept = len(found) - history.withdrawn(starts, end)
        found, starts = found[:kept], starts[: len(starts) - len(found) + kept]
        new = history.newest(starts, end)
        if new is not None:
            found.append((new[0], end - 1, new[1]))
            ever.append((new[0], end - 1))
        if found and end - found[-1][1] <= NEAR:
            places = _refined(history.logs[:end], [start for start, *_ in found])
            pairs = zip(places, found, strict=True)
            found = [(place, *rest) for place, (_, *rest) in pairs]
    return found, ever


def standard_error(low: float, high: float, floor: float | None = None) -> float:
    """Return the standard error of the logarithm of a ratio that has an interval.

    Parameters
    ----------
    low, high : float
        The interval, from :func:`nbfact.harness.confidence.interval`.
    floor : float, optional
        Noise floor of the comparison, see
        :func:`nbfact.harness.versions.verdicts.floor`; the error is at least that.

    Examples
    --------
    >>> round(standard_error(0.99, 1.01), 4), standard_error(1.0, 1.0, 0.01)
    (0.0039, 0.01)
    """
    return max(math.log(high / low) / NORMAL, floor or 0.0)


class _Noisy:
    """Logarithms of the values of one line, and what is known of their noise."""

    def __init__(self, values, errors):
        self.logs = np.log(np.asarray(values, dtype=float))
        self.known = errors is not None
        self.variances = np.square(np.asarray(errors if self.known else [], float))
        self.chances = SURE if self.known else CHANCES

    def parts(self, starts, end):
        """Return the values of each part, clipped; parts begin at `starts`.

        The last commits can be of a new level, so those before them tell what is usual.
        """
        edges = [*starts, end]
        parts = [self.logs[a:b] for a, b in itertools.pairwise(edges)]
        if self.known:
            return parts
        n = len(parts[-1])
        usual = [*parts[:-1], parts[-1][: max(n - NEAR, 3 * n // 4, 1)]]
        middles = [np.median(part) for part in usual]
        off = np.concatenate([p - m for p, m in zip(usual, middles, strict=True)])
        reach = CLIP * (MAD * np.median(np.abs(off)) or off.std())
        if not reach:
            return parts
        pairs = zip(parts, middles, strict=True)
        return [np.clip(part, m - reach, m + reach) for part, m in pairs]

    def noise(self, squares, degrees, starts, end):
        """Return the variance of a value, and its degrees of freedom.

        `squares` are sums of squares around the means of parts. Known errors are taken
        unless the values vary more than they say.
        """
        variances = np.maximum(squares, 1e-24) / np.maximum(degrees, 1)
        degrees = np.broadcast_to(degrees, variances.shape)
        if not self.known:
            return variances, degrees
        known = self.variances[starts[0] : end]
        known = known[known > 0]
        usual = known.mean() if len(known) else 1e-24
        larger = (variances > usual) & (degrees >= LEARNT)
        many = np.maximum(DEGREES * len(known), 1)
        return np.where(larger, variances, usual), np.where(larger, degrees, many)

    def newest(self, starts, end):
        """Return where a change begins that is found with the last value, or None.

        The second number is the confidence.
        """
        *earlier, part = self.parts(starts, end)
        fewest = 1 if self.known else FEWEST
        sizes = [k for k in self.chances if len(part) - k >= max(fewest, k)]
        if not sizes:
            return None
        k = np.array(sizes)
        m = len(part) - k
        part = part - part.mean()
        sums, squares = np.cumsum(part), np.cumsum(part**2)
        heads = sums[m - 1]  # the sum of the last values is minus that
        gaps = -heads / k - heads / m
        within = squares[-1] - heads**2 * (1 / m + 1 / k)
        within = within + sum(((p - p.mean()) ** 2).sum() for p in earlier)
        degrees = end - starts[0] - len(starts) - 1
        variances, degrees = self.noise(within, degrees, starts, end)
        errors = np.sqrt(variances * (1 / k + 1 / m))
        shares = 2 * stdtr(degrees, -np.abs(gaps) / errors)
        if self.known:
            shares[np.abs(gaps) < LEAST] = 1.0
        counts = shares <= [self.chances[size] for size in sizes]
        if not counts.any():
            return None
        best = int(np.argmax(np.where(counts, np.abs(gaps) / errors, -1.0)))
        return end - sizes[best], 1 - float(shares[best])

    def withdrawn(self, starts, end):
        """Return how many of the last changes the commits after them speak against.

        That is the last one; or the last two, where few commits lie between them and
        the level after them is that before them.
        """
        if len(starts) < 2:
            return 0
        parts = self.parts(starts, end)
        squares = sum(((part - part.mean()) ** 2).sum() for part in parts)
        degrees = end - starts[0] - len(starts)
        variance, _ = self.noise(np.array([squares]), degrees, starts, end)
        for count in (1,) if self.known else range(1, min(3, len(starts))):
            if count == 2 and len(parts[-2]) > SHORT:
                break
            before, after = parts[-1 - count], parts[-1]
            error = math.sqrt(variance[0] * (1 / len(before) + 1 / len(after)))
            if abs(after.mean() - before.mean()) < KEPT * error:
                return count
        return 0


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
        near = np.abs(heads + low - edges[i]) <= NEAR
        gaps = np.abs(np.cumsum(part)[:-1]) * np.sqrt(n / (heads * (n - heads)))
        edges[i] = low + int(heads[np.argmax(np.where(near, gaps, -1))])
    return edges[1:-1]


def _changes(values, found):
    """Return changes with the levels on both sides."""
    starts = [start for start, *_ in found]
    edges = [0, *starts, len(values)]
    levels = [float(np.median(values[a:b])) for a, b in itertools.pairwise(edges)]
    return [
        Change(start, max(at, start), before, after, confidence)
        for start, (_, at, confidence), before, after in zip(
            starts, found, levels, levels[1:], strict=False
        )
    ]


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
    return _changes(values, found)
