"""What `nbfact.learn_butterfly` returns, and the history in it."""

from dataclasses import dataclass, field

import numpy as np

from ...operators import Butterfly, FactorProduct
from ..common.result import Factorization, History


@dataclass(frozen=True)
class LearningHistory(History):
    """The course of the trial that `learn_butterfly` returns, step by step.

    All lists have the same length: an entry before each step of Adam, and one after
    each iteration of L-BFGS.

    Attributes
    ----------
    errors : list of float
        Relative error.
    scales : list of float
        The scalar that the target, of Frobenius norm √n in the descent, is multiplied
        by.
    seconds : list of float
        Time since the call began. Other trials run in between.
    support_changes : list of int
        Zeros, because supports do not change.
    rmse : list of float
        Root of the mean squared error of an entry, with the target scaled to Frobenius
        norm √n.
    phases : list of str
        The phase: "search", "relaxed", "descent" or "refine".

    See Also
    --------
    LearnedButterfly : The result that has it.
    History : What other algorithms record.

    Examples
    --------
    >>> import nbfact as nf
    >>> h = nf.learn_butterfly(nf.targets.hadamard(4), permutation="identity").history
    >>> len(h.rmse) == len(h.errors), h.rmse[-1] < h.rmse[0]
    (True, True)
    """

    rmse: list[float] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class LearnedButterfly(Factorization[Butterfly | FactorProduct]):
    """The result of `nbfact.learn_butterfly`: the operator, and how it was learned.

    Attributes
    ----------
    operator, relative_error, target
        See `Factorization`. The operator is a Butterfly, and a FactorProduct for the
        model "BPBP" when the inner permutation is neither the identity nor the bit
        reversal.
    history : LearningHistory
        What happened step by step.
    rmse : float
        ‖A - Â‖_F / n, where Â is the operator.
    permutation : ndarray of intp, or a tuple of two
        ``A[:, permutation] ≈ B``, where B is a butterfly. "BPBP" has two permutations,
        left to right as written.
    n_parameters : int
        Number of real numbers that were learned, without the logits that choose the
        permutations.
    n_steps : int
        Number of steps of Adam of all trials together.

    See Also
    --------
    nbfact.learn_butterfly : The function that returns it.
    nbfact.Factorization : What it has in common with other results.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.learn_butterfly(nf.targets.hadamard(4), permutation="identity")
    >>> r.permutation.tolist(), r.n_parameters, r.rmse < 1e-3
    ([0, 1, 2, 3], 24, True)
    """

    history: LearningHistory
    rmse: float = field(kw_only=True)
    permutation: np.ndarray | tuple[np.ndarray, ...] = field(
        kw_only=True, repr=False, compare=False
    )
    n_parameters: int = field(kw_only=True)
    n_steps: int = field(kw_only=True)
