"""What `nbfact.learn_transform` returns: the best factorization, and all trials."""

from dataclasses import dataclass, field

from ...operators import Butterfly, FactorProduct
from ..common.result import Factorization


@dataclass(frozen=True)
class Trial:
    """One factorization that was tried.

    Attributes
    ----------
    method : str
        Where it started from, see `nbfact.learn_transform`; with ", explored" for the
        long exploration, and ", annealed" for the rounds after it.
    n_factors : int
        Number of factors.
    error : float
        ‖A - Â‖_F / ‖A‖_F; infinite where there is no result.
    nnz : int
        Number of non-zeros of the factors together, as counted in the result.
    seconds : float
        Time of this trial alone.
    failure : str
        Why there is no result; empty where there is one.
    """

    method: str
    n_factors: int
    error: float
    nnz: int
    seconds: float
    failure: str = ""


@dataclass(frozen=True, repr=False)
class LearnedTransform(Factorization[Butterfly | FactorProduct]):
    """The best of all trials: A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator, relative_error, history, target
        See `Factorization`. The operator is a Butterfly where the best trial is one.
    method : str
        The method of the best trial; "zero" for a zero target.
    budget : int
        Number of non-zeros that were allowed.
    trials : tuple of Trial
        All that was tried, in order.
    """

    method: str = field(default="", kw_only=True)
    budget: int = field(default=0, kw_only=True)
    trials: tuple[Trial, ...] = field(default=(), repr=False, kw_only=True)
