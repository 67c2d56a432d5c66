"""Splits of blocks of two rows and rank one, from left to right: by one kernel."""

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np

from ..._core.dtypes import real_dtype
from ...kernels import rank_one_butterfly
from ...operators.patterns import Pattern
from .split_factors import SplitFactors, distance, permuted


class KernelLayout(NamedTuple):
    """Where `rank_one_butterfly` writes the values of a chain.

    Attributes
    ----------
    patterns : tuple of Pattern
        The patterns of the chain.
    sizes, offsets : list of int
        Number of values of each factor but the last; where they begin, and end.
    levels : ndarray of int64
        The argument `levels` of the kernel, which only reads it.
    first : ndarray of int64
        The same for the first two rows that the first split merges, and nothing else.
    """

    patterns: tuple[Pattern, ...]
    sizes: list[int]
    offsets: list[int]
    levels: np.ndarray
    first: np.ndarray


@functools.lru_cache(maxsize=64)
def kernel_layout(patterns: tuple[Pattern, ...]) -> KernelLayout | None:
    """Return how the kernel `rank_one_butterfly` factors a chain; None if it cannot."""
    two_rows = (
        len(patterns) > 1
        and patterns[0][0] == patterns[-1][3] == 1
        and all(pattern[1] == 2 for pattern in patterns[:-1])
        and all(
            left[0] * left[2] == right[0]
            for left, right in itertools.pairwise(patterns)
        )
    )
    if not two_rows:
        return None
    sizes = [math.prod(pattern) for pattern in patterns[:-1]]
    offsets = [0, *itertools.accumulate(sizes)]
    levels = np.array(
        [(at, p[2], p[3]) for at, p in zip(offsets, patterns[:-1], strict=False)],
        np.int64,
    )
    first = np.array([(0, patterns[0][2], 1)], np.int64)
    return KernelLayout(patterns, sizes, offsets, levels, first)


def first_loss(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    layout: KernelLayout,
) -> float:
    """Return the norm that the first split loses in two of the rows that it merges.

    No factors of the chain have a smaller error. The arguments are those of
    `factor_by_kernel`, which need not make a copy of the whole target where two rows
    tell that it would be in vain.
    """
    stride = layout.patterns[0][3]
    pair = (0, stride) if rows is None else (rows[0], rows[stride])
    two = np.ascontiguousarray(target[pair, :])
    (_, n), dtype, real = two.shape, two.dtype, real_dtype(two.dtype)
    planes = 2 if dtype.kind == "c" else 1
    empty, squares = np.empty((6, planes, n), real), np.zeros(1)
    values = np.empty((layout.sizes[0], planes), real)
    in_order = np.empty(0, np.intp)
    rank_one_butterfly(
        two.view(real).reshape(2, n, planes),
        in_order,
        in_order if columns is None else columns,
        layout.first,
        True,
        math.inf,
        empty[:4].reshape(2, 2, planes, n),
        (values, empty[4:5], squares),
    )
    return math.sqrt(squares[0])


def factor_by_kernel(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    layout: KernelLayout,
    orthonormal: bool,
    limit: float,
) -> SplitFactors | None:
    """Factor by the kernel, with the other arguments of `factor_by_splits`."""
    target = np.ascontiguousarray(target)
    (m, n), dtype, real = target.shape, target.dtype, real_dtype(target.dtype)
    planes = 2 if dtype.kind == "c" else 1
    patterns, sizes, offsets, levels, _ = layout
    a, b, c, _ = patterns[-1]
    values = np.empty((offsets[-1], planes), real)
    last, squares = np.empty((b, planes, n), real), np.zeros(len(levels))
    in_order = np.empty(0, np.intp)
    lost_energy = rank_one_butterfly(
        target.view(real).reshape(m, n, planes),
        in_order if rows is None else rows,
        in_order if columns is None else columns,
        levels,
        orthonormal,
        limit * limit if orthonormal else math.inf,
        np.empty((len(levels) + 1, 2, planes, n), real),
        (values, last, squares),
    )
    if orthonormal and lost_energy > limit * limit:
        return None
    flat = values.view(dtype).reshape(-1)
    found = [
        flat[at : at + size].reshape(pattern)
        for at, size, pattern in zip(offsets, sizes, patterns[:-1], strict=False)
    ]
    rest = last[:, 0] if planes == 1 else last[:, 0] + 1j * last[:, 1]
    rest = rest.astype(dtype, copy=False).reshape(b, a, c, 1).swapaxes(0, 1)
    found.append(rest)
    lost = np.sqrt(squares)
    if orthonormal:  # the splits lose parts of A that are orthogonal to one another
        error = math.sqrt(float(np.vdot(lost, lost)))
        return SplitFactors(found, lost, error, error, float(lost.max()))
    whole = permuted(target, rows, columns)[None, :, :, None]
    error = distance(whole, found)
    bound = error if len(lost) < 2 else math.inf
    return SplitFactors(found, lost, error, bound, float(lost[0]))
