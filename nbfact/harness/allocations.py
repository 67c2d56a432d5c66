"""Count what one call allocates: a number that is the same on every machine.

The module imports nothing of the package: the asv suite loads this file beside earlier
versions, which have none.
"""

import contextlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

# The counters are in a C module for which numba has no types.
from numba.core.runtime import _nrt_python, rtsys  # type: ignore[attr-defined]


def allocations(call: Callable[[], object]) -> dict[str, int]:
    """Return what a call allocates once it is warm.

    Parameters
    ----------
    call : callable
        Function without arguments that has been called before; it is called twice.

    Returns
    -------
    dict
        ``count``: number of blocks that Numba's runtime allocated, one for each array
        that compiled code makes and one for each array that is passed to it.
        ``peak``: the most bytes that Python and NumPy held at once beyond those that
        they held before; what compiled code allocates is not in it.
        ``kept``, ``blocks_kept``: bytes of Python and NumPy, and blocks of Numba's
        runtime, that a call leaves behind although its result is gone.

    Examples
    --------
    >>> import numpy as np
    >>> found = allocations(lambda: np.ones(1000))
    >>> found["peak"] >= 8000, found["kept"] < 1000, found["blocks_kept"]
    (True, True, 0)
    """
    return {**_blocks(call), **_bytes(call)}


def resident(call: Callable[[], object]) -> int | None:
    """Return by how many bytes a call raises the memory of the process while it runs.

    What compiled code and BLAS allocate is part of it. In a process whose environment
    has :data:`RETURNED`, the result is reproducible to some pages of 4 KiB.

    Parameters
    ----------
    call : callable
        Function without arguments that has been called before; it is called once.

    Returns
    -------
    int or None
        None where the system does not say it: only Linux does.

    Examples
    --------
    >>> import numpy as np
    >>> found = resident(lambda: np.ones(1 << 20))
    >>> found is None or found >= 0
    True
    """
    with contextlib.suppress(OSError, KeyError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _status()["VmRSS"]
        call()
        return max(0, _status()["VmHWM"] - before)
    return None


RETURNED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Environment in which the C library gives each freed block of 64 KiB and more back to
the system at once, so that a later call needs new memory for it."""


def _status():
    """Return the sizes of the memory of this process, in bytes, by their names."""
    lines = Path("/proc/self/status").read_text().splitlines()
    words = [line.split() for line in lines]
    return {w[0][:-1]: 1024 * int(w[1]) for w in words if w[-1] == "kB"}


def _blocks(call):
    """Return how many blocks Numba's runtime allocates, and how many are left.

    It counts only when asked.
    """
    counted = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        call()
        after = rtsys.get_allocation_stats()
    finally:
        if not counted:
            _nrt_python.memsys_disable_stats()
    made, freed = after.alloc - before.alloc, after.free - before.free
    return {"count": made, "blocks_kept": made - freed}


def _bytes(call):
    """Return the peak of what Python and NumPy allocate, and what a call leaves."""
    if tracemalloc.is_tracing():
        raise RuntimeError("allocations: tracemalloc is tracing already")
    tracemalloc.start()
    try:
        call()
        kept, peak = tracemalloc.get_traced_memory()
        return {"peak": peak, "kept": kept}
    finally:
        tracemalloc.stop()
