"""Decide what side-by-side samples say: ratios with intervals, noise floor, verdict.

A sample is the median log-ratio of one process: the logarithm of the time of a version,
or of a copy of the base (the *control*), over the time of the base. No assumption is
made about how samples are distributed.

:func:`settle` decides on speed, :func:`accuracy` on errors, and :func:`exit_code` on
what a gate exits with.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

CONFIDENCE = 0.99
"""Probability that an interval of :func:`interval` contains the true median. Fewer than
eight samples cannot give it."""

LEAST = 0.05
"""Largest slowdown that is never called a regression, however little noise there is."""

FLOORS = 3
"""A slowdown up to this many noise floors (see :func:`floor`) is no regression."""

BLIND = 0.25
"""Largest threshold (see :func:`threshold`) at which a verdict on speed is given. Above
it the noise hides slowdowns that matter, and the case is not measurable."""

BATCHES = 3
"""Largest number of independent batches of processes in which a case is measured."""

SLACK = 1.05
"""Largest error of approximation, in units of that of the base, that is no loss of
accuracy. It holds where errors have no bound."""

SLOWER, INACCURATE = "slower", "less accurate"
BROKEN, MISSING, UNMEASURED = "broken", "missing", "not measurable"
SAME, FASTER, NEW, CHANGED = "same", "faster", "new", "changed"

AGAINST = (SLOWER, INACCURATE, BROKEN, MISSING)
"""Verdicts against the head, for which a gate fails."""

EXIT_CODES = {BROKEN: 2, MISSING: 2, SLOWER: 1, INACCURATE: 1, UNMEASURED: 3}
"""Exit codes of a gate for the verdicts that do not pass. Where several verdicts occur,
the first of them in this order decides."""

Logs = Sequence[float] | np.ndarray
"""Samples: log-ratios, one for each process."""


def interval(logs: Logs) -> dict:
    """Return the median ratio of some samples, with a 99 % interval.

    Parameters
    ----------
    logs : sequence of float
        Log-ratios, one for each process.

    Returns
    -------
    dict
        ``median``, ``low`` and ``high`` of the ratio, and ``samples``, the ratios.

    Notes
    -----
    The ends of the interval are two of the samples, the k-th from below and the k-th
    from above, with the largest k at which the binomial distribution, which counts the
    samples on one side of the true median, still gives 99 %. With fewer than eight
    samples they are the least and the largest.

    Examples
    --------
    >>> found = interval(np.log([1.0, 1.1, 1.2]))
    >>> round(found["median"], 9), round(found["low"], 9), round(found["high"], 9)
    (1.1, 1.0, 1.2)
    """
    ratios = np.exp(np.sort(logs))
    n = len(ratios)
    below, tail = 0, 0.5**n  # probability of at most `below` samples on one side
    while 2 * (tail + math.comb(n, below + 1) * 0.5**n) <= 1 - CONFIDENCE:
        below += 1
        tail += math.comb(n, below) * 0.5**n
    return {
        "median": float(np.median(ratios)),
        "low": float(ratios[below]),
        "high": float(ratios[n - 1 - below]),
        "samples": [float(f"{ratio:.5g}") for ratio in np.exp(logs)],
    }


def floor(logs: Logs) -> float:
    """Return the noise floor: how far from 1 a ratio of equal versions may come out.

    It is also called the A/A floor, because it comes from comparing a version with a
    copy of itself.

    Parameters
    ----------
    logs : sequence of float
        Log-ratios of the control, one for each process.

    Returns
    -------
    float
        The modulus of their median, which is a bias, or the standard error of that
        median, whichever is larger.

    Notes
    -----
    The standard error is taken from the median modulus. If the samples were normal,
    1.4826 times it would be their standard deviation around zero, and 1.2533 over the
    root of their number times that the standard error of the median.

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
    """Return the relative slowdown beyond which a case is called slower.

    Parameters
    ----------
    floor : float
        Noise floor of the case, from :func:`floor`.

    Examples
    --------
    >>> threshold(0.001), round(threshold(0.03), 9)
    (0.05, 0.09)
    """
    return max(LEAST, FLOORS * floor)


def speed(head: Logs, control: Logs) -> str:
    """Return the verdict on the speed of some samples.

    Parameters
    ----------
    head, control : sequence of float
        Log-ratios of the head and of the control to the base, one for each process.

    Returns
    -------
    str
        ``slower`` where the whole interval of the ratio lies above 1 + threshold, and
        ``faster`` where it lies below 1 / (1 + threshold). ``not measurable`` where
        the threshold exceeds :data:`BLIND`, or where the median is above the threshold
        and the interval reaches below it. Else ``same``.

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
    batches: Sequence[tuple[Logs, Logs]],
) -> tuple[str, bool]:
    """Return the verdict on the speed of a case, and whether it is final.

    Parameters
    ----------
    batches : sequence of (head, control)
        Samples of independent batches, as :func:`speed` takes them; at least one.

    Returns
    -------
    verdict : str
        ``slower`` only where two batches say so, each on its own; otherwise the verdict
        on all samples together.
    final : bool
        Whether no further batch is needed, or :data:`BATCHES` are made.

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
    """Return a message about an error that is too large, None if it is not.

    Parameters
    ----------
    base, head : float or None
        Relative errors of the two versions; None is an error that is not finite.
    bound : float or None
        Largest error that is right, by the case of the base. None where errors are
        those of an approximation, which may exceed that of the base by 5 %.
    eps : float
        Machine epsilon of the dtype. An error up to four of them is rounding.

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
    limit = max(limit, base)  # where the base exceeds it, the head is not to blame
    if head is not None and head <= limit:
        return None
    shown = "not finite" if head is None else f"{head:.1e}"
    return f"error {shown}, bound {limit:.1e} (base: {base:.1e})"


def exit_code(verdicts: Sequence[Mapping]) -> int:
    """Return the exit code of a gate for some verdicts; 2 if nothing was measured.

    Parameters
    ----------
    verdicts : sequence of mapping
        Rows of kind ``verdict``.

    Examples
    --------
    >>> exit_code([{"verdict": "same"}, {"verdict": "slower"}])
    1
    >>> exit_code([])
    2
    """
    found = {row["verdict"] for row in verdicts}
    if not found - {NEW, CHANGED}:
        return EXIT_CODES[BROKEN]
    codes = (code for verdict, code in EXIT_CODES.items() if verdict in found)
    return next(codes, 0)
