"""Products with chains in constant geometry are those of dense matrices."""

import naive
import numpy as np
import pytest
from chains import values_of
from samples import REALS_FIRST, close, random

from nbfact import Butterfly, Chain
from nbfact.kernels import (
    kronecker_chain_apply,
    kronecker_pack,
    shuffled_chain_adjoint,
    shuffled_chain_apply,
    shuffled_pack,
)

CHAINS = {
    **{f"rank 2, {n}": Chain.rank2(n) for n in (2, 4, 8, 16, 32, 64)},
    **{f"dyadic {n}": Chain.square_dyadic(n) for n in (1, 2, 4, 8, 64)},
    "2 3 5": Chain.mixed_radix([2, 3, 5]),
    "5 4 3 2": Chain.mixed_radix([5, 4, 3, 2]),
    "rank 3": Chain.mixed_radix([3, 2, 2, 5], rank=3),
    "rank 4": Chain.mixed_radix([2, 4, 2], rank=4),
    "rectangular": Chain.mixed_radix([2, 3, 2], [3, 2, 4], rank=2),
    "wide": Chain.mixed_radix([2, 3, 2], [4, 1, 7]),
    "tall": Chain.mixed_radix([5, 7, 2], [1, 2, 2]),
    "monarch": Chain.monarch((12, 20)),
    "square monarch": Chain.monarch(36),
    "dense": Chain([(1, 3, 5, 1)]),
    "column": Chain([(1, 7, 1, 1)]),
}
FUSED = [
    (Chain.rank2(16), [2, 1, 1]),
    (Chain.rank2(16), [1, 2, 1]),
    (Chain.rank2(64), [3, 3]),
    (Chain.rank2(8), [3]),
    (Chain.square_dyadic(16), [2, 2]),
    (Chain.square_dyadic(16), [1, 3]),
    (Chain.mixed_radix([2, 3, 5]), [2, 1]),
    (Chain.mixed_radix([3, 2, 2, 5], rank=3), [1, 2, 1]),
]


def packed(butterfly):
    """Return the values and the layout of a butterfly, in order of application."""
    factors = butterfly.values[::-1]
    parts = [np.full(factor.size, np.nan, factor.dtype) for factor in factors]
    for factor, part in zip(factors, parts, strict=True):
        shuffled_pack(factor, part)
    return np.concatenate(parts), np.array(butterfly.chain.patterns[::-1])


def buffers(butterfly):
    """Return scratch for a butterfly, and arrays for its two products."""
    m, n = butterfly.shape
    widest = max(a * d * max(b, c) for a, b, c, d in butterfly.chain)
    shapes = (3, widest), m, n
    return [np.full(shape, np.nan, butterfly.dtype) for shape in shapes]


def check(butterfly):
    factors = butterfly.values[::-1]
    values, layout = packed(butterfly)
    m, n = butterfly.shape
    x, y = random(n, butterfly.dtype, 8), random(m, butterfly.dtype, 9)
    kept = values.copy(), x.copy(), y.copy()
    scratch, forward, backward = buffers(butterfly)
    shuffled_chain_apply(values, layout, x, scratch, forward)
    close(forward, naive.shuffled_chain_apply(factors, x))
    scratch.fill(np.nan)
    shuffled_chain_adjoint(values, layout, y, scratch, backward)
    close(backward, naive.shuffled_chain_adjoint(factors, y))
    close(np.vdot(y, forward), np.vdot(backward, x))
    for array, before in zip((values, x, y), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("name", CHAINS)
def test_chain(name, dtype):
    check(Butterfly(CHAINS[name], values_of(CHAINS[name], dtype)))


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("chain, sizes", FUSED)
def test_fused_chain(chain, sizes, dtype):
    check(Butterfly(chain, values_of(chain, dtype)).fuse(sizes))


def test_agrees_with_the_kernel_for_any_chain():
    butterfly = Butterfly(Chain.rank2(32), values_of(Chain.rank2(32)))
    values, layout = packed(butterfly)
    scratch, got, expected = buffers(butterfly)
    x = random(32, "float64", 7)
    shuffled_chain_apply(values, layout, x, scratch, got)
    parts = [np.empty(factor.size) for factor in butterfly.values[::-1]]
    for factor, part in zip(butterfly.values[::-1], parts, strict=True):
        kronecker_pack(factor, part)
    kronecker_chain_apply(np.concatenate(parts), layout, x, scratch[:2], expected)
    close(got, expected)


def test_pack_keeps_every_value():
    values = np.arange(4 * 2 * 3 * 5.0).reshape(4, 2, 3, 5)
    shuffled_pack(values, out := np.empty(values.size))
    np.testing.assert_array_equal(out, naive.shuffled_pack(values))
