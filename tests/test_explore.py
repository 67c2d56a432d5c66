"""explore: laws of leaky exploration, and what it finds that palm4MSA misses."""

import sys

import numpy as np
import pytest
import scipy.sparse.linalg
from samples import LATER, REALS_FIRST

import nbfact as nf
from nbfact.algorithms.palm import support_values
from nbfact.algorithms.palm.leaky_exploration import schedule_of
from nbfact.constraints import SkPerm

START = {"init": "random", "random_state": 0}


def shuffled(n, seed):
    rng = np.random.default_rng(seed)
    return nf.targets.hadamard(n)[rng.permutation(n)][:, rng.permutation(n)]


def regular(n, *ks):
    return [nf.constraints.SkPerm((n, n), k) for k in ks]


@pytest.mark.parametrize("order", ["right-to-left", "left-to-right"])
def test_without_a_leak_it_is_palm4msa_step_for_step(order):
    target, sets = (
        nf.targets.planted(12, 3, 3, random_state=0),
        [nf.constraints.Sp((12, 12), 30)] * 3,
    )
    options = {"n_iter": 15, "order": order, **START}
    palm = nf.palm4msa(target, sets, keep="best", **options)
    found = nf.explore(
        target, sets, leak=0, safeguard=False, refine_values=False, **options
    )
    assert found.history.errors == palm.history.errors
    assert found.history.scales == palm.history.scales
    for one, other in zip(found.factors, palm.factors, strict=True):
        assert np.array_equal(one.toarray(), other.toarray())


def test_a_sweep_is_that_of_the_naive_loop():
    rng = np.random.default_rng(0)
    target, sets = (
        rng.standard_normal((6, 5)),
        [nf.constraints.Sp((6, 4), 9), nf.constraints.Sp((4, 5), 8)],
    )
    start = [rng.standard_normal(one.shape) for one in sets]
    found = nf.explore(
        target,
        sets,
        leak=0.8,
        n_iter=6,
        init=start,
        order="right-to-left",
        safeguard=False,
        refine_values=False,
    )
    expected = naive_exploration(target, sets, start, 0.8, 6)
    assert np.allclose(found.history.errors, expected, rtol=1e-6)


def naive_exploration(target, sets, factors, leak, n_iter):
    """Iterate as the docstring of `explore` says; return errors with the best scale."""
    project = [
        nf.constraints.Sp(one.shape, one.k, normalized=False).project for one in sets
    ]
    factors, memory, errors = list(factors), [None, None], []
    for _ in range(n_iter):
        norms = [np.linalg.norm(one) for one in factors]
        mean = np.prod(norms) ** (1 / len(norms))
        for j, norm in enumerate(norms):
            if not np.allclose(norms, mean, rtol=0.05):
                factors[j] = factors[j] * (mean / norm)
                memory[j] = memory[j] if memory[j] is None else memory[j] * mean / norm
        for j in (1, 0):
            left = factors[0] if j == 1 else np.eye(len(target))
            right = factors[1] if j == 0 else np.eye(target.shape[1])
            bound = 1.001 * np.linalg.norm(left, 2) ** 2 * np.linalg.norm(right, 2) ** 2
            residual = left @ factors[j] @ right - target
            stepped = factors[j] - left.T @ residual @ right.T / bound
            if memory[j] is not None:
                stepped += leak * (memory[j] - factors[j])
            memory[j], factors[j] = stepped, project[j](stepped)
        found = factors[0] @ factors[1]
        scale = np.vdot(found, target) / np.vdot(found, found)
        errors.append(np.linalg.norm(target - scale * found) / np.linalg.norm(target))
        factors[0], memory[0] = scale * factors[0], scale * memory[0]
    return errors


@pytest.mark.compiled
def test_the_permuted_hadamard_is_split_where_palm4msa_fails():
    for seed in range(3):
        target, start = shuffled(16, seed), {"init": "random", "random_state": seed}
        sets = regular(16, 8, 2)
        assert nf.palm4msa(target, sets, n_iter=300, **start).relative_error > 0.1
        assert nf.explore(target, sets, **start).relative_error < 1e-12


TARGETS = {
    "gaussian": np.random.default_rng(0).standard_normal((8, 8)),
    "rank one": np.outer(np.arange(8.0), np.ones(8)),
    "zero columns": np.eye(8)[:, [0, 1, 2, 3]] @ np.eye(4, 8),
    "huge and tiny": np.diag(np.logspace(-12, 12, 8)) + np.tri(8),
    "1e200": 1e200 * np.tri(8),
    "1e-200": 1e-200 * np.tri(8),
    "float32": np.random.default_rng(1).standard_normal((8, 8)).astype(np.float32),
    "complex": nf.targets.dft(8),
    "zero": np.zeros((8, 8)),
}


@pytest.mark.parametrize("leak", [0.9, 1, (0.99, 0.5)])
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=LATER * (n in ("float32", "complex"))) for n in TARGETS],
)
def test_never_worse_than_palm4msa_and_never_nan(name, leak):
    target, sets = (
        TARGETS[name],
        [nf.constraints.Sp((8, 8), 20), nf.constraints.SpLin((8, 8), 2)],
    )
    for init in ("random", None):
        options = {"n_iter": 12, "init": init, "random_state": 0}
        palm = nf.palm4msa(target, sets, **options)
        best = nf.explore(target, sets, leak=leak, **options)
        assert best.relative_error <= palm.relative_error
        assert best.operator.dtype == target.dtype
        assert all(np.isfinite(factor.data).all() for factor in best.factors)
        assert best.factors[0].nnz <= 20 and best.factors[1].nnz <= 16
        if target.any():
            size = np.abs(target).max()
            error = nf.relative_error(target / size, best.operator.toarray() / size)
            assert np.isclose(error, best.relative_error, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_least_squares_values_have_no_gradient_on_their_support(dtype):
    rng = np.random.default_rng(3)
    target, left, right = (
        (rng.standard_normal((2, 8, 8)) * [[[1]], [[1j]]]).sum(0).astype(dtype)
        if dtype == "complex128"
        else rng.standard_normal((8, 8))
        for _ in range(3)
    )
    support = rng.random((8, 8)) < 0.3
    found = support_values.fitted(target, left, right, 0 * target, support)
    assert not found[~support].any()
    gradient = left.conj().T @ (left @ found @ right - target) @ right.conj().T
    assert abs(gradient[support]).max() < 1e-6


@pytest.mark.parametrize("order", ["right-to-left", "left-to-right"])
def test_the_rule_of_support_exploration_is_that_of_the_naive_loop(order):
    rng = np.random.default_rng(5)
    target, *first = (rng.standard_normal((8, 8)) for _ in range(3))
    sets = [SkPerm((8, 8), 4)] * 2
    states = []
    nf.explore(
        target,
        sets,
        leak=1.0,
        values="least squares",
        n_iter=5,
        init=first,
        order=order,
        safeguard=False,
        refine_values=False,
        callback=lambda state: states.append((state.error, state.factors)),
    )
    factors, explored = list(first), [np.zeros((8, 8)), np.zeros((8, 8))]
    for error, found in states:
        for j in (0, 1) if order == "left-to-right" else (1, 0):
            left = np.eye(8) if j == 0 else factors[0]
            right = factors[1] if j == 0 else np.eye(8)
            residual = left @ factors[j] @ right - target
            modulus = (np.linalg.norm(left, 2) * np.linalg.norm(right, 2)) ** 2
            explored[j] = explored[j] - left.T @ residual @ right.T / modulus
            support = sets[j].project(explored[j].copy()) != 0
            system = np.kron(left, right.T)[:, support.ravel()]
            values = np.linalg.lstsq(system, target.ravel())[0]
            factors[j] = np.zeros((8, 8))
            factors[j][support] = values
        product = factors[0] @ factors[1]
        naive = np.linalg.norm(product - target) / np.linalg.norm(target)
        assert error == pytest.approx(naive, rel=1e-6)
        for mine, other in zip(found, factors, strict=True):
            np.testing.assert_array_equal(mine != 0, other != 0)
        norms = [np.linalg.norm(factor) for factor in factors]
        middle = np.sqrt(norms[0] * norms[1])
        for j, norm in enumerate(norms):
            factors[j], explored[j] = (
                factors[j] * middle / norm,
                explored[j] * middle / norm,
            )


def test_least_squares_values_need_supports():
    sets = [SkPerm((4, 4), 2)] * 2
    with pytest.raises(ValueError, match="values='x'"):
        nf.explore(np.eye(4), sets, values="x")
    other = [nf.constraints.NormCol((4, 4)), sets[0]]
    with pytest.raises(TypeError, match=r"constraints\[0\] is"):
        nf.explore(np.eye(4), other, values="least squares")
    operator = scipy.sparse.linalg.aslinearoperator(np.eye(4))
    found = nf.explore(operator, sets, values="least squares", n_iter=3)
    assert found.relative_error < 1e-12
    zero = nf.explore(np.zeros((4, 4)), sets, values="least squares")
    assert zero.relative_error == 0


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("leak", [1.0, 0.9])  # with and without the safeguard
def test_least_squares_values_are_not_worse_than_palm4msa(leak, dtype):
    target = nf.targets.dft(4)
    target = (target if np.dtype(dtype).kind == "c" else target.real).astype(dtype)
    start = {"init": "random", "random_state": 1}
    sets = [SkPerm((4, 4), 2)] * 2
    found = nf.explore(target, sets, leak=leak, values="least squares", **start)
    palm = nf.palm4msa(target, sets, n_iter=300, keep="best", **start)
    assert found.relative_error <= palm.relative_error * (1 + 1e-12)
    assert found.operator.dtype == dtype


def test_sets_of_more_than_supports_are_kept():
    rng = np.random.default_rng(0)
    target = rng.standard_normal((6, 6))
    circulant, positive = (
        nf.constraints.Circ((6, 6)),
        nf.constraints.Sp((6, 6), 12, nonneg=True),
    )
    found = nf.explore(target, [positive, circulant], n_iter=10, **START)
    one, other = (factor.toarray() for factor in found.factors)
    assert (one >= 0).all()
    assert np.allclose(circulant.project(other), other, atol=1e-12)


@pytest.mark.slow
@pytest.mark.compiled
def test_restarts_only_help_and_are_reproducible():
    target, sets = shuffled(8, 1), regular(8, 2, 2, 2)
    options = {"n_iter": 30, "safeguard": False, **START}
    alone = nf.explore(target, sets, **options)
    many = nf.explore(target, sets, n_restarts=3, **options)
    again = nf.explore(target, sets, n_restarts=3, n_jobs=2, **options)
    assert many.relative_error <= alone.relative_error
    assert again.relative_error == many.relative_error


def test_joblib_is_asked_for_only_where_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    sets = regular(4, 2, 2)
    nf.explore(np.eye(4), sets, n_iter=2)
    with pytest.raises(ModuleNotFoundError, match="n_jobs=2 needs joblib"):
        nf.explore(np.eye(4), sets, n_iter=2, n_restarts=1, n_jobs=2)


def test_the_callback_ends_an_exploration():
    seen = []
    nf.explore(
        np.tri(6), [nf.constraints.Sp((6, 6), 12)] * 2, n_iter=9, safeguard=False,
        callback=lambda state: seen.append(state.error) or len(seen) == 4,
    )  # fmt: skip
    assert len(seen) == 4


def test_schedules():
    annealed = schedule_of((0.99, 0.9))
    assert np.allclose(
        [annealed(0), annealed(0.5), annealed(1)], [0.99, 0.9684, 0.9], 5
    )
    assert schedule_of(1)(0.3) == 1
    assert schedule_of(lambda done: done / 2)(0.5) == 0.25


@pytest.mark.parametrize(
    ("leak", "error", "message"),
    [
        (1.5, ValueError, "leak=1.5: expected a finite number, at least 0 and"),
        ((1, 0.5), ValueError, r"leak\[0\]=1: .* at least 0 and below 1"),
        (float("nan"), ValueError, "leak=nan: expected a finite number"),
        ("high", TypeError, "leak='high': expected a number"),
        (
            (0.1, 0.2, 0.3),
            TypeError,
            r"leak=\(0.1, 0.2, 0.3\): expected a number, a pair",
        ),
        (
            lambda done: 2,
            ValueError,
            r"leak\(0\)=2: expected a finite number, at least 0",
        ),
    ],
)
def test_a_wrong_leak_is_refused(leak, error, message):
    with pytest.raises(error, match=message):
        nf.explore(np.eye(4), regular(4, 2, 2), leak=leak)


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="n_restarts=-1: expected at least 0"):
        nf.explore(np.eye(4), regular(4, 2, 2), n_restarts=-1)
    with pytest.raises(ValueError, match="n_iter=0: expected at least 1"):
        nf.explore(np.eye(4), regular(4, 2, 2), n_iter=0)


@pytest.mark.slow
def test_least_squares_in_single_precision_say_the_error_of_the_product():
    rng = np.random.default_rng(4)
    wide = rng.standard_normal((16, 16)) + 1j * rng.standard_normal((16, 16))
    target = wide.astype(np.complex64)
    sets = [nf.constraints.Sp((16, 16), k) for k in (43, 42, 43)]
    for refine_values in (False, True):
        found = nf.explore(
            target, sets, values="least squares", leak=1.0, n_iter=30,
            refine_values=refine_values, safeguard=False,
        )  # fmt: skip
        product = found.operator.toarray().astype(np.complex128)
        error = np.linalg.norm(target - product) / np.linalg.norm(target)
        assert found.operator.dtype == np.complex64 and found.scale < 1e5
        assert abs(error - found.relative_error) < 1e-4 * error
