"""NearestRows: find the row of a fast operator nearest to each of many points."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import array_of
from .._core.threads import share
from .._core.threads import threads as threads_of
from ..kernels import PackedCenters, nearest_rows
from ..kernels.registers import BYTES
from ..kernels.tiles import LANES
from .butterfly import Butterfly
from .factor_product import FactorProduct
from .fast_operator import FastOperator

BLOCK = 256
"""Number of rows whose norms, and of points whose products, are computed together, so
that the dense arrays stay small."""
COPIED = 4096
"""Number of points that are copied together when x is of another dtype or layout, so
that no copy of all points is made."""


class NearestRows:
    """A function that finds the row of an operator nearest to each of many points.

    The distances are not kept, so that no array of all of them is made.

    Parameters
    ----------
    operator : FastOperator or Factorization, shape (K, D)
        A real operator, or a result that holds one, whose rows v are the centres.
    bias : array_like, shape (K,), optional
        Finite numbers to add to -2 <v, x>; by default the squared norms of the rows, in
        double precision, which gives the Euclidean distance.

    Attributes
    ----------
    operator : FastOperator
    bias : ndarray of float64, shape (K,)

    Raises
    ------
    TypeError
        When the operator is no FastOperator or is complex, or the bias is not real.
    ValueError
        When the bias is not finite, or has not K entries.

    See Also
    --------
    nbfact.QuicKMeans : K-means whose centres are the rows of such an operator.
    nbfact.kernels.nearest_rows : The kernel.

    Notes
    -----
    The factors of a `FactorProduct` or a `Butterfly` are applied to a tile of points in
    one pass, which costs ``operator.nnz`` multiplications per point and little memory.
    Before, neighbours whose product is as sparse as the two are multiplied out, and
    rows and blocks of columns that are not used are dropped. Any other operator
    multiplies tiles of points.

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713).

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators import NearestRows
    >>> centres = nf.FactorProduct([[[0.0, 1.0], [1.0, 0.0]]], scale=3.0)
    >>> NearestRows(centres)([[2.0, 1.0], [0.0, 4.0]])
    (array([1, 0], dtype=int32), array([ -3., -15.]))
    """

    def __init__(self, operator: Any, bias: Any = None) -> None:
        operator = getattr(operator, "operator", operator)
        if not isinstance(operator, FastOperator):
            raise TypeError(f"operator: {type(operator)}; expected a FastOperator")
        if operator.dtype.kind == "c":
            raise TypeError(f"operator has dtype {operator.dtype}: expected a real one")
        self.operator = operator
        if bias is None:
            self.bias = squared_norms(operator)
        else:
            self.bias = _real(array_of("bias", bias, 1), "bias").astype(np.float64)
            if len(self.bias) != operator.shape[0]:
                raise ValueError(
                    f"bias has {len(self.bias)} entries, the operator "
                    f"{operator.shape[0]} rows"
                )
        self._packed: dict[np.dtype, tuple] = {}

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_packed": {}}

    def __call__(
        self, x: Any, *, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the nearest row of each point, and its score.

        Parameters
        ----------
        x : array_like, shape (N, D)
            The points: real and finite. float32 stays float32, and other dtypes become
            float64. They are copied in blocks when they are converted or not
            C-contiguous.
        threads : int, optional
            Number of threads that share the points, as in `nbfact.threads`; by default
            that of the enclosing block. The result is the same.

        Returns
        -------
        labels : ndarray of int32, shape (N,)
            Index of the nearest row; the smallest one when several are equally near.
        scores : ndarray, shape (N,)
            bias - 2 <v, x> for that row v, in float32 or float64 as x is. With the
            default bias, the squared distance is the score plus |x|².

        Raises
        ------
        TypeError
            When the points are not real numbers, or `threads` is no integer.
        ValueError
            When the shape is another, or `threads` is below 1.
        """
        if threads is not None:
            with threads_of(threads):
                return self(x)
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.operator.shape[1]:
            raise ValueError(
                f"x has shape {x.shape}; expected (N, {self.operator.shape[1]}), the "
                f"rows of the operator {self.operator.shape}"
            )
        dtype = np.dtype("f4" if _real(x, "x").dtype == np.float32 else "f8")
        labels, scores = np.empty(len(x), np.int32), np.empty(len(x), dtype)
        run = self._fused if _has_factors(self.operator) else self._by_products
        step = max(len(x), 1) if x.dtype == dtype and x.flags.c_contiguous else COPIED
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            tile = np.ascontiguousarray(x[part], dtype)
            run(tile, labels[part], scores[part])
        return labels, scores

    def _fused(self, x, labels, scores):
        """Fill labels and scores by the kernel that applies all factors in one pass."""
        if x.dtype not in self._packed:
            self._packed[x.dtype] = _pack(self.operator, self.bias, x.dtype)
        packed, rows = self._packed[x.dtype]

        def search(i, j):
            scratch = _aligned((2, rows * LANES), x.dtype)
            nearest_rows(packed, x[i:j], scratch, labels[i:j], scores[i:j])

        share(packed.data.nbytes, len(x), search, LANES // x.itemsize)

    def _by_products(self, x, labels, scores):
        """Fill labels and scores by products of the operator with blocks of points."""
        bias = self.bias.astype(x.dtype)[:, None]

        def search(begin, end):
            for start in range(begin, end, BLOCK):
                part = slice(start, min(start + BLOCK, end))
                products = (self.operator @ x[part].T).astype(x.dtype, copy=False)
                values = bias - 2 * products
                labels[part] = values.argmin(axis=0)
                scores[part] = values.min(axis=0)

        share(self.operator.nnz * x.itemsize, len(x), search, BLOCK)


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


def _real(array, name):
    """Return the array, or raise a TypeError when it does not hold real numbers."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    return array


def _has_factors(operator):
    """Return whether an operator can be packed as sparse factors."""
    return isinstance(operator, FactorProduct | Butterfly)


def _aligned(shape, dtype):
    """Return a scratch array that starts at a cache line; its shape is in bytes.

    NumPy's arrays start at any multiple of 16 bytes, so that every vector of 64 bytes
    could cross two cache lines.
    """
    memory = np.empty(int(np.prod(shape)) + BYTES, np.uint8)
    start = -memory.ctypes.data % BYTES
    return memory[start : len(memory) - BYTES + start].reshape(shape).view(dtype)


def _pack(operator, bias, dtype):
    """Return an operator as the kernel `nearest_rows` takes it, and the rows of a tile.

    That number is the largest one that the factors need.
    """
    if isinstance(operator, Butterfly):
        operator = operator.to_factors()
    factors = [factor.astype(np.float64) for factor in reversed(operator.factors)]
    factors = _pruned(_merged(factors))
    factors[-1] = factors[-1] * (-2 * operator.scale)
    factors[0], blocks = _in_blocks(factors[0], BYTES // dtype.itemsize)
    heights = [factor.shape[0] for factor in factors]
    ends = np.concatenate([[0], *(np.diff(factor.indptr) for factor in factors)])
    indices = np.concatenate([factor.indices for factor in factors])
    unsigned = np.uint32 if ends.sum() < 2**32 else np.uint64
    packed = PackedCenters(
        np.concatenate([factor.data for factor in factors]).astype(dtype),
        indices.astype(unsigned),
        ends.cumsum().astype(unsigned),
        np.array(heights, np.int64),
        bias.astype(dtype),
        blocks,
    )
    return packed, max(factors[0].shape[1], *heights)


def _merged(factors):
    """Return factors whose neighbours are multiplied out where that saves time.

    A row that is written costs about as much time as an entry that is read.
    """
    merged = factors[:1]
    for factor in factors[1:]:
        before = merged[-1]
        both = sp.csr_array(factor @ before)
        if both.nnz <= before.nnz + factor.nnz + before.shape[0]:
            merged[-1] = both
        else:
            merged.append(factor)
    return merged


def _pruned(factors):
    """Return the factors without rows between them that are empty or never read."""
    factors = list(factors)
    forward, backward = range(len(factors) - 1), reversed(range(len(factors) - 1))
    for j in [*forward, *backward]:
        read = np.bincount(factors[j + 1].indices, minlength=factors[j].shape[0]) > 0
        kept = np.flatnonzero(read & (np.diff(factors[j].indptr) > 0))
        factors[j] = sp.csr_array(factors[j][kept])
        factors[j + 1] = sp.csr_array(factors[j + 1][:, kept])
    return factors


def _in_blocks(factor, size):
    """Return the first factor on the blocks of columns that it reads, and the blocks.

    A block has `size` columns, and is given by its first column. The last block may
    overlap with the one before.
    """
    last = max(factor.shape[1] - size, 0)
    used = np.unique(factor.indices // size)
    blocks = np.minimum(used * size, last)
    block = np.searchsorted(used, factor.indices // size)
    places = block * size + factor.indices - blocks[block]
    shape = (factor.shape[0], max(len(blocks), 1) * size)
    packed = sp.csr_array((factor.data, places, factor.indptr), shape=shape)
    return packed, blocks.astype(np.uint64)
