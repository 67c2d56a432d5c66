"""Squared distances to centers, fast by a product and exact where that is in doubt."""

import math

import numpy as np

from ..kernels import correct_distances
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
        self._distances = norms(wide)  # from the origin
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
            lengths = norms(z.astype(dtype, copy=False)).astype(np.float64)
            squares = self.operator @ z.T
            squares = squares.astype(dtype, copy=False)
            squares *= -2
            squares += self._norms.astype(dtype)[:, None]
            added = lengths**2
            if self.whole and self.shift is not None:
                added += 2 * (z @ self.shift)
            squares += added.astype(dtype)
        if not np.isfinite(lengths).all():
            _check_norms(x)
        self._correct(squares, x, lengths, roots)
        return squares

    def _correct(self, squares, x, lengths, roots):
        """Compute squares anew where their error may be too large, and take roots."""
        name = squares.dtype.name
        tolerance, info = ACCURACY[name], np.finfo(name)
        eps = float(info.eps)
        # Rounding errors are as likely up as down: they grow like the root of their
        # number.
        ratio = (2 + 0.5 * math.sqrt(self._steps)) * eps / tolerance
        floors = np.full(len(squares), float(info.smallest_normal) / eps)
        if self.shift is not None:  # the centers are rounded after the shift is added
            rounding = 2 * float(np.finfo(self.centers.dtype).eps) * self._distances
            floors += (rounding / tolerance) ** 2
        correct_distances(
            squares, x, self.centers, self._reach, lengths, floors, ratio, roots
        )


def _check_norms(x):
    """Raise a ValueError where squared norms of points overflow in double precision."""
    with np.errstate(over="ignore"):
        if not np.isfinite(norms(x.astype(np.float64))).all():
            raise ValueError("X is too large: squared distances overflow")
