"""refine: against least squares written slowly, laws, hard inputs, misuse."""

import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.algorithms.palm import least_squares
from nbfact.kernels import solve_coupled
from nbfact.operators.reorderings import bit_reversal


def sparse(shape, dtype="float64", seed=0, density=0.5):
    """Return a dense array of which about half is zero, but not all of it."""
    keep = np.random.default_rng(seed + 99).random(shape) < density
    keep.flat[0] = True
    return np.where(keep, random(shape, dtype, seed), 0).astype(dtype)


def butterflies(n, dtype, seed=0):
    """Return butterfly factors with random values, the largest stride first."""
    rows, levels = np.arange(n), range(n.bit_length() - 2, -1, -1)
    supports = [(rows[:, None] ^ rows) & ~(1 << level) == 0 for level in levels]
    return [s * random((n, n), dtype, seed + j) for j, s in enumerate(supports)]


def error(target, factors, scale=1.0):
    return nf.relative_error(target, nf.FactorProduct(factors, scale))


@pytest.mark.parametrize("dtype", DTYPES)
def test_is_alternating_least_squares(dtype):
    target = random((7, 9), dtype)
    shapes = [(7, 6), (6, 5), (5, 9)]
    factors = [sparse(shape, dtype, j, 0.8) for j, shape in enumerate(shapes)]
    wide = np.result_type(dtype, "float64")
    double = [factor.astype(wide) for factor in factors]
    expected, errors = naive.refine(target.astype(wide), double, 5)
    got = nf.refine(factors, target, n_iter=5, tol=0)
    tolerance = 1e-5 if np.finfo(dtype).bits == 32 else 1e-8
    np.testing.assert_allclose(got.history.errors, errors, rtol=tolerance)
    product = np.linalg.multi_dot(expected)
    np.testing.assert_allclose(got.operator.toarray(), product, atol=tolerance)
    assert got.operator.dtype == dtype
    for mine, theirs in zip(got.factors, factors, strict=True):
        assert ((mine.toarray() != 0) == (theirs != 0)).all()
        assert np.linalg.norm(mine.toarray()) == pytest.approx(1, rel=1e-6)
    assert got.scale > 0 and got.relative_error == got.history.errors[-1]
    assert got.relative_error == pytest.approx(
        nf.relative_error(target, got.operator), rel=1e-5
    )


@pytest.mark.parametrize("solved", range(4))
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_one_factor_is_globally_optimal(dtype, solved):
    """The first and last factor, whose unknowns decouple, and those between."""
    shapes = [(6, 5), (5, 7), (7, 4), (4, 8)]
    factors = [sparse(shape, dtype, j) for j, shape in enumerate(shapes)]
    fixed = [j for j in range(4) if j != solved]
    target = random((6, 8), dtype, 9)
    left = np.linalg.multi_dot([np.eye(6), np.eye(6), *factors[:solved]])
    right = np.linalg.multi_dot([*factors[solved + 1 :], np.eye(8), np.eye(8)])
    expected = naive.best_values(target, left, factors[solved] != 0, right)
    got = nf.refine(factors, target, fixed=fixed)
    np.testing.assert_allclose(
        got.operator.toarray(), left @ expected @ right, atol=1e-10
    )
    assert max(np.diff(got.history.errors), default=0) <= 1e-15


@pytest.mark.parametrize(
    "limits",
    [
        {"MAX_DIRECT": 1, "SMALL": 1},
        {"SMALL": 1},
        {"SMALL": 1, "_STEEP": 0},
        {"SMALL": 1, "_STEEP": 0, "_QUICK_STEPS": 2, "_GLANCE": 1},
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_all_solvers_agree(monkeypatch, dtype, limits):
    """Conjugate gradients and Cholesky, one by one, do as the kernel does.

    With few steps, conjugate gradients leave the systems to Cholesky.
    """
    target = random((8, 10), dtype)
    shapes = [(8, 8), (8, 8), (8, 10)]
    factors = [sparse(shape, dtype, j) for j, shape in enumerate(shapes)]
    expected = nf.refine(factors, target, n_iter=3, tol=0)
    for name, limit in limits.items():
        monkeypatch.setattr(least_squares, name, limit)
    got = nf.refine(factors, target, n_iter=3, tol=0)
    np.testing.assert_allclose(got.history.errors, expected.history.errors, rtol=1e-7)
    np.testing.assert_allclose(
        got.operator.toarray(), expected.operator.toarray(), atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
def test_systems_are_solved_as_the_twin_does(dtype, sides):
    grams = [np.empty((0, 0), dtype)] * 2
    for side in np.flatnonzero(sides):
        x = random((5, 9), dtype, side)
        x /= np.linalg.norm(x, axis=1)[:, None]
        grams[side] = x.conj() @ x.T
    blocks = [[0, 1, 2], [3], [4, 5]]
    places = np.array([[0, 3, 1, 4, 2, 0], [2, 0, 4, 1, 3, 0]])
    values = random(6, dtype, 3)
    expected = naive.solve_coupled(*grams, places, blocks, values)
    solve_coupled(*grams, places, np.array([0, 3, 4, 6]), 1e-10, values)
    np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_a_system_that_is_not_positive_definite_is_left_as_it_is():
    gram, places = np.array([[1.0, 3.0], [3.0, 1.0]]), np.array([[0, 1, 1], [0, 0, 0]])
    values = np.array([1.0, 2.0, 5.0])
    solve_coupled(gram, gram[:0, :0], places, np.array([0, 2, 3]), 1e-10, values)
    np.testing.assert_allclose(values, [1, 2, 5])
    # With a little more on the diagonal, it is positive definite.
    near = np.array([[1.0, 1 + 1e-9], [1 + 1e-9, 1.0]])
    solve_coupled(near, gram[:0, :0], places, np.array([0, 2, 3]), 1e-10, values)
    assert np.isfinite(values).all() and values[0] != 1


@pytest.mark.parametrize("name", ["hadamard", "dft"])
@pytest.mark.parametrize("n", [2, 16, 64])
def test_butterflies_are_found_from_any_values(n, name):
    """All unknowns decouple: a few sweeps do what takes palm4MSA hundreds."""
    target = getattr(nf.targets, name)(n)
    if name == "dft":
        order = bit_reversal(n)
        target = target[:, order]
    factors = butterflies(n, target.dtype)
    got = nf.refine(factors, target)
    assert got.relative_error < 1e-13
    assert len(got.history.errors) <= 4
    np.testing.assert_allclose(got.operator.toarray(), target, atol=1e-12)


def test_beats_palm_on_known_supports():
    target, n = nf.targets.hadamard(16), 16
    factors = butterflies(n, "float64")
    sets = [nf.constraints.Supp(factor != 0) for factor in factors]
    palm = nf.palm4msa(target, sets, n_iter=100, init=factors)
    assert palm.relative_error > 1e-8
    assert nf.refine(factors, target, n_iter=3).relative_error < 1e-13


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_planted_values_are_found_again(fraction):
    target, factors = nf.targets.planted(32, 3, 2, random_state=0, return_factors=True)
    rng = np.random.default_rng(0)
    for factor in factors:
        factor.data *= rng.uniform(1 - fraction, 1 + fraction, factor.nnz)
    got = nf.refine(factors, target, n_iter=200)
    assert got.relative_error < 1e-10
    assert [f.nnz for f in got.factors] == [64] * 3
    assert (np.diff(got.history.errors) <= 1e-15).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 7), min_size=2, max_size=5))
def test_never_worse_and_monotone(seed, sizes):
    shapes = list(itertools.pairwise(sizes))
    factors = [sparse(s, "float64", seed + j, 0.4) for j, s in enumerate(shapes)]
    target = random((sizes[0], sizes[-1]), "float64", seed)
    got = nf.refine(factors, target, n_iter=6, tol=0)
    assert got.relative_error <= error(target, factors) * (1 + 1e-14)
    assert (np.diff(got.history.errors) <= 1e-12).all()
    assert np.isfinite(got.operator.toarray()).all()


def test_result_remembers_its_target():
    target = random((8, 8), "float64")
    sets = [nf.constraints.SpLin((8, 8), 3), nf.constraints.SpLin((8, 8), 3)]
    learned = nf.palm4msa(target, sets, n_iter=5)
    peeled = nf.hierarchical(nf.targets.hadamard(8), "hadamard", n_iter=(2, 2))
    for result in (learned, peeled):
        got = nf.refine(result)
        assert got.relative_error <= result.relative_error
        assert got.target is not None
        again = nf.refine(got, n_iter=1)
        assert again.relative_error <= got.relative_error
    close(learned.target, target)
    by_product = nf.refine(learned.operator, target)
    assert by_product.relative_error == nf.refine(learned).relative_error
    assert nf.refine(nf.palm4msa(np.zeros((8, 8)), sets)).relative_error == 0
    other = nf.refine(learned, 2 * target)
    np.testing.assert_allclose(other.scale, 2 * nf.refine(learned).scale, rtol=1e-9)


@pytest.mark.parametrize("fixed", [[0], [-1], [1], [0, 2]])
def test_fixed_factors_do_not_change(fixed):
    factors = [sparse((6, 6), "float64", j) * 10.0 ** (j - 1) for j in range(3)]
    factors[0] *= 1e150
    target = random((6, 6), "float64", 5)
    got = nf.refine(factors, target, n_iter=4, tol=0, fixed=fixed)
    for j in fixed:
        np.testing.assert_array_equal(got.factors[j].toarray(), factors[j])
    tame = [factor / np.linalg.norm(factor) for factor in factors]
    _, errors = naive.refine(target, tame, 4, [j % 3 for j in fixed])
    sweeps = len(got.history.errors)  # fewer where only one factor is free
    np.testing.assert_allclose(got.history.errors, errors[:sweeps], rtol=1e-8)
    expected = nf.relative_error(target, got.operator)
    assert got.relative_error == pytest.approx(expected, rel=1e-9)


def test_fixed_factors_may_need_more_than_the_scale():
    factors = [1e200 * np.eye(3), np.eye(3), 1e200 * np.eye(3)]
    target = 1e-200 * np.diag([1.0, 2, 3])
    got = nf.refine(factors, target, fixed=[0, 2])
    assert got.relative_error < 1e-14
    assert np.isfinite(got.scale) and got.scale > 0
    assert (got.factors[0].toarray() == factors[0]).all()


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("magnitude", [1e-310, 1e-200, 1e200, 1e305])
def test_magnitude_does_not_matter(magnitude, dtype):
    target = nf.targets.hadamard(8).astype(dtype)
    factors = butterflies(8, dtype)
    for spread in (1.0, 1e-120, 1e100):
        start = [factor * spread for factor in factors]
        got = nf.refine(start, target * magnitude)
        assert got.relative_error < 1e-12
        np.testing.assert_allclose(
            got.operator.toarray().real, target.real * magnitude, rtol=1e-9
        )


def test_single_precision_magnitudes():
    target = nf.targets.hadamard(8).astype("f4")
    for magnitude in (1e-36, 1e36):
        got = nf.refine(butterflies(8, "float32"), target * np.float32(magnitude))
        assert got.operator.dtype == np.float32 and got.relative_error < 1e-6


def test_zeros():
    eye = np.eye(4)
    nothing = np.zeros((4, 4))
    zero_target = nf.refine([eye, 2 * eye], nothing)
    assert (zero_target.relative_error, zero_target.scale) == (0, 0)
    assert not zero_target.operator.toarray().any()
    for factors in ([eye, nothing], [nothing, eye], [nothing, nothing], [nothing]):
        got = nf.refine(factors, eye)
        assert got.relative_error == 1 and np.isfinite(got.scale)
    # A row and a column of the product, and two inner indices, are empty.
    first, second = random((4, 4), "float64", 1), random((4, 4), "float64", 2)
    first[1], second[:, 2], first[:, 3], second[0] = 0, 0, 0, 0
    got = nf.refine([first, second], random((4, 4), "float64"))
    assert np.isfinite(got.operator.toarray()).all()
    _, errors = naive.refine(random((4, 4), "float64"), [first, second], 1)
    assert got.history.errors[0] == pytest.approx(errors[0])
    # The product is orthogonal to the target, so that no scale fits.
    got = nf.refine([np.diag([1.0, 0]), np.eye(2)], np.diag([0, 1.0]))
    assert got.relative_error == pytest.approx(1)


def test_rank_deficiency():
    ones, target = np.ones((5, 5)), random((5, 5), "float64")
    rank_one = nf.refine([ones, ones, ones], target, n_iter=30)
    u, _, v = np.linalg.svd(target)
    assert np.isfinite(rank_one.operator.toarray()).all()
    assert 1 > rank_one.relative_error >= 0
    low = np.outer(u[0], v[0])
    assert nf.refine([ones, ones], low).relative_error < 1e-12
    duplicated = [np.repeat(random((5, 3), "float64"), 2, 1), ones[:1].repeat(6, 0)]
    got = nf.refine(duplicated, target)
    assert np.isfinite(got.relative_error)
    _, errors = naive.refine(target, duplicated, 2)
    # Where the best values are not unique, the nearest are taken; here they do better.
    assert got.history.errors[0] <= errors[0] * (1 + 1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_free_values_do_not_cancel(dtype):
    """With wide dense factors many values fit; large ones would lose all digits."""
    for seed in range(6):
        shapes = [(5, 9), (9, 9), (9, 4)]
        factors = [random(shape, dtype, seed + j) for j, shape in enumerate(shapes)]
        target = random((5, 4), dtype, seed + 9)
        got = nf.refine(factors, target, n_iter=20, tol=0)
        assert got.relative_error < 1e-5
        assert error(target, got.factors, got.scale) < 2e-5


def test_representation_of_the_factors_does_not_matter():
    """Repeated coordinates, a support used twice, other layouts, and one factor."""
    dense = sparse((6, 6), "float64", 3)
    target = random((6, 6), "float64")
    rows, cols = dense.nonzero()
    values = np.tile(dense[rows, cols] / 2, 2)
    doubled = sp.coo_array((values, (np.tile(rows, 2), np.tile(cols, 2))), (6, 6))
    expected = nf.refine([dense, dense], target).history.errors
    np.testing.assert_allclose(
        nf.refine([doubled, doubled.tocsc()], target).history.errors, expected
    )
    read_only = np.asfortranarray(dense)
    read_only.flags.writeable = False
    assert nf.refine([read_only] * 2, np.asfortranarray(target)).history.errors == (
        expected
    )
    alone = nf.refine([dense], target)
    np.testing.assert_allclose(
        alone.operator.toarray(), np.where(dense != 0, target, 0), atol=1e-14
    )
    assert nf.refine([[[2.0]]], [[-3.0]]).operator.toarray() == pytest.approx(-3.0)


def test_a_solved_problem_comes_back_as_it_was():
    target, factors = nf.targets.planted(16, 3, 2, random_state=0, return_factors=True)
    got = nf.refine(factors, target, n_iter=3)
    assert got.relative_error <= 1e-15


def test_callback_and_tolerance():
    factors = [sparse((8, 8), "float64", j) for j in range(3)]
    target, states = random((8, 8), "float64"), []
    got = nf.refine(
        factors,
        target,
        n_iter=50,
        callback=lambda s: states.append(s) or s.iteration == 4,
    )
    assert [s.iteration for s in states] == [1, 2, 3, 4]
    np.testing.assert_allclose([s.error for s in states], got.history.errors)
    assert [s.scale for s in states] == got.history.scales
    product = states[-1].scale * np.linalg.multi_dot(states[-1].factors)
    close(product, got.operator.toarray())
    assert len(nf.refine(factors, target, n_iter=50, tol=0.5).history.errors) < 5


def test_misuse():
    eye = np.eye(4)
    with pytest.raises(ValueError, match="target"):
        nf.refine([eye, eye])
    with pytest.raises(ValueError, match="target"):
        nf.refine(nf.FactorProduct([eye]))
    with pytest.raises(ValueError, match=r"\(4, 4\).*\(5, 5\)"):
        nf.refine([eye, eye], np.eye(5))
    with pytest.raises(ValueError, match="do not chain"):
        nf.refine([eye, np.eye(3)], eye)
    with pytest.raises(ValueError, match="empty"):
        nf.refine([], eye)
    with pytest.raises(TypeError, match="complex"):
        nf.refine([1j * eye], eye)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN or infinity"):
            nf.refine([eye], bad * np.ones((4, 4)))
        with pytest.raises(ValueError, match="NaN or infinity"):
            nf.refine([bad * np.ones((4, 4))], eye)
    with pytest.raises(ValueError, match="NaN or infinity"):
        nf.refine([1e200 * eye], eye.astype("f4"))
    for options in ({"n_iter": 0}, {"tol": -1.0}, {"fixed": [2]}, {"fixed": [0, 1]}):
        with pytest.raises(ValueError, match=next(iter(options))):
            nf.refine([eye, eye], eye, **options)
    with pytest.raises(TypeError, match="n_iter"):
        nf.refine([eye], eye, n_iter=2.5)
    with pytest.raises(TypeError):
        nf.refine([eye], eye, fixed=["first"])
