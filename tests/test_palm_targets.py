"""Targets, starts and sets that try to break palm4msa and hierarchical."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from palm_samples import ORDERS, SCALINGS, sets
from samples import DTYPES, LATER, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact.algorithms.common import problem as targets


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", DTYPES[1:3])
def test_implicit_targets(monkeypatch, dtype, scaling, order):
    monkeypatch.setattr(targets, "SMALL", 0)
    array = np.where(random((12, 70), "float64", 1) > 0.3, random((12, 70), dtype), 0)
    array = array.astype(dtype)
    own = [
        nf.constraints.SpLin((12, 9), 3),
        nf.constraints.NormCol((9, 9), 1.0),
        nf.constraints.SpCol((9, 70), 3),
    ]
    options = {"n_iter": 8, "order": order, "scaling": scaling}
    expected = nf.palm4msa(array, own, **options).history.errors
    for target in (sp.coo_array(array), aslinearoperator(array)):
        got = nf.palm4msa(target, own, **options)
        np.testing.assert_allclose(got.history.errors, expected, rtol=1e-4)
        assert got.target is None and got.operator.dtype == dtype


def test_implicit_targets_are_fitted_to_rounding(monkeypatch):
    monkeypatch.setattr(targets, "SMALL", 0)
    array = nf.targets.hadamard(16)
    for target in (sp.csr_array(array), aslinearoperator(array * 1e-200)):
        assert nf.hierarchical(target, "hadamard").relative_error < 1e-12
    zero = nf.palm4msa(sp.csr_array((8, 8)), sets())
    assert (zero.relative_error, zero.scale) == (0, 0)
    one = nf.palm4msa(sp.csr_array(array), [nf.constraints.Sp((16, 16), 256)], n_iter=5)
    assert one.relative_error < 1e-12
    signs = (4 * array).astype(int)
    for target in (sp.csr_array(signs), aslinearoperator(signs)):
        got = nf.hierarchical(target, "hadamard")
        assert got.relative_error < 1e-12 and got.operator.dtype == np.float64


@pytest.mark.compiled
def test_rounding_does_not_decide_what_a_hadamard_preset_finds():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        array = nf.targets.hadamard(16)[rng.permutation(16)][:, rng.permutation(16)]
        moved = array * (1 + 1e-13 * rng.standard_normal(array.shape))
        found, other = (nf.hierarchical(a, "hadamard") for a in (array, moved))
        assert other.relative_error == pytest.approx(found.relative_error, rel=1e-9)
        assert found.relative_error < 0.5


def test_a_small_operator_is_made_dense():
    operator = nf.FactorProduct([random((8, 8), "float64")])
    got = nf.palm4msa(operator, sets(), n_iter=3)
    expected = nf.palm4msa(operator.toarray(), sets(), n_iter=3)
    assert got.history.errors == expected.history.errors
    np.testing.assert_allclose(got.target, operator.toarray())
    with pytest.raises(ValueError, match="NaN or infinity"):
        nf.palm4msa(
            sp.csr_array(np.diag([1.0, np.inf])), [nf.constraints.Sp((2, 2), 2)]
        )


# --------------------------------------------------------- what breaks other libraries


def awkward_targets():
    rng = np.random.default_rng(0)
    plain = rng.standard_normal((8, 8))
    rank_one, rows, ties = np.outer(plain[0], plain[1]), plain.copy(), np.ones((8, 8))
    rows[2:6] = 0
    columns = np.diag(10.0 ** np.arange(-200, 200, 50))
    single = np.zeros((8, 8))
    single[3, 4] = 5e-324
    return {
        "rank one": rank_one, "zero rows": rows, "ties": ties, "graded": columns,
        "denormal": single, "tiny": plain * 1e-308, "huge": plain * 1e307,
        "small": plain * 1e-200, "large": plain * 1e200,
        "huge in float32": (plain * 1e37).astype("f4"),
    }  # fmt: skip


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=LATER * n.endswith("32")) for n in awkward_targets()],
)
def test_nothing_breaks(name, scaling):
    target = awkward_targets()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = nf.palm4msa(target, sets(), n_iter=30, scaling=scaling, step=1.5)
        deep = nf.hierarchical(target, "hadamard", scaling=scaling)
    for result in (got, deep):
        assert np.isfinite(result.history.errors).all()
        assert 0 <= result.relative_error <= 1 + 1e-9
        assert np.isfinite(result.operator.toarray()).all()
        assert nf.relative_error(target, result.operator) == pytest.approx(
            result.relative_error, abs=1e-6
        )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("scaling", SCALINGS[:2])  # "sweep" starts from λ = 1
def test_badly_scaled_targets_are_factored_alike(scaling, scale):
    target = random((8, 8), "float64")
    plain = nf.palm4msa(target, sets(), n_iter=20, scaling=scaling)
    moved = nf.palm4msa(target * scale, sets(), n_iter=20, scaling=scaling)
    np.testing.assert_allclose(moved.history.errors, plain.history.errors, rtol=1e-9)
    assert moved.scale == pytest.approx(plain.scale * scale)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_zero_factors(scaling):
    """From zero factors nothing can move; one zero factor among others can."""
    target = random((8, 8), "float64")
    nothing = [np.zeros((8, 8))] * 3
    stuck = nf.palm4msa(target, sets(), n_iter=5, init=nothing, scaling=scaling)
    assert stuck.history.errors == [1.0] * 5 and stuck.operator.nnz == 0
    start = [np.eye(8), np.zeros((8, 8)), np.eye(8)]
    got = nf.palm4msa(target, sets(), n_iter=20, init=start, scaling=scaling)
    assert got.relative_error < 0.9


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_badly_scaled_starts(size, scaling):
    target = random((8, 8), "float64")
    for normalized in (True, False):
        own = [nf.constraints.Sp((8, 8), 24, normalized=normalized)] * 3
        for parts in ((size, 1, 1), (size, size, 1), (size, 1 / size, 1)):
            init = [part * np.eye(8) for part in parts]
            got = nf.palm4msa(target, own, n_iter=8, init=init, scaling=scaling)
            assert got.relative_error < 0.9
            assert np.isfinite(got.operator.toarray()).all()


def test_sets_of_impossible_norms():
    target, huge = random((8, 8), "float64"), nf.constraints.NormCol((8, 8), 1e200)
    with pytest.raises(ValueError, match="overflows in sweep 1"):
        nf.palm4msa(target, [huge, huge, nf.constraints.Sp((8, 8), 24)], n_iter=3)
    result = nf.palm4msa(target * 1e200, sets(), n_iter=5)
    resumed = nf.palm4msa(target * 1e200, sets(), n_iter=5, init=result)
    whole = nf.palm4msa(target * 1e200, sets(), n_iter=10)
    assert resumed.relative_error == pytest.approx(whole.relative_error, rel=1e-3)


class Broken:
    """A constraint of a user, whose projection returns what it must not."""

    shape = (8, 8)

    def __init__(self, result):
        self.result = result

    def project(self, x):
        """Return the same array for every x."""
        return self.result


def test_projections_of_users_are_checked():
    target, rest = random((8, 8), "float64"), sets()[1:]
    for result, error, match in (
        (np.full((8, 8), np.nan), ValueError, "NaN"),
        (np.zeros((8, 7)), ValueError, r"shape \(8, 7\)"),
        (np.zeros((8, 8), complex), TypeError, "complex"),
    ):
        with pytest.raises(error, match=r"constraints\[0\].project.*" + match):
            nf.palm4msa(target, [Broken(result), *rest], n_iter=2)
    with pytest.raises(ValueError, match=r"constraints\[2\]"):
        nf.palm4msa(
            target, [*rest, Broken(np.zeros((8, 7)))], n_iter=2, order=ORDERS[1]
        )


class Doubled(nf.constraints.Sp):
    """A set of nbfact whose projection a user overrides."""

    def project(self, x):
        """Keep twice as many entries."""
        return nf.constraints.Sp(self.shape, 2 * self.k).project(x)


def test_an_overridden_projection_is_the_one_used():
    target = random((8, 8), "float64")
    got = nf.palm4msa(
        target, [Doubled((8, 8), 10), nf.constraints.Sp((8, 8), 64)], n_iter=5
    )
    assert got.factors[0].nnz == 20
