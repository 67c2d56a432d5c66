"""Chains of every kind, and butterflies beside their dense matrices."""

import naive
import numpy as np
from samples import random

from nbfact import Butterfly, Chain

CHAINS = {
    "dyadic": Chain.square_dyadic(8),
    "rank2": Chain.rank2(8),
    "mixed": Chain.mixed_radix([2, 3, 2], [3, 1, 4]),
    "transposed": Chain.monarch((6, 15)).T,
    "both": Chain.square_dyadic(8) @ Chain.square_dyadic(8).T,
    "dense": Chain([(1, 3, 5, 1)]),
    "one": Chain([(1, 1, 1, 1)]),
}


def values_of(chain, dtype="float64", seed=0):
    return [random(p, dtype, seed + i) for i, p in enumerate(chain)]


def operator_of(chain, dtype="float64", permuted=False, seed=0):
    """Return a butterfly, and its dense matrix by the definition."""
    rows = columns = None
    if permuted:
        rng = np.random.default_rng(seed)
        rows, columns = (rng.permutation(size) for size in chain.shape)
    values = values_of(chain, dtype, seed)
    dense = naive.permuted_product(values, rows, columns)
    return Butterfly(chain, values, rows=rows, columns=columns), dense
