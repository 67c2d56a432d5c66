"""identify_butterfly: unknown permutations, with noise and without."""

import itertools

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from naive import (
    best_matching,
    exchange_gain,
    matchings,
    split_loss,
)
from samples import DTYPES, close, random

import nbfact as nf
from nbfact.algorithms.permutations.bipartition import (
    best_of_all,
    best_split,
    improve_split,
    split_near,
)
from nbfact.algorithms.permutations.level_split import SplitHint
from nbfact.algorithms.permutations.line_starts import off_two_lines
from nbfact.kernels import exchange_mates, half_gain, pair_greedily, split_gain


def hadamard(n, rng):
    return nf.targets.hadamard(n)


def fourier(n, rng):
    return np.fft.fft(np.eye(n), norm="ortho")


def rotations(n, rng):
    values = []
    for a, _, _, d in nf.Chain.square_dyadic(n):
        angle = rng.uniform(0, 2 * np.pi, (a, d))
        turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        values.append(np.moveaxis(np.array(turn), 2, 0))
    return nf.Butterfly(nf.Chain.square_dyadic(n), values).toarray()


def gaussian(n, rng):
    chain = nf.Chain.square_dyadic(n)
    values = [rng.standard_normal(pattern) for pattern in chain]
    return nf.Butterfly(chain, values).toarray()


def unitary(n, rng):
    values = []
    for a, _, _, d in nf.Chain.square_dyadic(n):
        blocks = random((a, d, 2, 2), "complex128", rng.integers(1 << 30))
        values.append(np.linalg.qr(blocks)[0].transpose(0, 2, 3, 1))
    return nf.Butterfly(nf.Chain.square_dyadic(n), values).toarray()


KINDS = (hadamard, fourier, rotations, gaussian, unitary)


def shuffled(kind, n, seed=0, noise=0.0):
    """Return a permuted butterfly, and with noise of a relative norm."""
    rng = np.random.default_rng(seed)
    clean = kind(n, rng)[rng.permutation(n)][:, rng.permutation(n)]
    more = random((n, n), clean.dtype, seed + 1000)
    return clean, clean + noise * np.linalg.norm(clean) / np.linalg.norm(more) * more


def check(result, target, tied=True):
    """Check all that a result promises, whatever the target."""
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
    assert (result.butterfly is None) == (not tied)
    if tied:
        close(result.butterfly.toarray(), found)
        rows = result.butterfly.rows  # None if in order
        assert rows is None or np.array_equal(rows, result.row_permutation)
        straight = target[np.ix_(result.row_permutation, result.column_permutation)]
        plain = nf.butterfly_factorize(straight, transpose=False)
        assert error <= plain.relative_error * (1 + 1e-6) + 20 * eps


# --------------------------------------------------------------------------------------
# Kernels
# --------------------------------------------------------------------------------------


def grams_of(block, halves):
    return np.stack([block[half].conj().T @ block[half] for half in halves])


def symmetric(n, seed, values=None):
    rng = np.random.default_rng(seed)
    gain = rng.random((n, n)) if values is None else rng.integers(values, size=(n, n))
    return np.asarray(gain + gain.T, np.float64)


@pytest.mark.parametrize("values", [None, 2, 1])
@pytest.mark.parametrize("n", [2, 4, 8])
def test_greedy_pairs_are_those_of_the_naive_loop(n, values):
    for seed in range(5):
        liking, mate = symmetric(n, seed, values), np.empty(n, np.intp)
        pair_greedily(liking, mate)
        assert np.array_equal(mate, naive.pair_greedily(liking))


@pytest.mark.parametrize("values", [None, 3])
def test_no_exchange_of_two_pairs_gains(values):
    best = 0
    for seed in range(20):
        gain, mate = symmetric(8, seed, values), np.empty(8, np.intp)
        pair_greedily(gain, mate)
        before = gain[np.arange(8), mate].sum() / 2
        exchange_mates(gain, 1e-12, mate)
        assert np.array_equal(mate[mate], np.arange(8))
        assert not np.any(mate == np.arange(8))
        after = gain[np.arange(8), mate].sum() / 2
        assert before <= after + 1e-12 <= best_matching(gain) + 2e-12
        assert exchange_gain(gain, mate) <= 2e-12
        best += after >= best_matching(gain) - 1e-12
    assert best >= 18  # most often the best of all


def test_equal_gains_leave_pairs_alone():
    mate = np.array([1, 0, 3, 2])
    exchange_mates(np.ones((4, 4)), 0.0, mate)
    assert list(mate) == [1, 0, 3, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_split_gain_is_that_of_the_eigenvalues(dtype):
    block = random((8, 8), dtype)
    grams = grams_of(block, np.arange(8).reshape(2, 4))
    gain, liking = np.empty((2, 8, 8), block.real.dtype)
    split_gain(grams, gain, liking)
    off = ~np.eye(8, dtype=bool)
    expected = naive.split_gain(grams)
    close(gain[off], expected[0][off])
    close(liking[off], expected[1][off])
    assert np.array_equal(gain, gain.T) and np.array_equal(liking[off], liking.T[off])


@pytest.mark.parametrize("dtype", DTYPES)
def test_half_gain_is_that_of_moving_one_row(dtype):
    block, half = random((8, 8), dtype), np.array([0, 1, -1, 0, 1, 1, -1, 0])
    pairs = np.array([[0, 3], [1, 7], [2, 5], [4, 6]])
    grams = grams_of(block, [np.flatnonzero(half == h) for h in (0, 1)])
    out = np.empty((1, 8), block.real.dtype)
    half_gain(block[None], grams[None], half[None], pairs, out)
    close(out[0], naive.half_gain(block, half, pairs))


# --------------------------------------------------------------------------------------
# One level
# --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("m", [2, 4])
def test_the_best_split_of_all(m, dtype):
    blocks = random((2, m, m), dtype)
    found = best_of_all(blocks)
    pairs = [tuple(pair) for pair in found.pairs]
    lost = [
        split_loss(block, halves, pairs)
        for block, halves in zip(blocks, found.halves, strict=True)
    ]
    assert found.lost == pytest.approx(sum(lost))
    firsts = [
        (0, *others) for others in itertools.combinations(range(1, m), m // 2 - 1)
    ]
    halvings = [(half, [i for i in range(m) if i not in half]) for half in firsts]
    for way in matchings(list(range(m))):
        best = [min(split_loss(b, h, way) for h in halvings) for b in blocks]
        assert found.lost <= sum(best) + 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_is_found_and_its_coordinates_keep_the_norm(kind):
    clean, _ = shuffled(kind, 16)
    split = best_split(clean[None], np.random.default_rng(0), 8, 8)
    square = np.linalg.norm(clean) ** 2
    assert split.lost <= 1e-11 * square
    assert split_loss(clean, split.halves[0], split.pairs) <= 1e-20 * square
    parts = split.coordinates(clean[None])
    assert parts.shape == (2, 8, 8)
    assert np.linalg.norm(parts) ** 2 == pytest.approx(square)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_rounds_never_lose_more(dtype):
    blocks = random((2, 16, 16), dtype)
    grams = blocks.conj().swapaxes(1, 2) @ blocks
    order = np.arange(16).reshape(1, 2, 8).repeat(2, 0)
    lost = [improve_split(blocks, grams, order, n_iter=k).lost for k in range(1, 8)]
    lost.append(improve_split(blocks, grams, order).lost)
    assert all(a >= b for a, b in itertools.pairwise(lost))
    split = improve_split(blocks, grams, order)
    expected = [
        split_loss(block, halves, split.pairs)
        for block, halves in zip(blocks, split.halves, strict=True)
    ]
    assert split.lost == pytest.approx(sum(expected))


def test_a_hint_worth_enough_is_kept():
    blocks = random((1, 16, 16), "float64")
    bits, labels = np.arange(16)[None] % 2, np.arange(16) // 2
    split = split_near(blocks, SplitHint(bits, labels, 1e6))
    assert np.array_equal(split.pairs, np.arange(16).reshape(8, 2))
    assert np.array_equal(split.halves[0], [np.arange(0, 16, 2), np.arange(1, 16, 2)])
    free = split_near(blocks, SplitHint(bits, labels, 0.0))
    assert free.lost < split.lost


def test_two_lines_are_told_from_more():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((20, 1)) * np.where(
        rng.random((20, 1)) < 0.5, [[1.0, 2.0]], [[3.0, -1.0]]
    )
    block = np.hstack([points, rng.standard_normal((20, 18))])[None]
    ratio = off_two_lines(block, np.array([0]))[0]
    assert ratio[0] == np.inf and ratio[1] < 1e-12 < 1e-3 < ratio[2:].min()


# --------------------------------------------------------------------------------------
# All levels
# --------------------------------------------------------------------------------------


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
    # What the splits keep is what their factors multiply to.
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


@pytest.mark.parametrize(
    ("target", "options", "error", "message"),
    [
        (np.ones((4, 8)), {}, ValueError, r"target \(4, 8\): expected \(n, n\)"),
        (np.ones((6, 6)), {}, ValueError, r"target \(6, 6\)"),
        (np.ones(4), {}, ValueError, r"shape \(4,\)"),
        (np.ones((0, 0)), {}, ValueError, r"shape \(0, 0\)"),
        (np.full((2, 2), np.nan), {}, ValueError, "NaN or infinity"),
        (np.array([["a", "b"]] * 2), {}, TypeError, "numbers"),
        (np.eye(2), {"n_iter": 0}, ValueError, "n_iter=0"),
        (np.eye(2), {"n_restarts": -1}, ValueError, "n_restarts=-1"),
    ],
)
def test_mistakes_are_told(target, options, error, message):
    with pytest.raises(error, match=message):
        nf.identify_butterfly(target, **options)
