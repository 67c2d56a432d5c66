"""What `butterfly_factorize` returns."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ...operators import Butterfly, OperatorSum
from ..common.result import Factorization

ButterflyT = TypeVar("ButterflyT", bound=Butterfly | OperatorSum, covariant=True)
"""The operator of a result: a `Butterfly`, or an `OperatorSum` with model="sum"."""


@dataclass(frozen=True, repr=False)
class ButterflyFactorization(Factorization[ButterflyT], Generic[ButterflyT]):
    """An approximation of a matrix A by a product of Kronecker-sparse factors.

    Attributes
    ----------
    operator : Butterfly or OperatorSum
        The approximation Â as a fast operator; an `OperatorSum` with ``model="sum"``.
    relative_error, target
        See `Factorization`. The terms of a sum remember no target.
    history : History
        One entry, because nothing is iterated: the error, the scale 1, and the time
        that the call took.
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

    See Also
    --------
    nbfact.butterfly_factorize : The function that returns it.
    nbfact.Factorization : What it has in common with other results.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.butterfly_factorize(nf.targets.hadamard(8))
    >>> r.bound < 1e-12, len(r.split_errors), r.operator.nnz
    (True, 2, 48)
    """

    bound: float = field(kw_only=True)
    lower_bound: float = field(kw_only=True)
    split_errors: tuple[float, ...] = field(kw_only=True, repr=False)
    permutation: str | None = field(kw_only=True)
    transposed: bool = field(kw_only=True)
    terms: tuple["ButterflyFactorization[Butterfly]", ...] = field(
        default=(), kw_only=True, repr=False
    )
