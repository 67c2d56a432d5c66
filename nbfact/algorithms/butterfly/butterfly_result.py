"""What `butterfly_factorize` returns."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from ...operators import Butterfly, FastOperator

OperatorT = TypeVar("OperatorT", bound=FastOperator)
"""The operator of a result: a `Butterfly`, or an `OperatorSum` with model="sum"."""


@dataclass(frozen=True)
class ButterflyFactorization(Generic[OperatorT]):
    """An approximation of a matrix A by a product of Kronecker-sparse factors.

    Attributes
    ----------
    operator : Butterfly or OperatorSum
        The approximation Â as a fast operator; an `OperatorSum` with ``model="sum"``.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F, as measured; 0 for a zero target.
    bound : float
        An upper bound on `relative_error` that theory guarantees, apart from rounding.
        With orthonormalisation it is the root of the sum of the squares of
        `split_errors` for the orders "left-to-right" and "right-to-left", where it
        equals the error, and their sum for "balanced". It is inf without
        orthonormalisation.
    lower_bound : float
        No butterfly of this chain and permutation has a smaller relative error, apart
        from rounding. It is the largest of `split_errors`, or, without
        orthonormalisation, the error of the split that was made first. The option
        ``certify=True`` finds a larger one.
    split_errors : tuple of float
        The norm that each split drops, relative to ‖A‖_F, ordered by the place of the
        split in the chain. Without orthonormalisation only the split that was made
        first is comparable with A.
    permutation : str or None
        Name of the permutation that was asked for, or that the search found; None
        without a permutation, or where it was given by its indices.
    transposed : bool
        Whether the transpose of A was factored. The chain of `operator` is then the
        transpose of a chainable one.
    terms : tuple of ButterflyFactorization
        The terms of a sum, each a factorization of what the terms before it leave over;
        empty for the other models. For a sum, `bound` and `split_errors` are those of
        the last term, relative to A, and `lower_bound` is 0.
    """

    operator: OperatorT
    relative_error: float
    bound: float
    lower_bound: float
    split_errors: tuple[float, ...]
    permutation: str | None
    transposed: bool
    terms: tuple["ButterflyFactorization[Butterfly]", ...] = ()
