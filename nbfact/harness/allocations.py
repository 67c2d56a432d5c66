"""Count what one call allocates: a number that is the same on every machine.

The module imports nothing of the package: the asv suite loads this file beside earlier
versions, which have none.
"""

import tracemalloc
from collections.abc import Callable

# The counters are in a C module for which numba has no types.
from numba.core.runtime import _nrt_python, rtsys  # type: ignore[attr-defined]


def allocations(call: Callable[[], object]) -> dict[str, int]:
    """Return what a call allocates once it is warm.

    Parameters
    ----------
    call : callable
        Function without arguments; it is called three times.

    Returns
    -------
    dict
        ``count``: number of blocks that Numba's runtime allocated, one for each array
        that compiled code makes and one for each array that is passed to it.
        ``peak``: the most bytes that Python and NumPy held at once beyond those that
        they held before; what compiled code allocates is not in it.

    Examples
    --------
    >>> import numpy as np
    >>> allocations(lambda: np.ones(1000))["peak"] >= 8000
    True
    """
    call()
    return {"count": _count(call), "peak": _peak(call)}


def _count(call):
    """Return how many blocks Numba's runtime allocates; it counts only when asked."""
    counted = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats().alloc
        call()
        return rtsys.get_allocation_stats().alloc - before
    finally:
        if not counted:
            _nrt_python.memsys_disable_stats()


def _peak(call):
    """Return the peak of what Python and NumPy allocate, in bytes."""
    if tracemalloc.is_tracing():
        raise RuntimeError("allocations: tracemalloc is tracing already")
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
