"""How sure a rate is, and a mean."""

import math
from collections.abc import Sequence

import numpy as np
import scipy.stats

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval of a probability, 95 % unless told.

    Parameters
    ----------
    successes, trials : int
        At least one trial.
    z : float
        How many standard deviations wide to each side.

    Returns
    -------
    low, high : float
        Within [0, 1]; it holds the observed rate, and is not empty at 0 and at 1.

    References
    ----------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    J. Am. Stat. Assoc. 22, 1927.

    Examples
    --------
    >>> low, high = wilson(50, 50)
    >>> round(low, 4), high
    (0.9287, 1.0)
    """
    rate, spread = successes / trials, z * z / trials
    centre = rate + spread / 2
    half = math.sqrt(spread * (rate * (1 - rate) + spread / 4))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # At the ends exactly, where rounding would leave them.
    return 0.0 if successes == 0 else low, 1.0 if successes == trials else high


def told(successes: int, trials: int) -> str:
    """Return a count and its interval as text.

    Examples
    --------
    >>> told(50, 50), told(0, 20), told(0, 0)
    ('50/50 [.93, 1]', '0/20 [0, .16]', '')
    """
    if not trials:
        return ""
    ends = (f"{end:.2f}".removeprefix("0") for end in wilson(successes, trials))
    low, high = ({"1.00": "1", ".00": "0"}.get(end, end) for end in ends)
    return f"{successes}/{trials} [{low}, {high}]"


def half_width(values: Sequence[float], level: float = 0.95) -> float:
    """Return how far Student's interval of the mean reaches to each side.

    Parameters
    ----------
    values : sequence of float
        At least one; of one, nothing is known and infinity is returned.
    level : float
        Of the interval.

    Examples
    --------
    >>> round(half_width([1.0, 2.0, 3.0]), 3), half_width([1.0])
    (2.484, inf)
    """
    n = len(values)
    if n == 1:
        return math.inf
    error = float(np.std(values, ddof=1)) / math.sqrt(n)
    return float(scipy.stats.t.ppf((1 + level) / 2, n - 1)) * error


def told_mean(values: Sequence[float]) -> str:
    """Return a mean and its 95 % interval as text.

    To two digits of the interval, and to four of the mean at most.

    Examples
    --------
    >>> told_mean([1.01, 1.02, 1.03]), told_mean([0.5]), told_mean([])
    ('1.020 ± 0.025', '0.5', '')
    """
    if not len(values):
        return ""
    mean, half = float(np.mean(values)), half_width(values)
    digits = 3 - _order(mean)
    if not 0 < half < math.inf:
        return f"{mean:.4g}" if digits >= 0 else f"{mean:.0f}"
    digits = max(0, min(digits, 1 - _order(half)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def _order(number):
    """Return which power of ten a number is at least; 0 for 0."""
    return math.floor(math.log10(abs(number))) if number else 0
