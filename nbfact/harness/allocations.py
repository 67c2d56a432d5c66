"""What one call allocates: a number that is the same on every machine, every time."""

import tracemalloc
from collections.abc import Callable

from numba.core.runtime import _nrt_python, rtsys


def allocations(call: Callable[[], object]) -> dict[str, int]:
    """Return what a call allocates once it is warm.

    Parameters
    ----------
    call : callable
        Without arguments; called three times.

    Returns
    -------
    dict
        ``count``: blocks that Numba's runtime allocated, one for each array that is
        made by compiled code, and one for each that is handed to it. ``peak``: the
        most bytes that NumPy held at once beyond what it held before; compiled code
        allocates outside its view.

    Examples
    --------
    >>> import numpy as np
    >>> allocations(lambda: np.ones(1000))["peak"] >= 8000
    True
    """
    call()
    return {"count": _count(call), "peak": _peak(call)}


def _count(call):
    """Return the allocations of Numba's runtime, whose count is off by default."""
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
