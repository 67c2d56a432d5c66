"""The splits of butterfly_factorize: against their naive twin, and the guarantees."""

import functools

import naive
import numpy as np
import pytest
from butterfly_samples import DYADIC, planted
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DTYPES, close, random

import nbfact as nf
from nbfact import Chain
from nbfact.algorithms.butterfly.kernel_splits import first_loss, kernel_layout
from nbfact.algorithms.butterfly.splits import (
    factor_by_splits,
    smallest_error,
    split_order,
)
from nbfact.operators.patterns import fused


def split_error(target, chain, cut):
    """Return the smallest error of two factors that contain all products of a chain."""
    left = functools.reduce(fused, chain.patterns[:cut])
    right = functools.reduce(fused, chain.patterns[cut:])
    return naive.split(target, left, right, True)[2]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("orthonormal", [True, False])
@pytest.mark.parametrize(
    "chain",
    [DYADIC, Chain.mixed_radix([2, 2, 3], [3, 2, 2]), Chain.mixed_radix([2, 5])],
    ids=str,
)
def test_two_rows(chain, dtype, orthonormal):
    target = random(chain.shape, dtype)
    found = factor_by_splits(target, None, None, chain, "left-to-right", orthonormal)
    factors, lost = naive.butterfly_left_to_right(target, chain.patterns, orthonormal)
    close(found.lost.astype(target.real.dtype), np.array(lost, target.real.dtype))
    product = nf.Butterfly(chain, found.values).toarray()
    assert product.dtype == target.dtype
    close(product, functools.reduce(np.matmul, factors))
    assert found.error == pytest.approx(np.linalg.norm(target - product), rel=1e-5)
    for value, factor in zip(found.values[:-1], factors, strict=False):
        norms = abs(nf.Butterfly(Chain([value.shape]), [value]).toarray())
        close(np.linalg.norm(norms, axis=0), np.linalg.norm(factor, axis=0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernel_permutes(dtype):
    target, rng = random((16, 16), dtype), np.random.default_rng(1)
    rows, columns = rng.permutation(16), rng.permutation(16)
    found = factor_by_splits(target, rows, columns, DYADIC, "left-to-right", True)
    same = factor_by_splits(
        target[rows][:, columns], None, None, DYADIC, "left-to-right", True
    )
    for one, other in zip(found.values, same.values, strict=True):
        np.testing.assert_array_equal(one, other)


def test_ties_keep_the_first_row():
    block = np.array([[1.0, 1.0], [1.0, -1.0]])
    target = np.block([[np.eye(2), np.zeros((2, 2))], [np.zeros((2, 2)), block]])
    found = factor_by_splits(
        target, None, None, Chain.square_dyadic(4), "left-to-right", True
    )
    values = found.values[0]
    assert values.shape == (1, 2, 2, 2)
    np.testing.assert_array_equal(abs(values[0, :, 0, :]), [[1, 1], [0, 0]])
    tied = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1], [0, 1, 0, -1], [1, 0, -1, 0]])
    found = factor_by_splits(
        tied, None, None, Chain.square_dyadic(4), "left-to-right", True
    )
    np.testing.assert_array_equal(found.values[0][0, 1], 0)
    assert found.error == pytest.approx(2)


def test_rows_in_step():
    """The first blocks are in rows 0 and m / 2, the next ones in 0 and m / 4."""
    target = random((8, 8), "float64")
    found = factor_by_splits(
        target, None, None, Chain.square_dyadic(8), "left-to-right", True
    )
    u, sigma, _ = np.linalg.svd(target[[1, 5], :4])
    close(abs(found.values[0][0, :, 0, 1]), abs(u[:, 0]))
    assert found.lost[0] > sigma[1]


@pytest.mark.parametrize("order", ["left-to-right", "right-to-left", "balanced"])
@pytest.mark.parametrize(
    "chain",
    [
        DYADIC,
        Chain.rank2(32),
        Chain.smallest((12, 20)),
        Chain.monarch((24, 16)),
        Chain([(2, 3, 4, 2), (4, 4, 6, 1)]),
        Chain([(1, 2, 4, 8), (2, 4, 2, 4), (4, 4, 4, 1)]),
    ],
    ids=str,
)
def test_guarantees(order, chain):
    """No split loses more than it would of the target; the error obeys the bounds."""
    target = random(chain.shape, "complex128")
    outside = np.linalg.norm(np.where(chain.toarray(), 0, target))
    result = nf.butterfly_factorize(target, chain, order=order, certify=True)
    size = np.linalg.norm(target)
    best = [np.hypot(split_error(target * chain.toarray(), chain, cut), outside)
            for cut in range(1, len(chain))]  # fmt: skip
    if not chain.redundant:
        for lost, least in zip(result.split_errors, best, strict=True):
            assert np.hypot(lost * size, outside) <= least * (1 + 1e-12)
    assert result.lower_bound == pytest.approx(max(best) / size, rel=1e-12)
    slack = 1 + 1e-12
    assert result.lower_bound <= result.relative_error * slack
    assert result.relative_error <= result.bound * slack
    constant = len(chain) - 1 if order == "balanced" else np.sqrt(len(chain) - 1)
    assert result.relative_error <= constant * result.lower_bound * (1 + 1e-12)
    plain = nf.butterfly_factorize(target, chain, order=order)
    assert plain.lower_bound <= result.lower_bound * (1 + 1e-12)
    assert smallest_error(target, None, None, chain) == pytest.approx(max(best))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=4),
    st.integers(1, 2),
    st.sampled_from(["left-to-right", "right-to-left", "balanced"]),
    st.booleans(),
    st.integers(0, 9),
)
def test_a_planted_product_is_found(radices, rank, order, orthonormal, seed):
    chain = Chain.mixed_radix(radices, radices[::-1], rank)
    target = planted(chain, seed=seed)
    result = nf.butterfly_factorize(
        target, chain, permutation=None, order=order, orthonormal=orthonormal
    )
    assert result.operator.chain in (chain, chain.T)
    assert nf.relative_error(target, result.operator) < 1e-13
    assert result.relative_error < 1e-13


def test_orders():
    assert split_order(1, "balanced") == []
    assert split_order(9, "balanced") == [3, 1, 0, 2, 5, 4, 6, 7]
    assert split_order(4, "right-to-left") == [2, 1, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("permuted", [False, True])
def test_loss_of_two_rows(dtype, permuted):
    chain, target = Chain.square_dyadic(8), random((8, 8), dtype)
    layout = kernel_layout(chain.patterns)
    order = np.random.default_rng(1).permutation(8) if permuted else None
    rows = np.arange(8) if order is None else order
    blocks = target[rows[[0, 4]]][:, rows].reshape(2, 2, 4).swapaxes(0, 1)
    expected = np.linalg.norm(np.linalg.svd(blocks, compute_uv=False)[:, 1:])
    for view in (target, np.asfortranarray(target)):
        got = first_loss(view, order, order, layout)
        assert got == pytest.approx(expected, rel=1e-4)
