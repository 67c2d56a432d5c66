"""What the literature and other programs find about butterfly factorizations."""

import numpy as np
import pytest
import scipy.fft as sf
import scipy.linalg as sl
from samples import DTYPES

import nbfact as nf
from nbfact import Chain
from nbfact.operators.reorderings import bit_reversal, dao, digit_reversal, makhoul

SLOW = pytest.mark.slow
COMPILED = pytest.mark.compiled


def big(*values):
    """Return parameters of a size that takes seconds when it is interpreted."""
    return pytest.param(*values, marks=COMPILED)


BIG_256 = big(256)


def dft(n):
    """Return the Fourier matrix to the last bit, unlike scipy.linalg.dft."""
    powers = np.outer(np.arange(n), np.arange(n)) % n
    return np.exp(-2j * np.pi * np.arange(n) / n)[powers] / np.sqrt(n)


def hadamard(n):
    return sl.hadamard(n) / np.sqrt(n)


def dct(n, kind=2):
    return sf.dct(np.eye(n), kind, axis=0, norm="ortho")


def gaussian(n):
    return np.random.default_rng(0).standard_normal((n, n)) / np.sqrt(n)


def planted(n):
    rng, chain = np.random.default_rng(0), Chain.square_dyadic(n)
    values = [rng.standard_normal(pattern) / np.sqrt(2) for pattern in chain]
    return nf.Butterfly(chain, values).toarray(), rng


def error(target, chain=None, permutation=None, **options):
    """Return the error of a factorization, after comparing it with the result's own."""
    result = nf.butterfly_factorize(target, chain, permutation=permutation, **options)
    found = nf.relative_error(target, result.operator)
    rounding = (
        5 * len(result.operator.chain) * float(np.finfo(result.operator.dtype).eps)
    )
    assert result.relative_error == pytest.approx(found, rel=1e-6, abs=rounding)
    assert result.relative_error <= result.bound * (1 + 1e-9) + rounding
    assert result.lower_bound <= result.relative_error * (1 + 1e-9) + rounding
    return found


@pytest.mark.parametrize(
    "n", [2, 4, 16, 64, BIG_256, *(pytest.param(n, marks=SLOW) for n in (1024, 2048))]
)
def test_01_hadamard(n):
    assert error(hadamard(n)) < 1e-14


@COMPILED
@pytest.mark.parametrize("n", [64, 512, pytest.param(2048, marks=SLOW)])
def test_02_fourier(n):
    permuted = dft(n)[:, bit_reversal(n)]
    assert error(permuted) < 1e-14
    assert error(dft(n), permutation="bit-reversal") < 1e-14
    assert error(dft(n), permutation=bit_reversal(n)) < 1e-14


@COMPILED
@pytest.mark.slow
@pytest.mark.parametrize("n", [64, 512])
def test_02_fourier_in_single_precision(n):
    assert error(dft(n)[:, bit_reversal(n)].astype("complex64")) < 1e-6


def test_03_what_the_input_is_worth():
    assert error(sl.dft(256, "sqrtn"), permutation="bit-reversal") < 1e-13


@pytest.mark.parametrize("order", ["left-to-right", "right-to-left", "balanced"])
@pytest.mark.parametrize("orthonormal", [True, False])
@pytest.mark.parametrize("n", [64, BIG_256])
def test_04_planted(n, order, orthonormal):
    target = planted(n)[0]
    assert error(target, order=order, orthonormal=orthonormal) < 5e-15


@pytest.mark.parametrize("n", [16, 64, BIG_256])
def test_05_06_real_transforms(n):
    chain = Chain.rank2(n)
    angles = 2 * np.pi * (np.outer(np.arange(n), np.arange(n)) % n) / n
    assert error(dct(n), chain, "makhoul") < 5e-15
    assert error(dct(n, 4), chain, "makhoul") < 5e-15
    dst = sf.dst(np.eye(n), axis=0, norm="ortho")
    assert error(dst, chain, makhoul(n)[bit_reversal(n)]) < 5e-15
    hartley = (np.cos(angles) + np.sin(angles)) / np.sqrt(n)
    assert error(hartley, chain, "bit-reversal") < 5e-14
    assert error(np.cos(angles), chain, "bit-reversal") < 5e-15


def test_07_complex_lift_of_the_cosine_transform():
    n = 64
    lifted = np.exp(-0.5j * np.pi * np.arange(n) / n)[:, None] * dft(n)
    result = nf.butterfly_factorize(lifted, permutation="bit-reversal")
    assert result.relative_error < 1e-13
    real = np.empty((n, n))
    real[:, makhoul(n)] = result.operator.toarray().real * np.sqrt(2)
    real[0] /= np.sqrt(2)
    assert nf.relative_error(dct(n), real) < 1e-13


@pytest.mark.parametrize(("n", "direct"), [(16, 0.21), (64, 0.47), big(256, 0.65)])
def test_08_transposed_cosine(n, direct):
    chain, rows = Chain.rank2(n), makhoul(n)[bit_reversal(n)]
    target = dct(n, 3)
    assert error(target, chain, (rows, None), transpose=False) == pytest.approx(
        direct, abs=6e-3
    )
    assert error(target, chain, (rows, None)) < 5e-15
    assert error(target, chain.T, (rows, None)) < 5e-15
    assert error(target, chain, "makhoul") < 5e-15


@COMPILED
@pytest.mark.parametrize(("n", "direct"), [(64, 0.766), big(512, 0.870)])
def test_08_rows_of_fourier(n, direct):
    target = dft(n)[bit_reversal(n)]
    assert error(target, transpose=False) == pytest.approx(direct, abs=1e-3)
    for options in ({}, {"transpose": True}, {"chain": Chain.square_dyadic(n).T}):
        assert error(target, **options) < 1e-14
        assert nf.butterfly_factorize(target, **options).transposed


@pytest.mark.parametrize(
    ("radices", "density"),
    [
        ([2, 3], 0.833),
        ([2, 2, 3], 0.583),
        ([2, 3, 3], 0.444),
        ([2, 2, 3, 5], 0.2),
        ([2, 2, 5, 5], 0.14),
        ([2, 2, 2, 3, 3, 5], 0.047),
        ([3] * 5, 0.062),
        pytest.param([3] * 6, 0.025, marks=SLOW),
        pytest.param([2, 2, 2, 5, 5, 5], 0.021, marks=SLOW),
    ],
)
def test_09_fourier_of_any_size(radices, density):
    target = dft(int(np.prod(radices)))
    chain = Chain.mixed_radix(radices)
    assert error(target[:, digit_reversal(radices)], chain) < 2e-14
    assert error(target, permutation="digit-reversal") < 2e-14  # in the default chain
    result = nf.butterfly_factorize(target, chain, permutation="digit-reversal")
    assert result.operator.density == pytest.approx(density, abs=6e-4)
    other = radices[::-1]
    if other != radices:
        assert error(target[:, digit_reversal(other)], chain, transpose=False) > 0.5


@pytest.mark.parametrize("inner", [8, 4])
@pytest.mark.parametrize("order", ["left-to-right", "right-to-left", "balanced"])
@pytest.mark.parametrize("orthonormal", [True, False])
def test_10_redundant(inner, order, orthonormal):
    chain = Chain([(1, 2, inner, 4), (2, inner, 4, 2), (4, 4, 2, 1)])
    target = np.random.default_rng(0).standard_normal((8, 8))
    assert error(target, chain, order=order, orthonormal=orthonormal) < 1e-14


def test_11_kronecker_products():
    block = np.array([[2, 1], [1, 1]])
    target = np.kron(block, block)
    np.testing.assert_array_equal(target[1], [2, 2, 1, 1])
    assert error(target) < 1e-15
    random = np.ones((1, 1))
    for seed in range(6):
        block = np.random.default_rng(seed).standard_normal((2, 2))
        random = np.kron(random, block)
    assert error(random) < 5e-15


@pytest.mark.parametrize(
    ("n", "left_to_right", "plain", "balanced"),
    [
        (64, 0.8934, 0.8947, 0.8996),
        big(256, 0.9713, 0.9716, 0.9764),
        big(512, 0.9841, 0.9845, 0.9876),
        pytest.param(1024, 0.9916, 0.9918, 0.9942, marks=SLOW),
        pytest.param(2048, 0.9957, 0.9958, 0.9973, marks=SLOW),
    ],
)
def test_13_noise_alone(n, left_to_right, plain, balanced):
    target = gaussian(n)
    assert error(target) == pytest.approx(left_to_right, abs=1e-4)
    assert error(target, orthonormal=False) == pytest.approx(plain, abs=1e-4)
    assert error(target, order="balanced") == pytest.approx(balanced, abs=1e-4)


def test_14_monarch_is_the_best():
    target = np.random.default_rng(0).standard_normal((64, 64))
    result = nf.butterfly_factorize(target, Chain.monarch(64))
    assert result.relative_error == pytest.approx(0.777841, abs=1e-6)
    assert result.lower_bound == pytest.approx(result.relative_error, rel=1e-12)
    result = nf.butterfly_factorize(gaussian(512), Chain.monarch(512))
    assert result.relative_error == pytest.approx(0.9155, abs=1e-4)
    assert result.operator.density == pytest.approx(0.094, abs=1e-3)


@pytest.mark.parametrize(
    ("n", "ortho", "plain"),
    [
        (64, 0.0940, 0.1076),
        big(256, 0.0978, 0.1246),
        big(512, 0.0987, 0.1613),
        pytest.param(1024, 0.0991, 0.1385, marks=SLOW),
    ],
)
def test_15_a_butterfly_and_noise(n, ortho, plain):
    target, rng = planted(n)
    noise = rng.standard_normal((n, n))
    target = target + 0.1 * np.linalg.norm(target) / np.linalg.norm(noise) * noise
    assert error(target) == pytest.approx(ortho, abs=1e-4)
    assert error(target, orthonormal=False) == pytest.approx(plain, abs=1e-4)
    assert error(target, order="balanced") <= 0.0995


def test_16_wrong_permutations():
    for n, expected in ((64, 0.935), (512, 0.968)):
        found = error(hadamard(n)[:, bit_reversal(n)])
        assert found == pytest.approx(expected, abs=1e-3)
    for n, expected in ((16, 0.4287), (64, 0.6467), (256, 0.7787)):
        found = error(dct(n), permutation="makhoul")
        assert found == pytest.approx(expected, abs=1e-4)
    # Here all blocks tie, so that rounding decides which of the best ones are taken.
    assert 0.9 < error(dft(64)) < 0.97
    assert 0.9 < error(dct(64)) < 0.97


@COMPILED
@pytest.mark.parametrize("target", [dft, hadamard])
def test_17_search(target):
    n, wanted = 512, target is dft
    for split in (False, True):
        for bits in ((0, 0), (0, 1), (1, 0), (1, 1)):
            found = error(target(n), permutation=dao(n, split, *bits), transpose=False)
            assert found < 1e-14 if split == wanted else found > 0.9
    result = nf.butterfly_factorize(target(n), permutation="search")
    assert result.relative_error < 1e-14
    assert result.permutation == ("bit-reversal" if wanted else "identity")


@COMPILED
@pytest.mark.parametrize("n", [64, pytest.param(1024, marks=SLOW)])
def test_18_below_what_gradients_reach(n):
    def rmse(target, *arguments):
        return error(target, *arguments) * np.linalg.norm(target) / len(target)

    assert rmse(dft(n), None, "search") < 1e-14
    assert rmse(hadamard(n), None, "search") < 1e-14
    assert rmse(dct(n), None, "search") < 1e-14
    assert rmse(gaussian(1024)) < 3.2e-2
    hilbert = sl.hilbert(1024) / np.linalg.norm(sl.hilbert(1024), 2)
    assert rmse(hilbert) < 3.7e-4


@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_25_zero(dtype):
    result = nf.butterfly_factorize(np.zeros((8, 8), dtype))
    assert result.relative_error == result.bound == result.lower_bound == 0
    assert not any(value.any() for value in result.operator.values)


def test_25_identity():
    for order in ("left-to-right", "balanced"):
        result = nf.butterfly_factorize(np.eye(16), order=order)
        assert result.relative_error < 1e-15
        np.testing.assert_allclose(result.operator.toarray(), np.eye(16), atol=1e-15)
