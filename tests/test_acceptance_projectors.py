"""The answers of pyfaust 3.42.2 for its projectors, where the file is at hand."""

import numpy as np
import pytest
from samples import ACCEPTANCE, faust_cases, numbers

from nbfact import constraints

SETS = {
    name.lower(): getattr(constraints, name)
    for name in (
        "Sp SpLin SpCol SpLinCol SkPerm Supp Const NormCol NormLin BlockDiag Circ "
        "AntiCirc Toeplitz Hankel SpTriu SpTril SpSymm Identity"
    ).split()
}


CASES = [
    case
    for case in faust_cases("projector", "projector_ties")
    if "pyfaust_bug" not in case
]


def constraint_of(case, shape):
    """Build the set of a case: its first argument, then k or s, then its options."""
    args = dict(case["args"])
    first = shape
    for name in ("S", "C", "blocks"):
        first = args.pop(name, first)
    if case["kind"] == "projector_ties":
        args["normalized"] = False
    elif "normalized" in case:
        args |= {"normalized": case["normalized"], "nonneg": case["pos"]}
    return SETS[case["projector"]](first, **args)


@pytest.mark.skipif(not ACCEPTANCE.exists(), reason="no ../shared/acceptance")
def test_the_file_holds_the_cases_known():
    kinds = [case["kind"] for case in CASES]
    assert (kinds.count("projector"), kinds.count("projector_ties")) == (80, 7)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_projector(case):
    x = numbers(case["input"])
    expected = numbers(case["expect"]["result"])
    got = constraint_of(case, x.shape).project(x)
    if case["projector"] == "skperm":  # the optimum may not be unique
        assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(expected), abs=1e-10)
        k = case["args"]["k"]
        assert (np.count_nonzero(got, axis=0) <= k).all()
        assert (np.count_nonzero(got, axis=1) <= k).all()
        if case["kind"] == "projector_ties":  # every entry tied: full rows and columns
            assert np.count_nonzero(got) == k * len(x)
        else:
            assert np.count_nonzero(got) == np.count_nonzero(expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)
