"""What side-by-side samples say: ratios with intervals, the noise floor, a verdict.

A sample is the median log-ratio of one process: of a version to the base, or of a copy
of the base to the base (the control). Nothing is assumed of how they are distributed.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

CONFIDENCE = 0.99
"""Of intervals, where there are eight samples or more; fewer cannot give it."""

LEAST = 0.05
"""A slowdown up to this is never called a regression."""

FLOORS = 3
"""Nor is one up to so many times the A/A floor of the case."""

BLIND = 0.25
"""Where the threshold exceeds this, what matters cannot be seen: not measurable."""

BATCHES = 3
"""Independent batches of processes that a case gets at most."""

SLACK = 1.05
"""Times the base's error that an error of approximation, which has no bound, may be."""

SLOWER, INACCURATE = "slower", "less accurate"
BROKEN, MISSING, UNMEASURED = "broken", "missing", "not measurable"
SAME, FASTER, NEW, CHANGED = "same", "faster", "new", "changed"

EXIT_CODES = {BROKEN: 2, MISSING: 2, SLOWER: 1, INACCURATE: 1, UNMEASURED: 3}
"""Of the gate, for the verdicts that do not pass; the first of these counts."""


def interval(logs: Sequence[float]) -> dict:
    """Return the median ratio of some samples, and an interval that holds the true one.

    Parameters
    ----------
    logs : sequence of float
        Log-ratios, one a process.

    Returns
    -------
    dict
        ``median``, ``low`` and ``high`` of the ratio, and ``samples``, the ratios. The
        interval lies between two of them: so far in from both ends as a binomial
        count allows at 99 %; with fewer than eight, the ends.

    Examples
    --------
    >>> found = interval(np.log([1.0, 1.1, 1.2]))
    >>> round(found["median"], 9), round(found["low"], 9), round(found["high"], 9)
    (1.1, 1.0, 1.2)
    """
    ratios = np.exp(np.sort(logs))
    n = len(ratios)
    below, tail = 0, 0.5**n  # P(fewer than `below` + 1 samples on one side)
    while 2 * (tail + math.comb(n, below + 1) * 0.5**n) <= 1 - CONFIDENCE:
        below += 1
        tail += math.comb(n, below) * 0.5**n
    return {
        "median": float(np.median(ratios)),
        "low": float(ratios[below]),
        "high": float(ratios[n - 1 - below]),
        "samples": [float(f"{ratio:.5g}") for ratio in np.exp(logs)],
    }


def floor(logs: Sequence[float]) -> float:
    """Return the A/A floor: how far from 1 a ratio of equal versions may come out.

    Parameters
    ----------
    logs : sequence of float
        Log-ratios of the control, one a process.

    Returns
    -------
    float
        The larger of the modulus of their median, which is a bias, and of its standard
        error, from the median modulus: 1.4826 times that is the deviation around zero
        were they normal, 1.2533 over the root of their number makes it the median's.

    Examples
    --------
    >>> round(floor([0.01, -0.01, 0.01, 0.5]), 6)
    0.01
    """
    logs = np.asarray(logs)
    deviation = 1.4826 * np.median(np.abs(logs))
    error = 1.2533 * deviation / math.sqrt(len(logs))
    return float(max(abs(np.median(logs)), error))


def threshold(floor: float) -> float:
    """Return the slowdown beyond which a case is called slower.

    Examples
    --------
    >>> threshold(0.001), round(threshold(0.03), 9)
    (0.05, 0.09)
    """
    return max(LEAST, FLOORS * floor)


def speed(head: Sequence[float], control: Sequence[float]) -> str:
    """Return the verdict on some samples.

    Parameters
    ----------
    head, control : sequence of float
        Log-ratios to the base, one a process.

    Returns
    -------
    str
        ``slower`` where the whole interval is beyond the threshold, ``faster`` where
        it is beyond it on the other side; ``not measurable`` where the threshold
        exceeds :data:`BLIND`, or the median is beyond it and the interval is not;
        else ``same``.

    Examples
    --------
    >>> speed([0.3, 0.31, 0.29], [0.0, 0.01, -0.01])
    'slower'
    >>> speed([0.001, 0.01, -0.01], [0.0, 0.01, -0.01])
    'same'
    """
    limit = threshold(floor(control))
    found = interval(head)
    if limit > BLIND:
        return UNMEASURED
    if found["median"] > 1 + limit:
        return SLOWER if found["low"] > 1 + limit else UNMEASURED
    return FASTER if found["high"] < 1 / (1 + limit) else SAME


def settle(
    batches: Sequence[tuple[Sequence[float], Sequence[float]]],
) -> tuple[str, bool]:
    """Return the verdict on independent batches, and whether no more is needed.

    Parameters
    ----------
    batches : sequence of (head, control)
        As :func:`speed` takes them; at least one.

    Returns
    -------
    verdict : str
        ``slower`` only where two batches say so, each by itself; what all samples
        together say otherwise.
    final : bool
        Whether to stop; :data:`BATCHES` end it in any case.

    Examples
    --------
    >>> slow = [0.3, 0.31, 0.29], [0.0, 0.01, -0.01]
    >>> settle([slow]), settle([slow, slow])
    (('not measurable', False), ('slower', True))
    """
    if [speed(*batch) for batch in batches].count(SLOWER) >= 2:
        return SLOWER, True
    pooled = speed(*(np.concatenate(logs) for logs in zip(*batches, strict=True)))
    if pooled in (SAME, FASTER):
        return pooled, True
    return UNMEASURED, len(batches) >= BATCHES


def accuracy(
    base: float | None, head: float | None, bound: float | None, eps: float
) -> str | None:
    """Return what is wrong with an error, or None.

    Parameters
    ----------
    base, head : float or None
        Relative errors; None is one that is not finite.
    bound : float or None
        The largest that is right, of the base; None where errors are of approximation:
        then 5 % above the base's is too much.
    eps : float
        Of the dtype: four units in the last place are rounding.

    Returns
    -------
    str or None

    Examples
    --------
    >>> accuracy(1e-7, 1e-5, 2e-6, 1e-7)
    'error 1.0e-05, bound 2.0e-06 (base: 1.0e-07)'
    >>> accuracy(0.1, 0.101, None, 1e-16) is None
    True
    """
    if base is None:
        return None
    limit = bound if bound is not None else max(SLACK * base, 4 * eps)
    limit = max(limit, base)  # the base is beyond it: that is not head's doing
    if head is not None and head <= limit:
        return None
    told = "not finite" if head is None else f"{head:.1e}"
    return f"error {told}, bound {limit:.1e} (base: {base:.1e})"


def exit_code(verdicts: Sequence[Mapping]) -> int:
    """Return the gate's exit code for some verdicts; 2 where there is none.

    Examples
    --------
    >>> exit_code([{"verdict": "same"}, {"verdict": "slower"}])
    1
    >>> exit_code([])
    2
    """
    found = {row["verdict"] for row in verdicts}
    if not found - {NEW, CHANGED}:
        return EXIT_CODES[BROKEN]  # nothing was measured
    codes = (code for verdict, code in EXIT_CODES.items() if verdict in found)
    return next(codes, 0)
