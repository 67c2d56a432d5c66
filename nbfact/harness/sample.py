"""Time several calls side by side, so that what disturbs one disturbs all.

Calls that are timed one after the other find the machine in different states: a ratio
of medians measured so varied by 80 % between processes, and by 10 % with interleaved
samples (25 processes, two shared cores). Therefore a *round* times each call once,
every round in another order (rotated, and reversed in every second round: ABBA), and
ratios are taken within rounds.
"""

import gc
from collections.abc import Callable, Collection, Mapping
from time import perf_counter_ns
from typing import Literal

import numpy as np

from .._core.cache_lines import aligned
from .clocks import WALL, both_clocks

SAMPLE_NS = 400_000
"""Length of a sample, in nanoseconds. A short call is repeated until its sample lasts
about this long: 0.4 ms is 4000 times what reading the clock costs, and short enough for
the machine to stay in the same state during the sample that it is compared with."""

FILLED = 0.02
"""Length of a call, in seconds, that fills the caches by itself. A sample of one call
that is shorter follows one that is not timed: calls of others that read the same array,
as ways to multiply by the same blocks do, would find it in cache, and those that have a
copy of their own would not."""

MIN_ROUNDS = 5
"""Least number of rounds. Fewer samples say nothing about their spread."""

SLOW, ENDLESS = 5.0, 30.0
"""Lengths of a call, in seconds. Calls above the first get two rounds in place of
:data:`MIN_ROUNDS`, calls above the second a single one, because more would take a run
too long."""

_LONG = 1.0  # seconds after which a call is long, even if other programs had the time
_MAX_ROUNDS = 200  # more change a median by less than processes differ


def interleave(
    calls: Mapping[str, Callable[[], object]],
    budget: float,
    min_rounds: int | None = None,
    known: Mapping[str, float] | None = None,
    announce: Callable[[str], object] = lambda name: None,
) -> dict[str, np.ndarray]:
    """Time several calls in turn, so that their times can be compared.

    Parameters
    ----------
    calls : mapping of str to callable
        Functions without arguments, by name. Each is called at least twice before it
        is timed, which compiles it and fills the caches.
    budget : float
        Seconds for all samples together. Rounds are added until it is spent, up to
        200.
    min_rounds : int, optional
        Number of rounds to make whatever they cost; by default :func:`least_rounds` of
        the largest of `known`.
    known : mapping of str to float, optional
        Seconds that a call of each has taken already. A call of :data:`SLOW` seconds
        or more is not made again before the first round.
    announce : callable
        Called with the name of what is called next, while no clock runs.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_rounds,)
        Seconds per call, by name; entry i of each array is from round i.

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
    both = interleave_clocks(calls, budget, min_rounds, known, announce)
    return {name: times[:, WALL] for name, times in both.items()}


def interleave_clocks(
    calls: Mapping[str, Callable[[], object]],
    budget: float,
    min_rounds: int | None = None,
    known: Mapping[str, float] | None = None,
    announce: Callable[[str], object] = lambda name: None,
) -> dict[str, np.ndarray]:
    """Time several calls in turn by two clocks; arguments as in :func:`interleave`.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_rounds, 2)
        Seconds per call by the CPU clock and by the wall clock, in the columns
        :data:`nbfact.harness.clocks.CPU` and :data:`nbfact.harness.clocks.WALL`.

    Examples
    --------
    >>> interleave_clocks({"sum": lambda: sum(range(99))}, 0.0)["sum"].shape
    (5, 2)
    """
    if not calls:
        raise ValueError("calls: empty; expected at least one")
    known = known or {}
    if min_rounds is None:
        min_rounds = least_rounds(max(known.values(), default=0.0))
    numbers = {}
    for name, call in calls.items():
        announce(name)
        numbers[name] = 1 if known.get(name, 0.0) >= SLOW else calls_per_sample(call)
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    warm = {name for name, number in numbers.items() if number > 1}
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        deadline = perf_counter_ns() + int(budget * 1e9)
        for round_ in range(_MAX_ROUNDS):
            if round_ >= min_rounds and perf_counter_ns() > deadline:
                break
            found = one_round(calls, numbers, round_, announce, warm)
            for name, times in found.items():
                samples[name].append(times)
                if times[WALL] < FILLED:
                    warm.add(name)
    finally:
        if enabled:
            gc.enable()
    return {name: np.array(values) for name, values in samples.items()}


def one_round(
    calls: Mapping[str, Callable[[], object]],
    numbers: Mapping[str, int],
    round_: int,
    announce: Callable[[str], object] = lambda name: None,
    warm: Collection[str] = (),
) -> dict[str, tuple[float, float]]:
    """Time each call once, in the order of a round.

    Parameters
    ----------
    calls : mapping of str to callable
        Functions without arguments, by name.
    numbers : mapping of str to int
        How many calls make a sample.
    round_ : int
        Number of the round, see :func:`order`.
    announce : callable
        Called with the name of what is called next.
    warm : collection of str
        Names of calls whose samples follow a call that is not timed, which fetches what
        the calls of the others have displaced from the caches.

    Returns
    -------
    dict of str to (float, float)
        Seconds per call by the CPU clock and by the wall clock.

    Examples
    --------
    >>> list(one_round({"a": list, "b": dict}, {"a": 9, "b": 9}, 1))
    ['b', 'a']
    """
    found = {}
    for name in order(list(calls), round_):
        announce(name)
        if name in warm:
            calls[name]()
        found[name] = both_clocks(calls[name], numbers[name])
    return found


def aligned_like(x: np.ndarray, order: Literal["C", "F"] = "C") -> np.ndarray:
    """Return an uninitialized array shaped like `x` that begins at a cache line.

    Chance would decide otherwise which implementation reads across cache lines.

    Parameters
    ----------
    x : ndarray
        Array whose shape and dtype are wanted.
    order : {"C", "F"}
        Memory layout of the result.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> aligned_like(np.zeros((2, 3)), order="F").ctypes.data % 64
    0
    """
    return aligned(x.shape, x.dtype, order)


def least_rounds(slowest: float) -> int:
    """Return the number of rounds to make whatever they cost.

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
    """Return the order of the calls in a round.

    The names are rotated by one after every second round, and the second of two rounds
    with the same rotation runs backwards.

    Examples
    --------
    >>> ["".join(order(list("ABC"), i)) for i in range(4)]
    ['ABC', 'CBA', 'BCA', 'ACB']
    """
    start = round_ // 2 % len(names)
    rotated = names[start:] + names[:start]
    return rotated[::-1] if round_ % 2 else rotated


def summary(times: np.ndarray) -> dict[str, float]:
    """Return minimum, quartiles, median and number of some times in seconds.

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


def paired_ratio(times: np.ndarray, yardstick: np.ndarray) -> float:
    """Return the median ratio of two calls over rounds; below 1 is faster.

    Parameters
    ----------
    times, yardstick : ndarray, shape (n_rounds,)
        Two arrays of one result of :func:`interleave`.

    Examples
    --------
    >>> paired_ratio(np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    0.5
    """
    return float(np.median(times / yardstick))


def calls_per_sample(call: Callable[[], object]) -> int:
    """Return how many calls make a sample of about :data:`SAMPLE_NS`.

    The first call is made without measuring it, because it may compile.

    Examples
    --------
    >>> calls_per_sample(lambda: None) > 1
    True
    """
    call()
    cpu, wall = both_clocks(call)
    if cpu * 1e9 >= 100 * SAMPLE_NS or wall >= _LONG:
        return 1  # no other measurement would say anything else
    # The least of some times: on a busy machine any one may hold another's turn.
    elapsed = min(both_clocks(call)[WALL] for _ in range(3))
    if elapsed * 1e9 >= SAMPLE_NS:
        return 1
    # A single short call seems slow (cold branch predictor, clock): measure again with
    # as many calls as that estimate asks for.
    number = max(1, int(SAMPLE_NS / (elapsed * 1e9)))
    elapsed = max(min(both_clocks(call, number)[WALL] for _ in range(2)), 1e-9)
    return max(1, round(SAMPLE_NS / (elapsed * 1e9)))
