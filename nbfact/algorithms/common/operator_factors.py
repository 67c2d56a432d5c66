"""The sparse factors of the operators: what a result shows, and a function starts from.

A `Butterfly` has values on regular supports, and an `OperatorSum` has terms. Both are
products of sparse factors too. A product that came from a butterfly, and has kept its
supports, is a butterfly again, which multiplies faster.
"""

import functools
import itertools
import math
import operator as op
from collections.abc import Collection

import numpy as np
import scipy.sparse as sp

from ...operators import Butterfly, FactorProduct, FastOperator, OperatorSum
from .target import shift


def product_of(operator: FastOperator) -> FactorProduct:
    """Return an operator as a product of sparse factors, permutations included.

    The factors of a sum hold those of all terms, side by side. A TypeError says where
    an operator is no product of sparse factors.
    """
    if isinstance(operator, FactorProduct):
        return operator
    if hasattr(operator, "to_factors"):
        return operator.to_factors()
    if isinstance(operator, OperatorSum):
        return functools.reduce(op.add, map(product_of, operator.terms))
    raise TypeError(
        f"operator {operator.shape} is a {type(operator).__name__}, which is no "
        "product of sparse factors"
    )


def counted_factors(operator: FastOperator) -> str:
    """Return the number of factors of an operator, or of terms of a sum, in words."""
    word, count = "factor", 1
    if isinstance(operator, OperatorSum):
        word, count = "term", len(operator.terms)
    elif isinstance(operator, Butterfly):
        count = len(operator.chain)
    elif isinstance(operator, FactorProduct):
        count = len(operator.factors)
    return f"{count} {word}{'s' * (count != 1)}"


def butterfly_like(
    product: FactorProduct, form: Butterfly, fixed: Collection[int] = ()
) -> Butterfly:
    """Return a product as a butterfly of the chain and the permutations of another.

    Parameters
    ----------
    product : FactorProduct
        As many factors as the butterfly has, whose supports are within its own.
    form : Butterfly
        The butterfly that says the chain, the rows and the columns.
    fixed : collection of int
        Indices of the factors that must not take a part of the scale, not all of them.

    Returns
    -------
    Butterfly
        In the dtype of the product. The scale is shared by powers of two, which change
        no digit; the first factor that is not fixed takes the rest.
    """
    factors = list(product.factors)
    factors[0] = _placed(factors[0], form.rows)
    factors[-1] = sp.csr_array(_placed(sp.csr_array(factors[-1].T), form.columns).T)
    free = [j for j in range(len(factors)) if j not in fixed]
    mantissa, exponent = math.frexp(product.scale)
    if product.scale == 1.0:
        mantissa, exponent = 1.0, 0
    ends = [exponent * i // len(free) for i in range(len(free) + 1)]
    factors[free[0]] = factors[free[0]] * product.dtype.type(mantissa)
    for j, (start, stop) in zip(free, itertools.pairwise(ends), strict=True):
        factors[j] = shift(factors[j], stop - start)
    plain = Butterfly.from_factors(factors, form.chain)
    return Butterfly(plain.chain, plain.values, rows=form.rows, columns=form.columns)


def _placed(factor: sp.csr_array, index: np.ndarray | None) -> sp.csr_array:
    """Return a factor with its rows in the order of an index; -1 stands for zeros."""
    if index is None:
        return factor
    nothing = sp.csr_array((1, factor.shape[1]), dtype=factor.dtype)
    return sp.csr_array(sp.vstack([factor, nothing], format="csr")[index])
