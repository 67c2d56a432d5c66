"""Permuted products in chains, which several tests look for again."""

import numpy as np

import nbfact as nf


def product(chain, seed=0, dtype="f8", noise=0.0):
    """Return a product of Gaussian factors, permuted, and the orders that undo that."""
    rng = np.random.default_rng(seed)

    def drawn(shape):
        real = rng.standard_normal(shape)
        return real + 1j * rng.standard_normal(shape) if dtype.startswith("c") else real

    matrix = nf.Butterfly(chain, [drawn(one) for one in chain.patterns]).toarray()
    rows, columns = (rng.permutation(n) for n in chain.shape)
    target = matrix[rows][:, columns]
    error = drawn(target.shape)
    target = target + noise * np.linalg.norm(target) / np.linalg.norm(error) * error
    return target.astype(dtype), np.argsort(rows), np.argsort(columns)
