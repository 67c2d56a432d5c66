"""Exact transforms, compared with matrices in extended precision and with SciPy."""

import math

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
from samples import DTYPES, random

import nbfact as nf
from nbfact.operators.radices import prime_factors

LARGE = [pytest.param(n, marks=pytest.mark.compiled) for n in (30, 60, 64, 100)]
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, *LARGE]
POWERS = [1, 2, 4, 8, 16, LARGE[2]]
TYPES = [1, 2, 3, 4]
PI = np.longdouble("3.14159265358979323846264338327950288")


def cosine(numerator, period):
    """Return cos(2π numerator / period) of reduced integers in extended precision."""
    return np.cos(2 * PI * (numerator % period).astype(np.longdouble) / period)


def sine(numerator, period):
    return cosine(4 * numerator - period, 4 * period)


def indices(n):
    return np.arange(n)[:, None], np.arange(n)[None]


def dct_matrix(n, type):
    k, j = indices(n)
    if type == 1:
        matrix = 2 * cosine(k * j, 2 * (n - 1))
        matrix[:, [0, -1]] /= 2
    elif type == 2:
        matrix = 2 * cosine(k * (2 * j + 1), 4 * n)
    elif type == 3:
        matrix = 2 * cosine((2 * k + 1) * j, 4 * n)
        matrix[:, 0] /= 2
    else:
        matrix = 2 * cosine((2 * k + 1) * (2 * j + 1), 8 * n)
    return matrix


def dst_matrix(n, type):
    k, j = indices(n)
    if type == 1:
        matrix = 2 * sine((k + 1) * (j + 1), 2 * (n + 1))
    elif type == 2:
        matrix = 2 * sine((k + 1) * (2 * j + 1), 4 * n)
    elif type == 3:
        matrix = 2 * sine((2 * k + 1) * (j + 1), 4 * n)
        matrix[:, -1] /= 2
    else:
        matrix = 2 * sine((2 * k + 1) * (2 * j + 1), 8 * n)
    return matrix


def dft_matrix(n):
    k, j = indices(n)
    return cosine(k * j, n) - 1j * sine(k * j, n)


def error(operator, expected):
    """Return the relative Frobenius error of an operator."""
    expected = np.asarray(expected)
    difference = operator.toarray() - expected
    norm = math.sqrt(np.sum(abs(expected) ** 2))
    return math.sqrt(np.sum(abs(difference) ** 2)) / norm


def check(operator, expected):
    """Compare an operator with a matrix: densely, and by products of all kinds."""
    eps = np.finfo(operator.dtype).eps
    assert operator.shape == expected.shape
    assert error(operator, expected) < 6 * eps
    m, n = operator.shape
    x, y = random((n, 3), operator.dtype, 1), random(m, operator.dtype, 2)
    for got, same in (
        (operator @ x, expected @ x),
        (operator @ x[:, 0], expected @ x[:, 0]),
        (operator.H @ y, np.conj(expected).T @ y),
        (operator.T @ y, np.asarray(expected).T @ y),
    ):
        assert got.dtype == operator.dtype
        norm = float(np.linalg.norm(np.asarray(expected).astype(complex)))
        assert abs(got - same).max() <= 40 * eps * norm
    inner = np.vdot(y, operator @ x[:, 0])
    tolerance = 1e-12 if eps < 1e-10 else 1e-3
    assert abs(inner - np.vdot(operator.H @ y, x[:, 0])) <= tolerance * norm


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES[2:])
def test_dft(n, dtype):
    exact = dft_matrix(n)
    check(nf.transforms.dft(n, normalized=False, dtype=dtype), exact)
    check(nf.transforms.dft(n, dtype=dtype), exact / np.sqrt(n))
    check(nf.transforms.idft(n, dtype=dtype), exact.conj() / np.sqrt(n))
    check(nf.transforms.idft(n, normalized=False, dtype=dtype), exact.conj() / n)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_hartley(n, dtype):
    k, j = indices(n)
    exact = cosine(k * j, n) + sine(k * j, n)
    check(nf.transforms.hartley(n, normalized=False, dtype=dtype), exact)
    check(nf.transforms.hartley(n, dtype=dtype), exact / np.sqrt(n))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["dct", "dst"])
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_cosines_and_sines(dtype, name, type, n):
    if name == "dct" and type == 1 and n == 1:
        pytest.skip("not defined")
    transform = getattr(nf.transforms, name)
    exact = (dct_matrix if name == "dct" else dst_matrix)(n, type)
    check(transform(n, type=type, normalized=False, dtype=dtype), exact)
    # The expected matrix is scipy.fft of the identity, with both scalings.
    for normalized, norm in ((True, "ortho"), (False, None)):
        scipys = getattr(scipy.fft, name)(np.eye(n), type=type, axis=0, norm=norm)
        check(transform(n, type=type, normalized=normalized, dtype=dtype), scipys)


@pytest.mark.compiled
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_large_orders_keep_every_digit(dtype, type):
    options = {"normalized": False, "dtype": dtype}
    most = 3e-7 if dtype == "float32" else 1e-15
    for n in (251, 360, 1024):
        assert error(nf.transforms.dct(n, type, **options), dct_matrix(n, type)) < most
        assert error(nf.transforms.dst(n, type, **options), dst_matrix(n, type)) < most


def test_dft_is_that_of_scipy_in_every_radix():
    x = random((64, 5), "complex128")
    expected = scipy.fft.fft(x, axis=0, norm="ortho")
    for radices in (None, [4, 4, 4], [8, 8], [2, 32], (64,), np.array([16, 4])):
        F = nf.transforms.dft(64, radices=radices)
        np.testing.assert_allclose(F @ x, expected, atol=1e-14)
        np.testing.assert_allclose(
            nf.transforms.idft(64, radices=radices) @ expected, x
        )
        assert F.rcg == 64 / sum(radices if radices is not None else [2] * 6)
    for radices in ([2, 2], [], [3, 21], [-8, -8]):
        with pytest.raises(ValueError, match=r"radices"):
            nf.transforms.dft(64, radices=radices)
    with pytest.raises(TypeError, match=r"radices=2\.5"):
        nf.transforms.dft(5, radices=[2.5, 2])


def test_transforms_compose_into_butterflies():
    identity = nf.transforms.idft(12) @ nf.transforms.dft(12)
    assert isinstance(identity, nf.Butterfly) and len(identity.chain) == 6
    assert error(identity, np.eye(12)) < 1e-15
    assert error(nf.transforms.dct(12, 3) @ nf.transforms.dct(12), np.eye(12)) < 1e-14


@pytest.mark.parametrize("n", POWERS)
@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_hadamard_and_haar(n, dtype):
    check(nf.transforms.hadamard(n, dtype=dtype), scipy.linalg.hadamard(n) / np.sqrt(n))
    got = nf.transforms.hadamard(n, normalized=False, dtype=dtype).toarray()
    np.testing.assert_array_equal(got, scipy.linalg.hadamard(n))
    check(nf.transforms.haar(n, dtype), nf.targets.haar(n))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_circulant(n, dtype):
    c = random(n, dtype, 3)
    operator = nf.transforms.circulant(c)
    assert operator.dtype == dtype
    check(operator, scipy.linalg.circulant(c))


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_toeplitz_and_hankel(m, n, dtype):
    c, r = random(m, dtype, 4), random(n, dtype, 5)
    check(nf.transforms.toeplitz(c, r), scipy.linalg.toeplitz(c, r))
    check(nf.transforms.toeplitz(c), scipy.linalg.toeplitz(c))
    check(nf.transforms.hankel(c), scipy.linalg.hankel(c))
    r[0] = c[-1]
    check(nf.transforms.hankel(c, r), scipy.linalg.hankel(c, r))
    r[0] = 99  # r[0] is not used
    assert nf.transforms.hankel(c, r).toarray()[-1, 0] == pytest.approx(c[-1], abs=1e-4)


def test_structured_inputs():
    assert nf.transforms.circulant([1, 2, 3]).dtype == np.float64
    np.testing.assert_allclose(
        nf.transforms.toeplitz([1, 2], [1j, 5]).toarray(), [[1, 5], [2, 1]], atol=1e-14
    )
    assert (
        nf.transforms.toeplitz(np.float32([1, 2]), np.float64([1, 5])).dtype
        == np.float64
    )
    huge = nf.transforms.circulant(np.full(4, 1e308))
    np.testing.assert_allclose(huge.toarray(), np.full((4, 4), 1e308))
    # A Toeplitz matrix padded with zeros is that of a linear convolution.
    h, x = random(5, "float64", 1), random(9, "float64", 2)
    got = nf.transforms.toeplitz(np.r_[h, np.zeros(8)], np.r_[h[0], np.zeros(8)]) @ x
    np.testing.assert_allclose(got, np.convolve(h, x), atol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_permutation(n):
    p = np.random.default_rng(n).permutation(n)
    operator, x = nf.transforms.permutation(p), np.arange(n) + 1.0
    np.testing.assert_array_equal(operator @ x, x[p])
    np.testing.assert_array_equal(operator.toarray(), np.eye(n)[p])
    np.testing.assert_array_equal(operator.H @ (operator @ x), x)
    assert {*np.concatenate([v.ravel() for v in operator.values])} <= {0.0, 1.0}
    for special in (np.arange(n), np.arange(n)[::-1], np.roll(np.arange(n), 1)):
        np.testing.assert_array_equal(
            nf.transforms.permutation(special) @ x, x[special]
        )


def test_every_permutation_of_four():
    for code in range(4**4):
        p = [code >> (2 * i) & 3 for i in range(4)]
        if sorted(p) == [0, 1, 2, 3]:
            np.testing.assert_array_equal(
                nf.transforms.permutation(p).toarray(), np.eye(4)[p]
            )


@pytest.mark.parametrize("shapes", [[(3, 2)], [(2, 3), (4, 1), (1, 5)], [(1, 1)] * 2])
@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_kronecker(shapes, dtype):
    matrices = [random(shape, dtype, i) for i, shape in enumerate(shapes)]
    expected = matrices[0]
    for matrix in matrices[1:]:
        expected = np.kron(expected, matrix)
    operator = nf.transforms.kronecker(*matrices)
    assert len(operator.chain) == len(matrices)
    check(operator, expected)
    mixed = nf.transforms.kronecker(
        np.ones((2, 2), np.float32), np.ones((2, 2), np.int8)
    )
    assert mixed.dtype == np.float64


def real_cost(n):
    """Return the number of parameters of the real part on the prime factors of n."""
    primes = prime_factors(n) or [1]
    if len(primes) == 1:
        return n * primes[0]
    return n * (2 * primes[0] + 4 * sum(primes[1:-1]) + 2 * primes[-1])


@pytest.mark.parametrize("n", range(1, 65))
def test_costs_are_those_of_theory(n):
    primes = prime_factors(n) or [1]
    assert nf.transforms.dft(n).nnz == nf.transforms.idft(n).nnz == n * sum(primes)
    for operator in (
        nf.transforms.hartley(n),
        *(
            f(n, type)
            for f in (nf.transforms.dct, nf.transforms.dst)
            for type in (2, 3, 4)
        ),
    ):
        assert operator.nnz == real_cost(n)
    assert nf.transforms.dst(n, 1).nnz == real_cost(2 * (n + 1))
    if n > 1:
        assert nf.transforms.dct(n, 1).nnz == real_cost(2 * (n - 1))
    circulant = n * (2 * sum(primes) - primes[0])
    assert nf.transforms.circulant(np.ones(n, complex)).nnz == circulant


def test_costs_of_powers_of_two():
    for p in range(2, 11):
        n = 2**p
        assert nf.transforms.dft(n).rcg == pytest.approx(n / (2 * p))
        assert nf.transforms.hadamard(n).rcg == pytest.approx(n / (2 * p))
        assert nf.transforms.dct(n).rcg == pytest.approx(n / (8 * p - 8))
        assert nf.transforms.hartley(n).chain == nf.Chain.rank2(n)
        assert nf.transforms.circulant(np.ones(n)).rcg == pytest.approx(
            n / (16 * p - 16)
        )
        assert nf.transforms.permutation(np.arange(n)).rcg == pytest.approx(n / (4 * p))
        assert (
            nf.transforms.dct(n).chain
            == nf.transforms.dst(n, 4).chain
            == nf.Chain.rank2(n)
        )
    assert (nf.transforms.dct(64).nnz, nf.transforms.dct(256).nnz) == (2560, 14336)
    assert nf.transforms.dct(129, 1).rcg > 1 > nf.transforms.dct(128, 1).rcg
    assert nf.transforms.dst(127, 1).rcg > 1 > nf.transforms.dst(128, 1).rcg
    assert (
        nf.transforms.circulant(np.ones(128)).rcg
        > 1
        > nf.transforms.circulant(np.ones(64)).rcg
    )
    assert nf.transforms.haar(1024).nnz == 6016
    blocks = [np.ones((3, 3))] * 4
    assert nf.transforms.kronecker(*blocks).rcg == pytest.approx(3**3 / 4)
