"""Time several calls side by side, so that what disturbs one disturbs all.

Calls timed one after the other meet a different machine each: a ratio of medians so
measured varied by 80 % between processes, interleaved samples by 10 % (25 processes,
two shared cores). So every round times each call once, in an order that is rotated,
and reversed in every second round (ABBA), and ratios are taken within rounds.
"""

import gc
import itertools
import statistics
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Literal

import numpy as np

SAMPLE_NS = 400_000
"""A sample repeats a short call until it lasts about this long: 0.4 ms is 4000 times
what reading the clock costs, and short enough to meet the same machine as its pair."""

MIN_ROUNDS = 5
"""Fewer say nothing of their spread."""

SLOW, ENDLESS = 5.0, 30.0
"""Seconds of a call beyond which five rounds are too many, and beyond which one is
all that a run can afford."""

_RESAMPLES = 1000
_MAX_ROUNDS = 200


def interleave(
    calls: Mapping[str, Callable[[], object]],
    budget: float,
    min_rounds: int | None = None,
    known: Mapping[str, float] | None = None,
    announce: Callable[[str], object] = lambda name: None,
) -> dict[str, np.ndarray]:
    """Time calls on the same machine at the same time, as far as one can.

    Parameters
    ----------
    calls : mapping of str to callable
        What to time; called without arguments. Each is called at least twice outside
        the clock, which compiles it and fills the caches.
    budget : float
        Seconds for all samples together; rounds are added until it is spent, up to
        200.
    min_rounds : int, optional
        Rounds made however long they take; by default :func:`least_rounds` of what is
        known of the slowest.
    known : mapping of str to float, optional
        Seconds that a call of each has taken already, outside the clock. Those of
        :data:`SLOW` or more are not called again before the first round.
    announce : callable
        Told the name of what is called next, outside the clock.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_rounds,)
        Seconds per call; entry i of each array is from round i.

    Raises
    ------
    ValueError
        When `calls` is empty.

    Examples
    --------
    >>> times = interleave({"sum": lambda: sum(range(99))}, budget=0.01)
    >>> bool((times["sum"] > 0).all())
    True
    """
    if not calls:
        raise ValueError("calls: empty; expected at least one")
    names = list(calls)
    known = known or {}
    if min_rounds is None:
        min_rounds = least_rounds(max(known.values(), default=0.0))
    numbers = {}
    for name, call in calls.items():
        announce(name)
        numbers[name] = 1 if known.get(name, 0.0) >= SLOW else calls_per_sample(call)
    samples = {name: [] for name in names}
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        deadline = perf_counter_ns() + int(budget * 1e9)
        for round_ in range(_MAX_ROUNDS):
            if round_ >= min_rounds and perf_counter_ns() > deadline:
                break
            for name in order(names, round_):
                announce(name)
                samples[name].append(once(calls[name], numbers[name]))
    finally:
        if enabled:
            gc.enable()
    return {name: np.array(values) for name, values in samples.items()}


def aligned_like(x: np.ndarray, order: Literal["C", "F"] = "C") -> np.ndarray:
    """Return an array of the shape of x that begins where a cache line does.

    NumPy's begin at any multiple of 16 bytes: vector code that crosses lines takes up
    to 1.5 times as long, and which implementation that meets is chance.

    Examples
    --------
    >>> aligned_like(np.zeros((2, 3)), order="F").ctypes.data % 64
    0
    """
    memory = np.empty(x.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    flat = memory[start : start + x.nbytes].view(x.dtype)
    return flat.reshape(x.shape, order=order)


def least_rounds(slowest: float) -> int:
    """Return the rounds that are made however long they take.

    Parameters
    ----------
    slowest : float
        Seconds of the slowest call.

    Returns
    -------
    int

    Examples
    --------
    >>> least_rounds(0.1), least_rounds(10.0), least_rounds(100.0)
    (5, 2, 1)
    """
    if slowest < SLOW:
        return MIN_ROUNDS
    return 2 if slowest <= ENDLESS else 1


def order(names: list[str], round_: int) -> list[str]:
    """Return the order of one round: rotated every second one, and there reversed.

    Examples
    --------
    >>> ["".join(order(list("ABC"), i)) for i in range(4)]
    ['ABC', 'CBA', 'BCA', 'ACB']
    """
    start = round_ // 2 % len(names)
    rotated = names[start:] + names[:start]
    return rotated[::-1] if round_ % 2 else rotated


def summary(times: np.ndarray) -> dict[str, float]:
    """Return the statistics of one array of seconds: min, quartiles, median.

    Examples
    --------
    >>> summary(np.array([1.0, 2.0, 3.0]))["median"]
    2.0
    """
    q1, median, q3 = np.quantile(times, (0.25, 0.5, 0.75))
    return {
        "min": float(times.min()),
        "q1": float(q1),
        "median": float(median),
        "q3": float(q3),
        "rounds": len(times),
    }


def paired_ratio(times: np.ndarray, yardstick: np.ndarray) -> dict[str, float]:
    """Return the median of the rounds' ratios, with a 95 % bootstrap interval.

    The interval is that of the rounds of this process. Another process meets other
    memory pages and another neighbour: it can land outside.

    Parameters
    ----------
    times, yardstick : ndarray, shape (n_rounds,)
        Two arrays of :func:`interleave`.

    Returns
    -------
    dict
        ``median``, ``low`` and ``high`` of times / yardstick; below 1 is faster.

    Examples
    --------
    >>> paired_ratio(np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    {'median': 0.5, 'low': 0.5, 'high': 0.5}
    """
    ratios = times / yardstick
    rng = np.random.default_rng(0)
    picks = rng.integers(len(ratios), size=(_RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[picks], axis=1), (0.025, 0.975))
    return {
        "median": float(np.median(ratios)),
        "low": float(low),
        "high": float(high),
    }


def calls_per_sample(call: Callable[[], object]) -> int:
    """Return how many calls make a sample; the first call is not looked at.

    Examples
    --------
    >>> calls_per_sample(lambda: None) > 1
    True
    """
    call()
    if once(call, 1) * 1e9 >= 100 * SAMPLE_NS:
        return 1  # beyond doubt
    elapsed = statistics.median([once(call, 1) for _ in range(3)])
    if elapsed * 1e9 >= SAMPLE_NS:
        return 1
    # A single short call reads slow (cold branch predictor, clock): measure again
    # with as many calls as that estimate asks for.
    number = max(1, int(SAMPLE_NS / (elapsed * 1e9)))
    elapsed = max(once(call, number), 1e-9)
    return max(1, round(SAMPLE_NS / (elapsed * 1e9)))


def once(
    call: Callable[[], object],
    number: int,
    clock: Callable[[], int] = perf_counter_ns,
) -> float:
    """Return seconds per call, over `number` calls, on a clock of nanoseconds.

    Examples
    --------
    >>> once(lambda: None, 10) > 0
    True
    """
    loop = itertools.repeat(None, number)
    start = clock()
    for _ in loop:
        call()
    return (clock() - start) / number / 1e9
