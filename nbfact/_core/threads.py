"""The one rule of how many threads a call of kernels uses, and the threads themselves.

`docs/threads.md` says the rule. Kernels are serial and release the GIL: a call that is
wide enough is divided into ranges of columns or points, and each range is computed by a
thread of Python, with the kernel that a serial call uses, or the call of BLAS. So
nothing is compiled for threads, Numba's own threads are never started, and results do
not depend on how many threads there are.
"""

import contextlib
import math
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from typing import Any, NamedTuple

import numba
from numba.core import config

from .checks import size

LEAST_WORK = 2**23
"""Work of one thread below which a call uses fewer threads: nnz times columns times
bytes of an entry. It takes 50 µs or more, and to wake a thread and to wait for it takes
30 µs (``python benchmarks/threads.py``, two cores of a Zen 4)."""


COLUMNS = 16
"""Number of columns that threads do not divide by default, so that each thread writes
to cache lines of its own."""

PARTS, LEAST_PART = 4, 256
"""Work that BLAS does at once, over `LEAST_WORK`, and its least number of columns: it
copies the matrix for each part."""


def threads(threads: int | None) -> AbstractContextManager[None]:
    """Set how many threads the calls of nbfact in a ``with`` block may use.

    Products of operators with many columns, `NearestRows` and the estimators use them.
    Results are the same to the last bit. Only the thread of the caller, and asyncio
    tasks that are created in the block, are affected.

    Parameters
    ----------
    threads : int or None
        Number of threads, at least 1. More than Numba may use, which is
        ``numba.get_num_threads()``, count as that many, with a warning. None changes
        nothing.

    Returns
    -------
    context manager
        For a ``with`` statement, in whose block the number holds.

    Raises
    ------
    TypeError, ValueError
        When the number is no integer, or below 1.

    See Also
    --------
    nbfact.NearestRows, nbfact.QuicKMeans : They take ``threads`` themselves.

    Notes
    -----
    Outside such a block calls use ``NUMBA_NUM_THREADS`` threads where this environment
    variable was set before the import, and one thread otherwise. A process that was
    forked starts with one thread. A call uses fewer threads than it may, or one, where
    it has too little work to share.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> H, x = nf.transforms.hadamard(64), np.ones((64, 1000))
    >>> with nf.threads(1):
    ...     y = H @ x
    """
    if threads is None:
        return contextlib.nullcontext()
    number, most = size("threads", threads), _most()
    if number > most:
        warnings.warn(
            f"threads={number}: {most} used, because Numba may use no more (see "
            "NUMBA_NUM_THREADS and numba.set_num_threads)",
            UserWarning,
            stacklevel=2,
        )
    return _within(min(number, most))


@contextlib.contextmanager
def _within(number: int) -> Iterator[None]:
    """Set the number of threads of a block."""
    token = _asked.set(_Asked(_team, number))
    try:
        yield
    finally:
        _asked.reset(token)


def current() -> int:
    """Return how many threads a call may use here; `threads` says how many."""
    asked = _asked.get()
    if asked is None:
        number = _team.initial
    else:  # what was asked for before a fork does not count in the child
        number = asked.number if asked.team is _team else 1
    return number if number == 1 else min(number, _most())


def alone(function: Callable, *arguments: Any) -> Any:
    """Return function(*arguments), computed on one thread.

    What is spread over the workers of joblib or dask is called so, because they use all
    cores already.
    """
    with _within(1):
        return function(*arguments)


def share(
    work: float, count: int, run: Callable[[int, int], object], unit: int = COLUMNS
) -> None:
    """Call ``run(begin, end)`` for ranges that make up range(count), on threads.

    Parameters
    ----------
    work : float
        Work for each of the `count` columns or points, as `LEAST_WORK` counts it.
    count : int
        Number of columns or points.
    run : callable
        It computes those from begin to end - 1, and must be right for several ranges at
        the same time, in any order. What it calls is serial.
    unit : int
        All bounds of ranges are multiples of it, but for `count`.
    """
    parts = min(-(-count // unit), int(work * count // LEAST_WORK))
    if parts > 1:
        parts = min(parts, current())
    if parts > 1:
        _team.share(parts, count, run, unit)
    else:
        run(0, count)


def team(work: float, count: int) -> int:
    """Return how many threads `share` would use, for a library with its own threads.

    The arguments are those of `share`, with `unit` 1.
    """
    parts = min(count, int(work * count // LEAST_WORK))
    return min(parts, current()) if parts > 1 else 1


def part(work: float) -> int:
    """Return the number of columns or points that a call of BLAS takes at once.

    BLAS may round parts of another size differently, so that a serial call computes the
    same parts as threads do. The argument is the first one of `share`, whose last one
    is the result.
    """
    units = PARTS * LEAST_WORK / (COLUMNS * max(work, 1))
    return max(COLUMNS * math.ceil(units), LEAST_PART)


def shared_from(work: float) -> float:
    """Return the number of columns from which a call can be shared.

    A call of fewer may run its kernel without asking `share`, which takes as long as a
    small product. The argument is the first one of `share`.
    """
    return 2 * LEAST_WORK / max(work, 1)


def _most() -> int:
    """Return how many threads Numba may use.

    Numba is asked only where its threads were started already, by the user's own
    parallel code, because asking starts them: processes forked afterwards could no
    longer run such code.
    """
    started = getattr(
        sys.modules.get("numba.np.ufunc.parallel"), "_is_initialized", False
    )
    # Numba's settings are created at run time, where no type checker sees them.
    settings: Any = config
    return numba.get_num_threads() if started else settings.NUMBA_NUM_THREADS


class _Team:
    """The threads that help in this process; each waits until a call takes it.

    Parameters
    ----------
    initial : int
        Number of threads of calls where nobody asked for another one.
    """

    def __init__(self, initial: int) -> None:
        self.initial = initial
        self._idle: list[_Helper] = []
        self._count = 0  # of all helpers, idle and busy
        self._lock = threading.Lock()

    def share(
        self, parts: int, count: int, run: Callable[[int, int], object], unit: int
    ) -> None:
        """Do as the function `share`, in at most `parts` ranges.

        There are fewer where other threads of the caller keep the helpers busy.
        """
        helpers = self._take(parts - 1)
        parts, units = len(helpers) + 1, -(-count // unit)
        ends = [min(units * (i + 1) // parts * unit, count) for i in range(parts)]
        jobs: list[_Job] = []
        errors: list[BaseException] = []
        token = _asked.set(_Asked(self, 1))
        try:
            for i, helper in enumerate(helpers):
                call = copy_context().run, run, ends[i], ends[i + 1]
                done = threading.Lock()
                done.acquire()
                jobs.append(_Job(call, errors, self._idle, done))
                helper.help(jobs[i])
            run(0, ends[0])
            for i, helper in enumerate(helpers):
                if helper.recall(jobs[i]):
                    jobs[i].done.release()
                    self._idle.append(helper)
                    run(ends[i], ends[i + 1])
        finally:
            _asked.reset(token)
            for job in jobs:
                job.done.acquire()
        if errors:
            raise errors[0]

    def _take(self, count: int) -> list["_Helper"]:
        """Return at most `count` helpers, and start those that are missing."""
        taken: list[_Helper] = []
        while len(taken) < count:
            try:
                taken.append(self._idle.pop())
            except IndexError:
                with self._lock:
                    if self._count + 1 >= _most():
                        break
                    self._count += 1
                try:
                    taken.append(_Helper())
                except RuntimeError:  # the system allows no more threads
                    break
        return taken


class _Job(NamedTuple):
    """What a helper does: a call, where its error goes, and whom it tells the end."""

    call: tuple
    errors: list
    idle: list
    done: threading.Lock


class _Helper:
    """A thread that does one job after the other."""

    def __init__(self) -> None:
        self._job: _Job | None = None
        self._ready = threading.Lock()
        self._ready.acquire()
        threading.Thread(target=self._work, name="nbfact", daemon=True).start()

    def help(self, job: _Job) -> None:
        """Start a job."""
        self._job = job
        self._ready.release()

    def recall(self, job: _Job) -> bool:
        """Take a job back, if the thread has not woken up: all cores are busy.

        A thread that has done it may already have the job of another caller, which
        stays.
        """
        if not self._ready.acquire(blocking=False):
            return False
        if self._job is not job:
            self._ready.release()
            return False
        self._job = None
        return True

    def _work(self) -> None:
        while True:
            self._ready.acquire()
            job, self._job = self._job, None
            assert job is not None
            function, *arguments = job.call
            try:
                function(*arguments)
            except BaseException as error:
                job.errors.append(error)
            # Idle before it is done, so that the next call of the caller finds it.
            job.idle.append(self)
            job.done.release()
            del job, function, arguments  # which hold arrays of the caller


class _Asked(NamedTuple):
    """A number of threads, and the team that it was asked of."""

    team: _Team
    number: int


_asked: ContextVar[_Asked | None] = ContextVar("threads", default=None)
_team = _Team(config.NUMBA_NUM_THREADS if "NUMBA_NUM_THREADS" in os.environ else 1)  # type: ignore[attr-defined]


def _after_fork() -> None:
    """Give a forked process a team of its own, and one thread.

    Only the thread that forked lives on in it, and it often is one of many workers.
    """
    global _team
    _team = _Team(1)


if hasattr(os, "register_at_fork"):  # there is no fork on Windows
    os.register_at_fork(after_in_child=_after_fork)
