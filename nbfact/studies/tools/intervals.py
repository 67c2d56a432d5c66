"""Confidence intervals of a rate and of a mean, as numbers and as text."""

import math
from collections.abc import Sequence

import numpy as np
import scipy.stats

Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution, for a two-sided interval."""


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's confidence interval of a probability, by default at 95 %.

    Parameters
    ----------
    successes, trials : int
        Number of successes, and of trials: at least one.
    z : float
        Half the width of the interval, in standard deviations of a normal variable.

    Returns
    -------
    low, high : float
        Ends of the interval, both within [0, 1]. The interval holds the observed rate,
        and has a positive width even when that rate is 0 or 1.

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
    # Rounding would leave an end slightly off 0 or 1, where it is exact.
    return 0.0 if successes == 0 else low, 1.0 if successes == trials else high


def rate_text(successes: int, trials: int) -> str:
    """Return a rate as text: successes/trials and Wilson's 95 % interval.

    Parameters
    ----------
    successes, trials : int
        Number of successes, and of trials; without trials the text is empty.

    Returns
    -------
    str

    Examples
    --------
    >>> rate_text(50, 50), rate_text(0, 20), rate_text(0, 0)
    ('50/50 [.93, 1]', '0/20 [0, .16]', '')
    """
    if not trials:
        return ""
    ends = (f"{end:.2f}".removeprefix("0") for end in wilson(successes, trials))
    low, high = ({"1.00": "1", ".00": "0"}.get(end, end) for end in ends)
    return f"{successes}/{trials} [{low}, {high}]"


def half_width(values: Sequence[float], level: float = 0.95) -> float:
    """Return half the width of Student's confidence interval of the mean.

    Parameters
    ----------
    values : sequence of float
        The sample, of at least one value. One value says nothing about the spread:
        infinity is returned.
    level : float
        Confidence level of the interval.

    Returns
    -------
    float

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


def mean_text(values: Sequence[float]) -> str:
    """Return a mean and its 95 % interval as text.

    Both are rounded to two significant digits of the interval, and to at most four of
    the mean.

    Parameters
    ----------
    values : sequence of float
        The sample; without values the text is empty.

    Returns
    -------
    str

    Examples
    --------
    >>> mean_text([1.01, 1.02, 1.03]), mean_text([0.5]), mean_text([])
    ('1.020 ± 0.025', '0.5', '')
    """
    if not len(values):
        return ""
    mean, half = float(np.mean(values)), half_width(values)
    digits = 3 - _order_of_magnitude(mean)
    if not 0 < half < math.inf:
        return f"{mean:.4g}" if digits >= 0 else f"{mean:.0f}"
    digits = max(0, min(digits, 1 - _order_of_magnitude(half)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def _order_of_magnitude(number):
    """Return the largest integer e with 10^e <= |number|, and 0 for the number 0."""
    return math.floor(math.log10(abs(number))) if number else 0
