"""Plans: which kernels multiply a chain, and which factors are fused before.

A chain of small factors needs the fewest multiplications. When neighbours are fused,
that is, multiplied out into fewer and denser factors, a product reads and writes the
vector less often. A plan is a sequence of steps, one for each call of a kernel. The
plan that costs the least is chosen by a model of the time of each step, whose constants
were measured once; ``nbfact bench -k "butterfly plans"`` times the chosen plan beside
its alternatives.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from ..kernels.kronecker_columns import DENSE
from ..kernels.panels import HALF
from .block_prices import CALL, blocks_cost, few_rows_cost, memory_cost, read_cost
from .chain import Chain
from .patterns import Pattern, fused, groups, is_chainable, transposed

INCREASING, DECREASING = "increasing", "decreasing"
SHUFFLED, TURNED = "shuffled", "turned"
KRONECKER, BLOCKS = "kronecker", "blocks"
"""Kinds of steps, which `Step` describes."""


@dataclass(frozen=True)
class Step:
    """One call of a kernel, for the factors `start` to `stop` of a chain.

    Parameters
    ----------
    kind : str
        Which kernel is called, for which factors:

        * "increasing" and "decreasing": a whole dyadic butterfly, which applies the
          factor of stride 1 first, or last;
        * "shuffled" and "turned": a whole chain that is chainable, or whose transpose
          is chainable, in constant geometry; for one vector only;
        * "kronecker": factors of any patterns;
        * "blocks": factors that are multiplied out into one with large blocks, which
          panels of vectors multiply, or BLAS.
    start, stop : int
        The factors that the step multiplies, in the order of the chain.
    sizes : tuple of int
        Numbers of neighbouring factors that are multiplied out into one, for
        "kronecker" only.
    """

    kind: str
    start: int
    stop: int
    sizes: tuple[int, ...] = ()


Plan = tuple[Step, ...]

MOST_GROWTH = 16
"""Limit of fusing: fused factors have at most this many times as many values as the
factors that they replace, which bounds the memory of a plan."""

FEW = 64
"""Number of columns from which on a kernel reads each value once for many columns; a
product with fewer columns has other rates."""

MOST_COLUMNS = 256
"""Number of columns from which on plans are the same."""

# The rates below are nanoseconds per value and column, for float32, float64, complex64
# and complex128 in this order, with all data in the cache of a Zen 4 processor. The
# command `nbfact study rates` prints them. The letters are those of a pattern
# (a, b, c, d).
DYADIC = {
    "vector": (0.065, 0.14, 0.18, 0.36),
    "few": (0.036, 0.045, 0.105, 0.2),
    "many": (0.023, 0.049, 0.11, 0.24),
}
"""Rates of a dyadic butterfly."""
DYADIC_SHORT = {32: (0.3, 0.3, 0.45, 0.45), 64: (0.59, 0.59, 1.05, 1.4)}
"""Nanoseconds of each value of a dyadic butterfly for all of a few columns, by the
bytes that a row of them has at most: see ``benchmarks/few_columns.py``."""
DYADIC_COLUMNS, STEP = 1350.0, 1000.0
"""Nanoseconds of the call for columns; and how much longer that of any other kernel for
one vector, or of that for any patterns for columns, takes than grouping counts."""
SHUFFLED_OWN = (0.07, 0.15, 0.19, 0.36)
"""Rates of a factor in constant geometry for which the kernel has a loop of its own."""
SHUFFLED_ANY = (0.11, 0.2, 0.27, 0.55)
"""Rates of any other factor in constant geometry."""
SHUFFLED_PLANE = (1.4, 1.5, 2.4, 2.6)
"""Time of each of the b c planes of such a factor, of which each is a loop over a d
values: it counts where the planes are short."""
FACTOR = {
    "vector": (0.6, 0.6, 0.8, 0.95),
    "vector, d >= 16": (0.25, 0.3, 0.36, 0.7),
    "vector, d = 1, b >= 16": (0.2, 0.21, 0.36, 0.6),
    "few": (0.1, 0.13, 0.3, 0.6),
    "few, b < 4": (0.14, 0.14, 0.22, 0.65),
    "few, b >= 32": (0.045, 0.075, 0.15, 0.27),
    "many": (0.05, 0.1, 0.17, 0.58),
    "many, b < 4": (0.095, 0.2, 0.2, 0.75),
    "many, b >= 32": (0.028, 0.06, 0.14, 0.35),
}
"""Rates of a factor of any pattern: real ones of many columns, b < 32, of an Intel."""
SLOWER = 1.8
"""How many times as long as these rates say do a few columns take by the kernels for
any patterns, at worst, and many where panels fit: other ways are chosen from there."""
_PLACES = {"float32": 0, "float64": 1, "complex64": 2, "complex128": 3}
"""Index of the rate of a dtype in the tuples above."""


def columns_planned(batch: int) -> int:
    """Return the number of columns whose plan multiplies `batch` columns.

    It is the largest power of two that is not above `batch`, nor above
    :data:`MOST_COLUMNS`: as many plans serve all batches.

    Examples
    --------
    >>> [columns_planned(batch) for batch in (1, 2, 3, 100, 10**6)]
    [1, 2, 2, 64, 256]
    """
    return min(1 << max(batch.bit_length() - 1, 0), MOST_COLUMNS)


def cost(chain: Chain, plan: Plan, dtype: np.dtype, batch: int) -> float:
    """Return the time that a plan is expected to take, in nanoseconds.

    Parameters
    ----------
    chain : Chain
    plan : tuple of Step
    dtype : numpy.dtype
        Dtype of the values, and of the vector or the columns.
    batch : int
        Number of columns; 1 for a vector.
    """
    return sum(
        _step_cost(chain, step, dtype, batch) + _memory(chain, step, dtype, batch)
        for step in plan
    )


def best_rows(chain: Chain, dtype: np.dtype, batch: int) -> tuple[Plan, float]:
    """Return the plan of large blocks for a few rows, and its time, as `cost`."""
    plan = _partition(chain, 0, len(chain), dtype, batch, rows=True)
    found = sum(_memory(chain, step, dtype, batch) for step in plan)
    for step in plan:
        pattern = functools.reduce(fused, chain.patterns[step.start : step.stop])
        found += few_rows_cost(pattern, dtype, batch)
    return plan, found


def best(chain: Chain, dtype: np.dtype, batch: int) -> Plan:
    """Return the plan of the least expected time.

    The parameters are those of `cost`. Parts of the chain that are whole chains by
    themselves are recognised: dyadic butterflies and, for one vector, chainable chains
    and their transposes. The other factors, and also whole parts where that is cheaper,
    are fused in groups, which dynamic programming finds. Each group is multiplied
    as large blocks or by loops, whichever takes less.
    """
    steps: list[Step] = []
    start = 0
    for stop, kinds in _segments(chain):
        options: list[Plan] = [_joined(_partition(chain, start, stop, dtype, batch))]
        options += [(Step(kind, start, stop),) for kind in _usable(kinds, batch)]
        costs = [cost(chain, option, dtype, batch) for option in options]
        steps += options[costs.index(min(costs))]
        start = stop
    return _joined(steps)


def alternatives(chain: Chain, batch: int) -> dict[str, Plan]:
    """Return plans by name, to be timed beside the best one.

    They use each kernel that fits the chain, and fuse factors in groups of several
    sizes.

    Examples
    --------
    >>> list(alternatives(Chain.square_dyadic(16), 1))
    ['dyadic', 'shuffled', 'fused by 1', 'fused by 2', 'fused by 3', 'fused by 4']
    """
    found = {}
    both = (INCREASING, DECREASING), (SHUFFLED, TURNED)
    for name, wanted in zip(("dyadic", "shuffled"), both, strict=True):
        steps, start = [], 0
        for stop, kinds in _segments(chain):
            kind = next((k for k in _usable(kinds, batch) if k in wanted), KRONECKER)
            sizes = (1,) * (stop - start) if kind == KRONECKER else ()
            steps.append(Step(kind, start, stop, sizes))
            start = stop
        if any(step.kind != KRONECKER for step in steps):
            found[name] = _joined(steps)
    length = len(chain)
    for size in sorted({1, 2, 3, 4, (length + 1) // 2}):
        if size > length:
            continue
        sizes = (size,) * (length // size)
        sizes += (length % size,) if length % size else ()
        try:
            grown = chain.fuse(sizes).n_parameters
        except ValueError:
            continue
        if grown <= MOST_GROWTH * chain.n_parameters:
            found[f"fused by {size}"] = (Step(KRONECKER, 0, length, sizes),)
    return found


def _usable(kinds, batch):
    """Return those of some kinds of steps that multiply `batch` columns."""
    vector_only = (SHUFFLED, TURNED)
    return [kind for kind in kinds if batch == 1 or kind not in vector_only]


def _segments(chain):
    """Yield the stop of consecutive parts of a chain, and the kinds of steps for each.

    A part that is a whole chain starts with a = 1 and ends with d = 1; the transpose of
    one starts with d = 1 and ends with a = 1. Other parts have no kinds of their own.
    """
    start, other = 0, 0
    while start < len(chain):
        stop = _whole(chain.patterns[start:])
        turned = _whole([transposed(p) for p in chain.patterns[start:]], turned=True)
        if stop or turned:
            if other < start:
                yield start, ()
            kinds = [SHUFFLED] * bool(stop) + [TURNED] * (not stop)
            other = start = start + (stop or turned)
            yield start, (*_dyadic(chain, start - (stop or turned), start), *kinds)
        else:
            start += 1
    if other < start:
        yield start, ()


def _whole(patterns, turned=False):
    """Return how many of the first patterns make a whole chainable chain, or 0.

    `turned` says that the patterns are transposed, and in the order from right to left.
    """
    for number, pattern in enumerate(patterns):
        first, last = (3, 0) if turned else (0, 3)
        if number == 0 and pattern[first] != 1:
            return 0
        if number:
            pair = patterns[number - 1], pattern
            if not is_chainable(*(pair[::-1] if turned else pair)):
                return 0
        if pattern[last] == 1:
            return number + 1
    return 0


def _dyadic(chain, start, stop):
    """Return a tuple of the kind of a whole dyadic butterfly, or an empty tuple."""
    part = chain[start:stop]
    n = part.shape[0]
    if n >= 2 and n & (n - 1) == 0 and stop - start == n.bit_length() - 1:
        dyadic = Chain.square_dyadic(n)
        if part == dyadic:
            return (INCREASING,)
        if part == dyadic.T:
            return (DECREASING,)
    return ()


def _partition(chain, start, stop, dtype, batch, rows=False):
    """Return the steps of least cost; for a few `rows`, those of large blocks alone."""
    price = few_rows_cost if rows else blocks_cost
    least: list[float] = [0.0]
    found: list[tuple[Step, ...]] = [()]
    for end in range(start + 1, stop + 1):
        best_cost, chosen = math.inf, ()
        for begin in range(end - 1, start - 1, -1):
            pattern = _fused(chain.patterns[begin:end])
            if pattern is None:
                break
            replaced = sum(map(math.prod, chain.patterns[begin:end]))
            if math.prod(pattern) > MOST_GROWTH * replaced:
                break
            by_loops = math.inf
            # For a dense block, BLAS would copy the blocks in each call.
            if not rows and (batch == 1 or pattern[1] * pattern[2] < DENSE):
                by_loops = _factor_cost(pattern, dtype, batch)
                if not found[begin - start] or found[begin - start][-1].kind == BLOCKS:
                    by_loops += STEP + CALL  # which neighbours by loops share
            as_blocks = price(pattern, dtype, batch) + STEP * (batch == 1)
            total = least[begin - start] + min(by_loops, as_blocks)
            total += memory_cost(pattern, replaced, dtype, batch)
            if total < best_cost:
                step = Step(KRONECKER, begin, end, (end - begin,))
                if as_blocks < by_loops:
                    step = Step(BLOCKS, begin, end)
                best_cost, chosen = total, (*found[begin - start], step)
        least.append(best_cost)
        found.append(chosen)
    return found[-1]


@functools.cache
def _fused(patterns: tuple[Pattern, ...]) -> Pattern | None:
    """Return the pattern of a product of factors, or None when it has none."""
    try:
        return functools.reduce(fused, patterns)
    except ValueError:
        return None


def _joined(steps):
    """Return a plan in which neighbouring steps of kind "kronecker" are one step."""
    found: list[Step] = []
    for kind, neighbours in itertools.groupby(steps, key=lambda step: step.kind):
        group = list(neighbours)
        if kind == KRONECKER:
            sizes = tuple(size for step in group for size in step.sizes)
            group = [Step(kind, group[0].start, group[-1].stop, sizes)]
        found += group
    return tuple(found)


def _step_cost(chain, step, dtype, batch):
    """Return the expected time of one step, in nanoseconds."""
    patterns = chain.patterns[step.start : step.stop]
    place = _PLACES[np.dtype(dtype).name]
    if step.kind == KRONECKER:
        ends = groups(len(patterns), step.sizes)
        parts = (_fused(patterns[i:j]) for i, j in ends)
        return STEP + CALL + sum(_factor_cost(part, dtype, batch) for part in parts)
    if step.kind == BLOCKS:
        pattern = functools.reduce(fused, patterns)  # a plan has it, so that it exists
        return blocks_cost(pattern, dtype, batch) + (STEP if batch == 1 else 0.0)
    if step.kind in (INCREASING, DECREASING):
        values = sum(map(math.prod, patterns))
        call = CALL if batch == 1 else DYADIC_COLUMNS
        return call + values * _dyadic_rate(place, batch, np.dtype(dtype).itemsize)
    found = STEP + CALL
    for number, pattern in enumerate(patterns):
        if step.kind == TURNED:
            own = pattern[2] in (2, 4)
        else:
            rank = patterns[number + 1][1] // 2 if number + 1 < len(patterns) else 1
            own = pattern[1] % 2 == 0 and pattern[2] == 2 * rank <= 4
        rate = SHUFFLED_OWN if own else SHUFFLED_ANY
        found += rate[place] * math.prod(pattern)
        found += SHUFFLED_PLANE[place] * pattern[1] * pattern[2]
        found += read_cost(pattern, dtype)
    return found


def _memory(chain, step, dtype, batch):
    """Return the time in which a step waits for memory, and for the second cache."""
    patterns = chain.patterns[step.start : step.stop]
    if step.kind not in (KRONECKER, BLOCKS):
        return 0.0
    sizes = step.sizes or (len(patterns),)
    found = 0.0
    for i, j in groups(len(patterns), sizes):
        part = patterns[i:j]
        pattern: Pattern = functools.reduce(fused, part)
        found += memory_cost(pattern, sum(map(math.prod, part)), dtype, batch)
    return found


def _dyadic_rate(place, batch, itemsize):
    """Return the time of each value of a dyadic butterfly for all columns."""
    if 1 < batch < FEW:
        for most, rates in DYADIC_SHORT.items():
            if batch * itemsize <= most:
                return rates[place]
    return DYADIC[_columns(batch)][place] * batch


def _factor_cost(pattern, dtype, batch):
    """Return the expected time of one factor of any pattern, in nanoseconds."""
    name, (_, b, _, d) = _columns(batch), pattern
    if batch > 1 and (b < 4 or b >= 32):
        name += ", b < 4" if b < 4 else ", b >= 32"
    elif batch == 1 and (d >= 16 or (d == 1 and b >= 16)):
        name += ", d >= 16" if d >= 16 else ", d = 1, b >= 16"
    rate = FACTOR[name][_PLACES[np.dtype(dtype).name]]
    rate *= SLOWER if 1 < batch and (batch < FEW or b >= HALF) else 1.0
    return rate * math.prod(pattern) * _counted(batch) + read_cost(pattern, dtype)


def _columns(batch):
    """Return the key of the rates for `batch` columns."""
    return "vector" if batch == 1 else "few" if batch < FEW else "many"


def _counted(batch):
    """Return the factor of a rate in the time of a value of `batch` columns.

    The rates of few columns were measured with 16, and fewer take longer each.
    """
    return (batch + 16) / 2 if 1 < batch < FEW else batch
