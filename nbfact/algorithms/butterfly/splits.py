"""Splits of a butterfly: one part into two, by the best low-rank blocks.

A part is an array of values (a, b, c, d), the product of some factors of a chain. With
a right neighbour (a s, r t, c2, d2), d = d2 t, it falls into blocks of b1 rows, (j, τ)
for each j, and c2 columns, (σ, k) for each k: these have rank r at most.
"""

import functools
import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.dtypes import real_dtype
from ...kernels import RankOneFactors, frobenius_norm, rank_one_butterfly
from ...operators import Chain
from ...operators.patterns import Pattern, fused, fused_values

ORDERS = ("left-to-right", "right-to-left", "balanced")


@dataclass(frozen=True)
class Parts:
    """What a factorization finds: values of the factors, and norms of what is lost.

    Attributes
    ----------
    values : list of ndarray
    lost : ndarray
        Norm of what each split drops, by its place in the chain.
    error, bound : float
        ‖A - Â‖_F, and what it can not exceed but for rounding.
    lower_bound : float
        What ‖A - B‖_F can not fall below, for any B of the chain.
    """

    values: list[np.ndarray]
    lost: np.ndarray
    error: float
    bound: float
    lower_bound: float


def split_order(n_factors: int, order: str) -> list[int]:
    """Return after which factor each split cuts, in the order of the splits.

    Examples
    --------
    >>> split_order(4, "left-to-right"), split_order(4, "balanced"), split_order(5, "balanced")
    ([0, 1, 2], [1, 0, 2], [1, 0, 2, 3])
    """
    if order == "balanced":
        return _balanced(0, n_factors)
    cuts = list(range(n_factors - 1))
    return cuts if order == "left-to-right" else cuts[::-1]


def factored(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    chain: Chain,
    order: str,
    orthonormal: bool,
    limit: float = math.inf,
) -> Parts | None:
    """Factor target[rows][:, columns] in a chainable chain.

    Parameters
    ----------
    target : ndarray, (m, n)
        Of a size whose squares neither over- nor underflow.
    rows, columns : ndarray of int, or None
    chain : Chain
        Chainable, of the shape of the target.
    order : {"left-to-right", "right-to-left", "balanced"}
    orthonormal : bool
    limit : float
        An error above which nobody wants the factors.

    Returns
    -------
    Parts, or None where the error of any product of the chain is above the limit.

    Notes
    -----
    A redundant chain is factored with redundant neighbours fused, which loses nothing,
    and these are split again (Le et al. 2025, algorithm 4.1 and lemma 4.23).
    """
    trees = _fused_redundant(chain)
    patterns = [_pattern(tree) for tree in trees]
    if limit < math.inf and not _plausible(target, rows, columns, patterns, limit):
        return None
    if order == "left-to-right" and _has_two_rows(patterns):
        found = _by_kernel(target, rows, columns, patterns, orthonormal, limit)
    else:
        matrix = _permuted(target, rows, columns)
        found = _by_blocks(matrix, patterns, order, orthonormal, limit)
    if found is None or len(trees) == len(chain):
        return found
    values, lost = [], np.zeros(len(chain) - 1)
    for number, (tree, part) in enumerate(zip(trees, found.values, strict=True)):
        values += _expanded(part, tree)
        if number < len(trees) - 1:
            lost[len(values) - 1] = found.lost[number]
    return replace(found, values=values, lost=lost)


def least_error(
    target: np.ndarray,
    rows: np.ndarray | None,
    columns: np.ndarray | None,
    chain: Chain,
) -> float:
    """Return a lower bound on the error of all products of a chain: see `factored`.

    The largest error of a chain of two factors, which hold those of the chain.
    """
    patterns = [_pattern(tree) for tree in _fused_redundant(chain)]
    matrix = _permuted(target, rows, columns)
    whole, outside = _gathered(matrix, functools.reduce(fused, patterns))
    largest = 0.0
    for cut in range(1, len(patterns)):
        left = functools.reduce(fused, patterns[:cut])
        right = functools.reduce(fused, patterns[cut:])
        blocks = _blocks(whole, right[0] // left[0], left[3] // right[3])
        sigma = np.linalg.svd(blocks, compute_uv=False)
        rank = left[0] * left[2] // right[0]
        largest = max(largest, np.linalg.norm(sigma[..., rank:].astype(float)))
    return math.hypot(outside, largest)


def _balanced(start, stop):
    """Cuts of factors start to stop - 1: the middle, those left of it, the others."""
    if stop - start < 2:
        return []
    middle = start + (stop - start) // 2
    return [middle - 1, *_balanced(start, middle), *_balanced(middle, stop)]


# --------------------------------------------------------------------------------------
# Redundant chains: a tree is a pattern, or two trees whose patterns are fused
# --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _fused_redundant(chain):
    """Fuse redundant neighbours until there are none; return the trees."""
    trees = list(chain.patterns)
    number = 0
    while number < len(trees) - 1:
        left, right = _pattern(trees[number]), _pattern(trees[number + 1])
        if left[0] * left[2] // right[0] >= min(left[1], right[2]):
            trees[number : number + 2] = [(trees[number], trees[number + 1])]
            number = 0
        else:
            number += 1
    return trees


def _pattern(tree: Any) -> Pattern:
    """Return the pattern of a tree."""
    return tree if len(tree) == 4 else fused(_pattern(tree[0]), _pattern(tree[1]))


def _expanded(part, tree):
    """Return the values of the factors of a tree, whose product is exactly `part`."""
    if len(tree) == 4:
        return [part]
    left, right = _pattern(tree[0]), _pattern(tree[1])
    blocks = _blocks(part, right[0] // left[0], left[3] // right[3])
    rank = left[0] * left[2] // right[0]
    *many, b, c = blocks.shape
    first = np.zeros((*many, b, rank), part.dtype)
    second = np.zeros((*many, rank, c), part.dtype)
    if rank >= b:
        first[..., :b], second[..., :b, :] = np.eye(b), blocks
    else:
        first[..., :c], second[..., :c, :] = blocks, np.eye(c)
    return _expanded(_left_values(first), tree[0]) + _expanded(
        _right_values(second), tree[1]
    )


# --------------------------------------------------------------------------------------
# From left to right, blocks of two rows and rank one: a kernel
# --------------------------------------------------------------------------------------


def _has_two_rows(patterns):
    """Whether `rank_one_butterfly` factors the chain."""
    return (
        len(patterns) > 1
        and patterns[0][0] == patterns[-1][3] == 1
        and all(pattern[1] == 2 for pattern in patterns[:-1])
        and all(left[0] * left[2] == right[0] for left, right in _pairs(patterns))
    )


def _by_kernel(target, rows, columns, patterns, orthonormal, limit):
    """Factor by `rank_one_butterfly`; arguments as in `factored`."""
    target = np.ascontiguousarray(target)
    (m, n), dtype, real = target.shape, target.dtype, real_dtype(target.dtype)
    planes = 2 if dtype.kind == "c" else 1
    sizes = [math.prod(pattern) for pattern in patterns[:-1]]
    offsets = [0, *itertools.accumulate(sizes)]
    levels = np.array(
        [(at, p[2], p[3]) for at, p in zip(offsets, patterns[:-1], strict=False)],
        np.int64,
    )
    a, b, c, _ = patterns[-1]
    values = np.empty((offsets[-1], planes), real)
    last, lost = np.empty((b, planes, n), real), np.zeros(len(levels))
    everything = np.empty(0, np.intp)
    rank_one_butterfly(
        target.view(real).reshape(m, n, planes),
        everything if rows is None else rows,
        everything if columns is None else columns,
        levels,
        orthonormal,
        limit * limit if orthonormal else math.inf,
        np.empty((len(levels) + 1, 2, planes, n), real),
        RankOneFactors(values, last, lost),
    )
    if orthonormal and lost.sum() > limit * limit:
        return None
    flat = values.view(dtype).reshape(-1)
    found = [
        flat[at : at + size].reshape(pattern)
        for at, size, pattern in zip(offsets, sizes, patterns[:-1], strict=False)
    ]
    rest = last[:, 0] if planes == 1 else last[:, 0] + 1j * last[:, 1]
    rest = rest.astype(dtype, copy=False).reshape(b, a, c, 1).swapaxes(0, 1)
    found.append(rest)
    lost = np.sqrt(lost)
    if orthonormal:  # what is lost at one split is orthogonal to what is at others
        error = float(np.linalg.norm(lost))
        return Parts(found, lost, error, error, lost.max())
    whole = _permuted(target, rows, columns)[None, :, :, None]
    error = _distance(whole, found)
    return Parts(found, lost, error, error if len(lost) < 2 else math.inf, lost[0])


# --------------------------------------------------------------------------------------
# Any order, any blocks
# --------------------------------------------------------------------------------------


def _by_blocks(matrix, patterns, order, orthonormal, limit):
    """Factor a matrix by singular values of all blocks (Le et al. 2025, alg. 6.2)."""
    whole, outside = _gathered(matrix, functools.reduce(fused, patterns))
    parts, ends, gauges = [whole], [len(patterns)], [None]
    lost = np.zeros(len(patterns) - 1)
    cuts = split_order(len(patterns), order)
    for step, cut in enumerate(cuts):
        at = next(k for k, end in enumerate(ends) if cut < end - 1)
        if orthonormal:
            _orthonormalise(parts, gauges, at)
        start = ends[at - 1] if at else 0
        left = functools.reduce(fused, patterns[start : cut + 1])
        right = functools.reduce(fused, patterns[cut + 1 : ends[at]])
        # The singular values stay where the next split is.
        after = cuts[step + 1] if step + 1 < len(cuts) else cut + 1
        side = ("left" if after < cut else "right") if orthonormal else "both"
        *parts[at : at + 1], lost[cut] = _split(parts[at], left, right, side)
        gauges[at : at + 1] = [
            "left" if side == "right" else None,
            "right" if side == "left" else None,
        ]
        ends.insert(at, cut + 1)
        # No split loses more of an approximation than it would of the matrix.
        if (orthonormal or step == 0) and math.hypot(outside, lost[cut]) > limit:
            return None
    error = math.hypot(outside, _distance(whole, parts))
    if not orthonormal and len(cuts) > 1:
        return Parts(parts, lost, error, math.inf, math.hypot(outside, lost[cuts[0]]))
    total = lost.sum() if order == "balanced" else np.linalg.norm(lost)
    lower_bound = math.hypot(outside, lost.max(initial=0.0))
    return Parts(parts, lost, error, math.hypot(outside, total), lower_bound)


def _split(part, left, right, side):
    """Return the values of two factors, and the norm of what their product lacks."""
    rank = left[0] * left[2] // right[0]
    blocks = _blocks(part, right[0] // left[0], left[3] // right[3])
    u, sigma, v = np.linalg.svd(blocks, full_matrices=False)
    lost = float(np.linalg.norm(sigma[..., rank:].astype(float)))
    u, sigma, v = u[..., :rank], sigma[..., :rank], v[..., :rank, :]
    if side == "both":
        sigma = np.sqrt(sigma)
    if side != "right":
        u = u * sigma[..., None, :]
    if side != "left":
        v = v * sigma[..., None]
    return _left_values(u), _right_values(v), lost


def _orthonormalise(parts, gauges, at):
    """Make the products left and right of a part isometries, for what it can hold."""
    for k in range(at):
        if gauges[k] != "left":
            q, r = np.linalg.qr(_left_blocks(parts[k], parts[k + 1]))
            rest = _right_blocks(parts[k], parts[k + 1])
            parts[k], parts[k + 1] = _left_values(q), _right_values(r @ rest)
            gauges[k], gauges[k + 1] = "left", None
    for k in range(len(parts) - 1, at, -1):
        if gauges[k] != "right":
            turned = _right_blocks(parts[k - 1], parts[k]).swapaxes(-1, -2)
            q, r = np.linalg.qr(turned)
            rest = _left_blocks(parts[k - 1], parts[k]) @ r.swapaxes(-1, -2)
            parts[k - 1] = _left_values(rest)
            parts[k] = _right_values(q.swapaxes(-1, -2))
            gauges[k - 1], gauges[k] = None, "right"


def _plausible(target, rows, columns, patterns, limit):
    """Whether the first blocks of the first split alone lose at most the limit."""
    if len(patterns) == 1 or patterns[0][0] > 1 or patterns[-1][3] > 1:
        return True
    (_, b, _, d), right = patterns[0], functools.reduce(fused, patterns[1:])
    chosen = np.arange(b) * d if rows is None else rows[::d][:b]
    some = target[chosen] if columns is None else target[np.ix_(chosen, columns)]
    blocks = some.reshape(b, right[0], -1).swapaxes(0, 1)
    sigma = np.linalg.svd(blocks, compute_uv=False)
    return np.linalg.norm(sigma[:, patterns[0][2] // right[0] :]) <= limit


# --------------------------------------------------------------------------------------
# Blocks of the values of a part, and of two neighbours: (a, s, t, d2, rows, columns)
# --------------------------------------------------------------------------------------


def _blocks(part, s, t):
    a, b, c, d = part.shape
    return part.reshape(a, b // t, t, s, c // s, d).transpose(0, 3, 2, 5, 1, 4)


def _left_values(blocks):
    a, s, t, d, b, r = blocks.shape
    return blocks.transpose(0, 4, 1, 5, 2, 3).reshape(a, b, s * r, t * d)


def _right_values(blocks):
    a, s, t, d, r, c = blocks.shape
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(a * s, r * t, c, d)


def _left_blocks(left, right):
    a, b, c, d = left.shape
    s, t = right.shape[0] // a, d // right.shape[3]
    return left.reshape(a, b, s, c // s, t, d // t).transpose(0, 2, 4, 5, 1, 3)


def _right_blocks(left, right):
    wide, rows, c, d = right.shape
    a, t = left.shape[0], left.shape[3] // d
    return right.reshape(a, wide // a, rows // t, t, c, d).transpose(0, 1, 3, 5, 2, 4)


def _gathered(matrix, pattern):
    """Return the values of a matrix on a pattern, and the norm of what is outside."""
    a, b, c, d = pattern
    if a == d == 1:
        return matrix[None, :, :, None], 0.0
    rest = np.array(matrix.reshape(a, b, d, a, c, d))
    places = np.einsum("ijlikl->ijkl", rest)  # a view
    values = places.copy()
    places[...] = 0
    return values, frobenius_norm(rest)


def _permuted(target, rows, columns):
    target = target if rows is None else target[rows]
    return target if columns is None else target[:, columns]


def _distance(whole, parts):
    """Return ‖whole - product of the parts‖_F."""
    product = functools.reduce(fused_values, parts)
    return frobenius_norm(np.ascontiguousarray(whole - product))


def _pairs(patterns):
    return itertools.pairwise(patterns)
