"""One matrix in one chain: the splits of a part into two, by the best low-rank blocks.

A split replaces a part, the product of some factors of the chain, by a left and a right
factor. ``part_blocks`` shows which blocks of the part are approximated.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ...kernels import frobenius_norm
from ...operators import Chain
from ...operators.patterns import Pattern, fused
from .kernel_splits import (
    KernelLayout,
    factor_by_kernel,
    first_loss,
    kernel_layout,
)
from .part_blocks import (
    blocks_of,
    left_blocks,
    left_values,
    right_blocks,
    right_values,
)
from .redundant_chains import (
    Tree,
    expanded,
    fuse_redundant,
    pattern_of,
    rank_between,
)
from .split_factors import SplitFactors, distance, permuted

SplitOrder = Literal["left-to-right", "right-to-left", "balanced"]
ORDERS = get_args(SplitOrder)
"""The orders in which the splits of a chain may be made."""

Gauge = Literal["left", "right"] | None
"""Whether a factor was made an isometry as a left or as a right factor, or neither."""


def split_order(n_factors: int, order: SplitOrder) -> list[int]:
    """Return the factor after which each split cuts, in the order of the splits.

    Examples
    --------
    >>> split_order(4, "left-to-right"), split_order(4, "balanced")
    ([0, 1, 2], [1, 0, 2])
    >>> split_order(5, "balanced")
    [1, 0, 2, 3]
    """
    if order == "balanced":
        return _balanced(0, n_factors)
    cuts = list(range(n_factors - 1))
    return cuts if order == "left-to-right" else cuts[::-1]


def _balanced(start: int, stop: int) -> list[int]:
    """Return the cuts of factors start to stop - 1.

    The middle cut comes first, then those left of it, then those right of it.
    """
    if stop - start < 2:
        return []
    middle = start + (stop - start) // 2
    return [middle - 1, *_balanced(start, middle), *_balanced(middle, stop)]


def factor_by_splits(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    chain: Chain,
    order: SplitOrder,
    orthonormal: bool,
    limit: float = math.inf,
) -> SplitFactors | None:
    """Factor target[rows][:, columns] in a chainable chain.

    Parameters
    ----------
    target : ndarray, (m, n)
        A matrix whose squared entries neither over- nor underflow.
    rows, columns : ndarray of int, or None
    chain : Chain
        A chainable chain of the shape of the target.
    order : {"left-to-right", "right-to-left", "balanced"}
    orthonormal : bool
    limit : float
        An error, a norm, above which the factors are not wanted.

    Returns
    -------
    SplitFactors, or None if every product of the chain has an error above the limit.

    Notes
    -----
    A redundant chain is factored with its redundant neighbours fused, which loses
    nothing, and these are split again: see ``redundant_chains``.
    """
    trees, patterns, layout = _planned(chain, order)
    if limit < math.inf and not _plausible(
        target, rows, columns, patterns, layout, limit
    ):
        return None
    if layout is not None:
        found = factor_by_kernel(target, rows, columns, layout, orthonormal, limit)
    else:
        matrix = permuted(target, rows, columns)
        found = _by_blocks(matrix, patterns, order, orthonormal, limit)
    if found is None or len(trees) == len(chain):
        return found
    values, lost = [], np.zeros(len(chain) - 1)
    for number, (tree, part) in enumerate(zip(trees, found.values, strict=True)):
        values += expanded(part, tree)
        if number < len(trees) - 1:
            lost[len(values) - 1] = found.lost[number]
    return replace(found, values=values, lost=lost, fresh=False)


@functools.lru_cache(maxsize=64)
def _planned(
    chain: Chain, order: SplitOrder
) -> tuple[tuple[Tree, ...], tuple[Pattern, ...], KernelLayout | None]:
    """Return the trees of a chain, their patterns, and how the kernel factors them."""
    trees = fuse_redundant(chain)
    patterns = tuple(pattern_of(tree) for tree in trees)
    return trees, patterns, kernel_layout(patterns) if order == ORDERS[0] else None


def smallest_error(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    chain: Chain,
) -> float:
    """Return a lower bound on the error of every product of a chain.

    The arguments are those of `factor_by_splits`. The bound is the largest of the
    smallest errors of two factors, over the chains of two factors that contain all
    products of this chain.
    """
    patterns = [pattern_of(tree) for tree in fuse_redundant(chain)]
    matrix = permuted(target, rows, columns)
    whole, outside = _gathered(matrix, functools.reduce(fused, patterns))
    largest = 0.0
    for cut in range(1, len(patterns)):
        left = functools.reduce(fused, patterns[:cut])
        right = functools.reduce(fused, patterns[cut:])
        sigma = np.linalg.svd(blocks_of(whole, left, right), compute_uv=False)
        dropped = sigma[..., rank_between(left, right) :].astype(float)
        largest = max(largest, float(np.linalg.norm(dropped)))
    return math.hypot(outside, largest)


def _by_blocks(
    matrix: np.ndarray,
    patterns: Sequence[Pattern],
    order: SplitOrder,
    orthonormal: bool,
    limit: float,
) -> SplitFactors | None:
    """Factor by the singular values of all blocks (Le et al. 2025).

    ``parts[k]`` is the product of the factors from ``ends[k - 1]`` to ``ends[k] - 1``.
    """
    whole, outside = _gathered(matrix, functools.reduce(fused, patterns))
    parts, ends = [whole], [len(patterns)]
    gauges: list[Gauge] = [None]
    lost = np.zeros(len(patterns) - 1)
    cuts = split_order(len(patterns), order)
    for step, cut in enumerate(cuts):
        at = next(k for k, end in enumerate(ends) if cut < end - 1)
        if orthonormal:
            _orthonormalise(parts, gauges, at)
        start = ends[at - 1] if at else 0
        left = functools.reduce(fused, patterns[start : cut + 1])
        right = functools.reduce(fused, patterns[cut + 1 : ends[at]])
        # The singular values stay on the side that is split next.
        following = cuts[step + 1] if step + 1 < len(cuts) else cut + 1
        side: Literal["left", "right", "both"] = "both"
        if orthonormal:
            side = "left" if following < cut else "right"
        *parts[at : at + 1], lost[cut] = _split(parts[at], left, right, side)
        gauges[at : at + 1] = [
            "left" if side == "right" else None,
            "right" if side == "left" else None,
        ]
        ends.insert(at, cut + 1)
        # A split loses no more of an approximation than it would lose of the matrix.
        if (orthonormal or step == 0) and math.hypot(outside, lost[cut]) > limit:
            return None
    error = math.hypot(outside, distance(whole, parts))
    if not orthonormal and len(cuts) > 1:
        first = math.hypot(outside, lost[cuts[0]])
        return SplitFactors(parts, lost, error, math.inf, first)
    total = lost.sum() if order == "balanced" else np.linalg.norm(lost)
    bound = math.hypot(outside, float(total))
    lower_bound = math.hypot(outside, float(np.max(lost, initial=0.0)))
    return SplitFactors(parts, lost, error, bound, lower_bound)


def _split(
    part: np.ndarray,
    left: Pattern,
    right: Pattern,
    side: Literal["left", "right", "both"],
) -> tuple[np.ndarray, np.ndarray, float]:
    """Split a part into two factors whose patterns are `left` and `right`.

    Returns the values of the two factors, and the norm that their product lacks. The
    singular values go into the factor that `side` names, or evenly into both.
    """
    rank = rank_between(left, right)
    u, sigma, v = np.linalg.svd(blocks_of(part, left, right), full_matrices=False)
    lost = float(np.linalg.norm(sigma[..., rank:].astype(float)))
    u, sigma, v = u[..., :rank], sigma[..., :rank], v[..., :rank, :]
    if side == "both":
        sigma = np.sqrt(sigma)
    if side != "right":
        u = u * sigma[..., None, :]
    if side != "left":
        v = v * sigma[..., None]
    return left_values(u), right_values(v), lost


def _orthonormalise(parts: list[np.ndarray], gauges: list[Gauge], at: int) -> None:
    """Make the products left and right of part `at` isometries, by changes in place.

    The part takes over what its neighbours lose. `gauges` records which neighbours are
    isometries already.
    """
    for k in range(at):
        if gauges[k] != "left":
            q, r = np.linalg.qr(left_blocks(parts[k], parts[k + 1]))
            rest = right_blocks(parts[k], parts[k + 1])
            parts[k], parts[k + 1] = left_values(q), right_values(r @ rest)
            gauges[k], gauges[k + 1] = "left", None
    for k in range(len(parts) - 1, at, -1):
        if gauges[k] != "right":
            transposed = right_blocks(parts[k - 1], parts[k]).swapaxes(-1, -2)
            q, r = np.linalg.qr(transposed)
            rest = left_blocks(parts[k - 1], parts[k]) @ r.swapaxes(-1, -2)
            parts[k - 1] = left_values(rest)
            parts[k] = right_values(q.swapaxes(-1, -2))
            gauges[k - 1], gauges[k] = None, "right"


def _plausible(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    patterns: Sequence[Pattern],
    layout: KernelLayout | None,
    limit: float,
) -> bool:
    """Return whether some first blocks of the first split lose at most the limit.

    They cost little, and where they alone lose more, no factors are worth computing.
    """
    if layout is not None:
        return first_loss(target, rows, columns, layout) <= limit
    if len(patterns) == 1 or patterns[0][0] > 1 or patterns[-1][3] > 1:
        return True
    (_, b, _, d), right = patterns[0], functools.reduce(fused, patterns[1:])
    chosen = np.arange(b) * d if rows is None else rows[::d][:b]
    some = target[chosen] if columns is None else target[np.ix_(chosen, columns)]
    blocks = some.reshape(b, right[0], -1).swapaxes(0, 1)
    sigma = np.linalg.svd(blocks, compute_uv=False)
    return bool(np.linalg.norm(sigma[:, patterns[0][2] // right[0] :]) <= limit)


def _gathered(matrix: np.ndarray, pattern: Pattern) -> tuple[np.ndarray, float]:
    """Return the values of a matrix on a pattern, and the norm of all other entries."""
    a, b, c, d = pattern
    if a == d == 1:
        return matrix[None, :, :, None], 0.0
    rest = np.array(matrix.reshape(a, b, d, a, c, d))
    places = np.einsum("ijlikl->ijkl", rest)  # a view
    values = places.copy()
    places[...] = 0
    return values, frobenius_norm(rest.reshape(-1))
