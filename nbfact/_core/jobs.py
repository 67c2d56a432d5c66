"""Calls spread over processes, by joblib."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .checks import size


def each(
    function: Callable,
    calls: Iterable[Sequence[Any]],
    n_jobs: int = 1,
    ordered: bool = True,
) -> Iterator[Any]:
    """Yield what a function returns for each call.

    Under ``joblib.parallel_config("dask")`` the calls run on the cluster, where joblib
    takes all its workers for any ``n_jobs`` above 1.

    Parameters
    ----------
    function : callable
        Importable by name, where it runs in other processes.
    calls : iterable of sequences
        The arguments of each.
    n_jobs : int
        Processes, with one thread each; 1 for this one, whatever is configured.
    ordered : bool
        In the order of the calls; else as they are done.

    Raises
    ------
    ModuleNotFoundError
        When more than one is asked for and joblib is not installed.
    """
    if size("n_jobs", n_jobs) == 1:
        return (function(*call) for call in calls)
    try:
        import joblib
    except ModuleNotFoundError:
        message = f"n_jobs={n_jobs} needs joblib: pip install joblib"
        raise ModuleNotFoundError(message) from None
    with _backend(joblib):
        given = "generator" if ordered else "generator_unordered"
        parallel = joblib.Parallel(n_jobs, return_as=given)
        return parallel(joblib.delayed(function)(*call) for call in calls)


def _backend(joblib):
    """Return a context: what ``parallel_config`` asks for, or one-thread processes."""
    active, _ = joblib.parallel.get_active_backend()
    processes = isinstance(active, joblib.parallel.BACKENDS["loky"])
    if processes and active.inner_max_num_threads is None:
        return joblib.parallel_config("loky", inner_max_num_threads=1)
    return contextlib.nullcontext()
