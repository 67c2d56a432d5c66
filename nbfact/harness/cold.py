"""Time calls whose operand lies in no cache.

A call that is repeated finds its operand in a cache, however small the operand is; the
call of a user, who has just read other data, may not. Here each call of a sample has a
copy of the operand of its own. Before each round, more memory is written than the
caches hold, so that all copies have left them; then the operator is brought back by a
call with the original.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from . import clocks, machine, sample
from .case import Case
from .operands import operand, with_operand

MOST_COPIES = 64
"""Largest number of copies of the operand, which are the calls of one sample."""

MOST_BYTES = 64 << 20
"""Largest size of all copies of one operand together, in bytes."""

MOST_WRITTEN = 256 << 20
"""Largest number of bytes that are written to empty the caches."""

LENGTH = (2e-5, 2e-3)
"""Least and largest length of a sample, in seconds. Reading the clock costs a hundredth
of the first. Longer calls have a single copy."""

LONGEST = 1e-3
"""Longest call that is timed, in seconds. A longer one does not notice where its
operand was at first: reading a mebibyte from memory takes less than a tenth of it."""

PREPARING = 0.05
"""Longest time for which calls with copies are prepared, in seconds."""


def cold_times(
    task: Sequence[Case],
    inputs: Any,
    seconds: Mapping[str, float],
    rounds: int,
    announce: Callable[[str], object] = lambda name: None,
) -> dict[str, tuple[int, np.ndarray]]:
    """Time calls of a task with an operand that lies in no cache.

    Parameters
    ----------
    task : sequence of Case
        The cases of one computation.
    inputs : object
        Their inputs.
    seconds : mapping of str to float
        Seconds that a call takes with an operand in the caches, by implementation;
        others are not called.
    rounds : int
        Number of samples of each.
    announce : callable
        Called with the implementation that is called next, while no clock runs.

    Returns
    -------
    dict of str to (int, ndarray of float64, shape (rounds, 2))
        Number of copies, and seconds per call by both clocks as in
        :func:`nbfact.harness.sample.interleave_clocks`. Implementations that take too
        long, or are too costly to prepare, are absent; all are where the inputs have no
        operand (:mod:`nbfact.harness.operands`), or one larger than the caches.
    """
    x = operand(inputs)
    if x is None or not 0 < x.nbytes <= MOST_BYTES:
        return {}
    copies: dict[str, list[Callable[[], object]]] = {}
    warming: dict[str, Callable[[], object]] = {}
    for case in task:
        if case.impl in seconds:
            announce(case.impl)
            found, warm = _copies(case, inputs, x, seconds[case.impl])
            if found:
                copies[case.impl], warming[case.impl] = found, warm
    samples: dict[str, list[tuple[float, float]]] = {impl: [] for impl in copies}
    if not copies:
        return {}
    written = _memory(min(2 * machine.last_cache(), MOST_WRITTEN))
    for round_ in range(rounds):
        np.negative(written, out=written)
        for impl in sample.order(list(copies), round_):
            announce(impl)
            warming[impl]()
            cpu, wall = clocks.both_clocks(functools.partial(_each, copies[impl]))
            number = len(copies[impl])
            samples[impl].append((cpu / number, wall / number))
    return {
        impl: (len(copies[impl]), np.array(times)) for impl, times in samples.items()
    }


def _copies(case, inputs, x, seconds):
    """Return calls with a copy of x each, possibly none, and one with x itself."""
    if seconds > LONGEST:
        return [], None
    least, most = LENGTH
    number = max(1, min(MOST_COPIES, MOST_BYTES // x.nbytes, int(most / seconds)))
    built: dict = {}
    warm = case.prepare(with_operand(inputs, x, built))
    start = perf_counter()
    found: list[Callable[[], object]] = []
    while len(found) < number and perf_counter() < start + PREPARING:
        other = with_operand(inputs, x.copy(order="K"), built)
        found.append(case.prepare(other))
        found[-1]()  # memory that it allocates is there now
    return (found, warm) if len(found) * seconds >= least else ([], None)


@functools.lru_cache(maxsize=1)
def _memory(size):
    """Return an array of a number of bytes, the same in each call."""
    return np.ones(size // 8)


def _each(calls):
    for call in calls:
        call()
