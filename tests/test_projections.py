"""The sparse and normalising projections against their twins."""

import itertools

import naive
import numpy as np
import pytest
from numba import njit
from samples import DTYPES, LATER, REALS_FIRST, random

from nbfact.kernels import (
    normalize_frobenius,
    project_const,
    project_nonneg,
    project_normcol,
    project_normlin,
    project_sp,
    project_spblock,
    project_spcol,
    project_splin,
    project_splincol,
    project_spsymm,
    project_sptril,
    project_sptriu,
    project_supp,
)

SHAPES = [(1, 1), (1, 5), (7, 1), (4, 6), (9, 30), (30, 9)]
SPARSE = {
    project_sp: naive.project_sp,
    project_splin: naive.project_splin,
    project_spcol: naive.project_spcol,
    project_splincol: naive.project_splincol,
    project_sptriu: naive.project_sptriu,
    project_sptril: naive.project_sptril,
    project_spsymm: naive.project_spsymm,
}
NORMS = {
    (normalize_frobenius, ()): naive.normalize_frobenius,
    (project_normlin, (2.5,)): naive.project_normlin,
    (project_normcol, (2.5,)): naive.project_normcol,
}
TOLERANT = [project_sp, project_splin, project_spcol, project_splincol]


def tied_matrix(shape, dtype, seed=0):
    """Return entries of modulus 0, 1 and 2 only, so that every selection meets ties."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, shape)
    if np.dtype(dtype).kind == "c":
        x = x * 1j ** rng.integers(0, 4, shape)
    return x.astype(dtype)


def applied(kernel, x, *args):
    """Return a copy of x that the kernel has worked on."""
    y = x.copy()
    kernel(y, *args)
    return y


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("kernel", SPARSE, ids=lambda kernel: kernel.__name__)
def test_sparse_projection_is_its_twin(kernel, dtype):
    for m, n in SHAPES:
        shape = (m, m) if kernel is project_spsymm else (m, n)
        for make in (random, tied_matrix):
            x = make(shape, dtype)
            for k in (1, 2, 3, m + n, x.size, x.size + 1):
                expected = SPARSE[kernel](x, k)
                assert np.array_equal(applied(kernel, x, k), expected), (shape, k)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("kernel", TOLERANT, ids=lambda kernel: kernel.__name__)
def test_whatever_the_size_the_ties_and_k(kernel, dtype):
    """The sizes are past all widths and thresholds of the loops, and no multiples."""
    tol = 1e3 * np.finfo(dtype).eps
    for shape in ((19, 45), (45, 19), (1, 50), (50, 1)):
        for make in (random, tied_matrix, np.ones):
            x = make(shape, dtype)
            noise = 0.1 * tol * random(shape, dtype).real.astype(x.real.dtype)
            noisy = (x * (1 + noise)).astype(dtype)
            for k in (1, 2, 3, 8, 9, 13, 18, 44, 19 * 8 + 1):
                expected = SPARSE[kernel](x, k)
                got = applied(kernel, x, k, 0.0)
                assert np.array_equal(got, expected), (shape, k)
                assert np.array_equal(
                    applied(kernel, noisy, k, 0.0) != 0, SPARSE[kernel](noisy, k) != 0
                )
                got = applied(kernel, noisy, k, tol)
                assert np.array_equal(got, SPARSE[kernel](noisy, k, tol))
                assert np.array_equal(got != 0, applied(kernel, x, k, tol) != 0)
                if make is not random:  # noise changes no choice
                    assert np.array_equal(got != 0, expected != 0), (shape, k)


@pytest.mark.parametrize("tie_tol", [0.0, 0.3])
def test_idempotent(tie_tol):
    for x in (random((20, 23), "float64"), tied_matrix((20, 23), "float64")):
        for kernel in (project_sp, project_splin, project_spcol):
            for k in (2, 12):
                once = applied(kernel, x, k, tie_tol)
                assert np.array_equal(applied(kernel, once, k, tie_tol), once)


def test_real_numbers_in_a_complex_matrix():
    x = random((20, 33), "float64")
    for kernel in (project_splin, project_spcol, project_splincol, project_sp):
        for k in (2, 12):
            expected = applied(kernel, x, k)
            assert np.array_equal(applied(kernel, x + 0j, k), expected)


@pytest.mark.parametrize("kernel", SPARSE, ids=lambda kernel: kernel.__name__)
def test_sparse_projection_of_extreme_scales(kernel):
    x = random((6, 6), "float64")
    expected = SPARSE[kernel](x, 2) != 0
    for scale in (2.0**-660, 2.0**660):
        assert np.array_equal(applied(kernel, scale * x, 2) != 0, expected)
    assert not applied(kernel, np.zeros((6, 6)), 2).any()


@pytest.mark.parametrize(
    "kernel",
    [
        project_splin,  # each layout is compiled by itself: the other kernels are slow
        *(
            pytest.param(kernel, marks=LATER)
            for kernel in (project_sp, project_spcol, project_splincol)
        ),
    ],
    ids=lambda kernel: kernel.__name__,
)
def test_any_memory_layout(kernel):
    x = random((12, 10), "float64")
    for view in (x.T, x[::2, ::-3], np.asfortranarray(x)):
        expected = SPARSE[kernel](view, 3)
        kernel(view, 3)
        assert np.array_equal(view, expected)


def test_entries_of_all_magnitudes():
    """The search for the threshold ends, wherever the moduli are."""
    rng = np.random.default_rng(5)
    for spread in (1, 30, 600):
        x = np.exp(spread * rng.uniform(-1, 1, (12, 70))) * rng.choice([0, 1, -1], 70)
        for k in (10, 20, 40, 60):
            assert np.array_equal(
                applied(project_splin, x, k), naive.project_splin(x, k)
            )


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_fixed_sets(dtype):
    x = random((4, 6), dtype)
    support = np.random.default_rng(1).random((4, 6)) < 0.5
    expected = naive.project_supp(x, support)
    assert np.array_equal(applied(project_supp, x, support), expected)
    value = random((4, 6), dtype, seed=2)
    expected = naive.project_const(x, value)
    assert np.array_equal(applied(project_const, x, value), expected)


@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_nonneg(dtype):
    x = random((4, 6), dtype)
    assert np.array_equal(applied(project_nonneg, x), naive.project_nonneg(x))


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_norms(dtype):
    rtol = 1e3 * np.finfo(dtype).eps
    tiny = np.finfo(dtype).smallest_subnormal
    for shape in SHAPES:
        x = random(shape, dtype)
        for scale in (1, 1e-30, 1e30):
            scaled = x * np.asarray(scale, x.real.dtype)
            for (kernel, args), twin in NORMS.items():
                expected = twin(scaled, *args)
                got = applied(kernel, scaled, *args)
                np.testing.assert_allclose(got, expected, rtol=rtol)
    for entry in (tiny, np.finfo(dtype).tiny, np.finfo(dtype).max):
        got = applied(normalize_frobenius, np.full((2, 2), entry, dtype))
        np.testing.assert_allclose(got, 0.5, rtol=rtol)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e200, 1.7e308])
def test_norms_of_extreme_scales(scale):
    x = np.array([[scale, -scale], [0.0, 0.0]])
    half = np.sqrt(0.5)
    unit = np.array([[half, -half], [0, 0]])
    np.testing.assert_allclose(applied(normalize_frobenius, x), unit, rtol=1e-15)
    np.testing.assert_allclose(applied(project_normlin, x, 2.0), 2 * unit, rtol=1e-15)
    got = applied(project_normcol, x, 2.0)
    np.testing.assert_allclose(got, [[2, -2], [0, 0]], rtol=1e-15)
    got = applied(normalize_frobenius, np.full((30, 30), scale))
    # The interpreted kernel adds 900 squares one after the other, which may cost up to
    # 450 units of rounding.
    np.testing.assert_allclose(got, 1 / 30, rtol=1e-13)


def test_zero_has_no_direction_and_stays_zero():
    for kernel, args in (
        (normalize_frobenius, ()),
        (project_normlin, (1.0,)),
        (project_normcol, (1.0,)),
    ):
        assert not applied(kernel, np.zeros((3, 20)), *args).any()


def test_kernels_are_callable_from_compiled_code():
    @njit
    def nearest_unit(x, k):
        y = x.copy()
        project_splincol(y, k)
        normalize_frobenius(y)
        return y

    x = random((5, 7), "float64")
    expected = naive.normalize_frobenius(naive.project_splincol(x, 2))
    np.testing.assert_allclose(nearest_unit(x, 2), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("block", [(1, 1), (1, 8), (8, 1), (3, 2), (50, 50)])
def test_blocks_of_largest_norm(block, dtype):
    for shape in SHAPES:
        for make in (random, tied_matrix, np.zeros):
            x = make(shape, dtype)
            for k, by_rows in itertools.product((1, 2, 5, x.size + 1), (False, True)):
                expected = naive.project_spblock(x, k, *block, by_rows)
                found = applied(project_spblock, x, k, *block, by_rows)
                assert np.array_equal(found, expected), (shape, k, by_rows)


def test_blocks_of_one_entry_are_entries():
    x = tied_matrix((9, 12), "float64")
    for tie_tol in (0.0, 0.1):
        found = applied(project_spblock, x, 20, 1, 1, False, tie_tol)
        assert np.array_equal(found, applied(project_sp, x, 20, tie_tol))
        found = applied(project_spblock, x, 2, 1, 1, True, tie_tol)
        assert np.array_equal(found, applied(project_splin, x, 2, tie_tol))


def test_norms_of_blocks_neither_overflow_nor_vanish():
    """A block of two entries that are smaller wins, at the limits of the dtype too."""
    for size in (1e300, 1.0, 1e-300):
        x = size * np.array([[4.0, 0.0, 3.0, 3.0, 0.0, 0.0]])
        expected = size * np.array([[0.0, 0.0, 3.0, 3.0, 0.0, 0.0]])
        assert np.array_equal(applied(project_spblock, x, 1, 1, 2), expected)
        tied = size * np.array([[0.0, 5.0, 3.0, 4.0]])
        found = applied(project_spblock, tied, 1, 1, 2)
        assert np.array_equal(found, tied * [1, 1, 0, 0])
