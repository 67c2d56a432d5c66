"""Calls of a function, spread over processes by joblib: the one rule of `n_jobs`."""

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .checks import size
from .threads import alone

MOST_JOBS = 4096
"""Largest number of processes that may be asked for: a much larger one is a mistake,
and to start it would bring down any machine."""


def each(
    function: Callable,
    calls: Iterable[Sequence[Any]],
    n_jobs: int | None = 1,
    ordered: bool = True,
) -> Iterator[Any]:
    """Call a function in `n_jobs` processes, and return an iterator over the results.

    Under ``joblib.parallel_config("dask")`` the calls run on the dask cluster, where
    joblib uses all workers for any ``n_jobs`` above 1.

    Parameters
    ----------
    function : callable
        The function to call. It must be importable by name when it runs in other
        processes.
    calls : iterable of sequences
        Positional arguments, one sequence for each call.
    n_jobs : int or None
        Number of processes, each with one thread, as `processes` takes it. With 1 the
        calls run in the present process, whatever backend is configured.
    ordered : bool
        ``True``: results come in the order of the calls. ``False``: each result comes
        as soon as its call ends.

    Returns
    -------
    iterator
        What each call returned.

    Raises
    ------
    TypeError, ValueError, ModuleNotFoundError
        The errors of `processes`.
    """
    count = processes(n_jobs)
    if count == 1:
        return itertools.starmap(function, calls)
    joblib = _joblib(n_jobs)
    with _backend(joblib):
        kind = "generator" if ordered else "generator_unordered"
        parallel = joblib.Parallel(count, return_as=kind)
        return parallel(joblib.delayed(alone)(function, *call) for call in calls)


def processes(n_jobs: int | None) -> int:
    """Return the number of processes that an argument `n_jobs` means.

    Parameters
    ----------
    n_jobs : int or None
        As in scikit-learn: a number of processes; -1 for one on each core, -2 for one
        fewer, and so on; None for 1, or for that of the enclosing
        ``joblib.parallel_config``.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    TypeError
        When it is neither an integer nor None.
    ValueError
        When it is 0, or beyond `MOST_JOBS`.
    ModuleNotFoundError
        When it is not 1 or None, and joblib is not installed.
    """
    if n_jobs is None:
        joblib = sys.modules.get("joblib")
        return 1 if joblib is None else joblib.effective_n_jobs(None)
    number = size("n_jobs", n_jobs, -MOST_JOBS, MOST_JOBS)
    if number == 0:
        raise ValueError("n_jobs=0: expected at least 1, or -1 for all cores")
    if number == 1:
        return 1
    effective = _joblib(n_jobs).effective_n_jobs
    return number if number > 0 else max(effective(number), 1)


def _joblib(n_jobs):
    """Return the module joblib, or raise an error that names what needs it."""
    try:
        import joblib
    except ModuleNotFoundError:
        message = f"n_jobs={n_jobs} needs joblib: pip install joblib"
        raise ModuleNotFoundError(message) from None
    return joblib


def _backend(joblib):
    """Return a context with the configured backend, or with one-thread processes."""
    active, _ = joblib.parallel.get_active_backend()
    processes = isinstance(active, joblib.parallel.BACKENDS["loky"])
    if processes and active.inner_max_num_threads is None:
        return joblib.parallel_config("loky", inner_max_num_threads=1)
    return contextlib.nullcontext()
