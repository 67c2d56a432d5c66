"""Redundant chains: neighbours that are fused before the splits, and split again.

Two neighbours are redundant if the rank of the blocks of their product is not limited:
fusing them into one factor loses nothing (Le et al. 2025, on redundant chains). What
was fused is kept as a tree: a pattern, or a pair of trees whose patterns are fused.
"""

import functools
from typing import TypeAlias, Union

import numpy as np

from ...operators import Chain
from ...operators.patterns import Pattern, fused
from .part_blocks import blocks_of, left_values, right_values

Tree: TypeAlias = Union[Pattern, tuple["Tree", "Tree"]]  # noqa: UP007
"""A pattern, or a pair of trees whose patterns are fused."""


@functools.lru_cache(maxsize=64)
def fuse_redundant(chain: Chain) -> tuple[Tree, ...]:
    """Return the trees of a chain, whose redundant neighbours are fused repeatedly."""
    trees: list[Tree] = list(chain.patterns)
    number = 0
    while number < len(trees) - 1:
        left, right = pattern_of(trees[number]), pattern_of(trees[number + 1])
        if rank_between(left, right) >= min(left[1], right[2]):
            trees[number : number + 2] = [(trees[number], trees[number + 1])]
            number = 0
        else:
            number += 1
    return tuple(trees)


def rank_between(left: Pattern, right: Pattern) -> int:
    """Return the largest rank of the blocks of the product of two neighbours."""
    return left[0] * left[2] // right[0]


def pattern_of(tree: Tree) -> Pattern:
    """Return the pattern of a tree."""
    if len(tree) == 4:
        return tree
    return fused(pattern_of(tree[0]), pattern_of(tree[1]))


def expanded(part: np.ndarray, tree: Tree) -> list[np.ndarray]:
    """Return the values of the factors of a tree, whose product is exactly `part`."""
    if len(tree) == 4:
        return [part]
    left, right = pattern_of(tree[0]), pattern_of(tree[1])
    blocks = blocks_of(part, left, right)
    rank = rank_between(left, right)
    *many, b, c = blocks.shape
    first = np.zeros((*many, b, rank), part.dtype)
    second = np.zeros((*many, rank, c), part.dtype)
    if rank >= b:
        first[..., :b], second[..., :b, :] = np.eye(b), blocks
    else:
        first[..., :c], second[..., :c, :] = blocks, np.eye(c)
    return [
        *expanded(left_values(first), tree[0]),
        *expanded(right_values(second), tree[1]),
    ]
