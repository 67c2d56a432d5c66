"""Calls of a function, spread over processes by joblib."""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .checks import size


def each(
    function: Callable,
    calls: Iterable[Sequence[Any]],
    n_jobs: int = 1,
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
    n_jobs : int
        Number of processes, each with one thread. With 1 the calls run in the present
        process, whatever backend is configured.
    ordered : bool
        ``True``: results come in the order of the calls. ``False``: each result comes
        as soon as its call ends.

    Returns
    -------
    iterator
        What each call returned.

    Raises
    ------
    ModuleNotFoundError
        When `n_jobs` is above 1 and joblib is not installed.
    """
    if size("n_jobs", n_jobs) == 1:
        return itertools.starmap(function, calls)
    try:
        import joblib
    except ModuleNotFoundError:
        message = f"n_jobs={n_jobs} needs joblib: pip install joblib"
        raise ModuleNotFoundError(message) from None
    with _backend(joblib):
        kind = "generator" if ordered else "generator_unordered"
        parallel = joblib.Parallel(n_jobs, return_as=kind)
        return parallel(joblib.delayed(function)(*call) for call in calls)


def _backend(joblib):
    """Return a context with the configured backend, or with one-thread processes."""
    active, _ = joblib.parallel.get_active_backend()
    processes = isinstance(active, joblib.parallel.BACKENDS["loky"])
    if processes and active.inner_max_num_threads is None:
        return joblib.parallel_config("loky", inner_max_num_threads=1)
    return contextlib.nullcontext()
