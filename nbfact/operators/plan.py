"""Plans: by which kernels a chain is multiplied, and which factors are fused before.

A chain of small factors has the fewest multiplications; fused into fewer and denser
ones it reads and writes the vector less often. A plan is a sequence of steps, and is
chosen by a model of the time of each, in nanoseconds, whose constants were measured
once: `nbfact bench -k "butterfly plans"` times the choice beside the alternatives.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from .chain import Chain
from .patterns import Pattern, fused, groups, is_chainable, transposed

INCREASING, DECREASING = "increasing", "decreasing"
SHUFFLED, TURNED = "shuffled", "turned"
KRONECKER = "kronecker"


@dataclass(frozen=True)
class Step:
    """One call of a kernel, for the factors `start` to `stop` of a chain.

    Parameters
    ----------
    kind : str
        "increasing", "decreasing": a whole dyadic butterfly that applies stride 1
        first, or last. "shuffled", "turned": for one vector, a whole chain that is
        chainable, or whose transpose is, in constant geometry. "kronecker": factors of
        any pattern.
    start, stop : int
        The factors, in the order of the chain.
    sizes : tuple of int
        For the last kind: how many factors are multiplied out into each.
    """

    kind: str
    start: int
    stop: int
    sizes: tuple[int, ...] = ()


Plan = tuple[Step, ...]

MOST_GROWTH = 16
"""How many times more values fused factors may have."""


FEW = 64
"""Columns from which on values are read once for many of them."""

CALL = 500.0
"""Nanoseconds of a call."""

# Nanoseconds a value (and column), float32, float64, complex64, complex128, in cache,
# on Zen 4, printed by `nbfact study rates`; a pattern is (a, b, c, d).
DYADIC = {
    "vector": (0.065, 0.14, 0.18, 0.36),
    "few": (0.045, 0.063, 0.14, 0.24),
    "many": (0.023, 0.049, 0.11, 0.24),
}
SHUFFLED_OWN, SHUFFLED_ANY = (0.07, 0.15, 0.19, 0.36), (0.11, 0.2, 0.27, 0.47)
FACTOR = {
    "vector": (0.6, 0.6, 0.8, 0.95),
    "vector, d >= 16": (0.25, 0.3, 0.36, 0.6),
    "vector, d = 1, b >= 16": (0.2, 0.21, 0.36, 0.5),
    "few": (0.06, 0.13, 0.2, 0.45),
    "few, b < 4": (0.14, 0.14, 0.22, 0.65),
    "few, b >= 32": (0.045, 0.075, 0.15, 0.27),
    "many": (0.035, 0.08, 0.17, 0.55),
    "many, b < 4": (0.055, 0.11, 0.18, 0.75),
    "many, b >= 32": (0.028, 0.06, 0.14, 0.35),
}
_PLACES = {"float32": 0, "float64": 1, "complex64": 2, "complex128": 3}


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

    Chains that are whole are recognised wherever they stand: dyadic butterflies and,
    for one vector, chainable chains and their transposes. The rest, and they too where
    that is cheaper, is fused group by group, by dynamic programming.
    """
    steps, start = [], 0
    for stop, kinds in _segments(chain):
        sizes = _partition(chain, start, stop, dtype, batch)
        options = [Step(KRONECKER, start, stop, sizes)]
        options += [Step(kind, start, stop) for kind in _usable(kinds, batch)]
        steps.append(min(options, key=lambda s: _step_cost(chain, s, dtype, batch)))
        start = stop
    return _joined(steps)


def alternatives(chain: Chain, batch: int) -> dict[str, Plan]:
    """Return plans by name, to be timed beside the best: every kernel, several radices.

    Examples
    --------
    >>> list(alternatives(Chain.square_dyadic(16), 1))
    ['dyadic', 'shuffled', 'fused by 1', 'fused by 2', 'fused by 3', 'fused by 4']
    """
    found = {}
    for name, wanted in (
        ("dyadic", (INCREASING, DECREASING)),
        ("shuffled", (SHUFFLED, TURNED)),
    ):
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
    """Return the kinds that multiply so many columns."""
    vector_only = (SHUFFLED, TURNED)
    return [kind for kind in kinds if batch == 1 or kind not in vector_only]


def _segments(chain):
    """Yield the end of consecutive parts, and by which kernels each is multiplied.

    Parts that are whole start with a = 1 and end with d = 1, or, transposed, start with
    d = 1 and end with a = 1.
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
    """Return how many of the first patterns are a whole chainable chain, or 0.

    turned: they are transposes, and written from right to left.
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
    """Return the kind of a whole dyadic butterfly, if this is one."""
    part = chain[start:stop]
    n = part.shape[0]
    if n >= 2 and n & (n - 1) == 0 and stop - start == n.bit_length() - 1:
        dyadic = Chain.square_dyadic(n)
        if part == dyadic:
            return (INCREASING,)
        if part == dyadic.T:
            return (DECREASING,)
    return ()


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
    patterns = chain.patterns[step.start : step.stop]
    place = _PLACES[np.dtype(dtype).name]
    if step.kind == KRONECKER:
        ends = groups(len(patterns), step.sizes)
        parts = (_fused(patterns[i:j]) for i, j in ends)
        return CALL + sum(_factor_cost(part, dtype, batch) for part in parts)
    if step.kind in (INCREASING, DECREASING):
        values = sum(map(math.prod, patterns))
        return CALL + DYADIC[_columns(batch)][place] * values * batch
    found = CALL
    for number, pattern in enumerate(patterns):
        if step.kind == TURNED:
            own = pattern[2] in (2, 4)
        else:
            rank = patterns[number + 1][1] // 2 if number + 1 < len(patterns) else 1
            own = pattern[1] % 2 == 0 and pattern[2] == 2 * rank <= 4
        rate = SHUFFLED_OWN if own else SHUFFLED_ANY
        found += rate[place] * math.prod(pattern)
    return found


def _factor_cost(pattern, dtype, batch):
    """Return the nanoseconds of one factor of any pattern."""
    name, (_, b, _, d) = _columns(batch), pattern
    if batch > 1 and (b < 4 or b >= 32):
        name += ", b < 4" if b < 4 else ", b >= 32"
    elif batch == 1 and (d >= 16 or (d == 1 and b >= 16)):
        name += ", d >= 16" if d >= 16 else ", d = 1, b >= 16"
    return FACTOR[name][_PLACES[np.dtype(dtype).name]] * math.prod(pattern) * batch


def _columns(batch):
    """Return the key of the rates for so many columns."""
    return "vector" if batch == 1 else "few" if batch < FEW else "many"
