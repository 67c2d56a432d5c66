"""Chains of factors in blocks of eight: packed, multiplied, and what is never read."""

import functools
import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.kernels import block_chain_apply
from nbfact.operators.block_packing import full_blocks, pack_blocks, planned_blocks
from nbfact.operators.sparse_plan import cost

SIZES = [(8, 16), (16, 40, 24), (21, 8, 35), (5, 64), (64, 3)]
"""Dimensions of the factors of a chain, from left to right."""


def factors(sizes, block, dtype, rest=0):
    """Return factors of blocks, half of which are zero, and some other entries."""
    rng, found = np.random.default_rng(0), []
    for seed, shape in enumerate(itertools.pairwise(sizes)):
        grid = [-(-size // side) for size, side in zip(shape, block, strict=True)]
        whole = np.kron(rng.random(grid) < 0.5, np.ones(block, bool))
        support = whole[: shape[0], : shape[1]]
        support.flat[rng.permutation(support.size)[:rest]] = True
        support[0, :8] = support[:8, 0] = True
        found.append(sp.csr_array(random(shape, dtype, seed) * support))
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [(8, 1), (1, 8), (8, 8), (16, 2)])
def test_chains_in_blocks(block, dtype):
    for sizes, rest in itertools.product(SIZES, (0, 3)):
        chain = factors(sizes, block, dtype, rest)
        found = [full_blocks(one, np.dtype(dtype)) for one in chain]
        if None in found:
            continue
        dense = functools.reduce(np.matmul, [S.toarray() for S in chain])
        x, scale = random(sizes[-1], dtype), random(1, dtype).real.dtype.type(0.6)
        packed = pack_blocks(chain, found, np.dtype(dtype))
        close(naive.block_chain_apply(*packed, scale, x), scale * dense @ x)
        out = np.full(sizes[0], np.nan, dtype)
        block_chain_apply(*packed, scale, x, out)
        close(out, scale * dense @ x)


def test_which_entries_are_in_full_blocks():
    """Those at the end count where the grid ends, and zeros make a block no block."""
    support = np.zeros((12, 20))
    support[:8, 3] = support[8:, 5] = support[:8, 8:16] = 1
    support[0, 10] = 0
    blocks = full_blocks(sp.csr_array(support), np.dtype(float))
    assert not blocks.by_rows and blocks.counts.tolist() == [8, 1]
    assert len(blocks.others) == 7
    support[1, 0:8] = 1
    blocks = full_blocks(sp.csr_array(support.T), np.dtype(float))
    assert blocks.counts.sum() * 8 + len(blocks.others) == support.sum()
    assert full_blocks(sp.csr_array(np.eye(16)), np.dtype(float)) is None
    assert full_blocks(sp.csr_array(np.zeros((9, 9))), np.dtype(float)) is None
    assert full_blocks(sp.csr_array(np.ones((3, 3))), np.dtype(float)) is None


@pytest.mark.parametrize("block", [(8, 1), (1, 8)])
def test_operators_multiply_by_blocks(block):
    """They do so where that is expected to cost less, with the same products."""
    chain = factors((64, 48, 80), block, "float64", rest=2)
    blocks, total = planned_blocks(chain, np.dtype(float))
    assert total < sum(map(cost, chain))
    assert all(one.by_rows is (block == (1, 8)) for one in blocks)
    F = nf.FactorProduct(chain, 0.5)
    x = random(80, "float64")
    close(F @ x, 0.5 * (chain[0] @ (chain[1] @ x)))
    close(F.T @ random(64, "float64", 2), F.toarray().T @ random(64, "float64", 2))
    # Nothing is padded: what no row reads changes nothing.
    entry = np.flatnonzero(abs(chain[1]).sum(0) > 0)[0]
    chain[1] = sp.csr_array(chain[1].toarray() * (np.arange(80) != entry))
    F = nf.FactorProduct(chain, 0.5)
    expected = F @ x
    x[entry] = np.nan
    close(F @ x, expected)
