"""OperatorSum: the sum of several fast operators."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.dtypes import common_dtype
from .algebra import maker
from .factor_product import FactorProduct
from .fast_operator import FastOperator, operators_of
from .operator_files import SUM, Saved
from .planned_operator import PlannedOperator
from .selected_operator import part

CALL = 2000.0
"""Time of a term and its addition, beside its product, in nanoseconds."""


class OperatorSum(PlannedOperator):
    """The sum of fast operators, as an operator.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies by each term in turn.

    Parameters
    ----------
    terms : sequence of FastOperator
        The terms: at least one, all of one shape.

    Attributes
    ----------
    terms : tuple of FastOperator
    shape, dtype, nnz, rcg, density
        See `FastOperator`; `nnz` is the sum over the terms.

    Raises
    ------
    TypeError, ValueError
        When there is no term, one is no operator, or the shapes differ.

    See Also
    --------
    nbfact.butterfly_factorize : Approximates a matrix by a sum, when asked for terms.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators import OperatorSum
    >>> one = nf.FactorProduct([np.eye(2)])
    >>> OperatorSum([one, one * 2.0]) @ np.ones(2)
    array([3., 3.])
    """

    def __init__(self, terms: Sequence[FastOperator]) -> None:
        self.terms = tuple(operators_of("terms", terms))
        shapes = {term.shape for term in self.terms}
        if len(shapes) != 1:
            raise ValueError(f"terms must be of one shape, got {sorted(shapes)}")
        super().__init__(common_dtype(*(t.dtype for t in self.terms)), shapes.pop())
        self.nnz = sum(term.nnz for term in self.terms)

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that the parts are expected to take, in nanoseconds."""
        return sum(CALL + one._cost(dtype, batch, False) for one in self.terms)

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        result = (self.terms[0] @ x).astype(dtype, copy=False)
        for term in self.terms[1:]:
            result = result + (term @ x)
        return result

    def _reversed(self, name: str) -> "OperatorSum":
        return OperatorSum([getattr(term, name) for term in self.terms])

    def _conjugate(self) -> "OperatorSum":
        return OperatorSum([term.conj() for term in self.terms])

    def _scaled(self, number: Any) -> "OperatorSum":
        return OperatorSum([term * number for term in self.terms])

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "OperatorSum":
        return OperatorSum([part(term, rows, columns) for term in self.terms])

    def to_factors(self) -> FactorProduct:
        """Return the sum as one product of sparse factors, with terms as blocks."""
        products = [term.to_factors() for term in self.terms]
        return functools.reduce(lambda left, right: left + right, products)

    def _saved(self) -> Saved:
        return Saved(SUM, {}, [term._saved() for term in self.terms])

    def __repr__(self) -> str:
        (m, n), who = self.shape, self._who_multiplies()
        lines = [f"OperatorSum {m}x{n}, {self.dtype}, nnz {self.nnz}{who}"]
        return "\n".join(lines + [f"+ {term!r}" for term in self.terms])


@maker("sum")
def added(left: FastOperator, right: FastOperator) -> FastOperator:
    """Return the sum of two operators of one shape, whose terms are in one list."""
    joined = left._added(right)
    if joined is not None:
        return joined
    sides = (left, right)
    terms = [one.terms if isinstance(one, OperatorSum) else (one,) for one in sides]
    return OperatorSum([*terms[0], *terms[1]])
