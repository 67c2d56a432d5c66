"""Options of palm4msa and hierarchical, and targets that try to break them."""

import dataclasses
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, SINGLE, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact.algorithms.common import problem as targets
from nbfact.algorithms.palm.sweep_options import SweepOptions
from nbfact.kernels import project_skperm

SCALINGS = ["balanced", "factor", "sweep"]
ORDERS = ["right-to-left", "left-to-right"]


def sets(n=8, k=3):
    return [
        nf.constraints.SpLin((n, n), k),
        nf.constraints.Sp((n, n), k * n),
        nf.constraints.SpCol((n, n), k),
    ]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_each_scaling_ends_in_the_sets(scaling):
    target = random((8, 8), "float64")
    got = nf.palm4msa(
        target, [*sets(), nf.constraints.Identity((8, 8))], n_iter=20, scaling=scaling
    )
    norms = [sp.linalg.norm(factor) for factor in got.factors[:3]]
    assert norms == pytest.approx([1, 1, 1])
    assert [f.nnz for f in got.factors[:3]] == [24, 24, 24]
    assert got.history.scales[-1] == pytest.approx(got.scale)
    assert got.relative_error == pytest.approx(nf.relative_error(target, got.operator))


def test_balanced_without_free_factors_is_sweep():
    target = random((6, 6), "float64")
    own = [nf.constraints.NormCol((6, 6), 1.0), nf.constraints.NormLin((6, 6), 1.0)]
    balanced, sweep = (
        nf.palm4msa(target, own, n_iter=10, scaling=scaling)
        for scaling in SCALINGS[::2]
    )
    assert balanced.history.errors == sweep.history.errors


@pytest.mark.parametrize("order", ORDERS)
def test_fixed_factors_do_not_change(order):
    target = random((8, 8), "complex128")
    start = [random((8, 8), "complex128", seed) for seed in range(3)]
    got = nf.palm4msa(target, sets(), n_iter=15, init=start, order=order, fixed=[0, -1])
    np.testing.assert_array_equal(got.factors[0].toarray(), start[0])
    np.testing.assert_array_equal(got.factors[2].toarray(), start[2])
    assert got.factors[1].nnz == 24
    assert got.history.errors[-1] < got.history.errors[0]
    whole = nf.palm4msa(target, sets(), n_iter=5, init=start, fixed=[0, 1, 2])
    assert len(set(whole.history.errors)) == 1


def test_the_best_iterate_is_kept():
    """`SpLinCol.project` is no true projection, so that errors go up and down."""
    target = random((16, 16), "float64", 1)
    rough = [nf.constraints.SpLinCol((16, 16), 2)] * 3
    best, last = (
        nf.palm4msa(target, rough, n_iter=60, keep=keep) for keep in ("best", "last")
    )
    assert best.history.errors == last.history.errors
    assert best.relative_error == min(best.history.errors) < last.relative_error
    error = nf.relative_error(target, best.operator)
    assert error == pytest.approx(best.relative_error)


def test_random_starts():
    target = random((8, 8), "float64")
    runs = [
        nf.palm4msa(target, sets(), n_iter=10, init="random", random_state=seed)
        for seed in (0, 0, 1, np.random.default_rng(0))
    ]
    for same in (runs[1], runs[3]):
        assert same.history.errors == runs[0].history.errors
        for a, b in zip(same.factors, runs[0].factors, strict=True):
            np.testing.assert_array_equal(a.toarray(), b.toarray())
    assert runs[2].history.errors != runs[0].history.errors


@pytest.mark.parametrize("dtype", DTYPES[::3])
def test_the_same_call_gives_the_same_bits(dtype):
    target = random((20, 30), dtype)
    preset = nf.presets.rectmat(3, 4, 3)
    first, second = (nf.hierarchical(target, preset, n_iter=(5, 5)) for _ in range(2))
    assert first.history.errors == second.history.errors
    for a, b in zip(first.factors, second.factors, strict=True):
        np.testing.assert_array_equal(a.toarray(), b.toarray())


def test_history():
    got = nf.palm4msa(random((8, 8), "float64"), sets(), n_iter=12)
    history = got.history
    columns = (history.errors, history.scales, history.seconds, history.support_changes)
    assert [len(column) for column in columns] == [12] * 4
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0
    assert history.support_changes[0] > 0 and min(history.support_changes) >= 0
    exact = nf.palm4msa(
        np.diag(np.arange(1.0, 6)), [nf.constraints.Sp((5, 5), 5)] * 2, n_iter=200
    )
    assert exact.history.support_changes[-1] == 0
    assert len(exact.history.errors) < 200  # nothing but rounding is left


def test_state():
    seen = []
    got = nf.palm4msa(random((8, 8), "float64"), sets(), n_iter=3, callback=seen.append)
    assert seen[-1].nnz == got.operator.nnz
    for mine, theirs in zip(seen[-1].factors, got.factors, strict=True):
        np.testing.assert_allclose(mine, theirs.toarray(), rtol=1e-12)


@pytest.mark.compiled
def test_long_steps_descend_faster_here():
    target = nf.targets.leadfield(16, 64, random_state=0)
    preset = nf.presets.rectmat(3, 5, 4)
    long, short = (
        nf.hierarchical(target, preset, step=step).relative_error for step in (1.9, 1.0)
    )
    assert long < short
    assert nf.hierarchical(target, preset).relative_error == long


@pytest.mark.parametrize("name", ["hadamard_skperm", "hadamard_simple"])
def test_other_hadamard_presets(name):
    got = nf.hierarchical(nf.targets.hadamard(16), name)
    assert got.relative_error < 1e-12
    assert [factor.nnz for factor in got.factors] == [32] * 4


@pytest.mark.compiled
def test_rectmat_relatives():
    target = nf.targets.leadfield(16, 64, random_state=0)
    simple = nf.hierarchical(target, nf.presets.rectmat_simple(4, 5, 4))
    budget = int(np.ceil(1.4 * 16**2 * 0.8**2))
    counts = [factor.nnz for factor in simple.factors]
    assert counts[0] <= budget and counts[1:] == [64, 64, 320]
    learned = nf.hierarchical(target, nf.presets.dictionary(3, 4, rho=0.5))
    assert [factor.nnz for factor in learned.factors] == [128, 64, 256]
    with pytest.raises(ValueError, match="dictionary needs"):
        nf.hierarchical(target.T, nf.presets.dictionary())


# ----------------------------------------------------------- targets given by products


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
    [pytest.param(n, marks=SINGLE * n.endswith("32")) for n in awkward_targets()],
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


def test_misuse_of_options():
    target = np.eye(8)
    for options, error in (
        ({"step": 2.0}, ValueError),
        ({"step": 0}, ValueError),
        ({"step": "long"}, TypeError),
        ({"step": np.nan}, ValueError),
        ({"keep": "first"}, ValueError),
        ({"fixed": [0]}, ValueError),
        ({"fixed": [3], "init": [target] * 3}, ValueError),
        ({"fixed": [0.5], "init": [target] * 3}, TypeError),
        ({"init": "best"}, ValueError),
        ({"tol": np.nan}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(options))):
            nf.palm4msa(target, sets(), **options)
    for options in ({"scaling": "no"}, {"step": 3.0}, {"keep": "no"}, {"tol": -1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            nf.hierarchical(target, "hadamard", **options)


@pytest.mark.compiled
def test_kernels_release_the_gil():
    x = random((120, 120), "float64")
    project_skperm(x.copy(), 2, 2)  # compiled, or read from the cache
    work = threading.Thread(
        target=lambda: project_skperm(random((400, 400), "float64"), 9, 9)
    )
    work.start()
    steps = 0
    while work.is_alive():
        steps += 1
    assert steps > 1000


# ------------------------------------------------------------------- objects of options


def test_hierarchical_takes_one_number_of_sweeps_or_a_pair():
    target, lists = random((8, 8), "float64"), (sets()[:2], sets()[1:])
    one, pair, other = (
        nf.hierarchical(target, *lists, n_iter=n_iter, order=ORDERS[0])
        for n_iter in (6, (6, 6), (6, 3))
    )
    assert one.history.errors == pair.history.errors
    assert len(one.history.errors) == 12
    assert len(other.history.errors) == 6
    for bad, error in (((6,), ValueError), ((6, 0), ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="n_iter"):
            nf.hierarchical(target, *lists, n_iter=bad)


def test_sweep_options_check_themselves():
    options = SweepOptions(n_iter=3, step=1.9)
    assert dataclasses.replace(options, keep="best").step == 1.9
    with pytest.raises(ValueError, match="step"):
        dataclasses.replace(options, step=2.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.step = 1.0
    with pytest.raises(TypeError, match="positional"):
        SweepOptions(3)


def test_options_of_presets_and_results_are_keyword_only():
    def lists(shape):
        return [nf.constraints.Sp(shape, 32)], [nf.constraints.Sp(shape, 32)]

    preset = nf.presets.Preset("mine", lists, step=1.5, order="both")
    target = random((8, 8), "float64")
    got = nf.hierarchical(target, preset, n_iter=4)
    same = nf.hierarchical(
        target, *lists((8, 8)), n_iter=4, step=1.5, order="both", keep="best"
    )
    assert got.history.errors == same.history.errors
    with pytest.raises(TypeError, match="positional"):
        nf.presets.Preset("mine", lists, "left")
    with pytest.raises(TypeError, match="positional"):
        nf.Factorization(got.operator, 0.0, got.history, target)
    again = nf.Factorization(got.operator, 0.0, got.history, target=target)
    assert again.target is target
