"""FAµST's algorithms and projections, for our sets; pyfaust imported when called.

Its C++ prints progress on the process's standard output whatever it is asked: that is
silenced where it is written, below Python.
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

_NAMES = ("Sp", "SpLin", "SpCol", "SpLinCol", "SkPerm")


def palm(
    target: np.ndarray,
    sets: Sequence[Any],
    n_iter: int,
    backend: int,
    stop: float = 0.0,
) -> Callable[[], np.ndarray]:
    """Return a call of its palm4msa, from left to right: its default, and default init.

    Parameters
    ----------
    target : ndarray, (m, n)
        In float64 or complex128.
    sets : sequence of at least two constraints
        Ours; see Raises.
    n_iter : int
        Sweeps; at most these with `stop`.
    backend : {2016, 2020}
        Which of its implementations.
    stop : float
        Relative error at which to stop; 0 makes all sweeps.

    Returns
    -------
    callable
        Without arguments; returns the dense approximation.

    Raises
    ------
    ModuleNotFoundError
        Without pyfaust.
    ValueError
        For a set of ours that is not known to be one of its own.

    Examples
    --------
    >>> from nbfact.cases.rivals import peers
    >>> peers.installed("pyfaust") in (True, False)
    True
    """
    with muted():
        from pyfaust.fact import palm4msa
        from pyfaust.factparams import ParamsPalm4MSA, StoppingCriterion

    theirs = [_set(set_) for set_ in sets]
    target = np.asfortranarray(target)

    def call():
        with muted():
            if stop:
                criterion = StoppingCriterion(
                    tol=stop, maxiter=n_iter, relerr=True, relmat=target
                )
            else:
                criterion = StoppingCriterion(n_iter)
            found = palm4msa(target, ParamsPalm4MSA(theirs, criterion), backend=backend)
            return found.toarray()

    return call


def hierarchical(
    target: np.ndarray, preset: str | list, backend: int
) -> Callable[[], np.ndarray]:
    """Return a call of its hierarchical with one of its presets.

    Parameters
    ----------
    target : ndarray, (m, n)
        In float64 or complex128.
    preset : str or list
        ``"hadamard"``, ``["rectmat", j, k, s]``, ...; ``"hadamard_skperm"``, which it
        has no name for, is the first with its skperm in place of splincol.
    backend : {2016, 2020}
        Which of its implementations.

    Returns
    -------
    callable
        Without arguments; returns the dense approximation.

    Raises
    ------
    ModuleNotFoundError
        Without pyfaust.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust.fact import hierarchical

    target = np.asfortranarray(target)
    told = _skperm(len(target)) if preset == "hadamard_skperm" else preset

    def call():
        with muted():
            return hierarchical(target, told, backend=backend).toarray()

    return call


def levels(
    target: np.ndarray,
    sets: Sequence[Any],
    residual_sets: Sequence[Any],
    n_iter: int,
    side: str,
    backend: int,
) -> Callable[[], list[np.ndarray]]:
    """Return a call of its hierarchical with our sets, from right to left.

    Parameters
    ----------
    target : ndarray, (m, n)
        In float64 or complex128.
    sets, residual_sets : sequence of constraints
        Ours: of the factor that each level peels off, and of what is left.
    n_iter : int
        Sweeps of each split, and of each refinement.
    side : {"right", "left"}
        Where the residual stands.
    backend : {2016, 2020}
        Which of its implementations.

    Returns
    -------
    callable
        Without arguments; returns the factors, dense, left to right, the scale in the
        first.

    Raises
    ------
    ModuleNotFoundError
        Without pyfaust.
    ValueError
        For a set of ours that is not known to be one of its own.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust.fact import hierarchical
        from pyfaust.factparams import ParamsHierarchical, StoppingCriterion

    target = np.asfortranarray(target)
    theirs = [[_set(one) for one in listed] for listed in (sets, residual_sets)]

    def call():
        with muted():
            preset = ParamsHierarchical(
                *theirs,
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
    """Return a call of one of its projections, as ours are: not normalised.

    Parameters
    ----------
    name : {"sp", "splin", "spcol", "splincol", "skperm"}
        The set, as both name it.
    k : int
        Entries kept, in all or of each row or column.
    x : ndarray, (m, n)
        What to project; it gets it in Fortran order, outside the clock.

    Returns
    -------
    callable
        Without arguments; returns the projection.

    Raises
    ------
    ModuleNotFoundError
        Without pyfaust.

    Examples
    --------
    See :func:`palm`.
    """
    with muted():
        from pyfaust import proj

    project = getattr(proj, name)(x.shape, k, normalized=False)
    x = np.asfortranarray(x)
    return lambda: project(x)


def _skperm(n):
    """Return its preset for Hadamard with k entries in each row and each column."""
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
    """Return one of ours as one of its projectors."""
    from pyfaust import proj

    name, shape = type(set_).__name__, set_.shape
    if name == "NormCol":
        return proj.normcol(shape, float(set_.s))
    options = {"normalized": set_.normalized, "pos": set_.nonneg}
    if name == "Supp":
        return proj.supp(np.asfortranarray(set_.support.astype(float)), **options)
    if name not in _NAMES:
        raise ValueError(f"{name} has no counterpart in pyfaust here")
    return getattr(proj, name.lower())(shape, set_.k, **options)


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Send what the process writes to its standard streams nowhere."""
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
        _hear_interrupts()


def _hear_interrupts():
    """Take Ctrl-C back: its C++ sets a handler of its own, and leaves it there."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def _flush_c():
    """Empty the buffers of C, which would reach the stream once it is heard again."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).fflush(None)
