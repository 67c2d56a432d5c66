"""Time the calls of several versions side by side, by two clocks, in one process.

The CPU clock counts the time in which the machine ran this process, and other programs
disturb it little; it decides whether a version is slower. It does not see a call that
waits, or that works in another process. Therefore the wall clock is read too, without
the time in which the machine ran other programs although this thread could have run:
Linux counts that, and on other systems the wall clock is read as it is.
"""

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from .. import sample
from ..case import Case
from .variation import nudge, varied

ROUNDS = 6
"""Rounds of one placement: each role is first, second and last, in both directions."""

FEW = 4
"""Rounds of one placement where one call is a whole sample: forward and backward,
twice."""

SLOW = 0.02
"""Seconds of a call from which one placement has only two rounds, because a process
with several such calls would take too long, and because the times of longer calls
differ less from one to the next than from process to process."""

LONG = 10
"""A call is a sample by itself if it takes this many times the length of one. How many
calls make a sample is not tried then."""

PLACEMENTS = 6
"""Largest number of times that calls are prepared anew. Where their arrays lie in
memory moves the time of a short call by more than a tenth."""


def sampled(
    versions: Mapping[str, Case],
    inputs: Mapping[str, Any],
    calls: dict[str, Callable[[], object]],
    known: float,
    budget: float,
    base: str,
) -> dict[str, Any]:
    """Return medians of seconds and of log-ratios over rounds and placements.

    Parameters
    ----------
    versions : mapping of str to Case
        The case of each role.
    inputs : mapping of str to object
        The inputs of each role. One entry of each changes from round to round, so that
        no call remembers its result; afterwards they are what they were.
    calls : dict of str to callable
        Calls that are prepared and warm; others take their place.
    known : float
        Seconds of the slowest call.
    budget : float
        Seconds for all samples.
    base : str
        The role that the others are compared with.

    Returns
    -------
    dict
        ``seconds``, the median time of a call by role; ``logs``, the logarithm of the
        ratio of its time to that of the base; ``walls``, the same for the times by the
        wall clock, None where several threads may work, because then ``logs`` are of
        the wall clock; and ``placements``, how many there were.
    """
    # For one thread, the clock counts the time in which the machine ran this process.
    alone = os.environ.get("NUMBA_NUM_THREADS") == "1"
    number, rounds = 1, FEW if known < SLOW else 2
    if known * 1e9 < LONG * sample.SAMPLE_NS:
        number = min(sample.calls_per_sample(call) for call in calls.values())
        rounds = ROUNDS
    names, logs, walls, seconds = list(calls), [], [], []
    numbers = dict.fromkeys(names, number)
    arrays = {id(x): x for x in map(varied, inputs.values()) if x is not None}
    before = {key: array.copy() for key, array in arrays.items()}
    kept = []  # memory that is not freed, so that the next placement lies elsewhere
    rng = np.random.default_rng(os.getpid())  # another placement in each process
    gc.collect()
    gc.disable()
    try:
        stop = perf_counter() + budget
        for placement in range(PLACEMENTS):
            if placement:
                for role in sample.order(names, placement):
                    kept.append(np.empty(rng.integers(16, 8192), np.uint8))
                    calls[role] = versions[role].prepare(inputs[role])
                    calls[role]()
            times: dict[str, list[float]] = {role: [] for role in names}
            waits: dict[str, list[float]] = {role: [] for role in names}
            for round_ in range(rounds):
                turn = placement * rounds + round_
                for array in arrays.values():
                    nudge(array, turn)
                for role, (cpu, wall) in sample.one_round(calls, numbers, turn).items():
                    times[role].append(max(cpu if alone else wall, 1e-9))
                    waits[role].append(max(wall, 1e-9))
            logs.append(_ratios(times, base))
            walls.append(_ratios(waits, base))
            seconds.append({k: float(np.median(times[k])) for k in names})
            if perf_counter() > stop:
                break
    finally:
        gc.enable()
        for key, array in arrays.items():
            np.copyto(array, before[key])
    return {
        "logs": _medians(logs),
        "walls": _medians(walls) if alone else None,
        "seconds": _medians(seconds),
        "placements": len(logs),
    }


def _ratios(times, base):
    """Return the median log-ratio of the times of one placement, by role."""
    yardstick = np.log(times[base])
    return {k: float(np.median(np.log(times[k]) - yardstick)) for k in times}


def _medians(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each of the numbers in some mappings with equal keys."""
    return {key: float(np.median([one[key] for one in found])) for key in found[0]}
