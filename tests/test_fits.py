"""Transforms that are butterflies by fit."""

import numpy as np
import pytest
from samples import close

import nbfact as nf


def test_transforms_by_fit():
    for n in (1, 2, 16, 32):
        close(nf.slant(n).toarray(), nf.targets.slant(n))
        close(nf.legendre(n, rank=max(n // 2, 1)).toarray(), nf.targets.legendre(n))
    errors = [
        nf.relative_error(nf.targets.legendre(32), nf.legendre(32, rank))
        for rank in (1, 2, 4)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.25
    assert nf.slant(8, dtype="float32").dtype == np.float32
    for call in (lambda: nf.slant(12), lambda: nf.legendre(6), lambda: nf.slant(0)):
        with pytest.raises(ValueError, match=r"power of two|at least 1"):
            call()
    with pytest.raises(ValueError, match="rank"):
        nf.legendre(8, rank=0)
    with pytest.raises(TypeError, match="dtype"):
        nf.slant(8, dtype="complex128")
