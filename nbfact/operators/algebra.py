"""Algebra: the arithmetic of operators, whose results are operators again."""

import numbers
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core import dask
from .linear_operator import LinearOperator
from .sealing import Sealed

MAKERS: dict[str, Callable[..., Any]] = {}
"""The functions that make sums, products, parts and inverses of operators, by name. The
files of the results register them, because a base class cannot import its subclasses.
"""


def maker(name: str) -> Callable[[Callable], Callable]:
    """Return a decorator that registers a function in `MAKERS` under a name."""

    def register(function: Callable) -> Callable:
        MAKERS[name] = function
        return function

    return register


class Algebra(Sealed):
    """Base class of `FastOperator`, which describes what the results are.

    A subclass overrides the methods that begin with an underscore, each of which
    describes its result, where it has a fast form of that result.
    """

    def _columns_weighted(self, weights: np.ndarray) -> Any:
        """Return the operator with each column times a weight."""
        return self @ MAKERS["sparse"](sp.diags_array(weights))

    def _joined(self, other: "Algebra") -> Any:
        """Return ``self @ other`` in a form that is as fast as both, or None."""
        return None

    def __mul__(self, other: Any) -> Any:
        return self._scaled(other) if is_number(other) else self @ other

    def _scaled(self, number: Any) -> Any:
        """Return the operator times a number."""
        diagonal = number * sp.eye_array(self.shape[0], dtype=self.dtype)
        return MAKERS["product"](MAKERS["sparse"](diagonal), self)

    def __rmul__(self, other: Any) -> Any:
        if is_number(other):
            return self._scaled(other)
        # SciPy, which also maps @ to here, would compute a dask array.
        if dask.is_dask(other) or sp.issparse(other):
            m = self.shape[0]
            if dask.is_dask(other):
                dask.check_known(other, -1)
            if other.ndim not in (1, 2) or other.shape[-1] != m:
                raise ValueError(
                    f"an operator of shape {self.shape} is multiplied from the left by "
                    f"arrays of shape ({m},) or (batch, {m}), got {other.shape}"
                )
            return (self.T @ other.T).T
        return LinearOperator.__rmul__(self, other)

    def __add__(self, other: Any) -> Any:
        if is_number(other) and other == 0:  # the start of sum([...])
            return self
        if sp.issparse(other):
            other = MAKERS["sparse"](other)
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
        fits = isinstance(other, LinearOperator) or sp.issparse(other)
        return self + (-other if fits else other)  # a sum refuses what does not fit

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        if not is_number(other):
            raise TypeError(
                f"an operator divided by {type(other).__name__}: expected a number"
            )
        return self * (1 / other)

    def __neg__(self) -> Any:
        return self._scaled(-1.0)

    def __pow__(self, exponent: int) -> Any:
        """Return the product of `exponent` times the operator, or of its inverse.

        The power 0 is the identity. A TypeError is raised when the exponent is not an
        integer, and a ValueError when the operator is not square.
        """
        if isinstance(exponent, bool | np.bool_) or not hasattr(exponent, "__index__"):
            raise TypeError(f"exponent {exponent!r}: expected an integer")
        if self.shape[0] != self.shape[1]:
            raise ValueError(
                f"a power of an operator of shape {self.shape}: not square"
            )
        count = operator.index(exponent)
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
        """Return the operator of the conjugate matrix; a real operator is returned."""
        return self if self.dtype.kind != "c" else self._conjugate()

    def _conjugate(self) -> Any:
        """Return the operator of the conjugate matrix, for a complex dtype."""
        return self.H.T


def is_number(value: Any) -> bool:
    """Return whether a value is a number, by which an operator can be scaled."""
    return isinstance(value, numbers.Number)
