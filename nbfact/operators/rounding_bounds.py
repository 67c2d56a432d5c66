"""Norms of rows, and bounds of the rounding errors of products with operators."""

import numpy as np

from .factor_product import FactorProduct
from .fast_operator import FastOperator

BLOCK = 256
"""Number of rows that are made dense together, so that dense arrays stay small."""


def squared_norms(operator: FastOperator) -> np.ndarray:
    """Return the squared norms of the rows of a real operator, (K,), in float64.

    Each row costs ``operator.nnz`` multiplications; `BLOCK` rows are made dense at a
    time.
    """
    norms, adjoint = np.empty(operator.shape[0]), operator.T
    for start in range(0, len(norms), BLOCK):
        stop = min(start + BLOCK, len(norms))
        chosen = np.zeros((len(norms), stop - start))
        np.fill_diagonal(chosen[start:], 1)
        rows = adjoint @ chosen
        norms[start:stop] = np.einsum("ij,ij->j", rows, rows)
    return norms


def reach_of(operator: FactorProduct) -> tuple[np.ndarray, int]:
    """Return what bounds the rounding errors of a product of sparse factors.

    Returns
    -------
    reach : ndarray of float64, shape (K,)
        The norms of the rows of scale |S[0]| |S[1]| ..., without signs.
    steps : int
        Number of roundings of an entry of a product with a vector, at most. The k-th
        entry is off by at most steps ε reach[k] |x| / 2.
    """
    factors = [abs(factor) for factor in operator.factors]
    unsigned = FactorProduct(factors, abs(operator.scale))
    return np.sqrt(squared_norms(unsigned)), 1 + _roundings(factors)


def _roundings(factors):
    """Return how often an entry is rounded by a product with sparse factors."""
    return sum(2 + int(np.diff(one.tocsr().indptr).max()) for one in factors)


def spectral_norm_of(operator: FastOperator) -> float:
    """Return an estimate of the largest singular value of an operator, from below."""
    x = np.random.default_rng(0).standard_normal((operator.shape[1], 4))
    adjoint, largest = operator.T, 0.0
    for _ in range(10):
        lengths = np.maximum(norms(x.T), np.finfo(float).tiny)
        y = operator @ (x / lengths)
        largest = max(largest, float(norms(y.T).max()))
        x = adjoint @ y
    return largest


def norms(rows: np.ndarray) -> np.ndarray:
    """Return the norms of rows, or that of one vector."""
    return np.sqrt(np.einsum("...d,...d->...", rows, rows))
