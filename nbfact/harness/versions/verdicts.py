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

from ..confidence import Logs, interval

EQUAL = 0.9
"""Confidence of the interval that must lie within the threshold on both sides for two
versions to count as the same: the usual one of tests of equivalence, whose risk on each
side is 5 %. One odd process in eight does not widen it."""

LEAST = 0.05
"""Largest slowdown that is never called a regression, however little noise there is."""

FLOORS = 3
"""A slowdown up to this many noise floors (see :func:`floor`) is no regression."""

BLIND = 0.25
"""Largest threshold (see :func:`threshold`) at which a verdict on speed is given. Above
it the noise hides slowdowns that matter, and the case is inconclusive."""

EARLY = 5
"""Number of processes of a batch after which :func:`alike` may close a case: the least
number whose smallest and largest sample are the ends of a 90 % interval."""

BATCHES = 5
"""Largest number of independent batches of processes in which a case is measured."""

SLACK = 1.05
"""Largest error of approximation, in units of that of the base, that is no loss of
accuracy. It holds where errors have no bound."""

LOOSER = 4.0
"""Largest error, in units of that of the base, that is no loss of accuracy where errors
have a bound: sums in another order change an error of rounding by less. Four units in
the last place are allowed besides, because the base may be exact by chance."""

TOLERATED = 0.05
"""Largest share of inconclusive cases with which a gate passes."""

SLOWER, INACCURATE, HEAVIER = "slower", "less accurate", "more memory"
LATER, UNSTEADY, SUSPECT = "slower first call", "not repeatable", "suspicious"
BROKEN, MISSING, INCONCLUSIVE = "broken", "missing", "inconclusive"
SAME, FASTER, NEW, CHANGED = "same", "faster", "new", "changed"
NOT_SLOWER = "not slower"

AGAINST = (
    *(BROKEN, MISSING, CHANGED),
    *(INACCURATE, UNSTEADY, SUSPECT, SLOWER, HEAVIER, LATER),
)
"""Verdicts against the head, for which a gate fails, the worst one first."""

EXIT_CODES = {
    **dict.fromkeys((BROKEN, MISSING, CHANGED), 2),
    **dict.fromkeys((INACCURATE, UNSTEADY, SUSPECT, SLOWER, HEAVIER, LATER), 1),
    INCONCLUSIVE: 3,
}
"""Exit codes of a gate for the verdicts that do not pass. Where several verdicts occur,
the first of them in this order decides."""


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


def threshold(floor: float, least: float | None = None) -> float:
    """Return the relative slowdown beyond which a case is called slower.

    Parameters
    ----------
    floor : float
        Noise floor of the case, from :func:`floor`.
    least : float, optional
        Least threshold, by default :data:`LEAST`.

    Examples
    --------
    >>> threshold(0.001), round(threshold(0.03), 9)
    (0.05, 0.09)
    """
    return max(LEAST if least is None else least, FLOORS * floor)


def speed(head: Logs, control: Logs, least: float | None = None) -> str:
    """Return the verdict on the speed of some samples.

    Parameters
    ----------
    head, control : sequence of float
        Log-ratios of the head and of the control to the base, one for each process.
    least : float, optional
        Least threshold of the case, by default :data:`LEAST`.

    Returns
    -------
    str
        ``slower`` where the whole interval of the ratio at 99 % lies above 1 +
        threshold, and ``faster`` where it lies below 1 / (1 + threshold). ``same``
        where the interval at 90 % lies between the two, and ``not slower`` where it
        lies below the first of them and reaches beyond the second. Else, and where the
        threshold exceeds :data:`BLIND`, ``inconclusive``.

    Examples
    --------
    >>> speed([0.3, 0.31, 0.29], [0.0, 0.01, -0.01])
    'slower'
    >>> speed([0.001, 0.01, -0.01], [0.0, 0.01, -0.01])
    'same'
    >>> speed([0.04, 0.06, 0.09], [0.0, 0.01, -0.01])
    'inconclusive'
    """
    limit = threshold(floor(control), least)
    if limit > max(BLIND, least or 0):
        return INCONCLUSIVE
    sure, likely = interval(head), interval(head, EQUAL)
    if sure["low"] > 1 + limit:
        return SLOWER
    if sure["high"] < 1 / (1 + limit):
        return FASTER
    if likely["high"] > 1 + limit:
        return INCONCLUSIVE
    return SAME if likely["low"] >= 1 / (1 + limit) else NOT_SLOWER


def settle(
    batches: Sequence[tuple[Logs, Logs]], least: float | None = None
) -> tuple[str, bool]:
    """Return the verdict on the speed of a case, and whether it is final.

    Parameters
    ----------
    batches : sequence of (head, control)
        Samples of independent batches, as :func:`speed` takes them; at least one.
    least : float, optional
        Least threshold of the case, by default :data:`LEAST`.

    Returns
    -------
    verdict : str
        That on all samples together, except that a case is ``slower`` only where a
        batch that was measured after the others said so, in fresh processes, confirms
        it: the median of that batch alone exceeds the threshold. So a run of hundreds
        of cases does not fail by chance.
    final : bool
        Whether no further batch is needed, or :data:`BATCHES` are made.

    Examples
    --------
    >>> slow = [0.3, 0.31, 0.29], [0.0, 0.01, -0.01]
    >>> settle([slow]), settle([slow, slow])
    (('inconclusive', False), ('slower', True))
    """
    head, control = (np.concatenate(logs) for logs in zip(*batches, strict=True))
    pooled = speed(head, control, least)
    if pooled == SLOWER:
        limit = threshold(floor(control), least)
        *before, (last, _) = batches
        if before and np.median(last) > math.log1p(limit):
            return SLOWER, True
    elif pooled != INCONCLUSIVE:
        return pooled, True
    return INCONCLUSIVE, len(batches) >= BATCHES


def alike(batches: Sequence[tuple[Logs, Logs]]) -> bool:
    """Return whether the first processes of a batch show that versions are the same.

    Parameters
    ----------
    batches : sequence of (head, control)
        As :func:`settle` takes them; the last one may be incomplete.

    Returns
    -------
    bool
        Whether the verdict is ``same`` at the least threshold. A larger threshold comes
        from a noise floor, which few samples do not give well.

    Examples
    --------
    >>> alike([([0.001, 0.01, -0.01], [0.0, 0.001, -0.001])])
    True
    >>> alike([([0.001, 0.06, -0.01], [0.0, 0.08, -0.04])])
    False
    """
    control = np.concatenate([logs for _, logs in batches])
    quiet = threshold(floor(control)) <= LEAST
    return quiet and settle(batches) == (SAME, True)


def accuracy(
    base: float | None,
    head: float | None,
    bound: float | None,
    eps: float,
    looser: float | None = None,
) -> str | None:
    """Return a message about an error that is too large, None if it is not.

    Parameters
    ----------
    base, head : float or None
        Relative errors of the two versions; None is an error that is not finite.
    bound : float or None
        Largest error that is right, by the case of the base. An error may not exceed
        it, nor be more than :data:`LOOSER` times that of the base: errors do not vary
        from run to run, so that a larger one is a change of the code. None where
        errors are those of an approximation, which may exceed that of the base by 5 %.
    eps : float
        Machine epsilon of the dtype. Four of them are rounding.
    looser : float, optional
        What the case has in place of :data:`LOOSER`, or of the 5 %.

    Returns
    -------
    str or None

    Examples
    --------
    >>> accuracy(1e-7, 1e-5, 2e-6, 1e-7)
    'error 1.0e-05, at most 8.0e-07 is right (base: 1.0e-07)'
    >>> accuracy(0.1, 0.101, None, 1e-16) is None
    True
    """
    if base is None:
        return None
    limit = max((looser or SLACK) * base, 4 * eps)
    if bound is not None:
        limit = min(bound, (looser or LOOSER) * base + 4 * eps)
    limit = max(limit, base)  # where the base exceeds it, the head is not to blame
    if head is not None and head <= limit:
        return None
    shown = "not finite" if head is None else f"{head:.1e}"
    return f"error {shown}, at most {limit:.1e} is right (base: {base:.1e})"


def worst(verdicts: Sequence[str]) -> str:
    """Return the verdict on a case from the verdicts on what was measured of it.

    Examples
    --------
    >>> worst(["faster", "less accurate", "more memory"]), worst(["same"])
    ('less accurate', 'same')
    """
    against = [verdict for verdict in AGAINST if verdict in verdicts]
    return against[0] if against else verdicts[0]


def exit_code(verdicts: Sequence[Mapping]) -> int:
    """Return the exit code of a gate for some verdicts; 2 if nothing was measured.

    Parameters
    ----------
    verdicts : sequence of mapping
        Rows of kind ``verdict``. Those with a reason under ``waived`` do not count
        against the head.

    Notes
    -----
    Inconclusive cases count where they are more than :data:`TOLERATED` of the cases
    that were measured.

    Examples
    --------
    >>> exit_code([{"verdict": "same"}, {"verdict": "slower"}])
    1
    >>> exit_code([{"verdict": "same"}] * 30 + [{"verdict": "inconclusive"}])
    0
    >>> exit_code([])
    2
    """
    if not {row["verdict"] for row in verdicts} - {NEW}:
        return EXIT_CODES[BROKEN]
    found = [row["verdict"] for row in verdicts if not row.get("waived")]
    if found.count(INCONCLUSIVE) <= TOLERATED * len(verdicts):
        found = [verdict for verdict in found if verdict != INCONCLUSIVE]
    codes = (code for verdict, code in EXIT_CODES.items() if verdict in found)
    return next(codes, 0)
