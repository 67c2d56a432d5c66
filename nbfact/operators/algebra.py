"""Algebra: the arithmetic of operators, whose results are operators again."""

import cmath
import decimal
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core import dask
from .._core.array_checks import check_sparse, dense_array
from .._core.checks import shown, size
from .array_products import ArrayProducts
from .linear_operator import LinearOperator

MAKERS: dict[str, Callable[..., Any]] = {}
"""The functions that make sums, products, parts and inverses of operators, by name. The
files of the results register them, because a base class cannot import its subclasses.
"""


MAX_POWER = 10_000
"""Largest exponent of a power, which holds as many factors as it says, up to sign."""


def maker(name: str) -> Callable[[Callable], Callable]:
    """Return a decorator that registers a function in `MAKERS` under a name."""

    def register(function: Callable) -> Callable:
        MAKERS[name] = function
        return function

    return register


class Algebra(ArrayProducts):
    """Base class of `FastOperator`, which describes what the results are.

    A subclass overrides the methods that begin with an underscore, each of which
    describes its result, where it has a fast form of that result.
    """

    # Whether it is a `FactorProduct` that multiplies by its factors, one after the
    # other: others would be slower if they were made one with it.
    _by_factors = False

    def _columns_weighted(self, weights: np.ndarray) -> Any:
        """Return the operator with each column times a weight."""
        return self @ MAKERS["sparse"](sp.diags_array(weights))

    def _joined(self, other: "Algebra") -> Any:
        """Return ``self @ other`` in a form that is as fast as both, or None."""
        return None

    def __mul__(self, other: Any) -> Any:
        if is_number(other):
            return self._scaled(finite_number("other", other))
        return self._product(other)

    def dot(self, x: Any) -> Any:
        """Return ``self @ x``, or ``self * x`` for a number, as SciPy does.

        Parameters
        ----------
        x : array_like, sparse array, operator or number
            What the operator is multiplied by.

        Returns
        -------
        ndarray or FastOperator
            An operator where x is a number or an operator.

        See Also
        --------
        rdot : The product from the other side.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.hadamard(4).dot(np.ones(4))
        array([2., 0., 0., 0.])
        """
        return (
            self._scaled(finite_number("x", x))
            if is_number(x)
            else self._product(x, "x")
        )

    def _scaled(self, number: float | complex) -> Any:
        """Return the operator times a finite number."""
        diagonal = number * sp.eye_array(self.shape[0], dtype=self.dtype)
        return MAKERS["product"](MAKERS["sparse"](diagonal), self)

    def __rmul__(self, other: Any) -> Any:
        if is_number(other):
            return self._scaled(finite_number("other", other))
        return self._left(other)

    def rdot(self, x: Any) -> Any:
        """Return ``x @ self``, or ``x * self`` for a number, as SciPy does.

        Parameters
        ----------
        x : array_like, sparse array, operator or number
            What is multiplied by the operator.

        Returns
        -------
        ndarray or FastOperator
            An operator where x is a number or an operator.

        See Also
        --------
        dot : The product from the other side.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> nf.transforms.hadamard(4).rdot(np.ones(4))
        array([2., 0., 0., 0.])
        """
        return self._scaled(finite_number("x", x)) if is_number(x) else self._left(x)

    def __rmatmul__(self, other: Any) -> Any:
        if is_number(other):
            raise ValueError(
                f"other has shape (): use * to multiply by the number {shown(other)}"
            )
        return self._left(other)

    def _left(self, other: Any) -> Any:
        """Return ``other @ self``, for an array or an operator of SciPy."""
        if isinstance(other, LinearOperator):
            return LinearOperator.dot(other, self)
        if dask.is_dask(other):  # SciPy would compute it
            dask.check_known(other, -1)
        else:
            other = dense_array("other", other)
        self._check_left("other", other.shape)
        return self.T.apply(other, axis=-1)

    def __add__(self, other: Any) -> Any:
        if is_number(other) and other == 0:  # the start of sum([...])
            return self
        if sp.issparse(other):
            other = _operator_of(other)
        if isinstance(other, Algebra):
            if self.shape != other.shape:
                raise ValueError(f"shapes differ: {self.shape} + {other.shape}")
            return MAKERS["sum"](self, other)
        if isinstance(other, LinearOperator):
            return LinearOperator.__add__(self, other)
        raise TypeError(
            f"an operator plus {type(other).__name__}: operators and sparse arrays "
            "can be added to an operator; add arrays to its dense matrix, toarray()"
        )

    def _added(self, other: "Algebra") -> Any:
        """Return ``self + other`` in a form that is as fast as both, or None."""
        return None

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __sub__(self, other: Any) -> Any:
        if sp.issparse(other):
            other = _operator_of(other)
        fits = isinstance(other, LinearOperator)
        return self + (-other if fits else other)  # a sum refuses what does not fit

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        if not is_number(other):
            raise TypeError(
                f"an operator divided by {type(other).__name__}: expected a number"
            )
        number = finite_number("other", other)
        try:
            inverse = 1 / number
        except (ZeroDivisionError, OverflowError):
            inverse = math.inf
        if not cmath.isfinite(inverse):
            raise ValueError(
                f"other={shown(other)}: an operator divided by it is not finite"
            )
        return self._scaled(inverse)

    def __neg__(self) -> Any:
        return self._scaled(-1.0)

    def __pow__(self, exponent: int) -> Any:
        """Return the product of `exponent` times the operator, or of its inverse.

        The power 0 is the identity. A TypeError is raised when the exponent is not an
        integer, and a ValueError when the operator is not square.
        """
        count = size("exponent", exponent, -MAX_POWER, MAX_POWER)
        if self.shape[0] != self.shape[1]:
            raise ValueError(
                f"a power of an operator of shape {self.shape}: not square"
            )
        if count == 0:
            return MAKERS["sparse"](sp.eye_array(self.shape[0], dtype=self.dtype))
        square, power = self if count > 0 else MAKERS["inverse"](self), None
        count = abs(count)
        while True:
            if count & 1:
                power = square if power is None else square @ power
            count >>= 1
            if not count:
                return power
            square = square @ square

    def __getitem__(self, index: Any) -> Any:
        return MAKERS["selection"](self, index)

    def _selected(self, rows: np.ndarray | None, columns: np.ndarray | None) -> Any:
        """Return the operator of some rows and columns as a fast form, or None.

        The indices are checked, and None stands for all of them in order.
        """
        return None

    def conj(self) -> Any:
        """Return the operator of the conjugate matrix; a real operator is returned.

        Returns
        -------
        FastOperator
            An operator of the same class wherever it has that form.

        Examples
        --------
        >>> import nbfact as nf
        >>> nf.transforms.dft(2).conj().toarray().real.round(3)
        array([[ 0.707,  0.707],
               [ 0.707, -0.707]])
        """
        return self if self.dtype.kind != "c" else self._conjugate()

    def _conjugate(self) -> Any:
        """Return the operator of the conjugate matrix, for a complex dtype."""
        return self.H.T


def _operator_of(other: Any) -> Any:
    """Return a sparse array that is added to an operator as an operator."""
    check_sparse("other", other)
    try:
        return MAKERS["sparse"](other)
    except ValueError as error:
        raise ValueError(f"other: {error}") from None


def is_number(value: Any) -> bool:
    """Return whether a value is a number, by which an operator can be scaled.

    An array of NumPy without dimensions is one.
    """
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "biufc"
    return isinstance(value, numbers.Number)


def finite_number(name: str, value: Any) -> float | complex:
    """Return a finite number as a float, or as a complex if it is not real.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : number
        What `is_number` accepts.

    Raises
    ------
    TypeError
        When it is a masked array.
    ValueError
        When it is NaN or infinite, also as a float64.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}={shown(value)}: a masked array is no number")
    real = isinstance(value, numbers.Real | decimal.Decimal)
    if isinstance(value, np.ndarray):
        real = value.dtype.kind != "c"
    try:
        number = float(value) if real else complex(value)
    except OverflowError:
        number = math.inf
    if not cmath.isfinite(number):
        raise ValueError(f"{name}={shown(value)}: expected neither NaN nor infinity")
    return number
