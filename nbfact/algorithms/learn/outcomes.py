"""What `nbfact.learn_transform` returns: the best factorization, and all trials."""

from dataclasses import dataclass, field

from ...operators import FastOperator
from ..common.result import Factorization
from .product_budget import ProductTimes


@dataclass(frozen=True)
class Trial:
    """One factorization that `nbfact.learn_transform` tried.

    Attributes
    ----------
    method : str
        Where it started from, see `nbfact.learn_transform`; with ", explored" for the
        long exploration, ", annealed" for the rounds after it, ", exchanged" for moves
        of single entries, and ", refined" for the least squares at the end.
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
    structure : str
        What the result is, in words, such as "dct type 2, rows permuted".

    See Also
    --------
    LearnedTransform : The result that has a list of them.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.learn_transform(nf.targets.hadamard(8), nnz=48)
    >>> [(trial.method, trial.nnz) for trial in r.trials[:2]]
    [('largest entries', 48), ('named transform', 48)]
    """

    method: str
    n_factors: int
    error: float
    nnz: int
    seconds: float
    failure: str = ""
    structure: str = ""


@dataclass(frozen=True, repr=False)
class LearnedTransform(Factorization[FastOperator]):
    """The best product that `nbfact.learn_transform` found, and all that it tried.

    As in every result, A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator, relative_error, history, target
        See `Factorization`. The operator is a `FactorProduct`, or what multiplies
        faster, such as a `Butterfly` or a named transform.
    structure : str
        What was found, in words: "dct type 2, rows permuted", "Kronecker 8 x 4",
        "rank 5", "product of 3 sparse factors". Where the error is not only rounding,
        the words end with it, as in "haar, relative error 0.001".
    method : str
        The method of the best trial; "zero" for a zero target.
    budget : int
        Number of non-zeros that were allowed.
    trials : tuple of Trial
        All that was tried, in order.
    stopped : str
        Why the search ended before it was done: "callback", "time limit",
        "interrupted" (Ctrl-C), or empty.
    times : ProductTimes or None
        Expected and measured times of a product, where `speedup` was the budget.

    See Also
    --------
    nbfact.learn_transform : The function that returns it.
    nbfact.Factorization : What it has in common with other results.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.learn_transform(nf.targets.hadamard(8), nnz=48)
    >>> r.structure, r.budget, len(r.trials)
    ('hadamard', 48, 4)
    """

    structure: str = field(default="", kw_only=True)
    method: str = field(default="", kw_only=True)
    budget: int = field(default=0, kw_only=True)
    trials: tuple[Trial, ...] = field(default=(), repr=False, kw_only=True)
    stopped: str = field(default="", repr=False, kw_only=True)
    times: ProductTimes | None = field(default=None, repr=False, kw_only=True)
