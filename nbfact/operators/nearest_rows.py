"""NearestRows: the row of a fast operator that is nearest to each of many points."""

from typing import Any

import numba
import numpy as np
import scipy.sparse as sp

from .._core.checks import array_of
from ..kernels import PackedCenters, nearest_rows, nearest_rows_parallel
from ..kernels.registers import BYTES
from ..kernels.tiles import LANES
from .butterfly import Butterfly
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .program import TEAM

# Rows that are made dense together, and points that are copied or multiplied together.
BLOCK = 256
COPIED = 4096


class NearestRows:
    """The row of an operator that is nearest to each point, without the distances.

    Parameters
    ----------
    operator : FastOperator, shape (K, D)
        Its rows v are the centres; real.
    bias : array_like, shape (K,), optional
        Added to -2 <v, x>, finite; by default the squared norms of the rows, in double
        precision.

    Attributes
    ----------
    operator : FastOperator
    bias : ndarray, shape (K,), of float64

    Raises
    ------
    TypeError
        An operator that is no FastOperator, or complex; a bias that is not real.
    ValueError
        A bias that is not finite, or not of K entries.

    Notes
    -----
    Factors of a `FactorProduct` or a `Butterfly` are applied to tiles of points in one
    pass, `operator.nnz` multiplications a point and little memory; neighbours whose
    product is as sparse as the two are multiplied out before, rows and blocks of
    columns that nothing uses are left out. Other operators multiply tiles of points.

    References
    ----------
    L. Giffon, V. Emiya, L. Ralaivola, H. Kadri, QuicK-means: speeding up inference for
    K-means by learning fast transforms, Machine Learning, 2021.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators import NearestRows
    >>> centres = nf.FactorProduct([[[0.0, 1.0], [1.0, 0.0]]], scale=3.0)
    >>> NearestRows(centres)([[2.0, 1.0], [0.0, 4.0]])
    (array([1, 0], dtype=int32), array([ -3., -15.]))
    """

    def __init__(self, operator: FastOperator, bias: Any = None) -> None:
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
        self._packed = {}

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_packed": {}}

    def __call__(self, x: Any, parallel: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest row of each point, and its bias - 2 <v, x>.

        Parameters
        ----------
        x : array_like, shape (N, D)
            Real, finite; float32 stays float32, other dtypes become float64. Copied in
            blocks where it is not C-contiguous.
        parallel : bool
            Whether Numba's threads share the points: the same result. Calls wait for
            one another, as in `Butterfly.apply`.

        Returns
        -------
        labels : ndarray, shape (N,), of int32
            The smallest of those that are equally near.
        scores : ndarray, shape (N,), of the dtype of x
            The squared distance is |x|² more, with the default bias.

        Raises
        ------
        TypeError
            For points that are not real numbers.
        ValueError
            For another shape.
        """
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
            run(tile, labels[part], scores[part], parallel)
        return labels, scores

    def _fused(self, x, labels, scores, parallel):
        """Fill labels and scores by the fused kernel."""
        if x.dtype not in self._packed:
            self._packed[x.dtype] = _pack(self.operator, self.bias, x.dtype)
        packed, rows = self._packed[x.dtype]
        size, width = rows * LANES, LANES // x.itemsize
        parts = -(-len(x) // width)
        if not parallel or parts == 1:
            scratch = _aligned((2, size), x.dtype)
            nearest_rows(packed, x, scratch, labels, scores)
            return
        with TEAM:
            scratch = _aligned((min(numba.get_num_threads(), parts), 2, size), x.dtype)
            nearest_rows_parallel(packed, x, scratch, labels, scores)

    def _by_products(self, x, labels, scores, parallel):
        """Fill labels and scores by products of the operator with tiles of points."""
        bias = self.bias.astype(x.dtype)[:, None]
        for start in range(0, len(x), BLOCK):
            part = slice(start, start + BLOCK)
            values = bias - 2 * (self.operator @ x[part].T).astype(x.dtype, copy=False)
            labels[part] = values.argmin(axis=0)
            scores[part] = values.min(axis=0)


def squared_norms(operator: FastOperator) -> np.ndarray:
    """Return the squared norms of the rows of a real operator, (K,), in float64.

    Notes
    -----
    Costs `operator.nnz` multiplications a row, 256 rows at a time.
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
    """Return the array, or raise where it does not hold real numbers."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    return array


def _has_factors(operator):
    return isinstance(operator, FactorProduct | Butterfly)


def _aligned(shape, dtype):
    """Return scratch, its shape in bytes, from the beginning of a cache line.

    NumPy's begin at any multiple of 16: every vector would then cross two lines.
    """
    memory = np.empty(int(np.prod(shape)) + BYTES, np.uint8)
    start = -memory.ctypes.data % BYTES
    return memory[start : len(memory) - BYTES + start].reshape(shape).view(dtype)


def _pack(operator, bias, dtype):
    """Return what `nearest_rows` takes of an operator, and the most rows of a tile."""
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
    """Multiply out neighbours where that makes the pass over a tile no longer.

    A row that is written costs about as much as an entry that is read.
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
    """Leave out intermediate rows that are empty, and those that nothing reads."""
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

    Blocks are of `size` columns, the last one may overlap with the one before.
    """
    last = max(factor.shape[1] - size, 0)
    used = np.unique(factor.indices // size)
    blocks = np.minimum(used * size, last)
    block = np.searchsorted(used, factor.indices // size)
    places = block * size + factor.indices - blocks[block]
    shape = (factor.shape[0], max(len(blocks), 1) * size)
    packed = sp.csr_array((factor.data, places, factor.indptr), shape=shape)
    return packed, blocks.astype(np.uint64)
