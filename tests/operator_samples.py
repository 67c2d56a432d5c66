"""One operator of each class, and what every operator must have."""

import copy
import pickle

import numpy as np
import pytest
from samples import random

import nbfact as nf
from nbfact.operators import (
    BlockOperator,
    KroneckerProduct,
    OperatorProduct,
    OperatorSum,
    SelectedOperator,
    block_diag,
    kronecker,
)
from nbfact.operators.named_transform import NamedTransform


def operators(dtype):
    """Return one square operator of each class, of order 6."""
    F = nf.FactorProduct([random((6, 4), dtype, 1), random((4, 6), dtype, 2)], 0.5)
    T = nf.transforms.circulant(random(6, dtype, 3))
    C = nf.Butterfly(T.chain, T.values, rows=T.rows, columns=T.columns)
    return {
        "factors": F,
        "butterfly": C,
        "transform": T,
        "sum": F + C,
        "product": F @ C,
        "blocks": block_diag([F[:3, :3], C[:3, :3]]),
        "selected": C[[1, 1, 2, 3, 0, 5], [5, 4, 4, 0, 0, 1]],
        "kronecker": kronecker(F[:2, :3], C[:3, :2]),
    }


KINDS = {
    "factors": nf.FactorProduct,
    "butterfly": nf.Butterfly,
    "transform": NamedTransform,
    "sum": OperatorSum,
    "product": OperatorProduct,
    "blocks": BlockOperator,
    "selected": SelectedOperator,
    "kronecker": KroneckerProduct,
}


def near(got, expected, dtype):
    """Assert that two arrays are equal up to the rounding of products in a dtype."""
    assert got.shape == expected.shape
    size = max(abs(expected).max(), 1.0)
    atol = 2000 * np.finfo(dtype).eps * size
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


def is_operator_of(got, expected, dtype):
    """Assert that an operator has a dense matrix, and all that operators have."""
    assert isinstance(got, nf.FastOperator)
    near(got.toarray(), expected, dtype)
    assert got.toarray().dtype == got.dtype and repr(got)
    assert got.nnz >= 0 and got.density == got.nnz / expected.size
    x = random((expected.shape[1], 2), "complex128")
    near(got @ x, expected @ x, dtype)
    near(got @ x[:, 0], expected @ x[:, 0], dtype)


def survives(got, dtype, path):
    """Assert that copies, pickles and files hold the same operator."""
    got.save(path)
    for twin in (pickle.loads(pickle.dumps(got)), copy.deepcopy(got), nf.load(path)):
        assert type(twin) is type(got)
        assert (twin.dtype, twin.shape, twin.nnz) == (got.dtype, got.shape, got.nnz)
        near(twin.toarray(), got.toarray(), dtype)
        with pytest.raises(AttributeError, match="immutable"):
            twin.nnz = 1
    got.export(path)
    plain = nf.load(path)
    assert isinstance(plain, nf.FactorProduct)
    near(plain.toarray(), got.toarray(), dtype)
