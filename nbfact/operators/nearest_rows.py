"""NearestRows: find the row of a fast operator nearest to each of many points."""

import functools
from typing import Any

import numpy as np

from .._core.array_checks import array_of
from .._core.threads import share
from .._core.threads import threads as threads_of
from ..kernels import nearest_exactly, nearest_rows, two_smallest
from ..kernels.registers import BYTES
from ..kernels.tiles import LANES
from .butterfly import Butterfly
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .packed_centers import aligned, pack
from .rounding_bounds import norms, reach_of, spectral_norm_of, squared_norms

BLOCK = 256
"""Number of points whose products are computed together, so that the dense arrays stay
small."""
COPIED = 4096
"""Number of points that are copied together when x is of another dtype or layout, so
that no copy of all points is made."""


SETTLED = 64
"""Number of points that are compared with all rows together, so that they stay in the
second level of cache while all rows are read."""


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
    rows and blocks of columns that are not used are dropped. Any other operator
    multiplies tiles of points.

    The labels are those of the rows of ``operator.toarray() + offset`` in double
    precision: where two rows are as near as a bound of the rounding errors allows, the
    squared differences of the point and all rows are summed, which costs K D
    multiplications. Near the origin few points need it.

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
        if bias is None:
            self.bias = squared_norms(operator)
            if not np.isfinite(self.bias).all():
                raise ValueError("operator: the squared norms of its rows overflow")
        else:
            self.bias = _vector("bias", bias, operator, 0).astype(np.float64)
        self._given_bias = bias is not None
        self._packed: dict[np.dtype, tuple] = {}

    def __getstate__(self) -> dict:
        state = {**self.__dict__, "_packed": {}}
        state.pop("_rows", None)
        return state

    def __call__(
        self, x: Any, *, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of the nearest row of each point, and its score.

        Parameters
        ----------
        x : array_like, shape (N, D)
            The points: real and finite. float32 stays float32, and other dtypes become
            float64. They are copied in blocks when they are converted or not
            C-contiguous, or less an offset.
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
        run = self._fused if _has_factors(self.operator) else self._by_products
        as_it_is = x.dtype == dtype and x.flags.c_contiguous and self.offset is None
        step = max(len(x), 1) if as_it_is else COPIED
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            tile = np.ascontiguousarray(x[part], dtype)
            if self.offset is not None:
                tile = tile - self.offset.astype(dtype)
            run(tile, x[part], labels[part], scores[part])
        return labels, scores

    def _fused(self, tile, x, labels, scores):
        """Fill labels and scores by the kernel that applies all factors in one pass."""
        if tile.dtype not in self._packed:
            self._packed[tile.dtype] = self._pack(tile.dtype)
        packed, rows, reads_all = self._packed[tile.dtype]
        if not reads_all:
            _check_finite(x)

        def search(i, j):
            scratch = aligned((2, rows * LANES), tile.dtype)
            if nearest_rows(packed, tile[i:j], scratch, labels[i:j], scores[i:j]):
                self._settle(x[i:j], labels[i:j], scores[i:j], labels[i:j] < 0)

        share(packed.data.nbytes, len(tile), search, LANES // tile.itemsize)

    def _pack(self, dtype):
        """Return the arguments of the kernel for points of a dtype.

        They are the packed factors, the rows of a tile, and whether all columns of a
        point are read.
        """
        operator = self.operator
        if isinstance(operator, Butterfly):
            operator = operator.to_factors()
        packed, rows, depth = pack(operator, self.bias, dtype)
        reach, steps = reach_of(operator)
        margin = self._margin(reach.max(), steps + depth, dtype)
        packed = packed._replace(margin=margin)
        block = BYTES // dtype.itemsize
        reads_all = len(packed.blocks) * block >= operator.shape[1]
        return packed, rows, reads_all

    def _margin(self, reach, steps, dtype):
        """Return what two values of a point differ by at most through rounding.

        This is ``margin[0] + margin[1] |x|``. Each of the products -2 <v, x> is off by
        at most `steps` roundings of reach |x|. The points less the offset, and the rows
        plus the offset, are rounded once.
        """
        eps = float(max(np.finfo(dtype).eps, np.finfo(self.operator.dtype).eps))
        far = reach if self.offset is None else reach + float(norms(self.offset))
        largest = float(np.abs(self.bias).max())
        with np.errstate(over="ignore"):
            margin = np.array(
                [
                    4 * eps * (steps * (reach**2 + largest) + reach * far)
                    + 1e3 * float(np.finfo(dtype).smallest_normal),
                    2 * eps * (steps * reach + 2 * far),
                ]
            )
            return margin.astype(dtype)

    def _by_products(self, tile, x, labels, scores):
        """Fill labels and scores by products of the operator with blocks of points."""
        if "products" not in self._packed:
            self._packed["products"] = 2 * spectral_norm_of(self.operator)
        steps = 40 + 4 * int(np.log2(max(self.operator.shape)))
        margin = self._margin(self._packed["products"], steps, tile.dtype)
        with np.errstate(over="ignore"):
            bias = self.bias.astype(tile.dtype)[:, None]

        def search(begin, end):
            second = np.empty(BLOCK, tile.dtype)
            for start in range(begin, end, BLOCK):
                part = slice(start, min(start + BLOCK, end))
                points = tile[part]
                with np.errstate(over="ignore", invalid="ignore"):
                    values = (self.operator @ points.T).astype(tile.dtype, copy=False)
                    values = bias - 2 * values
                    two_smallest(
                        values, labels[part], scores[part], second[: len(points)]
                    )
                    gap = second[: len(points)] - scores[part]
                    doubtful = ~(gap > margin[0] + margin[1] * norms(points))
                if doubtful.any():
                    self._settle(x[part], labels[part], scores[part], doubtful)

        share(self.operator.nnz * tile.itemsize, len(tile), search, BLOCK)

    @functools.cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The centres in double precision, and what is added to squared distances."""
        product = self.operator.toarray()
        rows = product if self.offset is None else product + self.offset
        rows = np.ascontiguousarray(rows, np.float64)
        if not self._given_bias:
            return rows, np.zeros(len(rows))
        product = product.astype(np.float64)
        return rows, self.bias - np.einsum("kd,kd->k", product, product)

    def _settle(self, x, labels, scores, doubtful):
        """Decide by squared differences where rounding may have chosen the label.

        x: points as they were given; doubtful: (N,) of bool.
        """
        chosen = np.flatnonzero(doubtful)
        rows, excess = self._rows
        for start in range(0, len(chosen), SETTLED):
            part = chosen[start : start + SETTLED]
            points = np.ascontiguousarray(x[part], np.float64)
            found, values = np.empty(len(part), np.int32), np.empty(len(part))
            nearest_exactly(points, rows, excess, found, values)
            if self.offset is not None:
                points = points - self.offset
            with np.errstate(over="ignore", invalid="ignore"):
                values = values - np.einsum("nd,nd->n", points, points)
                exact = values.astype(scores.dtype)
            if not np.isfinite(exact).all():
                _check_finite(x)
                raise ValueError(
                    f"x or the rows of the operator are too large: scores overflow in "
                    f"{scores.dtype}"
                )
            labels[part], scores[part] = found, exact


def _points(x, shape):
    """Return points as an array, or raise where they are not real or of this width."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError("x is a masked array; fill or drop what is masked first")
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError("x is no array: its rows differ in length") from None
    if x.ndim != 2 or x.shape[1] != shape[1]:
        raise ValueError(
            f"x has shape {x.shape}; expected (N, {shape[1]}), the rows of the "
            f"operator {shape}"
        )
    return _real(x, "x")


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


def _has_factors(operator):
    """Return whether an operator can be packed as sparse factors."""
    return isinstance(operator, FactorProduct | Butterfly)
