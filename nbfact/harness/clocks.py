"""The two clocks: CPU time, which other programs disturb little, and the wall.

The CPU clock does not see a call that waits, or that has another process work. The wall
clock sees it, and also the turns of other programs, which are subtracted where the
system says how long they took.
"""

import contextlib
import functools
import itertools
import os
from collections.abc import Callable
from time import perf_counter_ns, process_time_ns

from .._core import threads

CPU, WALL = 0, 1
"""The two clocks, as columns of
:func:`nbfact.harness.sample.interleave_clocks`."""

GAP = 1.5
"""Wall time over CPU time from which on a call waits for something."""


def both_clocks(call: Callable[[], object], number: int = 1) -> tuple[float, float]:
    """Return the seconds of a call by the CPU clock and by the wall clock.

    Parameters
    ----------
    call : callable
        Function without arguments.
    number : int
        Number of calls that are made, one after the other.

    Returns
    -------
    cpu, wall : float
        The wall time is without :func:`queued`.

    Examples
    --------
    >>> cpu, wall = both_clocks(lambda: sum(range(1000)), 10)
    >>> wall > 0
    True
    """
    loop = itertools.repeat(None, number)
    # All the time in the queue that is subtracted lies within the wall time.
    wall, other, cpu = perf_counter_ns(), queued(), process_time_ns()
    for _ in loop:
        call()
    cpu, other = process_time_ns() - cpu, queued() - other
    wall = perf_counter_ns() - wall - other
    return cpu / number / 1e9, wall / number / 1e9


def queued() -> int:
    """Return for how long this thread could have run while the machine ran others.

    Returns
    -------
    int
        Nanoseconds since the thread began; 0 where the system does not say it.

    Examples
    --------
    >>> queued() >= 0
    True
    """
    descriptor = _schedule(os.getpid())
    if descriptor is None:
        return 0
    # Time on a processor, time in its queue, number of turns.
    return int(os.pread(descriptor, 99, 0).split()[1])


@functools.cache
def _schedule(process: int) -> int | None:
    """Return a descriptor of the statistics of the main thread of this process."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        descriptor = os.open(f"/proc/{process}/schedstat", os.O_RDONLY)
        int(os.pread(descriptor, 99, 0).split()[1])
        return descriptor
    return None


def clock() -> int:
    """Return the clock to read here: :data:`CPU` where one thread works, else the wall.

    Examples
    --------
    >>> clock() in (CPU, WALL)
    True
    """
    return CPU if threads.current() == 1 else WALL
