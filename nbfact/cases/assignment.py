"""Cases of assignment: which of K centres is the nearest to each of N points.

The centres are a product of log2(min(K, D)) factors with two entries in each row or
column, as QuicK-means learns them: an operator of shape (m, n) = (K, D). The squared
norms of the centres are known beforehand, as they are when a fitted estimator predicts.
The result is the labels of the points. Its error is the largest excess of the squared
distance to a chosen centre over that to the nearest one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..harness.case import Case
from ..harness.operands import built_once
from ..operators import FactorProduct, NearestRows
from .rivals import peers

OURS, ARGMIN = "nbfact NearestRows", "dense argmin"
"""Implementations: nbfact, and a dense product by BLAS followed by argmin."""

OURS_DENSE = "nbfact NearestRows of a dense matrix"
"""Implementation: nbfact, where the centres are no product."""

CHUNK = 256
"""Number of points whose distances are held at once, as in scikit-learn."""


@dataclass(eq=False)
class AssignmentInputs:
    """Inputs of the assignment.

    Attributes
    ----------
    factors : FactorProduct
        The centres as a product of sparse factors.
    dense : ndarray, (K, D)
        The same centres as a matrix.
    x : ndarray, (N, D)
        The points.
    """

    factors: FactorProduct
    dense: np.ndarray
    x: np.ndarray


class AssignmentCase(Case):
    """A case whose result is the labels, and whose reference is all scores, (N, K).

    The score of a point and a centre is their squared distance without the squared norm
    of the point.
    """

    def error(self, got: np.ndarray, want: np.ndarray) -> float:
        """Return the largest excess of a chosen score, relative to the largest score.

        Parameters
        ----------
        got : ndarray of int, (N,)
            The labels.
        want : ndarray of float64, (N, K)
            The scores.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            When the shape is wrong, or the labels are not integers from 0 to K - 1.
        """
        n, k = want.shape
        if got.shape != (n,) or got.dtype.kind not in "iu":
            raise ValueError(f"labels of shape {got.shape}, dtype {got.dtype}")
        if got.min() < 0 or got.max() >= k:
            raise ValueError(f"labels from {got.min()} to {got.max()}, of {k} centres")
        excess = want[np.arange(n), got] - want.min(axis=1)
        return float(excess.max() / np.abs(want).max())


def assignment_cases(
    sizes: Sequence[tuple[int, int, int]], dtypes: Sequence[str]
) -> Iterator[Case]:
    """Yield the cases of assignment by nbfact, by BLAS, and by scikit-learn.

    Parameters
    ----------
    sizes : sequence of (K, D, N)
        Numbers of centres (at least 4), of columns (at least 4), and of points.
    dtypes : sequence of str
        Names of the dtypes of centres and points.

    Yields
    ------
    Case
    """
    prepares = {OURS: _ours, OURS_DENSE: _ours_dense, ARGMIN: _dense}
    if peers.installed(peers.KMEANS):
        prepares[peers.KMEANS] = peers.prepare(peers.KMEANS)
    for k, d, n in sizes:
        for dtype in dtypes:
            for impl, prepare in prepares.items():
                yield _case(k, d, n, np.dtype(dtype), impl, prepare)


def _case(k, d, n, dtype, impl, prepare):
    few, many = min(k, d), max(k, d)
    nnz = 2 * few * (few.bit_length() - 2) + 2 * many
    stored = nnz if impl == OURS else k * d
    index = 4 if impl == OURS else 0
    return AssignmentCase(
        group="assignment",
        impl=impl,
        params={"m": k, "n": d, "points": n, "dtype": dtype.name},
        make=lambda rng: _inputs(k, d, n, dtype, rng),
        prepare=prepare,
        reference=_scores,
        bound=2 * d**0.5 * float(np.finfo(dtype).eps),
        size=stored * (dtype.itemsize + index) + n * (d * dtype.itemsize + 4),
        flops=2 * stored * n,
        nnz=stored,
        yardstick=ARGMIN,
        rival=peers.is_peer(impl),
    )


def _inputs(k, d, n, dtype, rng):
    few = min(k, d)
    shapes = [(few, few)] * (few.bit_length() - 1)
    shapes[0], shapes[-1] = (k, shapes[0][1]), (shapes[-1][0], d)
    factors = FactorProduct([_factor(m, p, rng).astype(dtype) for m, p in shapes])
    x = rng.standard_normal((n, d)).astype(dtype)
    return AssignmentInputs(factors, factors.toarray(), x)


def _factor(m, n, rng):
    """Draw a factor with two entries ±1/√2 in each row or column of its longer side."""
    long, short = max(m, n), min(m, n)
    place = rng.permutation(long) % short
    rows = np.concatenate([place, (place + 1) % short])
    columns = np.tile(rng.permutation(long), 2)
    signs = rng.choice([-1.0, 1.0], 2 * long) / np.sqrt(2)
    factor = sp.csr_array((signs, (rows, columns)), shape=(short, long))
    return factor if m == short else sp.csr_array(factor.T)


def _scores(inputs):
    """Return squared distances without the squared norms of the points, in double."""
    centres = inputs.dense.astype(np.float64)
    return (centres**2).sum(axis=1) - 2 * inputs.x.astype(np.float64) @ centres.T


def _ours(inputs):
    nearest = built_once(inputs, lambda: NearestRows(inputs.factors))
    x = inputs.x
    return lambda: nearest(x)[0]


def _ours_dense(inputs):
    nearest, x = NearestRows(FactorProduct([inputs.dense])), inputs.x
    return lambda: nearest(x)[0]


def _dense(inputs):
    centres, x = inputs.dense, inputs.x
    bias, turned = (centres**2).sum(axis=1), -2 * centres.T
    values = np.empty((CHUNK, len(centres)), x.dtype)
    labels = np.empty(len(x), np.int32)

    def call():
        for start in range(0, len(x), CHUNK):
            part = x[start : start + CHUNK]
            found = np.matmul(part, turned, out=values[: len(part)])
            found += bias
            labels[start : start + CHUNK] = found.argmin(axis=1)
        return labels

    return call
