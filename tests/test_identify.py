"""identify_butterfly: unknown permutations of all levels, with noise and without."""

import numpy as np
import pytest
import scipy.sparse as sp
from butterfly_samples import KINDS, fourier, hadamard, rotations, shuffled, unitary
from samples import DTYPES, close

import nbfact as nf


def check(result, target, tied=True):
    """Check everything that a result promises, whatever the target is."""
    n = len(target)
    for index in (result.row_permutation, result.column_permutation):
        assert np.array_equal(np.sort(index), np.arange(n))
        assert index.dtype == np.intp
    assert len(result.factors) == max(1, n.bit_length() - 1)
    for factor in result.factors:
        pattern = factor.toarray() != 0
        assert pattern.sum(0).max() <= 2 and pattern.sum(1).max() <= 2
        assert factor.dtype == result.operator.dtype == np.result_type(target, "f4")
    found = result.operator.toarray()
    assert np.isfinite(found).all()
    eps = float(np.finfo(found.dtype).eps)
    error = nf.relative_error(target, found)
    assert result.relative_error == pytest.approx(error, abs=20 * eps, rel=1e-4)
    assert isinstance(result.operator, nf.Butterfly if tied else nf.FactorProduct)
    close(nf.FactorProduct(result.factors, result.scale).toarray(), found)
    if tied:
        rows = result.operator.rows  # None if the rows are in order
        assert rows is None or np.array_equal(rows, result.row_permutation)
        straight = target[np.ix_(result.row_permutation, result.column_permutation)]
        plain = nf.butterfly_factorize(straight, transpose=False)
        assert error <= plain.relative_error * (1 + 1e-6) + 20 * eps


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 8, 16])
def test_permuted_butterflies_are_found_exactly(n, kind, tied):
    target, _ = shuffled(kind, n)
    result = nf.identify_butterfly(target, tied=tied, random_state=0)
    assert result.relative_error < 1e-14
    check(result, target, tied)


@pytest.mark.parametrize("kind", [rotations, unitary])
def test_untied_splits_of_a_butterfly_agree_on_an_order(kind):
    target, _ = shuffled(kind, 16)
    for matrix in (target, target.T):
        result = nf.identify_butterfly(matrix, tied=False, random_state=0)
        straight = matrix[np.ix_(result.row_permutation, result.column_permutation)]
        plain = nf.butterfly_factorize(straight, transpose=False)
        assert plain.relative_error < 1e-12


@pytest.mark.compiled
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [32, 64])
def test_larger_ones_too(n, kind):
    for seed in range(3):
        target, _ = shuffled(kind, n, seed)
        result = nf.identify_butterfly(target, random_state=seed)
        assert result.relative_error < 1e-14
        check(result, target)


@pytest.mark.compiled
@pytest.mark.parametrize("noise", [0.01, 0.1])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [16, 32])
def test_noise_hides_no_butterfly(n, kind, noise):
    clean, target = shuffled(kind, n, n, noise)
    result = nf.identify_butterfly(target, random_state=0)
    check(result, target)
    assert result.relative_error < 1.2 * noise
    assert nf.relative_error(clean, result.operator.toarray()) < 1.2 * noise


def test_a_few_passes_with_noise():
    clean, target = shuffled(rotations, 16, 3, 0.01)
    result = nf.identify_butterfly(target, n_iter=2, n_restarts=0, random_state=0)
    check(result, target)
    assert len(result.history.errors) <= 3
    assert nf.relative_error(clean, result.operator.toarray()) < 0.012


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tied", [True, False])
def test_dtypes_are_kept(dtype, tied):
    kind = fourier if dtype.startswith("c") else rotations
    target = shuffled(kind, 8)[0].astype(dtype)
    result = nf.identify_butterfly(target, tied=tied, random_state=0)
    check(result, target, tied)
    assert result.relative_error < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e306])
def test_any_scale(scale, tied):
    target = shuffled(rotations, 8)[0]
    once = nf.identify_butterfly(target, tied=tied, random_state=0)
    again = nf.identify_butterfly(scale * target, tied=tied, random_state=0)
    check(again, scale * target, tied)
    assert again.relative_error < 1e-14
    assert np.array_equal(again.row_permutation, once.row_permutation)


def test_the_order_of_rows_and_columns_does_not_matter_nor_their_signs():
    clean, _ = shuffled(hadamard, 16)
    rng = np.random.default_rng(1)
    signs = rng.choice([-1.0, 1.0], (2, 16))
    other = signs[0][:, None] * clean[rng.permutation(16)][:, rng.permutation(16)]
    for target in (other, other * signs[1], other.T):
        result = nf.identify_butterfly(target, random_state=0)
        check(result, target)
        assert result.relative_error < 1e-14


def degenerate(n):
    rank_one, holes = np.outer(np.arange(n), np.arange(n)[::-1]), np.eye(n)
    holes[:, : n // 2] = 0
    spike = np.zeros((n, n))
    spike[2, 3] = 5
    mixed = np.random.default_rng(0).standard_normal((n, n))
    mixed[:, ::3] *= 1e-12
    return [np.zeros((n, n)), np.ones((n, n)), rank_one, holes, spike, np.eye(n), mixed]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("number", range(7))
def test_degenerate_targets(number, tied):
    target = degenerate(16)[number]
    result = nf.identify_butterfly(
        target, tied=tied, n_iter=3, n_restarts=1, random_state=0
    )
    check(result, target, tied)
    if number < 6:
        assert result.relative_error < 1e-14
    if number == 0:
        assert result.relative_error == 0 and not result.operator.toarray().any()


@pytest.mark.parametrize("tied", [True, False])
def test_one_entry(tied):
    result = nf.identify_butterfly([[3.0]], tied=tied)
    check(result, np.array([[3.0]]), tied)
    assert result.operator.toarray() == [[3.0]]


def test_the_same_seed_gives_the_same_result():
    _, target = shuffled(rotations, 16, 0, 0.1)
    one, two = (
        nf.identify_butterfly(target, n_iter=2, n_restarts=2, random_state=5)
        for _ in range(2)
    )
    assert one.history.errors == two.history.errors
    assert np.array_equal(one.operator.toarray(), two.operator.toarray())


def test_untied_splits_approximate_better():
    target = nf.targets.dct(16)
    options = {"n_restarts": 2, "n_iter": 4, "random_state": 0}
    free = nf.identify_butterfly(target, tied=False, **options)
    tied = nf.identify_butterfly(target, **options)
    fixed = nf.butterfly_factorize(target)
    assert free.relative_error < tied.relative_error < fixed.relative_error
    raw = nf.identify_butterfly(target, tied=False, refine_values=False, **options)
    assert free.relative_error <= raw.relative_error
    # The splits drop exactly what the product of their factors lacks.
    assert raw.relative_error == pytest.approx(min(raw.history.errors))


def test_targets_that_are_not_arrays():
    clean, _ = shuffled(hadamard, 8)
    for target in (sp.csr_array(clean), nf.Butterfly.from_factors, clean.tolist()):
        if callable(target):
            target = nf.transforms.hadamard(8)
        result = nf.identify_butterfly(target, random_state=0)
        assert result.relative_error < 1e-14


def test_a_callback_sees_passes_and_stops_them():
    _, target = shuffled(rotations, 16, 0, 0.1)
    seen = []

    def callback(state):
        seen.append(state)
        return len(seen) == 3

    result = nf.identify_butterfly(
        target, callback=callback, refine_values=False, random_state=0
    )
    assert [state.iteration for state in seen] == [1, 2, 3]
    assert len(result.history.errors) == len(result.history.seconds) == 3
    assert seen[-1].error == min(result.history.errors)
    assert seen[-1].error == pytest.approx(result.relative_error)
    product = np.linalg.multi_dot(seen[-1].factors)
    assert nf.relative_error(target, product) == pytest.approx(seen[-1].error)


SUMS = nf.Chain.square_dyadic(8) @ nf.Chain.square_dyadic(8).T
"""A chain whose factors do not split rows and columns by one radix each."""


@pytest.mark.parametrize(
    ("target", "options", "error", "message"),
    [
        (np.ones((4, 8)), {"chain": [4]}, ValueError, r"shape \(4, 4\).*\(4, 8\)"),
        (np.ones((6, 6)), {"chain": [2, 2]}, ValueError, r"shape \(4, 4\).*\(6, 6\)"),
        (np.ones((6, 6)), {"chain": [2, 3.5]}, TypeError, "chain"),
        (np.ones((6, 6)), {"chain": []}, ValueError, "chain"),
        (np.ones((6, 6)), {"chain": "radices"}, ValueError, "chain='radices'"),
        (np.ones((6, 6)), {"chain": 6}, TypeError, "chain"),
        (np.eye(8), {"chain": SUMS}, ValueError, "mixed_radix"),
        (np.ones(4), {}, ValueError, r"shape \(4,\)"),
        (np.ones((0, 0)), {}, ValueError, r"shape \(0, 0\)"),
        (np.full((2, 2), np.nan), {}, ValueError, "NaN or infinity"),
        (np.array([["a", "b"]] * 2), {}, TypeError, "numbers"),
        (np.eye(2), {"n_iter": 0}, ValueError, "n_iter=0"),
        (np.eye(2), {"n_restarts": -1}, ValueError, "n_restarts=-1"),
    ],
)
def test_mistakes_are_refused(target, options, error, message):
    with pytest.raises(error, match=message):
        nf.identify_butterfly(target, **options)
