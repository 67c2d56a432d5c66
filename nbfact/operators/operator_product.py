"""OperatorProduct: the product of several fast operators."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.dtypes import common_dtype
from .algebra import maker
from .factor_product import FactorProduct
from .fast_operator import FastOperator, operators_of
from .operator_files import PRODUCT, Saved
from .planned_operator import PlannedOperator
from .selected_operator import part

CALL = 1000.0
"""Time of an operator, beside its product, in nanoseconds."""


class OperatorProduct(PlannedOperator):
    """The product of fast operators, as an operator.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies by each in turn.

    Parameters
    ----------
    operators : sequence of FastOperator
        The operators from left to right, at least one. Their shapes must chain.

    Attributes
    ----------
    operators : tuple of FastOperator
    shape, dtype, nnz, rcg, density
        See `FastOperator`; `nnz` is the sum over the operators.

    Raises
    ------
    TypeError, ValueError
        When there is no operator, one is none, or shapes do not chain.

    See Also
    --------
    nbfact.FactorProduct : The product of sparse factors.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> filtered = nf.transforms.haar(4).T @ nf.transforms.dct(4)
    >>> type(filtered).__name__, filtered.shape
    ('OperatorProduct', (4, 4))
    """

    def __init__(self, operators: Sequence[FastOperator]) -> None:
        self.operators = tuple(operators_of("operators", operators))
        for left, right in zip(self.operators, self.operators[1:], strict=False):
            if left.shape[1] != right.shape[0]:
                raise ValueError(
                    f"operators: shapes do not chain: {left.shape} @ {right.shape}"
                )
        shape = self.operators[0].shape[0], self.operators[-1].shape[1]
        super().__init__(common_dtype(*(one.dtype for one in self.operators)), shape)
        self.nnz = sum(one.nnz for one in self.operators)

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that the parts are expected to take, in nanoseconds."""
        return sum(CALL + one._cost(dtype, batch, False) for one in self.operators)

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        for one in reversed(self.operators):
            x = one @ x
        return x.astype(dtype, copy=False)

    def _reversed(self, name: str) -> "OperatorProduct":
        return OperatorProduct([getattr(one, name) for one in reversed(self.operators)])

    def _conjugate(self) -> "OperatorProduct":
        return OperatorProduct([one.conj() for one in self.operators])

    def _scaled(self, number: Any) -> "OperatorProduct":
        operators = list(self.operators)
        smallest = min(range(len(operators)), key=lambda j: operators[j].nnz)
        operators[smallest] = operators[smallest] * number
        return OperatorProduct(operators)

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "OperatorProduct":
        operators = list(self.operators)
        operators[0] = part(operators[0], rows, None)
        operators[-1] = part(operators[-1], None, columns)
        return OperatorProduct(operators)

    def _inverted(self) -> "OperatorProduct":
        return OperatorProduct([one.inverse() for one in reversed(self.operators)])

    def to_factors(self) -> FactorProduct:
        """Return the product as one product of the sparse factors of all operators."""
        products = [one.to_factors() for one in self.operators]
        factors = [factor for product in products for factor in product.factors]
        return FactorProduct(factors, math.prod(product.scale for product in products))

    def _saved(self) -> Saved:
        return Saved(PRODUCT, {}, [one._saved() for one in self.operators])

    def __repr__(self) -> str:
        (m, n), who = self.shape, self._who_multiplies()
        lines = [f"OperatorProduct {m}x{n}, {self.dtype}, nnz {self.nnz}{who}"]
        return "\n".join(lines + [f"@ {one!r}" for one in self.operators])


@maker("product")
def multiplied(left: FastOperator, right: FastOperator) -> FastOperator:
    """Return the product of two operators whose shapes chain, in one list.

    The neighbours where the two meet become one operator where they have a fast form.
    """
    sides = (left, right)
    lefts, rights = (
        one.operators if isinstance(one, OperatorProduct) else (one,) for one in sides
    )
    joined = lefts[-1]._joined(rights[0])
    middle = lefts[-1:] + rights[:1] if joined is None else (joined,)
    operators = (*lefts[:-1], *middle, *rights[1:])
    return operators[0] if len(operators) == 1 else OperatorProduct(operators)
