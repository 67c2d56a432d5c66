"""Splits of blocks of two rows and rank one, from left to right: by one kernel."""

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np

from ..._core.dtypes import real_dtype
from ...kernels import RankOneFactors, rank_one_butterfly
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
    """

    patterns: tuple[Pattern, ...]
    sizes: list[int]
    offsets: list[int]
    levels: np.ndarray


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
    return KernelLayout(patterns, sizes, offsets, levels)


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
    patterns, sizes, offsets, levels = layout
    a, b, c, _ = patterns[-1]
    values = np.empty((offsets[-1], planes), real)
    last, squares = np.empty((b, planes, n), real), np.zeros(len(levels))
    in_order = np.empty(0, np.intp)
    rank_one_butterfly(
        target.view(real).reshape(m, n, planes),
        in_order if rows is None else rows,
        in_order if columns is None else columns,
        levels,
        orthonormal,
        limit * limit if orthonormal else math.inf,
        np.empty((len(levels) + 1, 2, planes, n), real),
        RankOneFactors(values, last, squares),
    )
    if orthonormal and squares.sum() > limit * limit:
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
        error = float(np.linalg.norm(lost))
        return SplitFactors(found, lost, error, error, float(np.max(lost)))
    whole = permuted(target, rows, columns)[None, :, :, None]
    error = distance(whole, found)
    bound = error if len(lost) < 2 else math.inf
    return SplitFactors(found, lost, error, bound, float(lost[0]))
