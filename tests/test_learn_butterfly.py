"""learn_butterfly: kernels against their naive twins, gradients, recovery, misuse."""

import functools
import itertools

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

import nbfact as nf
from nbfact import kernels
from nbfact.algorithms.descent import objectives, permutation_choices, twiddles
from nbfact.operators import reorderings as pm
from nbfact.targets import dct, dft, dst, hadamard, hartley

# Numbers of planes of the twiddles and of the target: both real; complex twiddles whose
# real part is fitted; both complex.
PLANES = [(1, 1), (2, 1), (2, 2)]


def sized(n, tied):
    return n - 1 if tied else (n.bit_length() - 1) * n // 2


def circulant(n, seed=0):
    column = np.random.default_rng(seed).standard_normal(n)
    return column[(np.arange(n)[:, None] - np.arange(n)) % n] / np.sqrt(n)


# --------------------------------------------------------------------------------------
# Kernels
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES[:2])
@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("n", [2, 8])
def test_a_fit_is_its_naive_twin(n, tied, planes, dtype):
    twiddle = random((planes[0], 4, sized(n, tied)), dtype)
    target = random((planes[1], n, n), dtype, 1)
    total = kernels.butterfly_total(n.bit_length() - 1, n, tied)
    assert total == naive.butterfly_total(n.bit_length() - 1, n, tied)
    blocks = np.full((planes[0], total), np.nan, dtype)
    gradient = np.full_like(twiddle, np.nan)
    got = kernels.butterfly_fit(twiddle, tied, target, blocks, blocks.copy(), gradient)
    expected, expected_gradient = naive.butterfly_fit(twiddle, tied, target)
    assert got == pytest.approx(expected, rel=1e-5 if dtype == "float32" else 1e-12)
    close(gradient, expected_gradient)


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("tied", [True, False])
def test_expanding_and_back(tied, planes):
    n, n_levels = 8, 3
    twiddle = random((planes, 4, sized(n, tied)), "float64")
    blocks = np.full((planes, kernels.butterfly_total(4, n, tied)), np.nan)
    kernels.butterfly_expand(twiddle, tied, n, n_levels, blocks)
    close(blocks, naive.butterfly_expand(twiddle, tied, n, n_levels))
    slope = random((planes, n, n), "float64", 1)
    slopes, gradient = np.full_like(blocks, np.nan), np.zeros_like(twiddle)
    slopes[:, -n * n :] = slope.reshape(planes, -1)
    kernels.butterfly_backward(twiddle, tied, n, n_levels, blocks, slopes, gradient)
    dense = slope[0] if planes == 1 else slope[0] + 1j * slope[1]
    close(gradient, naive.butterfly_backward(twiddle, tied, n, dense))


@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("tied", [True, False])
def test_a_fit_of_columns_is_its_naive_twin(tied, planes):
    n, batch, tile = 8, 6, 3
    twiddle = random((planes[0], 4, sized(n, tied)), "float64")
    x = random((planes[0], n, batch), "float64", 1)
    target = random((planes[1], n, batch), "float64", 2)
    states = np.full((planes[0], 4 * n * tile), np.nan)
    slopes = np.full((2, planes[0], n * tile), np.nan)
    gradient, x_slope = np.full_like(twiddle, np.nan), np.full_like(x, np.nan)
    got = kernels.butterfly_fit_columns(
        twiddle, tied, x, target, states, slopes, gradient, x_slope
    )
    expected = naive.butterfly_fit_columns(twiddle, tied, x, target)
    assert got == pytest.approx(expected[0])
    close(gradient, expected[1])
    close(x_slope, expected[2])


@pytest.mark.parametrize("parts", [["all"], ["step", "all"]])
def test_a_mixture_is_its_naive_twin(parts):
    n, tile = 8, 2
    index, which = objectives.relaxed_stages(n, parts)
    weights = np.random.default_rng(0).uniform(size=3 * len(parts))
    x, target = random((6, n), "float64", 1), random((6, n), "float64", 2)
    expected = naive.mixture_fit(index, which, weights, x, target)
    states, gradient = np.empty((len(index) + 2, n, tile)), np.zeros_like(weights)
    got = kernels.mixture_fit(index, which, weights, x, target, tile, states, gradient)
    assert got == pytest.approx(expected[0])
    close(gradient, expected[1])
    close(x, expected[2])


def test_a_mixture_with_weights_0_and_1_is_a_permutation():
    for bits in itertools.product([False, True], repeat=3):
        matrix = naive.mixture(
            *objectives.relaxed_stages(16, ["all"]), np.array(bits, float)
        )
        np.testing.assert_array_equal(matrix[0], np.eye(16)[pm.dao(16, *bits)])
    step = (True, False, True)
    matrix = naive.mixture(
        *objectives.relaxed_stages(8, ["step"]), np.array(step, float)
    )[0]
    np.testing.assert_array_equal(matrix, np.eye(8)[pm.makhoul(8)])


def test_adam_is_its_naive_twin():
    x, mean, square = random(5, "float64"), np.zeros(5), np.zeros(5)
    expected = x.copy(), mean.copy(), square.copy()
    for step in (1, 2, 3):
        gradient = random(5, "float64", step)
        kernels.adam_step(x, gradient, mean, square, 0.1, step)
        expected = naive.adam_step(expected[0], gradient, *expected[1:], 0.1, step)
        for got, wanted in zip((x, mean, square), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12)


# --------------------------------------------------------------------------------------
# Gradients against finite differences
# --------------------------------------------------------------------------------------


def made(model, planes, tied, n=4):
    target = random((n, n), "complex128" if planes[1] == 2 else "float64")
    rng = np.random.default_rng(1)
    inner, columns = rng.permutation(n), rng.permutation(n)
    options = (tied, planes[0], np.dtype(np.float64))
    if model == "BP":
        return objectives.OneButterfly(target, columns, *options)
    if model == "BPBP":
        return objectives.TwoButterflies(target, inner, columns, *options)
    parts = ["step", "all"] if model == "BPP relaxed" else ["all"]
    return objectives.RelaxedButterfly(target, parts, *options)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("model", ["BP", "BPBP", "BP relaxed", "BPP relaxed"])
def test_gradients_are_finite_differences(model, planes, tied):
    objective = made(model, planes, tied)
    rng = np.random.default_rng(2)
    x = objective.start(rng) + 0.3 * rng.standard_normal(objective.size)
    gradient, other = np.empty_like(x), np.empty_like(x)
    objective(x, gradient)
    expected = np.empty_like(x)
    for i, step in enumerate(1e-6 * np.eye(x.size)):
        difference = objective(x + step, other) - objective(x - step, other)
        expected[i] = difference / 2e-6
    np.testing.assert_allclose(
        gradient, expected, rtol=0, atol=1e-6 * abs(expected).max()
    )


# --------------------------------------------------------------------------------------
# Operators
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", ["identity", "bit-reversal", "makhoul"])
@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_the_operator_of_two_butterflies(tied, real, inner):
    n, rng = 8, np.random.default_rng(0)
    permutations = permutation_choices.fixed_permutations(
        (inner, rng.permutation(n)), n, "BPBP"
    )
    found = rng.standard_normal((2, 2, 4, sized(n, tied)))
    operator = twiddles.twiddle_operator(
        found, tied, permutations, np.dtype("c16"), real
    )
    left, right = (
        naive.product(naive.twiddle_factors(t, tied, n)[::-1], n, complex)
        for t in found
    )
    expected = np.empty((n, n), complex)
    expected[:, permutations[1]] = left @ right[permutations[0]]
    close(operator.toarray(), expected.real if real else expected)
    kept = (
        nf.Butterfly
        if inner == "bit-reversal" or (inner, real) == ("identity", False)
        else nf.FactorProduct
    )
    assert isinstance(operator, kept)


def test_scales_go_into_all_levels():
    for tied in (True, False):
        found = random((2, 1, 4, sized(8, tied)), "float64")
        spread = twiddles.spread_scale(found, 1e30, tied)
        matrices = [
            naive.product(naive.twiddle_factors(t, tied, 8)[::-1], 8, float)
            for t in (*found, *spread)
        ]
        np.testing.assert_allclose(
            matrices[2] @ matrices[3], 1e30 * matrices[0] @ matrices[1], rtol=1e-12
        )


# --------------------------------------------------------------------------------------
# Learning
# --------------------------------------------------------------------------------------


@pytest.mark.compiled
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [8, 16, 32, 64])
def test_the_dft_is_learned_when_its_permutation_is_given(n, seed):
    got = nf.learn_butterfly(
        dft(n), "BP", permutation="bit-reversal", n_iter=1200, random_state=seed
    )
    assert got.rmse < 1e-5 and got.n_steps <= 1200
    assert got.n_parameters == 8 * (n - 1)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("target", "options"),
    [
        (dft(8), {}),
        (dft(8), {"tied": False}),
        (dft(32), {"permutation": "learned"}),
        (hadamard(8), {"complex": False}),
        (hartley(8), {}),
        (dct(8), {"model": "BPP"}),
        (dct(8), {"permutation": "makhoul"}),
        (dst(8), {"model": "BPP", "dtype": "float64"}),
        (
            circulant(8),
            {"model": "BPBP", "permutation": "bit-reversal", "n_restarts": 3},
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_transforms_are_learned(target, options):
    got = nf.learn_butterfly(target, random_state=0, **options)
    assert got.rmse < 1e-4
    dense = got.operator.toarray()
    error = np.linalg.norm(target - dense)
    assert got.rmse == pytest.approx(error / len(target), rel=1e-6, abs=1e-15)
    assert got.relative_error == pytest.approx(
        error / np.linalg.norm(target), rel=1e-6, abs=1e-15
    )
    assert got.operator.dtype == target.dtype
    assert min(got.history.rmse) < 1e-4
    assert len(got.history.rmse) == len(got.history.seconds) == len(got.history.phases)
    assert got.history.phases[-1] == "refine"


@pytest.mark.compiled
def test_the_search_finds_the_permutation_of_the_convolution():
    got = nf.learn_butterfly(
        circulant(8), "BPBP", n_refine_iter=100, n_restarts=1, random_state=0
    )
    assert got.rmse < 1e-4 and len(got.permutation) == 2


def short(target=None, **options):
    target = dft(4) if target is None else target
    settings = {"n_iter": 24, "n_refine_iter": 2, "random_state": 3, **options}
    return nf.learn_butterfly(target, **settings)


@pytest.mark.parametrize("permutation", ["search", "learned", "identity"])
@pytest.mark.parametrize("model", ["BP", "BPP", "BPBP"])
def test_the_same_call_gives_the_same_bits(model, permutation):
    if (model, permutation) == ("BPBP", "learned"):
        return
    one, two = (short(model=model, permutation=permutation) for _ in range(2))
    assert one.history.rmse == two.history.rmse
    assert one.rmse == two.rmse
    np.testing.assert_array_equal(one.permutation, two.permutation)
    np.testing.assert_array_equal(one.operator.toarray(), two.operator.toarray())
    other = short(model=model, permutation=permutation, random_state=4)
    assert one.history.rmse != other.history.rmse


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_scale_of_the_target_does_not_matter(scale):
    target = random((4, 4), "complex128")
    plain, scaled = short(target), short(target * scale)
    np.testing.assert_allclose(scaled.relative_error, plain.relative_error, rtol=1e-6)
    np.testing.assert_allclose(scaled.rmse, scale * plain.rmse, rtol=1e-6)


@pytest.mark.parametrize("dtype", [*DTYPES[:3], "int64"])
def test_the_precision_of_the_target_is_kept(dtype):
    target = np.rint(4 * random((4, 4), "float64")).astype(dtype)
    got = short(target)
    assert got.operator.dtype == (np.float64 if dtype == "int64" else dtype)


def test_a_zero_target_is_zero():
    got = short(np.zeros((4, 4)), n_restarts=2)
    assert got.rmse == got.relative_error == 0 and not got.operator.toarray().any()


def test_a_callback_sees_each_step_and_stops():
    states = []
    got = short(callback=lambda state: states.append(state), permutation="identity")
    assert len(states) == len(got.history.rmse)
    assert [state.error for state in states] == got.history.errors
    roots = np.multiply(got.history.rmse, np.sqrt(len(got.permutation)))
    np.testing.assert_allclose(got.history.errors, roots)
    best = min(states, key=lambda state: state.error)
    assert best.error == pytest.approx(got.relative_error)
    assert best.nnz == got.operator.nnz and best.n_factors == len(got.factors)
    product = best.scale * functools.reduce(np.matmul, best.factors)
    np.testing.assert_allclose(product, got.operator.toarray(), atol=1e-9)
    phases = dict.fromkeys(state.phase for state in states)
    assert list(phases) == ["descent", "refine"]
    stopped = short(callback=lambda state: state.iteration >= 5, n_restarts=2)
    assert stopped.n_steps == 5
    stopped = short(callback=lambda state: state.phase == "refine", n_restarts=2)
    assert stopped.history.phases.count("refine") == 1


def test_candidates_are_different_permutations():
    for model, count in (("BP", 8), ("BPP", 64), ("BPBP", 8)):
        found = permutation_choices.candidate_permutations(16, model)
        assert len(found) == count == len({p[-1].tobytes() for p in found})
    wanted = pm.makhoul(16)[pm.bit_reversal(16)].tobytes()
    assert wanted in {
        p[0].tobytes() for p in permutation_choices.candidate_permutations(16, "BPP")
    }


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, r"\(4, 6\)", {"target": np.ones((4, 6))}),
        (ValueError, r"\(6, 6\).*power of two", {"target": np.ones((6, 6))}),
        (ValueError, r"\(1, 1\)", {"target": np.ones((1, 1))}),
        (ValueError, "NaN", {"target": np.full((4, 4), np.nan)}),
        (TypeError, "numbers", {"target": np.full((4, 4), "a")}),
        (ValueError, "model.*'B'", {"model": "B"}),
        (ValueError, "permutation.*'dao'", {"permutation": "dao"}),
        (ValueError, "4 integers.*shape", {"permutation": np.arange(5)}),
        (ValueError, "4 integers.*float64", {"permutation": np.arange(4.0)}),
        (ValueError, "0 to 3", {"permutation": [0, 1, 2, 2]}),
        (ValueError, "holds 2.*'BP'", {"permutation": ("identity", "identity")}),
        (ValueError, "search", {"model": "BPBP", "permutation": "learned"}),
        (ValueError, "complex", {"complex": False}),
        (TypeError, "complex", {"complex": 1}),
        (TypeError, "tied", {"tied": "yes"}),
        (ValueError, "learning_rate", {"learning_rate": 0.0}),
        (TypeError, "learning_rate", {"learning_rate": "fast"}),
        (ValueError, "tol", {"tol": -1.0}),
        (ValueError, "n_iter", {"n_iter": 0}),
        (TypeError, "n_iter", {"n_iter": 2.5}),
        (ValueError, "n_refine_iter", {"n_refine_iter": -1}),
        (ValueError, "n_restarts", {"n_restarts": -1}),
        (TypeError, "dtype='float16': expected float32", {"dtype": "float16"}),
    ],
)
def test_misuse_is_refused(error, message, options):
    with pytest.raises(error, match=message):
        short(**options)
