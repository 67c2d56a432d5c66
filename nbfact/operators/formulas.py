"""Formulas: the named transforms as calls of scipy.fft, which multiplies large ones.

The chain of a transform stores each of its values, and a product reads them all: for a
Fourier transform of order 2^p these are 2 n p values, where n are different. SciPy's
library knows them, and has fast algorithms for prime orders too (Bluestein 1970). A
formula says which call of it multiplies by the same matrix, and `Formula.cost` how long
the call is expected to take, so that an operator can choose.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._core.dtypes import real_dtype
from .library_calls import TransformKind, library_calls, of_parts
from .radices import prime_factors

FUNCTIONS = ("fft", "ifft", "hartley", "dct", "dst")
"""Functions of a `Formula`: those of scipy.fft, where "hartley" is made of rfft."""

CALLS = {"fft": 4200.0, "ifft": 4200.0, "hartley": 6500.0, "dct": 5000.0, "dst": 5000.0}
"""Time of a call of each function on very few numbers, in nanoseconds: SciPy's checks
and the dispatch to other libraries, between those of a Zen 4 and of an Ice Lake."""
COLUMNS_CALL = 600.0
"""How much longer a call takes for several columns, in nanoseconds."""
RATES = {
    "complex": {"vector": (0.13, 0.26), "columns": (0.12, 0.2)},
    "real": {"vector": (0.135, 0.175), "columns": (0.07, 0.13)},
}
"""Nanoseconds for each unit of `transform_work` and vector, of single and of double
precision. ``nbfact study rates`` prints them."""
TOGETHER = (4, 2)
"""Numbers of single and of double precision that the library transforms at once: the
columns that are left over are transformed one by one."""
IN_PLACE = 1 << 16
"""Bytes of a result from which on it is computed in the array `out` of the caller: new
memory of that size is slower than one more copy."""


class Formula(NamedTuple):
    """A matrix that scipy.fft multiplies by: scale diag(after) F diag(before).

    Attributes
    ----------
    function : str
        One of `FUNCTIONS`, which says what F is.
    type : int
        Type of a cosine or sine transform, 1 to 4, and 0 for the others.
    orthogonal : bool
        Whether F is the variant of a cosine or sine transform that is orthogonal up to
        its scale, ``orthogonalize=True`` of scipy.fft.
    scale : float or complex
        Number before F, which is not normalised: ``norm="backward"``, or ``"forward"``
        for "ifft".
    before, after : (float, float)
        Weights of the first and of the last column, and row; those between have 1.
    """

    function: str
    type: int = 0
    orthogonal: bool = False
    scale: float | complex = 1.0
    before: tuple[float, float] = (1.0, 1.0)
    after: tuple[float, float] = (1.0, 1.0)

    def transposed(self) -> "Formula":
        """Return the formula of the transpose."""
        before, after, kind = self.after, self.before, self.type
        if kind in (2, 3):
            kind = 5 - kind
        if not self.orthogonal and self.type:
            # Types 1 to 3 weight some columns of a matrix of cosines or sines.
            own = _END_WEIGHTS[self.function].get(self.type, (1.0, 1.0))
            new = _END_WEIGHTS[self.function].get(kind, (1.0, 1.0))
            after = _times(after, own)
            before = _times(before, (1 / new[0], 1 / new[1]))
        return self._replace(type=kind, before=before, after=after)

    def conjugate(self) -> "Formula":
        """Return the formula of the conjugate matrix."""
        turned = {"fft": "ifft", "ifft": "fft"}.get(self.function, self.function)
        scale = np.conj(self.scale).item() if self.is_complex() else self.scale
        return self._replace(function=turned, scale=scale)

    def scaled(self, number: float | complex) -> "Formula":
        """Return the formula of the matrix times a number."""
        return self._replace(scale=_real_if_it_is(self.scale * number))

    def weighted(self, weights: np.ndarray) -> "Formula | None":
        """Return the formula with columns times weights, or None where it has none.

        It has one where all weights but the first and the last are equal.
        """
        inner = weights[1:-1] if len(weights) > 2 else weights[:1]
        middle = float(inner.mean(dtype=float))
        apart = np.max(abs(inner - middle))
        if apart > 16 * np.finfo(weights.dtype).eps * abs(middle):
            return None
        last = float(weights[-1]) / middle if len(weights) > 1 else 1.0
        before = _times(self.before, (float(weights[0]) / middle, last))
        return self._replace(scale=self.scale * middle, before=before)

    def is_complex(self) -> bool:
        """Return whether the number before F is complex."""
        return isinstance(self.scale, complex)

    def norm(self, n: int) -> tuple[str, float | complex]:
        """Return the argument ``norm`` for order n, and the factor that is left."""
        length: float = n
        if self.type:
            length = 2 * (
                n + (0 if self.type > 1 else 1 - 2 * (self.function == "dct"))
            )
        names = [("backward", 1.0), ("ortho", length**-0.5), ("forward", 1 / length)]
        if self.function == "ifft":
            names = [("forward", 1.0), names[1], ("backward", 1 / length)]
        for name, value in names:
            if abs(self.scale - value) <= 8 * np.finfo(float).eps * value:
                return name, 1.0
        return names[0][0], self.scale

    def cost(self, n: int, dtype: np.dtype, batch: int) -> float:
        """Return the time that a product by scipy.fft is expected to take.

        Parameters
        ----------
        n : int
            Order of the transform.
        dtype : numpy.dtype
            Dtype of the product.
        batch : int
            Number of columns; 1 for a vector.

        Returns
        -------
        float
            Nanoseconds.
        """
        rates = RATES["complex" if self.takes_real else "real"]
        double = real_dtype(dtype).itemsize == 8
        if dtype.kind == "c" and not self.takes_real:
            batch *= 2
        alone = batch % TOGETHER[double]
        units = (batch - alone) * rates["columns"][double]
        units += alone * rates["vector"][double]
        call = CALLS[self.function] + (COLUMNS_CALL if batch > 1 else 0.0)
        return call + transform_work(_order(self, n)) * units

    @property
    def is_symmetric(self) -> bool:
        """Return whether rows k and n - k are conjugate, as in Fourier transforms."""
        return self.takes_real and not self.is_complex() and self.after == _ONES

    @property
    def takes_real(self) -> bool:
        """Return whether the library takes real numbers for a complex product."""
        return self.function in ("fft", "ifft")

    @property
    def takes_complex(self) -> bool:
        """Return whether the library takes complex numbers, not part by part."""
        return self.takes_real

    def multiplier(self, n: int, dtype: np.dtype) -> Callable:
        """Return the function (x, out=None, axis=0) that multiplies by scipy.fft.

        It takes and returns arrays (n,) or (n, batch) of the dtype in C order, or
        (batch, n) for axis 1, and a Fourier transform also takes real ones. Nothing is
        checked.
        """
        norm, factor = self.norm(n)
        kind = TransformKind(self.function, self.type, self.orthogonal, norm, n)
        transform, direct, wide = library_calls(kind, transform_work(_order(self, n)))
        if dtype.kind == "c" and self.function not in ("fft", "ifft"):
            transform, wide = of_parts(transform, real_dtype(dtype)), 0
        before, after, copyto = self.before, self.after, np.copyto
        scalar = dtype.type(factor) if isinstance(factor, complex) else float(factor)
        # The faster function of a Hartley transform rounds differently: it is called
        # with `out` and without.
        most = math.inf if self.function == "hartley" else IN_PLACE

        def simple(x, out=None, axis=0):
            if x.size < wide and (out is None or out.nbytes < most):
                # Most calls are small, and a few lines of Python would show.
                found = direct(x, axis)
                if out is None:
                    return found
                copyto(out, found)
                return out
            if out is None:
                return transform(x, axis, False)
            if out.nbytes < IN_PLACE or x.dtype != out.dtype:
                out[...] = transform(x, axis, False)
                return out
            np.copyto(out, x)
            found = transform(out, axis, True)
            if not np.may_share_memory(found, out):
                np.copyto(out, found)
            return out

        def weighted(x, out=None, axis=0):
            if before != _ONES:
                x = x.copy()
                _weight_ends(x, before, axis)
            found = simple(x, out, axis)
            if after != _ONES:
                _weight_ends(found, after, axis)
            if factor != 1.0:
                found *= scalar
            return found

        return simple if before == after == _ONES and factor == 1.0 else weighted

    def matrix(self, n: int, dtype: np.dtype) -> np.ndarray:
        """Return the dense matrix of order n, computed by scipy.fft."""
        return self.multiplier(n, dtype)(np.eye(n, dtype=dtype))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a file holds of the formula."""
        numbers = [self.scale, *self.before, *self.after]
        return {
            "function": np.array(self.function),
            "type": np.array(self.type),
            "orthogonal": np.array(self.orthogonal),
            "numbers": np.array(numbers, np.complex128),
        }

    def __str__(self) -> str:
        """Return the name of the function of scipy.fft with its type."""
        if self.function == "hartley":
            return "scipy.fft.rfft"
        name = f"scipy.fft.{self.function}"
        return f"{name}, type {self.type}" if self.type else name


def _real_if_it_is(number):
    """Return a number as a float where it has no imaginary part, else as a complex."""
    number = complex(number)
    return number if number.imag else number.real


_END_WEIGHTS = {
    "dct": {1: (0.5, 0.5), 3: (0.5, 1.0)},
    "dst": {3: (1.0, 0.5)},
}
"""Weights of the first and the last column of the matrices of scipy.fft, over those of
the matrix of cosines or sines alone, by function and type."""


def _times(left, right):
    """Return the products of two pairs of weights."""
    return left[0] * right[0], left[1] * right[1]


@functools.cache
def transform_work(n: int) -> float:
    """Return the work of a Fourier transform of order n, in units of additions.

    It is n times the sum of the prime factors; a large prime is reached by transforms
    of at least twice the length, which the library does where that is less work.

    Examples
    --------
    >>> transform_work(8), transform_work(1009) < transform_work(1024) * 10
    (48, True)
    """
    if n < 2:
        return 1.0
    own = n * sum(p if p < 7 else 1.1 * p for p in prime_factors(n))
    if max(prime_factors(n)) < 50:
        return own
    import scipy.fft  # not at the top: it takes longer to import than nbfact

    longer = scipy.fft.next_fast_len(2 * n - 1)
    return min(own, 3.0 * longer * sum(prime_factors(longer)))


def _order(formula, n):
    """Return the order of the Fourier transform that a transform of order n needs."""
    if formula.type != 1:
        return n
    return max(n - 1, 1) if formula.function == "dct" else n + 1


_ONES = (1.0, 1.0)
"""Weights that change nothing."""


def _weight_ends(x, weights, axis):
    """Multiply the first and the last entry along an axis by weights, in place."""
    lines = x.swapaxes(0, axis)
    lines[0] *= weights[0]
    lines[-1] *= weights[1]


def read_formula(arrays: dict[str, np.ndarray]) -> Formula:
    """Return the formula of `Formula.arrays`, or raise a ValueError."""
    missing = np.array(None)
    function, kind, orthogonal, numbers = (
        arrays.get(name, missing)
        for name in ("function", "type", "orthogonal", "numbers")
    )
    known = function.ndim == 0 and str(function) in FUNCTIONS
    known = known and kind.ndim == 0 and kind.dtype.kind in "iu"
    known = known and (0 < kind < 5) == (str(function) in ("dct", "dst"))
    known = known and orthogonal.shape == () and orthogonal.dtype == bool
    if not known or numbers.shape != (5,) or numbers.dtype.kind != "c":
        raise ValueError("it has no valid formula of a transform")
    if not np.isfinite(numbers).all():
        raise ValueError("the formula of its transform is not finite")
    scale, *ends = numbers.tolist()
    weights = [end.real for end in ends]
    return Formula(
        str(function),
        int(kind),
        bool(orthogonal),
        _real_if_it_is(scale),
        (weights[0], weights[1]),
        (weights[2], weights[3]),
    )
