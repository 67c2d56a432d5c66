"""The answers of pyfaust 3.42.2 for its projectors, where the file is at hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from nbfact import constraints

FILE = Path(__file__).parents[2] / "shared" / "acceptance" / "faust-cases.json"
SETS = {
    name.lower(): getattr(constraints, name)
    for name in (
        "Sp SpLin SpCol SpLinCol SkPerm Supp Const NormCol NormLin BlockDiag Circ "
        "AntiCirc Toeplitz Hankel SpTriu SpTril SpSymm Identity"
    ).split()
}


def load():
    """Return the cases of projectors, but those that record a bug of pyfaust."""
    if not FILE.exists():
        return []
    cases = json.loads(FILE.read_text())["cases"]
    return [
        case
        for case in cases
        if case["kind"] in ("projector", "projector_ties") and "pyfaust_bug" not in case
    ]


def matrix(entries):
    if isinstance(entries, dict):
        return np.array(entries["re"]) + 1j * np.array(entries["im"])
    return np.array(entries)


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


@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not there")
def test_the_file_holds_the_cases_known():
    kinds = [case["kind"] for case in load()]
    assert (kinds.count("projector"), kinds.count("projector_ties")) == (80, 7)


@pytest.mark.parametrize("case", load(), ids=lambda case: case["id"])
def test_projector(case):
    x = matrix(case["input"])
    expected = matrix(case["expect"]["result"])
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
