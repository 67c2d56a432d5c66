"""Transforms whose butterfly is fitted: convolutions, slant and Legendre transforms."""

import numpy as np
import pytest
import scipy.linalg
from samples import DTYPES, close, random

import nbfact as nf
from nbfact import Chain


def test_transforms_by_fit():
    for n in (1, 2, 16, 32):
        close(nf.transforms.slant(n).toarray(), nf.targets.slant(n))
        close(
            nf.transforms.legendre(n, rank=max(n // 2, 1)).toarray(),
            nf.targets.legendre(n),
        )
    errors = [
        nf.relative_error(nf.targets.legendre(32), nf.transforms.legendre(32, rank))
        for rank in (1, 2, 4)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.25
    assert nf.transforms.slant(8, dtype="float32").dtype == np.float32
    for call in (
        lambda: nf.transforms.slant(12),
        lambda: nf.transforms.legendre(6),
        lambda: nf.transforms.slant(0),
    ):
        with pytest.raises(ValueError, match=r"power of two|at least 1"):
            call()
    with pytest.raises(ValueError, match="rank"):
        nf.transforms.legendre(8, rank=0)
    with pytest.raises(TypeError, match="dtype"):
        nf.transforms.slant(8, dtype="complex128")


@pytest.mark.parametrize("dtype", DTYPES[1:3])
def test_convolutions_are_two_butterflies(dtype):
    c = random(16, dtype)
    result = nf.butterfly_factorize(scipy.linalg.circulant(c), model="circulant")
    close(result.operator.toarray(), scipy.linalg.circulant(c))
    assert result.relative_error < 1e-6 and result.operator.dtype == dtype
    chain = Chain.square_dyadic(16)
    product = nf.butterfly_factorize(scipy.linalg.circulant(c), chain)
    assert product.relative_error > 0.1  # one butterfly is not enough
    noisy = scipy.linalg.circulant(c) + 0.1 * random((16, 16), dtype, 1)
    result = nf.butterfly_factorize(noisy.astype(dtype), model="circulant")
    got = nf.relative_error(noisy, result.operator)
    assert got == pytest.approx(result.relative_error, rel=1e-4)
    for shift in range(16):  # the residual has mean zero on every diagonal
        rows = np.arange(16)
        rest = (noisy - result.operator.toarray())[(rows + shift) % 16, rows]
        assert abs(rest.mean()) < 1e-5
