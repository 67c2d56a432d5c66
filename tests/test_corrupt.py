"""Operators refuse damaged sparse matrices before any kernel reads them."""

import re

import numpy as np
import pytest
from corrupt import corrupt_matrices

import nbfact as nf

MATRICES = corrupt_matrices()
PLACES = {
    "other": [
        lambda bad: nf.transforms.dct(4) @ bad,
        lambda bad: nf.transforms.haar(4) * bad,
        lambda bad: nf.transforms.haar(4)(bad),
        lambda bad: nf.transforms.haar(4).__rmatmul__(bad),
        lambda bad: nf.transforms.haar(4) + bad,
        lambda bad: nf.transforms.haar(4) - bad,
        lambda bad: (nf.transforms.haar(4) + nf.transforms.dct(4)) @ bad,
    ],
    "x": [
        lambda bad: nf.transforms.dct(4).apply(bad, np.zeros((4, 4))),
        lambda bad: nf.transforms.dct(4).matvec(bad),
    ],
    "X": [
        lambda bad: nf.transforms.dct(4).matmat(bad),
        lambda bad: nf.transforms.haar(4).rmatmat(bad),
    ],
    "factors[1]": [
        lambda bad: nf.FactorProduct([np.eye(4), bad]),
        lambda bad: nf.Butterfly.from_factors(
            [np.eye(4), bad], nf.Chain.square_dyadic(4)
        ),
    ],
}


@pytest.mark.parametrize("damage", MATRICES)
def test_damaged_matrices_are_refused(damage):
    for name, calls in PLACES.items():
        for call in calls:
            with pytest.raises(ValueError, match=f"^{re.escape(name)} .*not a valid"):
                call(MATRICES[damage])
