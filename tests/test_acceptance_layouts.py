"""Facts 11, 12, 20 to 24 and 26 about butterflies, by number."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from samples import DTYPES, close, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact import Butterfly, Chain


def butterfly(chain, dtype="float64", seed=0):
    return Butterfly(chain, [random(p, dtype, seed + i) for i, p in enumerate(chain)])


def relative(got, expected):
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def test_11_kronecker_products():
    pseudo = nf.transforms.kronecker([[2, 1], [1, 1]], [[2, 1], [1, 1]])
    np.testing.assert_array_equal(
        pseudo.toarray(), [[4, 2, 2, 1], [2, 2, 1, 1], [2, 1, 2, 1], [1, 1, 1, 1]]
    )
    blocks = random((6, 2, 2), "float64")
    expected = np.ones((1, 1))
    for block in blocks:
        expected = np.kron(expected, block)
    operator = nf.transforms.kronecker(*blocks)
    assert operator.chain == Chain.square_dyadic(64)
    assert relative(operator.toarray(), expected) < 1e-15


def test_12_a_permutation_is_one_butterfly_and_one_of_opposite_strides():
    p = np.random.default_rng(0).permutation(64)
    operator = nf.transforms.permutation(p)
    assert operator.chain == Chain.square_dyadic(64) @ Chain.square_dyadic(64).T
    assert abs(operator.toarray() - np.eye(64)[p]).max() == 0.0
    twiddle, increasing = operator.to_twiddle()
    assert twiddle.shape == (1, 2, 6, 32, 2, 2) and not increasing
    padded = nf.transforms.permutation(np.arange(10)[::-1])
    assert padded.chain.shape == (16, 16) and padded.shape == (10, 10)
    np.testing.assert_array_equal(padded.toarray(), np.eye(10)[::-1])


def test_20_where_the_values_of_a_factor_stand():
    ones = Butterfly.from_ks_values([np.ones((2, 4, 3, 2))])
    assert ones.shape == (16, 12) and ones.toarray().sum() == 48
    a, b, c, d = 2, 4, 3, 5
    v = random((a, b, c, d), "float64")
    matrix = np.zeros((a * b * d, a * c * d))
    for i, j, k, line in itertools.product(range(a), range(b), range(c), range(d)):
        matrix[i * b * d + j * d + line, i * c * d + k * d + line] = v[i, j, k, line]
    np.testing.assert_array_equal(Butterfly.from_ks_values([v]).toarray(), matrix)


@pytest.mark.parametrize("increasing", [True, False])
def test_21_twiddles_of_torch(increasing):
    n, n_levels = 16, 4
    twiddle = random((1, 1, n_levels, n // 2, 2, 2), "float64")
    values = []
    for index in range(n_levels):
        s = 2 ** (index if increasing else n_levels - 1 - index)
        level = twiddle[0, 0, index].reshape(n // (2 * s), s, 2, 2)
        values.insert(0, level.transpose(0, 2, 3, 1))
    expected = Butterfly.from_ks_values(values)
    got = Butterfly.from_twiddle(twiddle, increasing)
    assert got.chain == expected.chain
    assert got.chain == (
        Chain.square_dyadic(n) if increasing else Chain.square_dyadic(n).T
    )
    np.testing.assert_array_equal(got.toarray(), expected.toarray())
    back, direction = got.to_twiddle()
    np.testing.assert_array_equal(back, twiddle)
    assert direction == increasing


def test_22_fusion():
    left, right = (2, 3, 4, 6), (4, 6, 2, 2)
    chain = Chain([left, right])
    (a1, b1, _, d1), (a2, _, c2, d2) = left, right
    assert chain.fuse().patterns == ((a1, b1 * d1 // d2, a2 * c2 // a1, d2),)
    operator = butterfly(chain)
    assert relative(operator.fuse().toarray(), operator.toarray()) < 1e-14
    dyadic = butterfly(Chain.square_dyadic(16))
    dense = dyadic.fuse()
    assert dense.chain.patterns == ((1, 16, 16, 1),)
    assert relative(dense.values[0][0, :, :, 0], dyadic.toarray()) < 1e-14


def test_23_parameters():
    dyadic = Chain.square_dyadic(512)
    assert dyadic.n_parameters == 9216
    assert sum(v.nbytes for v in nf.transforms.hadamard(512).values) == 73728
    assert round(100 * nf.transforms.hadamard(512).density, 1) == 3.5
    monarch = Chain.monarch((1000, 1000))
    assert monarch.patterns == ((1, 40, 40, 25), (40, 25, 25, 1))
    assert monarch.n_parameters == 65000
    for shape, count in {
        (12, 12): 84,
        (21, 16): 196,
        (64, 16): 384,
        (100, 60): 1900,
    }.items():
        assert Chain.monarch(shape).shape == shape
        assert Chain.monarch(shape).n_parameters == count


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 16])
def test_24_products_of_every_kind(n, dtype):
    operator = butterfly(Chain.square_dyadic(n), dtype)
    x, y = random((n, 6), dtype, 20), random(n, dtype, 21)
    assert (operator @ x).dtype == (operator @ y).dtype == dtype
    inner = np.vdot(y, operator @ x[:, 0])
    tolerance = 1e-12 if dtype in ("float64", "complex128") else 1e-4
    assert inner == pytest.approx(np.vdot(operator.H @ y, x[:, 0]), abs=n * tolerance)
    columns = np.stack([operator @ column for column in x.T], axis=1)
    close(operator @ x, columns)
    close(operator @ np.asfortranarray(x), columns)
    close(operator @ np.repeat(x, 2, axis=1)[:, ::2], columns)
    close(operator @ np.repeat(x, 2, axis=0)[::2], columns)
    frozen = x.copy()
    frozen.flags.writeable = False
    close(operator @ frozen, columns)
    wide = operator.astype(np.result_type(dtype, "float64")).toarray()
    close(operator @ np.arange(n), wide @ np.arange(n))
    assert (operator @ np.arange(n)).dtype == np.result_type(dtype, "float64")
    assert (operator @ np.empty((n, 0), dtype)).shape == (n, 0)
    integers = Butterfly(operator.chain, [np.ones(p, int) for p in operator.chain])
    assert integers.dtype == np.float64


def test_26_copies_and_scipys_interface():
    operator = nf.transforms.dft(12)
    expected = operator.toarray()
    for same in (pickle.loads(pickle.dumps(operator)), copy.deepcopy(operator)):
        np.testing.assert_array_equal(same.toarray(), expected)
    wrapped = aslinearoperator(operator)
    assert wrapped is operator
    close(wrapped.matvec(np.ones(12)), expected @ np.ones(12))
    close(wrapped.rmatvec(np.ones(12)), expected.conj().T @ np.ones(12))
    close(wrapped.matmat(np.eye(12)), expected)
    close(wrapped.rmatmat(np.eye(12)), expected.conj().T)
