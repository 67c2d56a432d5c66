"""One level of identify_butterfly: the pairing kernels, and the best split found."""

import itertools

import naive
import numpy as np
import pytest
from butterfly_samples import KINDS, shuffled
from naive import (
    best_matching,
    exchange_gain,
    matchings,
    split_loss,
)
from samples import DTYPES, close, random

from nbfact.algorithms.permutations.bipartition import (
    best_of_all,
    best_split,
    improve_split,
    split_near,
)
from nbfact.algorithms.permutations.level_split import SplitHint
from nbfact.algorithms.permutations.line_starts import off_two_lines
from nbfact.kernels import exchange_mates, half_gain, pair_greedily, split_gain

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
    assert best >= 18  # the best of all in most cases


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
    pairs = [tuple(pair) for pair in found.groups]
    lost = [
        split_loss(block, halves, pairs)
        for block, halves in zip(blocks, found.parts, strict=True)
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
    assert split_loss(clean, split.parts[0], split.groups) <= 1e-20 * square
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
        split_loss(block, halves, split.groups)
        for block, halves in zip(blocks, split.parts, strict=True)
    ]
    assert split.lost == pytest.approx(sum(expected))


def test_a_hint_worth_enough_is_kept():
    blocks = random((1, 16, 16), "float64")
    bits, labels = np.arange(16)[None] % 2, np.arange(16) // 2
    split = split_near(blocks, SplitHint(bits, labels, 1e6))
    assert np.array_equal(split.groups, np.arange(16).reshape(8, 2))
    assert np.array_equal(split.parts[0], [np.arange(0, 16, 2), np.arange(1, 16, 2)])
    free = split_near(blocks, SplitHint(bits, labels, 0.0))
    assert free.lost < split.lost


def test_two_lines_are_distinguished_from_more():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((20, 1)) * np.where(
        rng.random((20, 1)) < 0.5, [[1.0, 2.0]], [[3.0, -1.0]]
    )
    block = np.hstack([points, rng.standard_normal((20, 18))])[None]
    ratio = off_two_lines(block, np.array([0]))[0]
    assert ratio[0] == np.inf and ratio[1] < 1e-12 < 1e-3 < ratio[2:].min()
