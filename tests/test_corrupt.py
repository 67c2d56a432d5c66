"""Damaged sparse matrices are refused wherever a matrix is taken, before any kernel."""

import re

import numpy as np
import pytest
from corrupt import corrupt_matrices

import nbfact as nf

MATRICES = corrupt_matrices()
HALVES = [nf.constraints.SpLin((4, 4), 2)] * 2
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
    "result[1]": [lambda bad: nf.refine([np.eye(4), bad], np.eye(4))],
    "init[0]": [lambda bad: nf.palm4msa(np.eye(4), HALVES, init=[bad, np.eye(4)])],
    "target": [
        lambda bad: nf.palm4msa(bad, HALVES, n_iter=1),
        lambda bad: nf.hierarchical(bad, "hadamard"),
        lambda bad: nf.butterfly_factorize(bad),
        lambda bad: nf.explore(bad, HALVES, n_iter=1),
        lambda bad: nf.identify_butterfly(bad),
        lambda bad: nf.learn_butterfly(bad),
        lambda bad: nf.learn_transform(bad, nnz=16, effort="quick"),
        lambda bad: nf.refine([np.eye(4), np.eye(4)], bad),
    ],
    "A": [lambda bad: nf.relative_error(bad, np.eye(4))],
    "F": [
        lambda bad: nf.relative_error(np.eye(4), bad),
        lambda bad: nf.metrics.nnz(bad),
        lambda bad: nf.metrics.rcg(bad),
    ],
}


@pytest.mark.parametrize("damage", MATRICES)
def test_damaged_matrices_are_refused(damage):
    for name, calls in PLACES.items():
        for call in calls:
            with pytest.raises(ValueError, match=f"^{re.escape(name)} .*not a valid"):
                call(MATRICES[damage])


@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "transform"])
def test_estimators_refuse_damaged_points(method):
    pytest.importorskip("sklearn")
    model = nf.QuicKMeans(2, random_state=0, max_iter=1).fit(np.eye(4))
    for damage, bad in MATRICES.items():
        with pytest.raises(ValueError, match=r"X .* is not a valid sparse matrix"):
            getattr(model, method)(bad)
            pytest.fail(damage)
