"""Inverses of operators, as fast operators."""

import numpy as np
import pytest
import scipy.sparse as sp
from operator_samples import is_operator_of, near, survives
from samples import DTYPES, random

import nbfact as nf
from nbfact.operators import block_diag, kronecker


def is_inverse(inverse, operator, dtype):
    """Assert that an operator is the inverse of another one, in both orders."""
    assert isinstance(inverse, nf.FastOperator)
    assert inverse.dtype == operator.dtype == dtype
    dense, eye = operator.toarray(), np.eye(operator.shape[0])
    near(inverse.toarray() @ dense, eye, dtype)
    near(inverse @ (operator @ eye), eye, dtype)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 8, 12])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inverses_of_transforms(n, dtype, tmp_path):
    real = np.dtype(dtype).kind == "f"
    first = random(n, dtype, n)
    first[0] += 4
    transforms = [nf.transforms.circulant(first)]
    for normalized in (True, False):
        if real:
            for type in (1, 2, 3, 4):
                options = {"type": type, "normalized": normalized, "dtype": dtype}
                if (type, n) != (1, 1):
                    transforms.append(nf.transforms.dct(n, **options))
                transforms.append(nf.transforms.dst(n, **options))
            transforms.append(nf.transforms.hartley(n, normalized, dtype=dtype))
            if n & (n - 1) == 0:
                transforms.append(nf.transforms.hadamard(n, normalized, dtype=dtype))
                transforms.append(nf.transforms.haar(n, dtype))
        else:
            transforms.append(nf.transforms.dft(n, normalized, dtype=dtype))
            transforms.append(nf.transforms.idft(n, normalized, dtype=dtype))
    if real:
        p = np.random.default_rng(n).permutation(n)
        transforms.append(nf.transforms.permutation(p, dtype))
    for A in transforms:
        inverse = A.inverse()
        is_inverse(inverse, A, dtype)
        assert inverse.nnz <= A.nnz + n
        is_inverse((3 * A).inverse(), 3 * A, dtype)
    last = transforms[-1]
    last.save(tmp_path / "a.npz")
    is_inverse(nf.load(tmp_path / "a.npz").inverse(), last, dtype)
    survives(transforms[0].inverse(), dtype, tmp_path / "b.npz")
    is_operator_of(last**-2, np.linalg.inv(last.toarray() @ last.toarray()), dtype)


@pytest.mark.parametrize("dtype", DTYPES[1::2])
def test_inverses_of_results(dtype):
    D = nf.transforms.dft(4) if dtype[0] == "c" else nf.transforms.dct(4)
    weights = nf.FactorProduct([np.diag(1 + np.arange(4.0)).astype(dtype)], -0.5)
    pairs = nf.FactorProduct([np.kron(np.eye(2), [[1, 2], [3, 4]]).astype(dtype)])
    for A in (
        *(D @ weights, D.H @ weights @ D, weights @ pairs, kronecker(D, weights)),
        *(block_diag([D, weights, pairs]), (D @ weights)[[2, 0, 3, 1], ::-1], D[::-1]),
        *(kronecker(D, D)[::-1], kronecker([[2, 1], [1, 1]], D), D + D),
    ):
        is_inverse(A.inverse(), A, dtype)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (nf.transforms.circulant([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]), "singular"),
        (nf.transforms.circulant(np.ones(6) + 0j), "singular"),
        (nf.transforms.circulant(np.zeros(4)), "singular"),
        (nf.transforms.toeplitz(1 / (1 + np.arange(5.0))), "no fast inverse is known"),
        (nf.FactorProduct([np.eye(3)], 0.0), "scale is 0"),
        (nf.FactorProduct([np.diag([1.0, 0.0])]), "row of zeros"),
        (nf.FactorProduct([[[1, 2], [2, 4]]]), "singular"),
        (nf.FactorProduct([sp.eye_array(30) + sp.eye_array(30, k=1)]), "no fast"),
        (nf.FactorProduct([np.ones((3, 2)), np.ones((2, 3))]), r"factor 1 has shape"),
        (nf.transforms.dct(4)[[0, 0, 1, 2]], "no fast inverse is known"),
    ],
)
def test_what_has_no_inverse(operator, message):
    with pytest.raises(ValueError, match=message):
        operator.inverse()
