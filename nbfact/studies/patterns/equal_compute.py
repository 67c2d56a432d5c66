"""Runs of a method until it has spent as many CPU seconds as another one did."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

SHARES = (0.125, 0.25, 0.5)
"""Shares of the time at which the least error so far is recorded too."""

NEARLY = 0.98
"""Share of the time from which on no further run begins."""


class Approximation(NamedTuple):
    """What a run returns: a dense matrix, how many non-zeros it takes, and as what."""

    matrix: np.ndarray
    nnz: int
    factors: int = 1
    structure: str = ""


def approximation_of(found: Any) -> Approximation:
    """Return a product of factors, or a result with one, as an approximation.

    Parameters
    ----------
    found : FastOperator or Factorization

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> approximation_of(nf.butterfly_factorize(np.eye(4))).nnz
    16
    """
    operator = getattr(found, "operator", found)
    factors = len(getattr(operator, "factors", ())) or 1
    structure = getattr(found, "structure", "")
    return Approximation(operator.toarray(), operator.nnz, factors, structure)


class Clock:
    """The CPU seconds of this process since the start, and whether a limit is reached.

    A clock is a callback too: it ends a run that is longer than what is left.

    Parameters
    ----------
    limit : float
        Seconds; infinite for none.
    """

    def __init__(self, limit: float) -> None:
        self.limit, self._began = limit, time.process_time()

    @property
    def spent(self) -> float:
        """CPU seconds since the clock was made, of all threads of the process."""
        return time.process_time() - self._began

    def __call__(self, state: object = None) -> bool:
        """Return whether the limit is reached."""
        return self.spent >= self.limit


class Restart(Protocol):
    """One run of a method, a restart. It may return None when it has found nothing."""

    def __call__(
        self,
        target: np.ndarray,
        nnz: int,
        number: int,
        rng: np.random.Generator,
        clock: Clock,
    ) -> Approximation | None:
        """Return an approximation with at most `nnz` non-zeros.

        Parameters
        ----------
        target : ndarray, (n, n)
        nnz : int
            Largest number of non-zeros.
        number : int
            How many runs there were before: the first has the settings that are usual,
            and later ones others.
        rng : numpy.random.Generator
            Stream of the restarts.
        clock : Clock
            Callback that says when to end, for runs that can.
        """
        ...


@dataclass
class Spent:
    """The best of the runs of a method, and what they took.

    Attributes
    ----------
    best : Approximation or None
        That with the least error within the budget of non-zeros.
    error : float
        Its relative error to `target`: 1 without one.
    seconds : float
        CPU seconds of all runs.
    runs : int
        Number of runs.
    course : list of float
        The least error after each share of the seconds in `SHARES`.
    """

    best: Approximation | None = None
    error: float = 1.0
    seconds: float = 0.0
    runs: int = 0
    course: list[float] = field(default_factory=list)


def restarted(
    run: Restart, target: np.ndarray, nnz: int, seconds: float, rng: np.random.Generator
) -> Spent:
    """Run a method again and again until it has spent a number of CPU seconds.

    Parameters
    ----------
    run : callable
        See :class:`Restart`.
    target : ndarray, (n, n)
        The matrix to approximate.
    nnz : int
        Largest number of non-zeros.
    seconds : float
        CPU seconds to spend. The last run is ended by the clock where it asks it, and
        finishes otherwise. There is at least one run.
    rng : numpy.random.Generator
        Stream of the restarts.

    Returns
    -------
    Spent

    Examples
    --------
    >>> def zero(target, nnz, number, rng, clock):
    ...     return Approximation(0 * target, 0)
    >>> restarted(zero, np.eye(2), 4, 0.01, np.random.default_rng(0)).error
    1.0
    """
    clock, found = Clock(seconds), Spent()
    found.error = np.inf
    ends: list[tuple[float, float]] = []
    norm = float(np.linalg.norm(target))
    while not found.runs or clock.spent < NEARLY * seconds:
        try:
            one = run(target, nnz, found.runs, rng, clock)
        except (ValueError, np.linalg.LinAlgError):
            one = None  # a start from which a product overflows; others follow
        found.runs += 1
        if one is not None and one.nnz <= nnz:
            error = float(np.linalg.norm(target - one.matrix)) / norm
            if error < found.error:
                found.best, found.error = one, error
        ends.append((clock.spent, found.error))
    found.seconds = clock.spent
    found.error = min(found.error, 1.0)  # zero has no entries, and an error of 1
    found.course = least_by(ends, found.seconds)
    return found


def least_by(ends: Sequence[tuple[float, float]], seconds: float) -> list[float]:
    """Return the least error that was known after each share of the time.

    Parameters
    ----------
    ends : sequence of (float, float)
        The seconds at which runs ended, ascending, and errors.
    seconds : float
        The whole time.

    Examples
    --------
    >>> least_by([(1, 0.5), (3, 0.4), (8, 0.1)], 8)
    [0.5, 0.5, 0.4]
    """
    return [
        min([1.0, *(error for end, error in ends if end <= share * seconds)])
        for share in SHARES
    ]


def in_turn(choices: Sequence[Any], number: int) -> Any:
    """Return one choice after the other, and the first again after the last.

    Examples
    --------
    >>> in_turn("abc", 4)
    'b'
    """
    return choices[number % len(choices)]
