"""Convolution: circulant, Toeplitz and Hankel matrices as calls of scipy.fft.

A circulant matrix is F⁻¹ diag(F c) F with its first column c. Its chain stores about
four times log2(n) values for each entry of c; the library needs the spectrum F c alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._core import threads
from .._core.dtypes import real_dtype
from .formulas import transform_work

CALLS = {"real": 10000.0, "complex": 12000.0}
"""Time of a product with very few numbers, in nanoseconds: two calls of scipy.fft and
the multiplication by the spectrum."""
RATES = {
    "real": {"vector": (0.17, 0.25), "columns": (0.1, 0.17)},
    "complex": {"vector": (0.18, 0.36), "columns": (0.2, 0.33)},
}
"""Nanoseconds for each unit of `convolution_work` and vector, of single and of double
precision. ``nbfact study rates`` prints them."""


def convolution_work(order: int) -> float:
    """Return the work of a product, in the units of `transform_work`.

    Beside a transform, every number is multiplied by the spectrum, read and written.
    """
    return transform_work(order) + 8 * order


class Convolution:
    """Rows and columns of a circulant matrix, by two Fourier transforms.

    Parameters
    ----------
    column : ndarray, shape (order,)
        First column of the circulant matrix, real or complex.
    shape : (int, int)
        Numbers m and n of its first rows and columns that are taken.
    reverse : bool
        Whether the m rows are in reverse order.

    Attributes
    ----------
    column, shape, reverse
        The column is stored in double precision, and read-only.
    """

    takes_real = False
    """Whether the library takes real numbers for a complex product, see `Formula`."""
    is_symmetric = False
    """Whether rows of its matrix are conjugate, see `Formula`."""
    takes_complex = True
    """Whether the library takes complex numbers as they are, see `Formula`."""

    def __init__(
        self, column: np.ndarray, shape: tuple[int, int], reverse: bool = False
    ) -> None:
        kind = np.complex128 if column.dtype.kind == "c" else np.float64
        self.column = column.astype(kind)
        self.column.setflags(write=False)
        self.shape, self.reverse = shape, reverse

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Convolution) and (
            (self.shape, self.reverse) == (other.shape, other.reverse)
            and self.column.dtype == other.column.dtype
            and np.array_equal(self.column, other.column)
        )

    __hash__ = None  # type: ignore[assignment]

    def transposed(self) -> "Convolution":
        """Return the formula of the transpose."""
        m, n = self.shape
        if self.reverse:
            column = np.roll(self.column, n - m)
        else:
            column = np.roll(self.column[::-1], 1)
        return Convolution(column, (n, m), self.reverse)

    def conjugate(self) -> "Convolution":
        """Return the formula of the conjugate matrix."""
        return Convolution(self.column.conj(), self.shape, self.reverse)

    def scaled(self, number: float | complex) -> "Convolution":
        """Return the formula of the matrix times a number."""
        return Convolution(self.column * number, self.shape, self.reverse)

    def weighted(self, weights: np.ndarray) -> "Convolution | None":
        """Return the formula with columns times weights, None unless they are equal."""
        mean = float(weights.mean(dtype=float))
        apart = np.max(abs(weights - mean))
        if apart > 16 * np.finfo(weights.dtype).eps * abs(mean):
            return None
        return self.scaled(mean)

    def cost(self, n: int, dtype: np.dtype, batch: int) -> float:
        """Return the time that a product is expected to take, see `Formula.cost`."""
        kind = "complex" if dtype.kind == "c" else "real"
        double = real_dtype(dtype).itemsize == 8
        rate = RATES[kind]["vector" if batch == 1 else "columns"][double]
        return CALLS[kind] + rate * convolution_work(len(self.column)) * batch

    def multiplier(self, n: int, dtype: np.dtype) -> Callable:
        """Return the function (x, out=None, axis=0) that multiplies by scipy.fft.

        It takes and returns arrays as that of `Formula.multiplier` does.
        """
        import scipy.fft  # not at the top: it takes longer to import than nbfact

        order, m = len(self.column), self.shape[0]
        complete = dtype.kind == "c"
        forward = scipy.fft.fft if complete else scipy.fft.rfft
        backward = scipy.fft.ifft if complete else scipy.fft.irfft
        kind = np.result_type(dtype, np.complex64)
        # Means cannot overflow, and the transform back divides by nothing.
        weights = forward(self.column / order).astype(kind)
        stood = weights[:, None]
        # To give the library a length that it finds itself takes time.
        length = None if order == n else order
        back = None if complete or order % 2 == 0 else order
        work = transform_work(order) * 8
        wide = threads.shared_from(work) * n
        last = m - 1 if self.reverse else None
        part = slice(last, None, -1) if self.reverse else slice(m)
        whole = m == order and not self.reverse

        def multiply(x, out=None, axis=0):
            by_rows = axis == 1 or x.ndim == 1
            if x.size < wide and by_rows:
                # Most calls are small, and a few lines of Python would show.
                found = forward(x, length)
                found *= weights
                found = backward(found, back, -1, "forward", True)
            else:
                team = threads.team(work, x.size // n) if x.size >= wide else None
                found = forward(x, length, axis, None, False, team)
                found *= weights if by_rows else stood
                found = backward(found, back, axis, "forward", True, team)
            if whole and out is None:
                return found
            found = found[:, part] if axis else found[part]
            if out is None:
                return found.copy()
            out[...] = found
            return out

        return multiply

    def matrix(self, n: int, dtype: np.dtype) -> np.ndarray:
        """Return the dense matrix."""
        m = self.shape[0]
        rows = np.arange(m)[:, None]
        rows = m - 1 - rows if self.reverse else rows
        return self.column[(rows - np.arange(n)) % len(self.column)].astype(dtype)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a file holds of the formula."""
        return {
            "convolved": self.column,
            "shape": np.array(self.shape),
            "reverse": np.array(self.reverse),
        }

    def __str__(self) -> str:
        """Return the names of the functions of scipy.fft."""
        real = "r" * (self.column.dtype.kind != "c")
        return f"scipy.fft.i{real}fft after {real}fft"


def is_convolution(arrays: Mapping[str, np.ndarray]) -> bool:
    """Return whether what a file holds of a formula is a `Convolution`."""
    return "convolved" in arrays


def read_convolution(arrays: Mapping[str, np.ndarray]) -> Convolution:
    """Return the formula of `Convolution.arrays`, or raise a ValueError."""
    missing = np.array(None)
    column, shape, reverse = (
        arrays.get(name, missing) for name in ("convolved", "shape", "reverse")
    )
    known = column.ndim == 1 and column.dtype in (np.float64, np.complex128)
    known = known and shape.shape == (2,) and shape.dtype.kind in "iu"
    known = known and reverse.shape == () and reverse.dtype == bool
    if not known or not 0 < shape.min() <= shape.max() <= len(column):
        raise ValueError("it has no valid formula of a convolution")
    if not np.isfinite(column).all():
        raise ValueError("the formula of its convolution is not finite")
    return Convolution(column, (int(shape[0]), int(shape[1])), bool(reverse))
