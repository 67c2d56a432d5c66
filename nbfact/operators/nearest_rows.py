"""NearestRows: find the row of a fast operator nearest to each of many points."""

import functools
import math
from typing import Any

import numpy as np

from .._core.array_checks import array_of, as_base_array
from .._core.cache_lines import aligned
from .._core.threads import share
from .._core.threads import threads as threads_of
from ..kernels import (
    nearest_dense_rows,
    nearest_exactly,
    nearest_from_products,
    nearest_rows,
)
from ..kernels.tiles import LANES
from ..kernels.vectors import BYTES
from .fast_operator import FastOperator
from .packed_centers import pack, pack_dense
from .rounding_bounds import norms, squared_norms, with_factors
from .search_rounding import SearchRounding, search_rounding

BLOCK = 256
"""Number of points whose products are computed together, so that the dense arrays stay
small."""
COPIED = 4096
"""Number of points that are copied together when x is of another dtype or layout, so
that no copy of all points is made."""

FULL = 0.4
"""Least number of entries of the factors, over K D, from which on their product is
multiplied as a dense matrix: an entry of a sparse factor takes two to three times the
time."""

REPEATS = 8
"""Number of points from which the offset is subtracted in one loop of NumPy: one loop
for each point takes three times as long, and longer ones read more memory."""

SETTLED = 128
"""Number of points that are compared with rows together, so that they stay in cache
while the rows are read."""

DIRECT = 2**17
"""Number of entries of rows, over all points that are compared, up to which all rows
are compared: to find those that may be nearest takes as long."""


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
    offset : array_like, shape (D,), optional
        Finite numbers to add to each row of the operator: the centres are then v +
        offset, and points are taken less the offset, which keeps their digits where all
        centres are far from the origin.

    Attributes
    ----------
    operator : FastOperator
    bias : ndarray of float64, shape (K,)
    offset : ndarray, shape (D,), or None

    Raises
    ------
    TypeError
        When the operator is no FastOperator or is complex, or the bias or the offset is
        not real.
    ValueError
        When the bias or the offset is not finite or has another length, or the squared
        norms of rows overflow.

    See Also
    --------
    nbfact.QuicKMeans : K-means whose centres are the rows of such an operator.
    nbfact.kernels.nearest_rows : The kernel.

    Notes
    -----
    The factors of a `FactorProduct` or a `Butterfly` are applied to a tile of points in
    one pass, which costs ``operator.nnz`` multiplications per point and little memory.
    Before, neighbours whose product is as sparse as the two are multiplied out, and
    rows and blocks of columns that are not used are dropped. Where the factors have
    two fifths of the entries of their product or more, it is multiplied as a dense
    matrix, in one pass too. Any other operator multiplies tiles of points.

    The labels are those of the rows of ``operator.toarray() + offset`` in double
    precision: where two rows are as near as a bound of the rounding errors allows, the
    squared differences of the point and these rows are summed, D multiplications each.
    Near the origin few points need it, far from it most.

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713)
    [giffon2021].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators import NearestRows
    >>> centres = nf.FactorProduct([[[0.0, 1.0], [1.0, 0.0]]], scale=3.0)
    >>> NearestRows(centres)([[2.0, 1.0], [0.0, 4.0]])
    (array([1, 0], dtype=int32), array([ -3., -15.]))
    """

    def __init__(self, operator: Any, bias: Any = None, *, offset: Any = None) -> None:
        operator = getattr(operator, "operator", operator)
        if not isinstance(operator, FastOperator):
            raise TypeError(f"operator: {type(operator)}; expected a FastOperator")
        if operator.dtype.kind == "c":
            raise TypeError(f"operator has dtype {operator.dtype}: expected a real one")
        self.operator = operator
        self.offset = None
        if offset is not None:
            self.offset = _vector("offset", offset, operator, 1)
        self._dense = _dense_rows(operator)
        if bias is None:
            if self._dense is None:
                self.bias = squared_norms(operator)
            else:
                wide = self._dense.astype(np.float64)
                self.bias = np.einsum("kd,kd->k", wide, wide)
            if not np.isfinite(self.bias).all():
                raise ValueError("operator: the squared norms of its rows overflow")
        else:
            self.bias = _vector("bias", bias, operator, 0).astype(np.float64)
        self._given_bias = bias is not None
        self._packed: dict[np.dtype, tuple] = {}
        self._roundings: dict[np.dtype, SearchRounding] = {}

    def __getstate__(self) -> dict:
        derived = ("_rows", "_dense")
        kept = {
            name: value for name, value in vars(self).items() if name not in derived
        }
        return {**kept, "_packed": {}, "_roundings": {}}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._dense = _dense_rows(self.operator)

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
            bias - 2 <v, x - offset> for that row v, in float32 or float64 as x is. With
            the default bias, the squared distance is the score plus |x - offset|².

        Raises
        ------
        TypeError
            When the points are not real numbers or are masked, or `threads` is no
            integer.
        ValueError
            When the shape is another, x contains NaN or infinity, a score is too large
            for the dtype of x, or `threads` is below 1.
        """
        if threads is not None:
            with threads_of(threads):
                return self(x)
        x = _points(x, self.operator.shape)
        dtype = np.dtype("f4" if x.dtype == np.float32 else "f8")
        labels, scores = np.empty(len(x), np.int32), np.empty(len(x), dtype)
        fused = with_factors(self.operator) is not None
        run = self._fused if fused else self._by_products
        as_it_is = x.dtype == dtype and x.flags.c_contiguous
        step = max(len(x), 1) if as_it_is else COPIED
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            tile = np.ascontiguousarray(x[part], dtype)
            run(tile, x[part], labels[part], scores[part])
        return labels, scores

    def _fused(self, tile, x, labels, scores):
        """Fill labels and scores by the kernel that applies all factors in one pass."""
        if tile.dtype not in self._packed:
            self._packed[tile.dtype] = self._pack(tile.dtype)
        kernel, packed, room, kept, reads_all, idle = self._packed[tile.dtype]
        if not reads_all:
            _check_finite(x)

        def search(i, j):
            found, best = labels[i:j], scores[i:j]
            try:
                scratch = idle.pop()
            except IndexError:
                scratch = aligned(room, tile.dtype)
            n_doubtful = kernel(packed, tile[i:j], scratch, found, best)
            idle.append(scratch)
            doubtful = found < 0 if n_doubtful else None
            if kept is not None:
                np.take(kept, found, out=found, mode="clip")
            if doubtful is not None:
                self._settle(x[i:j], found, best, doubtful)

        share(packed.data.nbytes, len(tile), search, LANES // tile.itemsize)

    def _pack(self, dtype):
        """Return the kernel for points of a dtype, and its arguments.

        They are the packed rows or factors, the shape of a scratch array, the numbers
        of the packed rows where some are left out, whether all columns of a point are
        read, and a list of the scratch arrays that no thread uses, which are kept for
        the next call.
        """
        margin, bias, offset = self._rounding(dtype)
        width = LANES // dtype.itemsize
        if self._dense is not None:
            dense, rows, kept = pack_dense(self._dense, bias, offset, dtype)
            dense = dense._replace(margin=margin)
            return nearest_dense_rows, dense, (rows * width,), kept, True, []
        product = with_factors(self.operator)
        assert product is not None
        packed, rows, kept = pack(product, bias, offset, dtype)
        packed = packed._replace(margin=margin)
        block = BYTES // dtype.itemsize
        reads_all = len(packed.blocks) * block >= self.operator.shape[1]
        return nearest_rows, packed, (2, rows * width), kept, reads_all, []

    def _rounding(self, dtype) -> SearchRounding:
        """Return how points of a dtype are compared, which is computed once."""
        if dtype not in self._roundings:
            self._roundings[dtype] = search_rounding(
                self.operator, self._dense, self.bias, self.offset, dtype
            )
        return self._roundings[dtype]

    def _by_products(self, tile, x, labels, scores):
        """Fill labels and scores by products of the operator with blocks of points."""
        dtype = tile.dtype
        margin, bias, offset = self._rounding(dtype)
        with np.errstate(over="ignore"):
            bias = bias.astype(dtype)
        if offset is not None:
            offset = np.tile(offset, REPEATS)

        def multiply(points, out):
            values = self.operator @ np.ascontiguousarray(points.T)
            return np.multiply(values, -2, out, casting="same_kind")

        @np.errstate(over="ignore", invalid="ignore")
        def search(begin, end):
            second, in_doubt = np.empty(BLOCK, dtype), 0
            moved = None if offset is None else np.empty((BLOCK, tile.shape[1]), dtype)
            room = np.empty((len(bias), BLOCK), dtype)
            for start in range(begin, end, BLOCK):
                part = slice(start, min(start + BLOCK, end))
                points, n = tile[part], part.stop - start
                if moved is not None and offset is not None:
                    wide = len(offset) if n % REPEATS == 0 else tile.shape[1]
                    rows = points.reshape(-1, wide), moved[:n].reshape(-1, wide)
                    points = np.subtract(rows[0], offset[:wide], out=rows[1])
                    points = points.reshape(n, -1)
                out = room if n == BLOCK else np.empty((len(bias), n), dtype)
                in_doubt += nearest_from_products(
                    *(multiply(points, out), bias, points, margin),
                    *(labels[part], scores[part], second),
                )
            if in_doubt:
                chosen = slice(begin, end)
                doubtful = labels[chosen] < 0
                self._settle(x[chosen], labels[chosen], scores[chosen], doubtful)

        share(self.operator.nnz * tile.itemsize, len(tile), search, BLOCK)

    @functools.cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The centres, what is added to squared distances, and the operator's rows.

        They are in double precision.
        """
        product = self.operator.toarray()
        rows = product if self.offset is None else product + self.offset
        rows = np.ascontiguousarray(rows, np.float64)
        own = rows if self.offset is None else product.astype(np.float64)
        if not self._given_bias:
            return rows, np.zeros(len(rows)), own
        return rows, self.bias - np.einsum("kd,kd->k", own, own), own

    def _settle(self, x, labels, scores, doubtful):
        """Decide by squared differences where rounding may have chosen the label.

        Of many points only the rows that may be nearest are compared. x: points as they
        were given; doubtful: (N,) of bool.
        """
        (chosen,) = doubtful.nonzero()
        rows, excess, own = self._rows
        for start in range(0, len(chosen), SETTLED):
            part = chosen[start : start + SETTLED]
            points = x[part].astype(np.float64, order="C")
            moved = points if self.offset is None else points - self.offset
            found, squares = np.empty(len(part), np.int32), np.empty(len(part))
            with np.errstate(over="ignore", invalid="ignore"):
                if len(part) * rows.size <= DIRECT:
                    values = np.zeros((len(rows), len(part)))
                    limits = np.zeros(len(part))
                else:
                    values, limits = self._near(moved)
                nearest_exactly(points, rows, excess, values, limits, found, squares)
                # How values are rounded depends on the number of points.
                exact = self.bias[found] - 2 * np.einsum("nd,nd->n", own[found], moved)
                exact = exact.astype(scores.dtype)
            if not (np.isfinite(exact) & np.isfinite(squares)).all():
                _check_finite(x)
                raise ValueError(
                    f"x or the rows of the operator are too large: scores overflow in "
                    f"{scores.dtype}"
                )
            labels[part], scores[part] = found, exact

    def _near(self, moved):
        """Return the values of all rows, (K, n), and what those of near rows are below.

        moved: points in double precision, less the offset.
        """
        margin = self._rounding(np.dtype("f8")).margin
        values = self.operator @ np.ascontiguousarray(moved.T)
        values *= -2
        values += self.bias[:, None]
        # A copy, because NumPy takes minima of short rows one by one.
        least = values.T.copy().min(axis=1)
        return values, least + margin[0] + margin[1] * norms(moved)


def _points(x, shape):
    """Return points as an array, or raise where they are not real or of this width."""
    x = as_base_array("x", x)
    if x.ndim != 2 or x.shape[1] != shape[1]:
        raise ValueError(
            f"x has shape {x.shape}; expected (N, {shape[1]}), the rows of the "
            f"operator {shape}"
        )
    return _real(x, "x")


def _dense_rows(operator):
    """Return a product of factors that are nearly as large as it is, or None."""
    product = with_factors(operator)
    if product is not None and product.nnz >= FULL * math.prod(product.shape):
        return product.toarray()
    return None


def _check_finite(x):
    """Raise a ValueError when points contain NaN or infinity."""
    if not np.isfinite(x).all():
        raise ValueError("x contains NaN or infinity")


def _vector(name, value, operator, axis):
    """Return a real vector that is as long as an axis of the operator, or raise."""
    vector = _real(array_of(name, value, 1), name)
    if len(vector) != operator.shape[axis]:
        raise ValueError(
            f"{name} has {len(vector)} entries, the operator {operator.shape[axis]} "
            f"{('rows', 'columns')[axis]}"
        )
    return vector


def _real(array, name):
    """Return the array, or raise a TypeError when it does not hold real numbers."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}: expected real numbers")
    return array
