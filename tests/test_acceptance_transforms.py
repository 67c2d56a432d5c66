"""The transforms of the acceptance data, which is not part of the repository."""

import numpy as np
import pytest
from samples import ACCEPTANCE, faust_cases, numbers

from nbfact import targets

pytestmark = pytest.mark.skipif(
    not ACCEPTANCE.exists(), reason="no ../shared/acceptance"
)


@pytest.fixture(scope="module")
def cases():
    return {case["id"]: case for case in faust_cases("transform")}


def matrix(case):
    return numbers(case["expect"]["matrix"])


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("wht8_unnormed", targets.hadamard(8, normalized=False)),
        ("dft8", targets.dft(8)),
    ],
)
def test_same_matrix(cases, name, got):
    case = cases[f"transform.{name}"]
    np.testing.assert_allclose(got, matrix(case), rtol=0, atol=case["atol"])


def test_wht8_up_to_its_rounded_scale(cases):
    # The reference holds 0.35355339664 for 1/sqrt(8) = 0.35355339059: its columns
    # have norm 1 + 2e-8. Same matrix once that one number is divided out.
    case = cases["transform.wht8"]
    expected = matrix(case)
    expected /= np.linalg.norm(expected[0])
    np.testing.assert_allclose(targets.hadamard(8), expected, atol=case["atol"])


def test_dst8_up_to_its_scale(cases):
    # The reference is the textbook DST-II times sqrt(2 / 9) / 2: not orthonormal, as
    # its last row is longer. Ours is compared with SciPy's in test_targets.py.
    case = cases["transform.dst8"]
    got = targets.dst(8, normalized=False) * np.sqrt(2 / 9) / 2
    np.testing.assert_allclose(got, matrix(case), rtol=0, atol=case["atol"])
