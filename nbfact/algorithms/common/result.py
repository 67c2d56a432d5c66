"""What a factorization returns."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from ...operators import FactorProduct, FastOperator
from .factors import Factor


@dataclass(frozen=True)
class SweepState:
    """What a callback receives after each sweep.

    Attributes
    ----------
    iteration : int
        Sweeps done, from 1.
    error : float
        ‖A - Â‖_F / ‖A‖_F after the sweep.
    scale : float
        λ after the sweep.
    factors : list of ndarray
        The factors after the sweep, dense, left to right; made when first read.
    nnz : int
        Non-zeros of the factors together.
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
        """Non-zeros of the factors together."""
        return sum(part.nnz for part in self._parts())


@dataclass(frozen=True)
class History:
    """What happened sweep by sweep.

    Attributes
    ----------
    errors : list of float
        Relative error after each sweep; of each global step for `hierarchical`.
    scales : list of float
        λ after the same sweeps, in the units of the target.
    seconds : list of float
        Since the call began, after the same sweeps.
    support_changes : list of int
        Entries that were zero before each sweep, and are not after it.
    """

    errors: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    support_changes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Factorization:
    """A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator : FactorProduct
        The product, as a fast linear operator.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : History
    target : ndarray or None
        A, where the algorithm had it dense: what `nbfact.refine` goes on with. Not a
        copy: the array that was given, where that needed no conversion.
    """

    operator: FactorProduct
    relative_error: float
    history: History
    target: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def factors(self) -> list[sp.csr_array]:
        """The sparse factors, left to right."""
        return self.operator.factors

    @property
    def scale(self) -> float:
        """The scalar λ."""
        return self.operator.scale


@dataclass(frozen=True)
class LearningState:
    """What a callback of `nbfact.learn_butterfly` receives after each step.

    Attributes
    ----------
    iteration : int
        Steps of Adam so far, of all trials together.
    rmse : float
        Root of the mean squared error of an entry, the target scaled to norm √n.
    phase : str
        "search", "relaxed", "descent" or "refine".
    permutations : tuple of ndarray
        Those of the trial; empty while they are relaxed.
    """

    iteration: int
    rmse: float
    phase: str
    permutations: tuple[np.ndarray, ...] = field(repr=False)


@dataclass(frozen=True)
class LearningHistory:
    """What happened step by step to the trial that `learn_butterfly` returns.

    Attributes
    ----------
    rmse : list of float
        Of an entry, before each step of Adam and after each iteration of L-BFGS, the
        target scaled to norm √n.
    seconds : list of float
        Since the call began, after the same steps; other trials run in between.
    phases : list of str
        Of the same steps: "search", "relaxed", "descent" or "refine".
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
        The fast operator; a FactorProduct for "BPBP" with an inner permutation other
        than the identity or the bit reversal.
    rmse : float
        ‖A - Â‖_F / n, of the operator.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : LearningHistory
    permutation : ndarray of intp, or a tuple of two
        ``A[:, permutation] ≈ B``; two for "BPBP", left to right as written.
    n_parameters : int
        Real numbers that were learned, without logits.
    n_steps : int
        Steps of Adam of all trials together.
    """

    operator: FastOperator
    rmse: float
    relative_error: float
    history: LearningHistory
    permutation: np.ndarray | tuple[np.ndarray, ...] = field(repr=False)
    n_parameters: int
    n_steps: int
