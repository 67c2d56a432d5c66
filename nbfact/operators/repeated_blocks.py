"""Kronecker products of matrices: all blocks of a factor are one matrix.

Panels of a matrix, or BLAS where it is small, multiply along its axis of x, whose other
axes go along: two calls for two matrices, as a few lines of NumPy would do it, without
their intermediate arrays. The constants of the prices were measured by
``nbfact study grid -k kronecker``.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._core.cache_lines import aligned, maker
from .._core.dtypes import real_dtype
from .._core.threads import current, share, shared_from
from ..kernels import repeated_apply
from ..kernels.entry_points import entry_point
from ..kernels.panels import MANY
from ..kernels.repeated import (
    ALONG,
    ALONG_PANELS,
    INSIDE,
    INSIDE_PANELS,
    TRANSPOSED,
    TURNED,
)
from .block_prices import BLOCK_COLUMN
from .call_forms import KEPT_BYTES
from .matrix_panels import packed_panels, panel_rows
from .vector_calls import vector_call

LEAST_BLOCK = 16
"""Number of entries of a block from which on BLAS is thought of: smaller factors have
kernels of their own."""

SMALL_PRODUCT, WIDEST_PART = 2**19, 512
"""Limits of the multiplications of one call of BLAS, and of its columns: it multiplies
small real matrices without copies, which takes 0.65 to 0.95 times as long."""
LARGE_PRODUCT = 2**25
"""Limit of the multiplications of one call where matrices are not small, so that there
are several calls for threads to share."""
ROUND, LEAST_PART = 16, 32
"""Number that the size of a part is a multiple of, and least size of small parts."""

FEW_BYTES = 32
"""Bytes of the real parts of one row of columns up to which the columns are turned, so
that BLAS multiplies few large matrices instead of many narrow ones."""

TILE_BYTES = 1 << 19
"""Size of the rows that go through all steps together, in bytes, so that what is
between the steps stays in the second level of cache."""

RATE = {"f": 0.0185, "d": 0.037, "F": 0.093, "D": 0.185}
SMALL = {"f": 5.0, "d": 3.0, "F": 10.0, "D": 7.0}
NARROW = {"f": 8.0, "d": 8.0, "F": 22.0, "D": 22.0}
"""Nanoseconds for a multiplication by BLAS, by the letter of the dtype; how much more
it takes in small matrices, over their order; and in narrow ones, over the bytes of the
real parts of a row."""
UNIT = 128
"""Number of vectors of a part that panels multiply."""
CALL, SEVERAL, PART, MOVED = 800.0, 700.0, 25.0, 0.05
"""Nanoseconds for a product, for one with several vectors besides, for a call of BLAS,
and for a byte of a transpose."""


class Kronecker(NamedTuple):
    """The operator I_a ⊗ K[0] ⊗ K[1] ⊗ ... ⊗ I_d.

    ``packed`` holds, by groups of the matrices and dtype, what `multiplier` has packed:
    products of all shapes read the same arrays.
    """

    a: int
    matrices: tuple[np.ndarray, ...]
    d: int
    packed: dict[Any, tuple[np.ndarray, list[int]]]


class KroneckerWay(NamedTuple):
    """Steps of `nbfact.kernels.repeated_apply`, for some groups of the matrices.

    ``order`` holds the index of the group that each step multiplies by. ``widest`` is
    the size of the largest array between steps, and ``cost`` the expected time of the
    product, in nanoseconds.
    """

    cost: float
    groups: tuple[tuple[int, int], ...]
    steps: list[list[int]]
    widest: int


def kronecker_of(values: Sequence[np.ndarray]) -> Kronecker | None:
    """Return factors as a Kronecker product of matrices, or None where they are none.

    Parameters
    ----------
    values : sequence of ndarray, shapes (a, b, c, d)
        Values of the factors, from left to right. Those of other factors differ in
        their first or last block as a rule, so that little is read of them.
    """
    in_order = _axes([value.shape for value in values])
    if in_order is None:
        return None
    values = [values[i] for i in in_order]
    blocks = [value[0, :, :, 0] for value in values]
    for value, block in zip(values, blocks, strict=True):
        if not np.array_equal(block, value[-1, :, :, -1]):
            return None
    for value, block in zip(values, blocks, strict=True):
        if not (value == block[None, :, :, None]).all():
            return None
    return Kronecker(values[0].shape[0], tuple(blocks), values[-1].shape[3], {})


def _axes(shapes):
    """Return the indices of factors that have an axis each, from the first axis on.

    The axes are those of the chain, or in reverse, as in an adjoint. The result is None
    where factors have other patterns, or small blocks, or one block alone.
    """
    if any(b * c < LEAST_BLOCK for _, b, c, _ in shapes):
        return None
    if all(a * d == 1 for a, _, _, d in shapes):
        return None
    indices = list(range(len(shapes)))
    # Which of b and c an axis that comes before or after is long when its turn comes.
    for order, before, after in ((indices, 2, 1), (indices[::-1], 1, 2)):
        first, last = shapes[order[0]][0], shapes[order[-1]][3]
        left, right = first, last * math.prod(shapes[i][after] for i in order)
        for i in order:
            right //= shapes[i][after]
            if shapes[i][0] != left or shapes[i][3] != right:
                break
            left *= shapes[i][before]
        else:
            return order
    return None


def cheapest(of: Kronecker, dtype: np.dtype, batch: int, rows: bool) -> KroneckerWay:
    """Return the way that is expected to take the least time.

    Parameters
    ----------
    of : Kronecker
    dtype : numpy.dtype
    batch : int
        Number of vectors.
    rows : bool
        Whether they are rows; columns otherwise.
    """
    shapes = tuple(matrix.shape for matrix in of.matrices)
    ends = (of.a * batch, of.d) if rows else (of.a, of.d * batch)
    found = _cheapest(shapes, *ends, np.dtype(dtype).char)
    return found if batch == 1 else found._replace(cost=found.cost + SEVERAL)


@functools.lru_cache(maxsize=256)
def _cheapest(shapes, p, q, letter):
    """Return the cheapest way of multiplying the middle axes of (p, c[0], ..., q)."""
    groups = tuple((i, i + 1) for i in range(len(shapes)))
    best = _way(shapes, groups, p, q, letter)
    while len(groups) > 1:  # neighbours are multiplied out while that pays
        merged = [
            (*groups[:i], (groups[i][0], groups[i + 1][1]), *groups[i + 2 :])
            for i in range(len(groups) - 1)
        ]
        found = min((_way(shapes, one, p, q, letter) for one in merged), key=_cost)
        if found.cost >= best.cost:
            break
        best, groups = found, found.groups
    return best


def _cost(way):
    return way.cost


def _way(shapes, groups, p, q, letter):
    """Return the cheapest way for some groups of matrices."""
    sizes = [
        tuple(math.prod(shape[axis] for shape in shapes[i:j]) for axis in (0, 1))
        for i, j in groups
    ]
    order = list(range(len(groups)))
    options = [_in_place(sizes, one, p, q, letter) for one in (order, order[::-1])]
    few = q > 1 and q * real_dtype(np.dtype(letter)).itemsize <= FEW_BYTES
    if p == 1 and few and len(groups) > 1:
        options = [_in_turn(sizes, q, letter)]
    made = []
    for steps in options:
        cost = CALL + sum(_step_cost(step, letter) for step in steps)
        widest = max((_size(step) for step in steps[:-1]), default=0)
        made.append(KroneckerWay(cost, groups, steps, widest))
    return min(made, key=_cost)


def _in_place(sizes, order, p, q, letter):
    """Return steps that leave each axis where it is, for the groups in an order."""
    lengths, steps = [size[1] for size in sizes], []
    panel = panel_rows(np.dtype(letter))
    for index in order:
        b, c = sizes[index]
        before = p * math.prod(lengths[:index])
        after = q * math.prod(lengths[index + 1 :])
        lengths[index] = b
        if MANY and b >= panel and (before > 1 if after == 1 else after >= panel):
            way = ALONG_PANELS if after == 1 else INSIDE_PANELS
            parts = before // UNIT if after == 1 else after // UNIT
            parts = max(parts, 1) * (1 if after == 1 else before)
            steps.append([way, index, b, c, before, after, UNIT, 0, parts])
        elif after == 1:
            unit = _unit(b * c, before, letter)
            steps.append([ALONG, index, b, c, before, 1, unit, 0, -(-before // unit)])
        else:
            unit = _unit(b * c, after, letter)
            parts = before * -(-after // unit)
            steps.append([INSIDE, index, b, c, before, after, unit, 0, parts])
    return steps


def _in_turn(sizes, q, letter):
    """Return steps that move the axis of each group but the last behind the others."""
    total, steps = q * math.prod(size[1] for size in sizes), []
    for index, (b, c) in enumerate(sizes):
        others = total // c
        unit, last = _unit(b * c, others, letter), index == len(sizes) - 1
        way = INSIDE if last else TURNED
        steps.append([way, index, b, c, 1, others, unit, 0, -(-others // unit)])
        total = others * b
    tall = sizes[-1][0] * q
    return [*steps, [TRANSPOSED, 0, 1, 1, tall, total // tall, 1, 0, 1]]


def _unit(entries, length, letter):
    """Return the size of the parts in which BLAS multiplies `length` vectors."""
    unit = 0
    if letter in "fd":
        unit = min(SMALL_PRODUCT // entries // ROUND * ROUND, WIDEST_PART)
    if unit < LEAST_PART:
        unit = max(LARGE_PRODUCT // entries // ROUND * ROUND, ROUND)
    return min(unit, length)


def _size(step):
    """Return the number of entries that a step writes."""
    _, _, b, _, p, q = step[:6]
    return b * p * q


def _step_cost(step, letter):
    """Return the expected time of a step, in nanoseconds."""
    way, _, b, c, p, q, unit, _, parts = step
    if way == TRANSPOSED:
        return MOVED * p * q * np.dtype(letter).itemsize
    if way in (INSIDE_PANELS, ALONG_PANELS):
        panel = panel_rows(np.dtype(letter))
        return PART * parts + BLOCK_COLUMN[letter] * -(-b // panel) * panel * c * p * q
    rate = RATE[letter] * (1 + SMALL[letter] / min(b, c))
    if way == INSIDE:
        width = min(q, unit) * real_dtype(np.dtype(letter)).itemsize
        rate *= 1 + NARROW[letter] / width
    return PART * parts + rate * b * c * p * q


def rows_multiplier(
    of: Kronecker, dtype: np.dtype, shape: tuple[int, int]
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) that multiplies rows, in tiles of some rows.

    The parameters are those of `multiplier`.
    """
    batch, m = shape
    n = of.a * math.prod(matrix.shape[1] for matrix in of.matrices) * of.d
    tile = max(TILE_BYTES // (max(m, n) * dtype.itemsize), 1)
    if batch <= tile:
        way = cheapest(of, dtype, batch, True)
        return multiplier(of, way, dtype, shape)
    calls = {
        rows: rows_multiplier(of, dtype, (rows, m))
        for rows in {tile, batch % tile or tile}
    }
    work = dtype.itemsize * sum(
        math.prod(step[2:6]) for step in cheapest(of, dtype, 1, True).steps
    )
    make = maker(shape, dtype)

    def multiply(x, out=None):
        out = make() if out is None else out

        def some(begin, end):
            for first in range(begin, end, tile):
                part = x[first : min(first + tile, end)]
                calls[len(part)](part, out[first : first + len(part)])

        share(work, batch, some, tile)
        return out

    return multiply


def multiplier(
    of: Kronecker, way: KroneckerWay, dtype: np.dtype, shape: tuple[int, ...]
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) that multiplies in some way.

    Parameters
    ----------
    of : Kronecker
    way : KroneckerWay
        A way of `cheapest` for the arrays below.
    dtype : numpy.dtype
        Dtype of x and of the product, which are C-contiguous and share no memory.
    shape : tuple of int
        Shape of the product.
    """
    key = way.groups, dtype
    if key not in of.packed:
        of.packed[key] = _packed(of.matrices, *key)
    (values, starts), size, new = of.packed[key], math.prod(shape), maker(shape, dtype)
    steps = np.array(
        [[row[0], starts[row[1]], *row[2:]] for row in way.steps], np.int64
    )
    between = (min(len(steps) - 1, 2), way.widest if len(steps) > 1 else 0)
    make = functools.partial(aligned, between, dtype)
    work = dtype.itemsize * sum(math.prod(step[2:6]) for step in way.steps)
    if math.prod(between) * dtype.itemsize > KEPT_BYTES:
        flat = _unkept(values, steps, make)
    else:
        flat = vector_call(repeated_apply, (values, steps), size, dtype, make)
    wide = shared_from(work) <= 1
    shared = _stepwise(values, steps, make, work) if wide else flat
    if len(shape) == 1 and not wide:
        return flat

    def multiply(x, out=None):
        if out is None:
            out = new()
        chosen = shared if wide and current() > 1 else flat
        chosen(x.ravel(), out.ravel())
        return out

    return multiply


def _packed(matrices, groups, dtype):
    """Return the groups, their transposes and panels, flat, and where each begins."""
    listed, starts = list[np.ndarray](), list[int]()
    for i, j in groups:
        # In the dtype of x, which may be the more precise one.
        converted = (one.astype(dtype) for one in matrices[i:j])
        matrix = functools.reduce(np.kron, converted)
        starts.append(sum(map(len, listed)))
        listed += [matrix.ravel(), matrix.T.ravel()]
        if MANY and len(matrix) >= panel_rows(dtype):
            listed.append(packed_panels(matrix).ravel())
    values = aligned((sum(map(len, listed)),), dtype)
    np.concatenate(listed, out=values)
    return values, starts


def _unkept(values, steps, make):
    """Return the function (x, out) that makes the arrays between steps at each call."""
    some = np.empty(0, values.dtype)
    call = entry_point(repeated_apply, values, steps, some, make()[:0], some)
    return lambda x, out: call(values, steps, x, make(), out)


def _stepwise(values, steps, make, work):
    """Return the function (x, out) that shares the parts of each step among threads.

    x and out are flat. Threads change no bit, because each part is computed as it would
    be alone.
    """
    nothing, some = np.empty((0, 0), values.dtype), np.empty(0, values.dtype)
    call = entry_point(repeated_apply, values, steps, some, nothing, some)

    def multiply(x, out):
        between = make()
        for number, step in enumerate(steps):
            target = out if number == len(steps) - 1 else between[number % 2]
            parts = int(step[-1])
            share(
                work / parts, parts, functools.partial(some_parts, step, x, target), 1
            )
            x = target

    def some_parts(step, x, out, begin, end):
        chosen = step[None].copy()
        chosen[0, -2:] = begin, end
        call(values, chosen, x, nothing, out)

    return multiply
