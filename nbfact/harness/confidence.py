"""Intervals across processes.

Where a process places code and memory is chance, and moves the times of all its calls:
rounds in one process say nothing about the next one. So a sample is what one process
found. No assumption is made about how samples are distributed.
"""

import math
from collections.abc import Sequence

import numpy as np

CONFIDENCE = 0.99
"""Probability that an interval of :func:`interval` contains the true median. Fewer than
eight samples cannot give it."""

Logs = Sequence[float] | np.ndarray
"""Samples: log-ratios, one for each process."""


def interval(logs: Logs, confidence: float = CONFIDENCE) -> dict:
    """Return the median ratio of some samples, with an interval at 99 %.

    Parameters
    ----------
    logs : sequence of float
        Log-ratios, one for each process.
    confidence : float
        Probability that the interval contains the true median.

    Returns
    -------
    dict
        ``median``, ``low`` and ``high`` of the ratio, and ``samples``, the ratios.

    Notes
    -----
    The ends of the interval are two of the samples, the k-th from below and the k-th
    from above, with the largest k at which the binomial distribution, which counts the
    samples on one side of the true median, still gives 99 %. With fewer than eight
    samples (five, at 90 %) they are the least and the largest.

    Examples
    --------
    >>> found = interval(np.log([1.0, 1.1, 1.2]))
    >>> round(found["median"], 9), round(found["low"], 9), round(found["high"], 9)
    (1.1, 1.0, 1.2)
    """
    ratios = np.exp(np.sort(logs))
    n = len(ratios)
    below, tail = 0, 0.5**n  # probability of at most `below` samples on one side
    while 2 * (tail + math.comb(n, below + 1) * 0.5**n) <= 1 - confidence:
        below += 1
        tail += math.comb(n, below) * 0.5**n
    return {
        "median": float(np.median(ratios)),
        "low": float(ratios[below]),
        "high": float(ratios[n - 1 - below]),
        "samples": [float(f"{ratio:.5g}") for ratio in np.exp(logs)],
    }
