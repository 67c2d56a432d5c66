"""What the algorithms return, the histories in it, and what a callback receives."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ...operators import FactorProduct, FastOperator
from .factors import Factor


@dataclass(frozen=True)
class SweepState:
    """What a callback receives after each sweep (one update of every factor).

    Attributes
    ----------
    iteration : int
        Number of sweeps done, from 1.
    error : float
        Relative error ‖A - Â‖_F / ‖A‖_F after the sweep.
    scale : float
        The scalar λ after the sweep.
    factors : list of ndarray
        The factors after the sweep, dense, left to right. The list is made when it is
        first read.
    nnz : int
        Number of non-zeros of all factors together.

    Examples
    --------
    >>> import nbfact as nf
    >>> sets = [nf.constraints.SkPerm((4, 4), 2)] * 2
    >>> def stop(state):
    ...     return state.error < 0.1
    >>> r = nf.palm4msa(nf.targets.hadamard(4), sets, callback=stop)
    >>> len(r.history.errors)
    1
    """

    iteration: int
    error: float
    scale: float
    _parts: Callable[[], list[Factor]] = field(repr=False)

    @functools.cached_property
    def factors(self) -> list[np.ndarray]:
        """The factors, dense, left to right."""
        return [part.toarray() for part in self._parts()]

    @property
    def nnz(self) -> int:
        """Number of non-zeros of all factors together."""
        return sum(part.nnz for part in self._parts())


SweepCallback: TypeAlias = Callable[[SweepState], object]
"""A function that is called after each sweep, and ends the sweeps by returning True."""


@dataclass(frozen=True)
class History:
    """What happened sweep by sweep: four lists of the same length.

    Attributes
    ----------
    errors : list of float
        Relative error after each sweep. For `hierarchical`, these are the sweeps over
        all factors (the global refinements), not those that split a residual.
    scales : list of float
        The scalar λ after the same sweeps, in the units of the target.
    seconds : list of float
        Time since the call began, after the same sweeps.
    support_changes : list of int
        Number of entries that were zero before each sweep and are not after it.
    """

    errors: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    support_changes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Factorization:
    """A product of sparse factors: A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator : FactorProduct
        The product, as a fast linear operator.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : History
        What happened sweep by sweep.
    target : ndarray or None
        The matrix A, where the algorithm had it as a dense array: `nbfact.refine` goes
        on with it. It is the array that the function was called with, not a copy, where
        that array needed no conversion.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    >>> [factor.nnz for factor in r.factors], bool(r.relative_error < 1e-12)
    ([16, 16, 16], True)
    """

    operator: FactorProduct
    relative_error: float
    history: History
    target: np.ndarray | None = field(
        default=None, repr=False, compare=False, kw_only=True
    )

    @property
    def factors(self) -> list[sp.csr_array]:
        """The sparse factors, left to right."""
        return list(self.operator.factors)

    @property
    def scale(self) -> float:
        """The scalar λ."""
        return self.operator.scale


FactorsLike: TypeAlias = (
    Factorization | FactorProduct | Sequence[ArrayLike | sp.sparray | sp.spmatrix]
)
"""What the public functions accept as factors: a result, an operator, or matrices."""


@dataclass(frozen=True)
class LearningState:
    """What a callback of `nbfact.learn_butterfly` receives after each step.

    Attributes
    ----------
    iteration : int
        Number of steps of Adam so far, over all trials.
    rmse : float
        Root of the mean squared error of an entry, with the target scaled to Frobenius
        norm √n.
    phase : str
        "search", "relaxed", "descent" or "refine".
    permutations : tuple of ndarray
        The permutations of the trial. The tuple is empty while they are relaxed, that
        is, while they are weighted means of permutations.
    """

    iteration: int
    rmse: float
    phase: str
    permutations: tuple[np.ndarray, ...] = field(repr=False)


@dataclass(frozen=True)
class LearningHistory:
    """What happened step by step in the trial that `learn_butterfly` returns.

    Attributes
    ----------
    rmse : list of float
        Root of the mean squared error of an entry, with the target scaled to Frobenius
        norm √n: before each step of Adam, and after each iteration of L-BFGS.
    seconds : list of float
        Time since the call began, after the same steps. Other trials run in between.
    phases : list of str
        The phase of each of these steps: "search", "relaxed", "descent" or "refine".
    """

    rmse: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LearnedButterfly:
    """What `nbfact.learn_butterfly` returns.

    Attributes
    ----------
    operator : Butterfly or FactorProduct
        The fast operator. It is a FactorProduct for the model "BPBP" when the inner
        permutation is neither the identity nor the bit reversal.
    rmse : float
        ‖A - Â‖_F / n, where Â is the operator.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : LearningHistory
        What happened step by step.
    permutation : ndarray of intp, or a tuple of two
        ``A[:, permutation] ≈ B``, where B is a butterfly. "BPBP" has two permutations,
        left to right as written.
    n_parameters : int
        Number of real numbers that were learned, without the logits that choose the
        permutations.
    n_steps : int
        Number of steps of Adam of all trials together.
    """

    operator: FastOperator
    rmse: float
    relative_error: float
    history: LearningHistory
    permutation: np.ndarray | tuple[np.ndarray, ...] = field(repr=False)
    n_parameters: int
    n_steps: int
