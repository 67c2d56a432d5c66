"""Norms of rows, and bounds of the rounding errors of products with operators."""

import math
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from .butterfly import Butterfly
from .factor_product import FactorProduct
from .fast_operator import FastOperator

BLOCK = 256
"""Number of rows that are made dense together, so that dense arrays stay small."""

SMALL = 2**20
"""Largest number of entries of a product of factors that is multiplied out by SciPy: to
plan products with it would take longer."""


def squared_norms(operator: FastOperator) -> np.ndarray:
    """Return the squared norms of the rows of a real operator, (K,), in float64.

    Each row costs ``operator.nnz`` multiplications; `BLOCK` rows are made dense at a
    time.
    """
    product = with_factors(operator)
    if product is not None and math.prod(operator.shape) <= SMALL:
        return _multiplied_out(product.factors, product.scale)
    norms, adjoint = np.empty(operator.shape[0]), operator.T
    for start in range(0, len(norms), BLOCK):
        stop = min(start + BLOCK, len(norms))
        chosen = np.zeros((len(norms), stop - start))
        np.fill_diagonal(chosen[start:], 1)
        rows = adjoint @ chosen
        norms[start:stop] = np.einsum("ij,ij->j", rows, rows)
    return norms


def _multiplied_out(factors: Sequence[sp.csr_array], scale: float) -> np.ndarray:
    """Return the squared norms of the rows of a small product, in float64."""
    *others, last = factors
    rows = last.toarray().astype(np.float64)
    for factor in reversed(others):
        rows = factor @ rows
    with np.errstate(over="ignore"):
        rows = rows * scale
    return np.einsum("ij,ij->i", rows, rows)


def with_factors(operator: FastOperator) -> FactorProduct | None:
    """Return an operator that is made of sparse factors as their product, or None."""
    if isinstance(operator, Butterfly):
        return operator.to_factors()
    return operator if isinstance(operator, FactorProduct) else None


def reach_of(operator: FastOperator) -> tuple[np.ndarray, int]:
    """Return what bounds the rounding errors of products with an operator.

    Returns
    -------
    reach : ndarray of float64, shape (K,)
        For a product of sparse factors, the norms of the rows of scale |S[0]| |S[1]|
        ..., without signs. For other operators, more than the norm of the operator is
        likely to be.
    steps : int
        Number of roundings of an entry of a product with a vector, at most; for other
        operators, what it is for a fast transform. The k-th entry is off by at most
        steps ε reach[k] |x| / 2.
    """
    product = with_factors(operator)
    if product is None:
        steps = 8 + 2 * max(operator.shape).bit_length()
        return np.full(operator.shape[0], 1.5 * _spectral_norm(operator)), steps
    factors = [abs(factor) for factor in product.factors]
    steps = 1 + sum(2 + int(np.diff(one.tocsr().indptr).max()) for one in factors)
    if math.prod(product.shape) <= SMALL:
        return np.sqrt(_multiplied_out(factors, abs(product.scale))), steps
    unsigned = FactorProduct(factors, abs(product.scale))
    return np.sqrt(squared_norms(unsigned)), steps


def _spectral_norm(operator):
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
