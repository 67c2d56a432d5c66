"""Squared distances to centers, fast by a product and exact where that is in doubt."""

import math

import numpy as np

from ..kernels import CenterNorms, distances_from_products
from ..operators import FastOperator
from ..operators.rounding_bounds import norms, reach_of

ACCURACY = {"float32": 2.0**-16, "float64": 2.0**-40}
"""Largest relative error of a squared distance, by the dtype of its computation, up to
which it is left as the product gives it. A distance has half of it."""


class CenterDistances:
    """Squared distances of points to centers, and distances.

    |x|² + |v|² - 2 <v, x> costs a product with the operator. Where its rounding error
    may exceed `ACCURACY`, because a distance is far smaller than the norms of x and v,
    the squared differences are summed in double precision.

    Parameters
    ----------
    operator : FastOperator or array, (K, D)
        The centers less the shift; or the centers, if `whole`.
    centers : array, (K, D)
    shift : array, (D,), or None
        A point that is subtracted from points and centers.
    whole : bool
        Whether the rows of the operator are the centers.
    """

    def __init__(
        self,
        operator: FastOperator | np.ndarray,
        centers: np.ndarray,
        shift: np.ndarray | None,
        *,
        whole: bool = False,
    ) -> None:
        self.operator, self.shift, self.whole = operator, shift, whole
        self.centers = np.require(centers, requirements=("C", "W"))
        wide = self.centers.astype(np.float64)
        self._lengths = norms(wide)
        self._limits: dict[np.dtype, tuple[CenterNorms, float]] = {}
        self._norms = norms(wide if shift is None else wide - shift) ** 2
        if isinstance(operator, np.ndarray):
            reach, self._steps = norms(operator.astype(np.float64)), operator.shape[1]
        else:
            reach, self._steps = reach_of(operator)
        if whole and shift is not None:
            reach = reach + norms(shift.astype(np.float64))
        self._reach = reach

    def squares(self, x: np.ndarray, *, roots: bool = False) -> np.ndarray:
        """Return the squared distances, (K, n), of the centers to points x (n, D).

        Parameters
        ----------
        x : array, (n, D)
            float32 or float64, finite.
        roots : bool
            Whether to return the distances.

        Raises
        ------
        ValueError
            If squared norms of points overflow in double precision.
        """
        x = np.require(x, requirements=("C", "W"))
        dtype = np.result_type(self.centers.dtype, x.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            z = x if self.shift is None else x - self.shift.astype(dtype)
            z = z.astype(dtype, copy=False)
            added = np.einsum("nd,nd->n", z, z)
            lengths = np.sqrt(added)
            if self.whole and self.shift is not None:
                added = added + 2 * (z @ self.shift.astype(dtype))
            # In C order, in which the kernel reads the products, one center at a time.
            squares = np.asarray(self.operator @ np.ascontiguousarray(z.T), dtype, "C")
            if not np.isfinite(lengths).all():
                _check_norms(x)
            of_centers, ratio = self._of_centers(dtype)
            centers = self.centers
            distances_from_products(
                squares, x, centers, of_centers, added, lengths, ratio, roots
            )
        return squares

    def _of_centers(self, dtype: np.dtype) -> tuple[CenterNorms, float]:
        """Return what the kernel reads of the centers, and its ratio."""
        if dtype not in self._limits:
            tolerance, info = ACCURACY[dtype.name], np.finfo(dtype)
            eps = float(info.eps)
            # Rounding errors are as likely up as down: they grow like the root of their
            # number.
            ratio = (2 + 0.5 * math.sqrt(self._steps)) * eps / tolerance
            floors = np.full(len(self.centers), float(info.smallest_normal) / eps)
            if self.shift is not None:  # centers are rounded after it is added
                rounding = 2 * float(np.finfo(self.centers.dtype).eps) * self._lengths
                floors += (rounding / tolerance) ** 2
            arrays = self._norms, self._reach, floors
            found = CenterNorms(*(array.astype(dtype) for array in arrays))
            self._limits[dtype] = found, ratio
        return self._limits[dtype]


def _check_norms(x):
    """Raise a ValueError where squared norms of points overflow in double precision."""
    with np.errstate(over="ignore"):
        if not np.isfinite(norms(x.astype(np.float64))).all():
            raise ValueError("X is too large: squared distances overflow")
