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

_IN_ORDER = np.empty(0, np.intp)
"""What stands for rows or columns in order, for the kernel."""


class SplitLevels(NamedTuple):
    """The splits that `rank_one_butterfly` makes, and the sizes of what it writes.

    Attributes
    ----------
    array : ndarray of int64
        The argument `levels` of the kernel, which only reads it.
    n_values : int
        Number of values of all factors but the last one.
    n_groups : int
        Number of groups of columns of the last factor.
    """

    array: np.ndarray
    n_values: int
    n_groups: int


class KernelLayout(NamedTuple):
    """Where `rank_one_butterfly` writes the values of a chain.

    Attributes
    ----------
    places : list of (int, int, Pattern)
        For each factor but the last: where its values begin, where they end, and its
        pattern.
    splits : SplitLevels
        The splits of the chain.
    stride : int
        Number of rows between those that the first split merges.
    first : SplitLevels
        The split of the first two rows that are merged, and nothing else.
    """

    places: list[tuple[int, int, Pattern]]
    splits: SplitLevels
    stride: int
    first: SplitLevels


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
    ends = [0, *itertools.accumulate(math.prod(p) for p in patterns[:-1])]
    places = list(zip(ends, ends[1:], patterns, strict=False))
    levels = np.array([(at, p[2], p[3]) for at, _, p in places], np.int64)
    _, _, s, stride = patterns[0]
    first = SplitLevels(np.array([(0, s, 1)], np.int64), 2 * s, s)
    splits = SplitLevels(levels, ends[-1], patterns[-1][0])
    return KernelLayout(places, splits, stride, first)


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
    stride = layout.stride
    if rows is None:
        two = target[: stride + 1 : stride]
    else:
        two = target[(rows[0], rows[stride]), :]
    return math.sqrt(_split(two, None, columns, layout.first, True, math.inf)[3])


def factor_by_kernel(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    layout: KernelLayout,
    orthonormal: bool,
    limit: float,
) -> SplitFactors | None:
    """Factor by the kernel, with the other arguments of `factor_by_splits`."""
    most = limit * limit if orthonormal else math.inf
    values, last, squares, energy = _split(
        target, rows, columns, layout.splits, orthonormal, most
    )
    if energy > most:
        return None
    found = [
        values[start:end].reshape(pattern) for start, end, pattern in layout.places
    ]
    found.append(last)
    lost = np.sqrt(squares)
    if orthonormal:  # the splits lose parts of A that are orthogonal to one another
        error = math.sqrt(energy)
        return SplitFactors(found, lost, error, error, max(lost.tolist()), fresh=True)
    whole = permuted(target, rows, columns)[None, :, :, None]
    error = distance(whole, found)
    bound = error if len(lost) < 2 else math.inf
    return SplitFactors(found, lost, error, bound, float(lost[0]))


def _split(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    splits: SplitLevels,
    orthonormal: bool,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return what the kernel writes, in the dtype of the target, and what it returns.

    These are the values of all factors but the last in one array, the last factor of
    shape (a, b, c, 1), the energy that each split loses, and the energy of them all.
    """
    target = np.ascontiguousarray(target)
    (m, n), dtype = target.shape, target.dtype
    levels, n_values, n_groups = splits
    n_splits = len(levels)
    values = np.empty(n_values, dtype)
    last = np.empty((n_groups, m >> n_splits, n // n_groups, 1), dtype)
    squares, planes, real = np.zeros(n_splits), 1, dtype
    if dtype.kind == "c":
        planes, real = 2, real_dtype(dtype)
    energy = rank_one_butterfly(
        target.view(real).reshape(m, n, planes),
        _IN_ORDER if rows is None else rows,
        _IN_ORDER if columns is None else columns,
        levels,
        orthonormal,
        limit,
        np.empty((n_splits + 1, 2, planes, n), real),
        (values.view(real).reshape(n_values, planes), last.view(real), squares),
    )
    return values, last, squares, energy
