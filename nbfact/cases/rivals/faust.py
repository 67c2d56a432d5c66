"""The algorithms and projections of FAµST, called with nbfact's sets.

FAµST is the C++ library behind the Python package pyfaust, which is imported only when
one of these functions is called. The library prints its progress on the standard output
of the process whatever options it has, so that it is silenced below Python, by
redirecting the file descriptors.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

BACKENDS = (2016, 2020)
"""Implementations of palm4MSA in FAµST, named after the year of each."""

_SPARSE_SETS = ("Sp", "SpLin", "SpCol", "SpLinCol", "SkPerm")
"""Sets that FAµST has under the same names, in lower case, with the same arguments."""


def palm(
    target: np.ndarray,
    sets: Sequence[Any],
    n_iter: int,
    backend: int,
    stop: float = 0.0,
) -> Callable[[], np.ndarray]:
    """Return a call of pyfaust's palm4msa, with its default start and order of updates.

    By default it updates the factors from left to right.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor, in float64 or complex128.
    sets : sequence of at least two constraints
        Sets of nbfact that FAµST has too.
    n_iter : int
        Number of sweeps; with `stop` the largest number.
    backend : {2016, 2020}
        Implementation to use.
    stop : float
        Relative error at which to stop; 0 makes all sweeps.

    Returns
    -------
    callable
        A call without arguments that returns the dense approximation.

    Raises
    ------
    ModuleNotFoundError
        When pyfaust is not installed.
    ValueError
        For a set that has no known counterpart in FAµST.

    Examples
    --------
    >>> from nbfact.cases.rivals import peers
    >>> peers.installed("pyfaust") in (True, False)
    True
    """
    with muted():
        from pyfaust.fact import palm4msa
        from pyfaust.factparams import ParamsPalm4MSA, StoppingCriterion

    projectors = [_set(set_) for set_ in sets]
    target = np.asfortranarray(target)

    def call():
        with muted():
            if stop:
                criterion = StoppingCriterion(
                    tol=stop, maxiter=n_iter, relerr=True, relmat=target
                )
            else:
                criterion = StoppingCriterion(n_iter)
            parameters = ParamsPalm4MSA(projectors, criterion)
            found = palm4msa(target, parameters, backend=backend)
            return found.toarray()

    return call


def palm_factors(
    target: np.ndarray,
    sets: Sequence[Any],
    n_iter: int,
    *,
    init: Sequence[np.ndarray] | None = None,
    pursuit: int = 0,
) -> Callable[[], list[np.ndarray]]:
    """Return a call of pyfaust's palm4msa, or palm4msa_mhtp, that returns the factors.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor, in float64.
    sets : sequence of at least two constraints
        Sets of nbfact that FAµST has too.
    n_iter : int
        Number of sweeps.
    init : sequence of ndarray, optional
        Factors to start from, by default those of FAµST.
    pursuit : int
        Number of sweeps from one pass of hard thresholding pursuit (50 steps for each
        factor) to the next; 0 for none.

    Returns
    -------
    callable
        A call without arguments that returns the dense factors, left to right, with the
        scale multiplied into the first.

    Raises
    ------
    ModuleNotFoundError
        When pyfaust is not installed.
    ValueError
        For a set that has no known counterpart in FAµST.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust.fact import palm4msa, palm4msa_mhtp
        from pyfaust.factparams import MHTPParams, ParamsPalm4MSA, StoppingCriterion

    projectors = [_set(set_) for set_ in sets]
    target = np.asfortranarray(target)
    start = None if init is None else [np.asfortranarray(one) for one in init]

    def call():
        with muted():
            stop = StoppingCriterion(n_iter)
            parameters = ParamsPalm4MSA(projectors, stop, init_facts=start)
            if pursuit:
                passes = MHTPParams(num_its=50, palm4msa_period=pursuit)
                found = palm4msa_mhtp(target, parameters, passes)
            else:
                found = palm4msa(target, parameters, backend=2020)
            return [_dense(found.factors(i)) for i in range(found.numfactors())]

    return call


def hierarchical(
    target: np.ndarray, preset: str | list, backend: int
) -> Callable[[], np.ndarray]:
    """Return a call of pyfaust's hierarchical with one of its presets.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor, in float64 or complex128.
    preset : str or list
        A preset of pyfaust: ``"hadamard"``, ``["rectmat", j, k, s]``, ...; or
        ``"hadamard_skperm"``, which pyfaust has no name for: "hadamard" with the set
        skperm in place of splincol.
    backend : {2016, 2020}
        Implementation to use.

    Returns
    -------
    callable
        A call without arguments that returns the dense approximation.

    Raises
    ------
    ModuleNotFoundError
        When pyfaust is not installed.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust.fact import hierarchical

    target = np.asfortranarray(target)
    parameters = (
        _hadamard_skperm(len(target)) if preset == "hadamard_skperm" else preset
    )

    def call():
        with muted():
            return hierarchical(target, parameters, backend=backend).toarray()

    return call


def levels(
    target: np.ndarray,
    sets: Sequence[Any],
    residual_sets: Sequence[Any],
    n_iter: int,
    side: str,
    backend: int,
) -> Callable[[], list[np.ndarray]]:
    """Return a call of pyfaust's hierarchical with given sets, from right to left.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor, in float64 or complex128.
    sets, residual_sets : sequence of constraints
        Sets of nbfact that FAµST has too: of the factor that each level splits off, and
        of the residual.
    n_iter : int
        Number of sweeps of each split, and of each refinement.
    side : {"right", "left"}
        Side of the new factor on which the residual stands.
    backend : {2016, 2020}
        Implementation to use.

    Returns
    -------
    callable
        A call without arguments that returns the dense factors, left to right, with the
        scale multiplied into the first.

    Raises
    ------
    ModuleNotFoundError
        When pyfaust is not installed.
    ValueError
        For a set that has no known counterpart in FAµST.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust.fact import hierarchical
        from pyfaust.factparams import ParamsHierarchical, StoppingCriterion

    target = np.asfortranarray(target)
    projectors = [[_set(one) for one in listed] for listed in (sets, residual_sets)]

    def call():
        with muted():
            preset = ParamsHierarchical(
                *projectors,
                StoppingCriterion(n_iter),
                StoppingCriterion(n_iter),
                is_update_way_R2L=True,
                is_fact_side_left=side == "left",
                packing_RL=False,
            )
            found = hierarchical(target, preset, backend=backend)
            return [_dense(found.factors(i)) for i in range(found.numfactors())]

    return call


def _dense(factor):
    return factor.toarray() if hasattr(factor, "toarray") else np.asarray(factor)


def projection(name: str, k: int, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a call of one of pyfaust's projections, without normalisation.

    The kernels of nbfact do not normalise either.

    Parameters
    ----------
    name : {"sp", "splin", "spcol", "splincol", "skperm"}
        The set, by its name in FAµST.
    k : int
        Number of entries kept: of the whole matrix for "sp", else of each row or
        column.
    x : ndarray, (m, n)
        The matrix to project. It is converted to Fortran order here, outside the clock.

    Returns
    -------
    callable
        A call without arguments that returns the projection.

    Raises
    ------
    ModuleNotFoundError
        When pyfaust is not installed.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust import proj

    project = getattr(proj, name)(x.shape, k, normalized=False)
    x = np.asfortranarray(x)
    return lambda: project(x)


def _hadamard_skperm(n):
    """Return the preset "hadamard" with exactly k entries in each row and column."""
    from pyfaust import proj
    from pyfaust.factparams import ParamsHierarchical, StoppingCriterion

    levels = range(1, n.bit_length() - 1)
    return ParamsHierarchical(
        [proj.skperm((n, n), 2) for _ in levels],
        [proj.skperm((n, n), n >> level) for level in levels],
        StoppingCriterion(30),
        StoppingCriterion(30),
        is_update_way_R2L=True,
        packing_RL=False,
    )


def _set(set_):
    """Return a set of nbfact as a projector of pyfaust."""
    from pyfaust import proj

    name, shape = type(set_).__name__, set_.shape
    if name == "NormCol":
        return proj.normcol(shape, float(set_.s))
    options = {"normalized": set_.normalized, "pos": set_.nonneg}
    if name == "Supp":
        return proj.supp(np.asfortranarray(set_.support.astype(float)), **options)
    if name not in _SPARSE_SETS:
        raise ValueError(f"{name} has no counterpart in pyfaust here")
    return getattr(proj, name.lower())(shape, set_.k, **options)


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Discard what the process, C++ code included, writes to stdout and stderr."""
    import warnings

    streams = [(sys.stdout, 1), (sys.stderr, 2)]
    for stream, _ in streams:
        stream.flush()
    saved = [(number, os.dup(number)) for _, number in streams]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for _, number in streams:
            os.dup2(nowhere, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for stream, _ in streams:
            stream.flush()
        _flush_c()
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
        _restore_interrupts()


def _restore_interrupts():
    """Set Python's handler of Ctrl-C again, which the C++ code has replaced."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def _flush_c():
    """Flush the buffers of C, which would otherwise be written after the muting."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).fflush(None)
