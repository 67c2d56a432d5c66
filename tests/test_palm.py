"""palm4msa and hierarchical: against the paper written slowly, laws, misuse."""

import functools
import operator

import naive
import numpy as np
import pytest
from numba import njit
from samples import DTYPES, REALS_FIRST, close, random

import nbfact as nf
from nbfact.kernels import optimal_scale, palm_step

HADAMARD = nf.targets.hadamard


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_kernels(dtype):
    real = np.empty(0, dtype).real.dtype.type
    target, left = random((6, 7), dtype, 0), random((6, 3), dtype, 1)
    factor, right = random((3, 4), dtype, 2), random((4, 7), dtype, 3)
    out, nothing = np.empty_like(factor), np.empty((0, 0), dtype)
    palm_step(target, left, factor, right, real(0.7), real(9), out)
    close(out, naive.palm_step(target, left, factor, right, 0.7, 9))
    palm_step(random((3, 7), dtype), nothing, factor, right, real(0.7), real(9), out)
    identity = np.eye(3)
    close(out, naive.palm_step(random((3, 7), dtype), identity, factor, right, 0.7, 9))
    palm_step(random((6, 4), dtype), left, factor, nothing, real(0.7), real(9), out)
    identity = np.eye(4)
    close(out, naive.palm_step(random((6, 4), dtype), left, factor, identity, 0.7, 9))
    product = left @ factor @ right
    scale = optimal_scale(target, product)
    assert scale == pytest.approx(naive.optimal_scale(target, product), rel=1e-5)
    assert optimal_scale(target, np.zeros_like(target)) == 0


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_palm4msa_is_the_paper(dtype, forward):
    target = random((8, 10), dtype)
    constraints = [
        nf.constraints.SpLin((8, 6), 3),
        nf.constraints.Sp((6, 6), 14),
        nf.constraints.SpCol((6, 10), 2),
    ]
    factors, scale, errors = naive.palm4msa(target, constraints, 12, forward)
    order = "left-to-right" if forward else "right-to-left"
    got = nf.palm4msa(target, constraints, n_iter=12, order=order, scaling="sweep")
    np.testing.assert_allclose(got.history.errors, errors, rtol=1e-5)
    assert got.scale == pytest.approx(scale, rel=1e-4)
    for mine, theirs in zip(got.factors, factors, strict=True):
        np.testing.assert_allclose(mine.toarray(), theirs, atol=1e-4)
    expected = got.scale * functools.reduce(operator.matmul, got.factors).toarray()
    close(got.operator.toarray(), expected)
    error = np.linalg.norm(target - expected) / np.linalg.norm(target)
    assert got.relative_error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("forward", [True, False])
def test_dense_factors_of_the_start_become_sparse(forward):
    target, shapes = random((8, 10), "float64"), [(8, 7), (7, 6), (6, 10)]
    sets = [nf.constraints.Sp(shape, 12) for shape in shapes]
    start = [random(shape, "float64", seed) for seed, shape in enumerate(shapes)]
    _, _, errors = naive.palm4msa(target, sets, 4, forward, start)
    order = "left-to-right" if forward else "right-to-left"
    options = {"order": order, "scaling": "sweep", "init": start}
    got = nf.palm4msa(target, sets, n_iter=4, **options)
    np.testing.assert_allclose(got.history.errors, errors, rtol=1e-5)


@pytest.mark.parametrize("scaling", ["sweep", "factor"])
@pytest.mark.parametrize("order", ["left-to-right", "right-to-left"])
def test_the_objective_does_not_increase(order, scaling):
    target = random((12, 9), "float64")
    sets = [
        nf.constraints.Sp((12, 8), 30),
        nf.constraints.SpLin((8, 8), 3),
        nf.constraints.SkPerm((8, 9), 3),
    ]
    errors = nf.palm4msa(
        target, sets, n_iter=60, order=order, scaling=scaling
    ).history.errors
    assert len(errors) == 60
    assert max(np.diff(errors)) <= 1e-9


@pytest.mark.parametrize(
    "n", [2, 4, 8, 32, pytest.param(64, marks=pytest.mark.compiled)]
)
def test_hadamard_is_recovered(n):
    got = nf.hierarchical(HADAMARD(n), "hadamard")
    assert got.relative_error <= 1e-12
    if n > 2:
        assert [factor.nnz for factor in got.factors] == [2 * n] * (n.bit_length() - 1)
    np.testing.assert_allclose(got.operator.toarray(), HADAMARD(n), atol=1e-12)


@pytest.mark.compiled
def test_large_and_unnormalised_hadamard():
    for n in (64, 128):
        got = nf.hierarchical(HADAMARD(n), "hadamard")
        assert got.relative_error <= 1e-12
        assert [f.nnz for f in got.factors] == [2 * n] * (n.bit_length() - 1)
    textbook = HADAMARD(32, normalized=False)
    assert nf.hierarchical(textbook, "hadamard").relative_error <= 1e-12


def test_dft_is_recovered():
    got = nf.hierarchical(nf.targets.dft(16), "dft")
    assert got.relative_error <= 1e-12
    assert [factor.nnz for factor in got.factors] == [32, 32, 32, 32, 16]


def test_rectmat():
    target = nf.targets.leadfield(16, 64, random_state=0)
    got = nf.hierarchical(target, nf.presets.rectmat(4, 5, 4, rho=0.8, P=1.4))
    assert [f.shape for f in got.factors] == [(16, 16)] * 3 + [(16, 64)]
    budget = int(np.ceil(1.4 * 16**2 * 0.8**2))
    counts = [factor.nnz for factor in got.factors]
    assert counts[0] <= budget and counts[1:] == [64, 64, 320]
    assert got.relative_error < 0.5
    assert len(got.history.errors) == 3 * 30
    with pytest.raises(ValueError, match="transpose"):
        nf.hierarchical(target.T, nf.presets.rectmat(4, 5, 4))
    for bad in [(1, 5, 4), (4, 0, 4), (4, 5, 0)]:
        with pytest.raises(ValueError, match=r"^(n_factors|k|s)=.*: expected at least"):
            nf.presets.rectmat(*bad)
    with pytest.raises(ValueError, match="rho"):
        nf.presets.rectmat(4, 5, 4, rho=1.5)


def test_sides_mirror_each_other():
    """A residual on the left is a residual on the right of the transpose."""
    target = random((8, 8), "float64")
    sets, residuals = (
        [nf.constraints.Sp((8, 8), 20)] * 2,
        [nf.constraints.Sp((8, 8), 40), nf.constraints.Sp((8, 8), 30)],
    )
    right = nf.hierarchical(target, sets, residuals, order="right-to-left")
    transposed = np.ascontiguousarray(target.T)
    left = nf.hierarchical(transposed, sets, residuals, residual_side="left")
    assert left.relative_error == pytest.approx(right.relative_error, rel=0.05)
    assert len(left.factors) == len(right.factors) == 3


def test_both_orders_are_tried():
    """Explicit lists find the Hadamard matrix too, as its preset does."""
    sets = (
        [nf.constraints.SpLinCol((8, 8), 2)] * 2,
        [nf.constraints.SpLinCol((8, 8), k) for k in (4, 2)],
    )
    errors = [
        nf.hierarchical(HADAMARD(8), *sets, order=order).relative_error
        for order in ("left-to-right", "right-to-left", "both")
    ]
    assert errors[2] == min(errors) < 1e-12
    assert nf.hierarchical(HADAMARD(8), *sets).relative_error == errors[2]


def test_options():
    target, sets = (
        random((6, 6), "float64"),
        [nf.constraints.Sp((6, 6), 12), nf.constraints.Sp((6, 6), 12)],
    )
    states = []
    stopped = nf.palm4msa(
        target, sets, n_iter=50, callback=lambda s: states.append(s) or s.iteration == 7
    )
    assert [state.iteration for state in states] == list(range(1, 8))
    assert [state.error for state in states] == stopped.history.errors
    close(states[-1].factors[0], stopped.factors[0].toarray())
    early = nf.palm4msa(target, sets, n_iter=500, tol=1e-3)
    assert 2 <= len(early.history.errors) < 500
    whole = nf.palm4msa(target, sets, n_iter=10)
    half = nf.palm4msa(target, sets, n_iter=5)
    for init in (half, half.operator):
        resumed = nf.palm4msa(target, sets, n_iter=5, init=init)
        assert resumed.relative_error == pytest.approx(whole.relative_error, rel=1e-6)
    arrays = [factor.toarray() for factor in half.factors]
    assert len(nf.palm4msa(target, sets, n_iter=5, init=arrays).factors) == 2
    fixed = [nf.constraints.Const(np.eye(6)), nf.constraints.Sp((6, 6), 36)]
    assert nf.palm4msa(target, fixed).relative_error < 1e-6


@njit
def _keep_diagonal(x):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if i != j:
                x[i, j] = 0


class Diagonal:
    """A constraint of a user: it has `shape` and `project`, and nothing else."""

    shape = (5, 5)

    def project(self, x):
        """Return a copy without its off-diagonal entries."""
        y = x.copy()
        _keep_diagonal(y)
        return y


def test_own_constraint():
    target = np.diag(np.arange(1.0, 6.0))
    got = nf.palm4msa(target, [Diagonal(), Diagonal()], n_iter=300, scaling="factor")
    assert got.operator.nnz <= 10 and got.relative_error < 1e-3


@pytest.mark.parametrize("magnitude", [1e-310, 1e-200, 1e-30, 1e30, 1e200, 1e305])
def test_magnitude_does_not_matter(magnitude):
    got = nf.hierarchical(HADAMARD(8) * magnitude, "hadamard")
    assert got.relative_error < 1e-12
    expected = magnitude * HADAMARD(8)
    np.testing.assert_allclose(got.operator.toarray(), expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_kept(dtype):
    sets = [nf.constraints.Sp((4, 4), 8), nf.constraints.Sp((4, 4), 8)]
    got = nf.palm4msa(random((4, 4), dtype), sets, n_iter=20)
    assert got.operator.dtype == dtype
    assert np.isfinite(got.relative_error)


def test_integers_are_float64():
    sets = [nf.constraints.Sp((4, 4), 8), nf.constraints.Sp((4, 4), 8)]
    assert (
        nf.palm4msa(np.eye(4, dtype=int), sets, n_iter=2).operator.dtype == np.float64
    )


@pytest.mark.slow
def test_small_numbers_are_no_trouble():
    tiny = HADAMARD(8).astype("f4") * np.float32(1e-38)
    assert nf.hierarchical(tiny, "hadamard").relative_error < 1e-5


def test_zero_and_degenerate_targets():
    sets = [nf.constraints.Sp((4, 3), 5), nf.constraints.Sp((3, 4), 5)]
    zero = nf.palm4msa(np.zeros((4, 4)), sets)
    assert (zero.relative_error, zero.scale, zero.operator.nnz) == (0, 0, 0)
    assert nf.hierarchical(np.zeros((8, 8)), "hadamard").operator.nnz == 0
    rank_one = np.outer([1.0, 0, 0, 0], [0, 2.0, 0, 0])
    assert nf.palm4msa(rank_one, sets, n_iter=50).relative_error < 1e-6
    one = nf.palm4msa([[3.0]], [nf.constraints.Sp((1, 1), 1)], n_iter=5)
    np.testing.assert_allclose(one.operator.toarray(), [[3.0]])


def test_layout_of_the_target_does_not_matter():
    target, sets = (
        random((6, 6), "float64"),
        [nf.constraints.Sp((6, 6), 12), nf.constraints.Sp((6, 6), 12)],
    )
    expected = nf.palm4msa(target, sets, n_iter=5).history.errors
    read_only = target.copy()
    read_only.flags.writeable = False
    for twin in (np.asfortranarray(target), np.repeat(target, 2, 1)[:, ::2], read_only):
        assert nf.palm4msa(twin, sets, n_iter=5).history.errors == expected
    assert (read_only == target).all()


def test_misuse():
    eye, sets = np.eye(4), [nf.constraints.Sp((4, 4), 4), nf.constraints.Sp((4, 4), 4)]
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN or infinity"):
            nf.palm4msa(bad * np.ones((4, 4)), sets)
    for target in (np.ones(4), np.ones((2, 2, 2)), np.ones((0, 4))):
        with pytest.raises(ValueError, match="target"):
            nf.palm4msa(target, sets)
    with pytest.raises(TypeError, match="object"):
        nf.palm4msa(np.full((4, 4), None), sets)
    with pytest.raises(ValueError, match="constraints is empty"):
        nf.palm4msa(eye, [])
    with pytest.raises(ValueError, match=r"\(4, 3\), \(4, 4\)"):
        nf.palm4msa(eye, [nf.constraints.Sp((4, 3), 4), nf.constraints.Sp((4, 4), 4)])
    with pytest.raises(ValueError, match="do not chain"):
        nf.palm4msa(np.eye(5), sets)
    with pytest.raises(TypeError, match=r"constraints\[1\]"):
        nf.palm4msa(eye, [nf.constraints.Sp((4, 4), 4), "sp"])
    for options in ({"n_iter": 0}, {"tol": -1.0}, {"order": "up"}, {"scaling": "no"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            nf.palm4msa(eye, sets, **options)
    with pytest.raises(TypeError, match="n_iter"):
        nf.palm4msa(eye, sets, n_iter=2.5)
    with pytest.raises(ValueError, match="init"):
        nf.palm4msa(eye, sets, init=[np.eye(3), np.eye(4)])
    with pytest.raises(ValueError, match="init"):
        nf.palm4msa(eye, sets, init=[eye * np.nan, eye])
    with pytest.raises(TypeError, match="init"):
        nf.palm4msa(eye, sets, init=[eye * 1j, eye])
    with pytest.raises(ValueError, match="power of two"):
        nf.hierarchical(np.eye(6), "hadamard")
    with pytest.raises(ValueError, match="power of two"):
        nf.hierarchical(np.ones((4, 8)), "dft")
    with pytest.raises(ValueError, match="unknown preset"):
        nf.hierarchical(eye, "haar")
    with pytest.raises(ValueError, match="same length"):
        nf.hierarchical(eye, sets, sets[:1])
    with pytest.raises(ValueError, match="same length"):
        nf.hierarchical(eye, [], [])
    with pytest.raises(ValueError, match="residual_side"):
        nf.hierarchical(eye, sets, sets, residual_side="top")
    with pytest.raises(ValueError, match="residual_constraints"):
        nf.hierarchical(eye, "hadamard", sets)
    with pytest.raises(ValueError, match="n_iter"):
        nf.hierarchical(eye, sets, sets, n_iter=(30,))
    with pytest.raises(ValueError, match="order"):
        nf.hierarchical(eye, sets, sets, order="none")
