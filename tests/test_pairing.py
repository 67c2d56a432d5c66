"""The pairing of columns and the halves of rows against their twins."""

import naive
import numpy as np
import pytest
from samples import DTYPES, close, random

from nbfact.kernels import exchange_mates, half_gain, pair_greedily, split_gain


def symmetric(n, seed, values=None):
    """Return gains: random ones, or few integers, so that many tie."""
    rng = np.random.default_rng(seed)
    gain = rng.random((n, n)) if values is None else rng.integers(values, size=(n, n))
    return np.asarray(gain + gain.T, np.float64)


@pytest.mark.parametrize("values", [None, 3, 2, 1])
@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_pairs_are_those_of_the_twins(n, values):
    for seed in range(5):
        gain, mate = symmetric(n, seed, values), np.empty(n, np.intp)
        pair_greedily(gain, mate)
        assert np.array_equal(mate, naive.pair_greedily(gain))
        expected = naive.exchange_mates(gain, 1e-12, mate)
        exchange_mates(gain, 1e-12, mate)
        assert np.array_equal(mate, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gains_are_those_of_the_twins(dtype):
    rows = random((6, 6), dtype, 5)
    half, pairs = np.array([0, 1, 1, 0, 0, 1]), np.array([[0, 3], [1, 4], [2, 5]])
    grams = np.stack([rows[half == h].conj().T @ rows[half == h] for h in (0, 1)])
    gain, liking = np.empty((2, 6, 6), rows.real.dtype)
    split_gain(grams, gain, liking)
    off = ~np.eye(6, dtype=bool)
    for got, expected in zip((gain, liking), naive.split_gain(grams), strict=True):
        close(got[off], expected[off])
    out = np.empty((1, 6), rows.real.dtype)
    half_gain(rows[None], grams[None], half[None], pairs, out)
    close(out[0], naive.half_gain(rows, half, pairs))
