"""as_factors: what an argument that takes factors accepts, read in one place."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from ..._core.array_checks import matrix_of
from ...operators import Butterfly, Chain, FastOperator
from .result import Factorization, FactorsLike


def as_factors(name: str, given: FactorsLike) -> tuple[list[Any], float]:
    """Return the factors and the scale of whatever stands for a product of factors.

    Parameters
    ----------
    name : str
        Name of the argument, for messages.
    given : Factorization, FastOperator, Chain or sequence of matrices
        A result of any algorithm, an operator, a chain (its supports, filled with
        ones), or matrices from left to right. An object with `factors` and perhaps
        `scale`, such as a `CallbackState`, counts as a result.

    Returns
    -------
    factors : list of csr_array or ndarray
        The factors from left to right; matrices are returned as they are.
    scale : float
        The scalar λ; 1 for matrices.

    Raises
    ------
    TypeError
        What is no product of sparse factors, such as a single matrix, or a factor
        whose entries are not numbers.
    ValueError
        No factor, or one that has not two axes.
    """
    if isinstance(given, Chain):
        given = Butterfly(given, [np.ones(pattern) for pattern in given])
    operator = given.operator if isinstance(given, Factorization) else given
    if isinstance(operator, FastOperator):
        try:
            product = operator.to_factors()
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        return list(product.factors), product.scale
    listed: Any = getattr(given, "factors", given)
    stack = isinstance(listed, np.ndarray) and listed.ndim == 3
    single = isinstance(listed, np.ndarray | LinearOperator) or sp.issparse(listed)
    single = single or isinstance(listed, str | bytes | Mapping | Set)
    if not isinstance(listed, Iterable) or (single and not stack):
        shape = getattr(listed, "shape", None)
        raise TypeError(
            f"{name} must be factors: a list of matrices, or a result or an operator "
            f"of nbfact; got a {type(listed).__name__}{f' {shape}' if shape else ''}"
        )
    factors = [_matrix(f"{name}[{j}]", one) for j, one in enumerate(listed)]
    if not factors:
        raise ValueError(f"{name} is empty: expected at least one factor")
    return factors, getattr(given, "scale", 1.0)


def butterfly_of(given: FactorsLike) -> Butterfly | None:
    """Return the butterfly that an argument of factors is or holds, if it does."""
    if isinstance(given, Factorization):
        given = given.operator
    return given if isinstance(given, Butterfly) else None


def _matrix(name: str, factor: Any) -> Any:
    """Return one factor of a list as an array or a sparse array, or raise."""
    if isinstance(factor, Factorization):
        factor = factor.operator
    if isinstance(factor, FastOperator):
        return factor.toarray()
    factor = matrix_of(name, factor)
    if factor.ndim != 2:
        raise ValueError(f"{name} must be a matrix, got shape {factor.shape}")
    return factor
