"""The split of a matrix into two-row blocks of rank one, against singular values."""

import functools
import itertools
import operator

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

from nbfact import Chain
from nbfact.kernels import RankOneFactors, rank_one_butterfly


def split_by_kernel(target, chain, orthonormal, limit=np.inf, orders=None):
    """Return the dense factors that the kernel finds, the energies, and its result."""
    patterns, (m, n) = chain.patterns, target.shape
    planes = 2 if target.dtype.kind == "c" else 1
    dtype = target.real.dtype
    a = patterns[-1][0]
    sizes = [int(np.prod(pattern)) for pattern in patterns[:-1]]
    offsets = [0, *itertools.accumulate(sizes)]
    levels = [(at, p[2], p[3]) for at, p in zip(offsets, patterns[:-1], strict=False)]
    out = RankOneFactors(
        np.full((offsets[-1], planes), np.nan, dtype),
        np.full((a, m >> len(levels), n // a, planes), np.nan, dtype),
        np.zeros(len(levels)),
    )
    stack = np.empty((len(levels) + 1, 2, planes, n), dtype)
    x = np.ascontiguousarray(target).view(dtype).reshape(m, n, planes)
    rows, columns = orders or (np.zeros(0, np.intp), np.zeros(0, np.intp))
    total = rank_one_butterfly(
        x, rows, columns, np.array(levels), orthonormal, limit, stack, out
    )
    parts = [out.values[i:j] for i, j in itertools.pairwise(offsets)]
    factors = [
        naive.kronecker_matrix(part.copy().view(target.dtype).reshape(pattern))
        for part, pattern in zip(parts, patterns[:-1], strict=True)
    ]
    last = out.last.view(target.dtype)
    return [*factors, naive.kronecker_matrix(last)], out.lost, total


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("orthonormal", [True, False])
@pytest.mark.parametrize("n", [4, 16])
def test_factors_are_those_of_the_twin(n, orthonormal, dtype):
    target, chain = random((n, n), dtype), Chain.square_dyadic(n)
    got, lost, total = split_by_kernel(target, chain, orthonormal)
    twins, energies = naive.rank_one_butterfly(target, chain.patterns, orthonormal)
    close(lost.astype(target.real.dtype), energies)
    assert total == pytest.approx(lost.sum())
    close(*(functools.reduce(operator.matmul, f) for f in (got, twins)))
    if orthonormal:
        for factor in got[:-1]:
            close(np.linalg.norm(factor, axis=0), np.ones(n))


def test_orders_and_the_limit():
    target, chain = random((8, 8), "float64"), Chain.square_dyadic(8)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(8), rng.permutation(8)
    expected, _, total = split_by_kernel(target[rows][:, columns], chain, True)
    got, _, _ = split_by_kernel(target, chain, True, orders=(rows, columns))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    _, lost, stopped = split_by_kernel(target, chain, True, limit=total / 10)
    assert total / 10 < stopped == pytest.approx(lost.sum())
    assert stopped <= total
