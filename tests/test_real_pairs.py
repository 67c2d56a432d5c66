"""Real vectors times Fourier transforms, two by two, equal each of them alone."""

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.kernels import pair_rows, pairs_are_alike, part_columns, part_rows
from nbfact.operators import paired_transforms
from nbfact.operators.tied_steps import width_of

COUNTS = [2, 3, 4, 7, 9, 14, 32, 35]
"""Numbers of real columns: whole vectors of pairs, parts of one, and odd ones."""


@pytest.mark.parametrize("dtype", DTYPES[2:])
def test_twins(dtype):
    width, dtype = width_of(dtype), np.dtype(dtype)
    for n in (32, 33, 47):
        for pairs in (1, 2, width // 2, width + 1):
            z = random((n, pairs), dtype)
            sums = np.empty(2 * max(2 * pairs, width), dtype.char.lower())
            out = np.full((n, 2 * pairs), np.nan, dtype)
            part_columns(z, sums, 0, n // 2 + 1, out)
            assert pairs_are_alike(sums, pairs) and naive.pairs_are_alike(sums, pairs)
            close(out, naive.part_columns(z))
            rows, out = (
                np.ascontiguousarray(z.T),
                np.full((2 * pairs, n), np.nan, dtype),
            )
            assert part_rows(rows, np.empty(2 * width, sums.dtype), out)
            close(out, naive.part_rows(rows))
            x, out = random((2 * pairs, n), sums.dtype), np.empty((pairs, n), dtype)
            pair_rows(x, out)
            np.testing.assert_array_equal(out, naive.pair_rows(x))


@pytest.mark.parametrize("weight", [1.0, 16.5, 1e9, 0.0, np.inf, np.nan, 1e-30])
def test_two_that_are_not_alike_are_told(weight):
    """Norms may differ by a factor of 16, and measure nothing where they are tiny."""
    x = random((64, 2), "float64") / 8
    x[:, 1] /= np.linalg.norm(x[:, 1]) / np.linalg.norm(x[:, 0])
    with np.errstate(invalid="ignore"):
        x[:, 1] *= weight
        z = np.fft.fft(x[:, :1] + 1j * x[:, 1:], axis=0)
        out, sums = np.empty((64, 2), complex), np.empty(16)
        part_columns(z, sums, 0, 33, out)
        assert pairs_are_alike(sums, 1) == (weight == 1.0)
        assert naive.pairs_are_alike(sums, 1) == (weight == 1.0)
        assert part_rows(z.T, sums, out.T.copy()) == (weight == 1.0)
        part_columns(z * 1e-180, sums, 0, 33, out)
        assert not pairs_are_alike(sums, 1)


@pytest.mark.parametrize("dtype", DTYPES[2:])
@pytest.mark.parametrize(
    "n", [32, 135, 256, pytest.param(1009, marks=pytest.mark.slow)]
)
def test_products(n, dtype):
    real = np.dtype(dtype).char.lower()
    for A in (
        nf.transforms.dft(n, dtype=dtype),
        3 * nf.transforms.idft(n, dtype=dtype),
    ):
        for count in (*COUNTS, 4200 // n + 1):
            x = random((n, count), real)
            expected = A @ x.astype(dtype)
            close(A @ x, expected)
            np.testing.assert_array_equal(A @ x, A @ x.copy())
            close(A.apply(x), expected)
            close(A @ np.asfortranarray(x), expected)
            close(np.ascontiguousarray(x.T) @ A.T, expected.T)
            close(x.T @ A.T, expected.T)
            out = np.empty((count, n), dtype)
            assert A.apply(x.T, out, axis=1) is out
            close(out, expected.T)
            close(A.H @ x, A.H @ x.astype(dtype))


@pytest.mark.parametrize("count", [32, 160])
def test_what_a_pair_does_not_change(count):
    """Neither a large column, nor zeros or infinity, spoils what stands beside it.

    Of many numbers, some are looked at before.
    """
    A, x = nf.transforms.dft(256), random((256, count), "float64")
    x[:, 3] *= 1e12
    x[:, 8] = 0
    x[0, 13] = np.inf
    expected = np.fft.fft(x, axis=0, norm="ortho")
    with np.errstate(invalid="ignore"):
        for found in (A @ x, (x.T.copy() @ A.T).T, (x.T @ A.T).T):
            for one, other in zip(found.T, expected.T, strict=True):
                if np.isfinite(other).all():
                    close(one, other)
                else:
                    assert not np.isfinite(one).all()


@pytest.mark.parametrize("size", [1e12, np.finfo(float).max, np.inf])
def test_a_few_rows_say_what_is_not_alike_before(size):
    A, x = nf.transforms.dft(1024), random((1024, 64), "float64")
    assert not paired_transforms._seem_unlike(x)
    x[7, 3] = size  # which none of these rows is
    assert not paired_transforms._seem_unlike(x)
    x[:, 7] = size
    assert paired_transforms._seem_unlike(x)
    with np.errstate(invalid="ignore", over="ignore"):
        found = A @ x
    close(found[:, :3], A @ x[:, :3].astype(complex))


def test_other_numbers_and_arrays():
    A, x = nf.transforms.dft(256), random((256, 20), "float64")
    whole = (9 * x).astype(np.int16)
    close(A @ whole, A @ whole.astype(complex))
    single = x.astype("float32")
    for given in (single, np.asfortranarray(single)):
        found = A @ given
        assert found.dtype == complex
        close(found, A @ single.astype(complex))
    fixed = x.copy()
    fixed.flags.writeable = False
    wide = np.zeros((256, 40))
    wide[:, ::2] = x
    for given in (fixed, wide[:, ::2], np.moveaxis(x[None], 0, -1)[..., 0]):
        np.testing.assert_array_equal(A @ given, A @ x)
    close(A @ np.stack([x, 2 * x]), np.stack([A @ x, 2 * (A @ x)]))


def test_rows_that_are_not_symmetric_are_multiplied_as_complex_ones():
    x = random((256, 20), "float64")
    for A in (1j * nf.transforms.dft(256), nf.transforms.dft(256)[5:200]):
        close(A @ x, A @ x.astype(complex))


@pytest.mark.compiled
def test_threads_change_no_bit():
    A, x = nf.transforms.dft(256), random((256, 1024), "float64")
    rows = np.ascontiguousarray(x.T)
    one = A @ x, rows @ A.T
    with nf.threads(2):
        two = A @ x, rows @ A.T
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_short_or_few_vectors_are_alone():
    """Pairs take further calls, which some vectors do not save."""
    dtype = np.dtype("complex128")
    for n, batch, rows, paired in (
        (1024, 64, False, True),
        (1024, 64, True, True),
        (1024, 2, False, True),
        (256, 2, True, False),
        (256, 3, False, False),
        (16, 4096, False, False),
    ):
        assert nf.transforms.dft(n)._is_paired(dtype, batch, rows) == paired
