"""Plans: by which kernels a chain is multiplied, and which factors are fused before.

A chain of small factors has the fewest multiplications; fused into fewer and denser
ones it reads and writes the vector less often. A plan is a sequence of steps, and is
chosen by a model of the time of each, in nanoseconds, whose constants were measured
once: `nbfact study products` shows the choice beside the alternatives.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from .chain import Chain
from .patterns import Pattern, fused, groups, shape_of

INCREASING, DECREASING, KRONECKER = "increasing", "decreasing", "kronecker"


@dataclass(frozen=True)
class Step:
    """One call of a kernel, for the factors `start` to `stop` of a chain.

    Parameters
    ----------
    kind : {"increasing", "decreasing", "kronecker"}
        A whole dyadic butterfly that applies stride 1 first, or last; or factors of any
        pattern.
    start, stop : int
        The factors, in the order of the chain.
    sizes : tuple of int
        For the third kind: how many factors are multiplied out into each.
    """

    kind: str
    start: int
    stop: int
    sizes: tuple[int, ...] = ()


Plan = tuple[Step, ...]

MOST_GROWTH = 16
"""How many times more values fused factors may have."""


# Nanoseconds, float32. A value is one multiply-add in one column; a number moved is one
# entry that a factor reads or writes, in one column.
CALL = 500.0
DYADIC_VECTOR, DYADIC_COLUMNS = 0.06, 0.03
FACTOR_VECTOR, FACTOR_COLUMNS = (0.06, 0.2), (0.03, 0.05)


def cost(chain: Chain, plan: Plan, dtype: np.dtype, batch: int) -> float:
    """Return the nanoseconds that a plan is expected to take.

    Parameters
    ----------
    chain : Chain
    plan : tuple of Step
    dtype : dtype
        Of the values and of what they multiply.
    batch : int
        Columns; 1 for a vector.
    """
    return sum(_step_cost(chain, step, dtype, batch) for step in plan)


def best(chain: Chain, dtype: np.dtype, batch: int) -> Plan:
    """Return the plan of the least cost; parameters as in `cost`.

    Whole dyadic butterflies are recognised wherever they stand in the chain. The rest,
    and they too where that is cheaper, is fused group by group, by dynamic programming
    over where groups start.
    """
    steps, start = [], 0
    for stop, kind in _segments(chain):
        step = Step(
            KRONECKER, start, stop, _partition(chain, start, stop, dtype, batch)
        )
        if kind != KRONECKER:
            whole = Step(kind, start, stop)
            step = min(whole, step, key=lambda s: _step_cost(chain, s, dtype, batch))
        steps.append(step)
        start = stop
    return _joined(steps)


def alternatives(chain: Chain) -> dict[str, Plan]:
    """Return plans by name, to be timed beside the best: every radix that divides.

    Examples
    --------
    >>> list(alternatives(Chain.square_dyadic(16)))
    ['dyadic', 'fused by 1', 'fused by 2', 'fused by 3', 'fused by 4']
    """
    found, start, steps = {}, 0, []
    for stop, kind in _segments(chain):
        sizes = (1,) * (stop - start)
        steps.append(Step(kind, start, stop, sizes if kind == KRONECKER else ()))
        start = stop
    if any(step.kind != KRONECKER for step in steps):
        found["dyadic"] = _joined(steps)
    length = len(chain)
    for size in range(1, length + 1):
        sizes = (size,) * (length // size)
        if length % size:
            sizes += (length % size,)
        if size not in (1, 2, 3, 4, (length + 1) // 2):
            continue
        try:
            patterns = chain.fuse(sizes)
        except ValueError:
            continue
        if patterns.n_parameters <= MOST_GROWTH * chain.n_parameters:
            found[f"fused by {size}"] = (Step(KRONECKER, 0, length, sizes),)
    return found


def _segments(chain):
    """Yield the end and the kind of consecutive parts: whole dyadic, or not."""
    start, other = 0, 0
    while start < len(chain):
        for kind in (INCREASING, DECREASING):
            length = _dyadic_length(chain, start, kind)
            if length:
                if other < start:
                    yield start, KRONECKER
                start += length
                yield start, kind
                other = start
                break
        else:
            start += 1
    if other < start:
        yield start, KRONECKER


def _dyadic_length(chain, start, kind):
    """Return log2(n) where a whole dyadic butterfly of a kind starts, else 0."""
    n = shape_of(chain[start])[0]
    levels = n.bit_length() - 1
    if n < 2 or n & (n - 1) or start + levels > len(chain):
        return 0
    for level in range(levels):
        stride = n >> (level + 1) if kind == INCREASING else 1 << level
        if chain[start + level] != (n // (2 * stride), 2, 2, stride):
            return 0
    return levels


def _partition(chain, start, stop, dtype, batch):
    """Return the group sizes of least cost for factors start to stop."""
    least, sizes = [0.0], [()]
    for end in range(start + 1, stop + 1):
        options = []
        for begin in range(end - 1, start - 1, -1):
            pattern = _fused(chain.patterns[begin:end])
            if pattern is None:
                break
            grown = math.prod(pattern)
            if grown > MOST_GROWTH * sum(map(math.prod, chain.patterns[begin:end])):
                break
            before = begin - start
            told = least[before] + _factor_cost(pattern, dtype, batch)
            options.append((told, (*sizes[before], end - begin)))
        told, chosen = min(options)
        least.append(told)
        sizes.append(chosen)
    return sizes[-1]


@functools.cache
def _fused(patterns: tuple[Pattern, ...]) -> Pattern | None:
    """Return the pattern of a product, or None where it has none."""
    try:
        return functools.reduce(fused, patterns)
    except ValueError:
        return None


def _joined(steps):
    """Return a plan in which neighbouring steps of the third kind are one."""
    found = []
    for kind, group in itertools.groupby(steps, key=lambda step: step.kind):
        group = list(group)
        if kind == KRONECKER:
            sizes = tuple(size for step in group for size in step.sizes)
            group = [Step(kind, group[0].start, group[-1].stop, sizes)]
        found += group
    return tuple(found)


def _step_cost(chain, step, dtype, batch):
    """Return the nanoseconds of one step."""
    if step.kind == KRONECKER:
        ends = groups(step.stop - step.start, step.sizes)
        parts = (chain.patterns[step.start + i : step.start + j] for i, j in ends)
        return CALL + sum(_factor_cost(_fused(part), dtype, batch) for part in parts)
    n = shape_of(chain[step.start])[0]
    values = 2 * n * (step.stop - step.start)
    return CALL + values * batch * _scale(dtype) * (
        DYADIC_VECTOR if batch == 1 else DYADIC_COLUMNS
    )


def _factor_cost(pattern, dtype, batch):
    """Return the nanoseconds of one factor of any pattern."""
    rows, columns = shape_of(pattern)
    value, moved = FACTOR_VECTOR if batch == 1 else FACTOR_COLUMNS
    return (
        _scale(dtype) * batch * (value * math.prod(pattern) + moved * (rows + columns))
    )


def _scale(dtype):
    """Return how many times longer than float32 a dtype takes."""
    dtype = np.dtype(dtype)
    return dtype.itemsize / 4 * (2 if dtype.kind == "c" else 1)
