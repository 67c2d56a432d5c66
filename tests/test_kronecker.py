"""Products with factors of pattern (a, b, c, d) are those of dense matrices."""

import naive
import numpy as np
import pytest
from samples import REALS_FIRST, close, random

from nbfact.kernels import (
    kronecker_adjoint,
    kronecker_adjoint_columns,
    kronecker_apply,
    kronecker_apply_columns,
    kronecker_chain_apply,
    kronecker_chain_apply_columns,
    kronecker_gradient_columns,
    kronecker_pack,
)

PATTERNS = [
    (1, 1, 1, 1),
    (2, 2, 2, 4),
    (1, 2, 4, 3),
    (3, 4, 2, 1),
    (2, 4, 4, 9),
    (2, 4, 8, 1),
    (1, 3, 5, 9),
    (2, 5, 3, 1),
    (2, 3, 9, 1),
    (1, 32, 33, 2),  # multiplied by BLAS
]
CHAINS = [
    [(2, 2, 3, 1)],
    [(4, 2, 2, 1), (2, 2, 2, 2), (1, 2, 2, 4)],
    [(3, 2, 4, 2), (1, 5, 6, 2), (2, 3, 5, 1)],
    [(16, 3, 2, 2), (32, 4, 3, 1), (16, 2, 4, 2)],  # packed with i last
]


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_one_factor(pattern, dtype):
    values = random(pattern, dtype)
    matrix = naive.kronecker_matrix(values)
    for batch in (0, 1, 3, 16):
        x = random((matrix.shape[1], batch), dtype, 1)
        y = random((matrix.shape[0], batch), dtype, 2)
        out, adjoint = np.full_like(y, np.nan), np.full_like(x, np.nan)
        kronecker_apply_columns(values, x, out)
        close(out, naive.kronecker_apply_columns(values, x))
        kronecker_adjoint_columns(values, y, adjoint)
        close(adjoint, naive.kronecker_adjoint_columns(values, y))
        gradient = np.full_like(values, np.nan)
        kronecker_gradient_columns(x, y, gradient)
        close(gradient, naive.kronecker_gradient_columns(x, y, pattern))
    kronecker_apply(values, x[:, 0].copy(), vector := out[:, 0].copy())
    close(vector, naive.kronecker_apply(values, x[:, 0]))
    kronecker_adjoint(values, y[:, 0].copy(), vector := adjoint[:, 0].copy())
    close(vector, naive.kronecker_adjoint(values, y[:, 0]))


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("patterns", CHAINS)
@pytest.mark.parametrize("tile", [1, 4])
def test_chain(patterns, tile, dtype):
    factors = [random(pattern, dtype, i) for i, pattern in enumerate(patterns)]
    matrices = [naive.kronecker_matrix(values) for values in factors]
    rows, columns = len(matrices[-1]), matrices[0].shape[1]
    parts = [np.empty(factor.size, dtype) for factor in factors]
    for factor, part in zip(factors, parts, strict=True):
        kronecker_pack(factor, part)
    values = np.concatenate(parts)
    widest = max(len(m) for m in matrices)
    for batch in (0, 1, 5):
        x = random((columns, batch), dtype, 9)
        out = np.full((rows, batch), np.nan, dtype)
        scratch = np.empty((2, widest, tile), dtype)
        layout = np.array(patterns)
        kronecker_chain_apply_columns(values, layout, x, scratch, out)
        expected = naive.kronecker_chain_apply_columns(factors, x)
        close(out, expected.reshape(out.shape))
    vector = np.empty(rows, dtype)
    scratch = np.empty((2, widest), dtype)
    kronecker_chain_apply(values, layout, x[:, 0].copy(), scratch, vector)
    close(vector, naive.kronecker_chain_apply(factors, x[:, 0]))


def test_the_pattern_is_a_kronecker_product():
    values = np.ones((3, 2, 5, 4))
    expected = np.kron(np.eye(3), np.kron(np.ones((2, 5)), np.eye(4)))
    np.testing.assert_array_equal(naive.kronecker_matrix(values), expected)


@pytest.mark.parametrize("shape", [(16, 2, 3, 2), (15, 2, 3, 2), (16, 2, 9, 2)])
def test_pack(shape):
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    kronecker_pack(values, out := np.empty(values.size))
    np.testing.assert_array_equal(out, naive.kronecker_pack(values))
