"""What the algorithms return, the history in it, and what a callback receives."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ..._core.checks import shown
from ...operators import Butterfly, Chain, FactorProduct, FastOperator
from ...operators.drawings import notebook_html
from .operator_factors import counted_factors

if TYPE_CHECKING:  # Python 3.11 has no type variables with a default
    from matplotlib.figure import Figure
    from typing_extensions import TypeVar

    OperatorT = TypeVar(
        "OperatorT", bound=FastOperator, default=FactorProduct, covariant=True
    )
else:
    from typing import TypeVar

    OperatorT = TypeVar("OperatorT", bound=FastOperator, covariant=True)

_LONGEST = 60
"""Number of characters of a value up to which the `repr` of a result shows it, so that
it stays a few lines long."""


class Part(Protocol):
    """A factor as a `CallbackState` reads it: a SciPy sparse array is one too."""

    @property
    def nnz(self) -> int:
        """Number of non-zeros."""

    def toarray(self) -> np.ndarray:
        """Return the factor as a dense array."""


@dataclass(frozen=True)
class CallbackState:
    """The state of an algorithm at one iteration, which every callback receives.

    Attributes
    ----------
    iteration : int
        Number of iterations done, from 1. An iteration is a sweep (one update of every
        factor); of `identify_butterfly` it is a start or a pass, of `learn_butterfly` a
        step of Adam (steps of all trials count, and those of L-BFGS do not), and of
        `learn_transform` a trial.
    error : float
        Relative error ‖A - Â‖_F / ‖A‖_F after the iteration. It is infinite after a
        trial that has no result.
    scale : float
        The scalar λ after the iteration.
    phase : str
        What the iteration belongs to: "search", "relaxed", "descent" or "refine" in
        `learn_butterfly`, the method of the trial in `learn_transform`, and empty
        elsewhere.
    permutations : tuple of ndarray
        The permutations of the present trial of `learn_butterfly`, empty elsewhere. It
        is empty too while they are relaxed, that is, while they are weighted means of
        permutations.
    failure : str
        Why a trial of `learn_transform` has no result; empty where it has one, and
        elsewhere.
    remaining : float
        About how many seconds `learn_transform` will still take; NaN where that is not
        known, and elsewhere.
    factors : list of ndarray
        The factors after the iteration, dense, left to right. The list is made when it
        is first read. It is empty while permutations are relaxed, and after a trial
        that has no result.
    n_factors : int
        Number of factors.
    nnz : int
        Number of non-zeros of all factors together.

    See Also
    --------
    History : What is recorded after each iteration.
    nbfact.palm4msa, nbfact.learn_transform : Functions with callbacks.

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
    _parts: Callable[[], Sequence[Part]] = field(repr=False)
    phase: str = field(default="", kw_only=True)
    permutations: tuple[np.ndarray, ...] = field(
        default=(), repr=False, compare=False, kw_only=True
    )
    failure: str = field(default="", kw_only=True)
    remaining: float = field(default=math.nan, compare=False, kw_only=True)

    @functools.cached_property
    def factors(self) -> list[np.ndarray]:
        """The factors, dense, left to right."""
        return [part.toarray() for part in self._parts()]

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self._parts())

    @property
    def nnz(self) -> int:
        """Number of non-zeros of all factors together."""
        return sum(part.nnz for part in self._parts())


Callback: TypeAlias = Callable[[CallbackState], object]
"""A function that is called after each iteration, and ends them by returning True."""


def never() -> bool:
    """Return False: the time of a search is not over."""
    return False


@dataclass(frozen=True)
class History:
    """The course of an algorithm, sweep by sweep: four lists of the same length.

    Algorithms without sweeps record other iterations: `identify_butterfly` its starts
    and passes, and `learn_butterfly` its steps. `butterfly_factorize` does not iterate,
    and records one entry, its result. For a result that `learn_transform` takes from
    the entries of the target, there is nothing to record.

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

    See Also
    --------
    nbfact.Factorization : The result that has it.
    nbfact.algorithms.LearningHistory : What gradient descent records.

    Examples
    --------
    >>> import nbfact as nf
    >>> h = nf.hierarchical(nf.targets.hadamard(8), "hadamard").history
    >>> len(h.errors) == len(h.seconds), bool(h.errors[-1] < 1e-12)
    (True, True)
    """

    errors: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    support_changes: list[int] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class Factorization(Generic[OperatorT]):
    """The result of every algorithm: a product of sparse factors, and its error.

    The matrix is A ≈ scale * factors[0] @ ... @ factors[-1]. Some algorithms return a
    class with more attributes. All functions that take factors take a result as it is.

    Attributes
    ----------
    operator : FactorProduct, Butterfly or OperatorSum
        The product, as a fast linear operator: the fastest one that represents it. A
        result in the form of a butterfly is a `Butterfly`.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : History
        What happened sweep by sweep.
    target : ndarray or None
        The matrix A, where the algorithm had it as a dense array: `nbfact.refine` goes
        on with it. It is the array that the function was called with, not a copy, where
        that array needed no conversion. A result keeps this array in memory, and it is
        pickled with the result; ``dataclasses.replace(result, target=None)`` is without
        it, and so is the file that `save` writes.

    See Also
    --------
    nbfact.load : Read an operator that `save` wrote.
    nbfact.refine : Improve the values of a result on its supports.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    >>> [factor.nnz for factor in r.factors], bool(r.relative_error < 1e-12)
    ([16, 16, 16], True)
    >>> print(repr(r)[:54])
    Factorization 8x8, float64, 3 factors, nnz 48, rcg 1.3
    """

    operator: OperatorT
    relative_error: float
    history: History
    target: np.ndarray | None = field(
        default=None, repr=False, compare=False, kw_only=True
    )

    def __post_init__(self) -> None:
        if not isinstance(self.operator, FastOperator):
            raise TypeError(f"operator={shown(self.operator)}: expected a FastOperator")
        if not isinstance(self.history, History):
            raise TypeError(f"history={shown(self.history)}: expected a History")

    @property
    def factors(self) -> list[sp.csr_array]:
        """The sparse factors, left to right, permutations included.

        Those of a `Butterfly`, or of a sum, are made anew at each reading. The factors
        of a sum of products hold the factors of all terms, side by side.
        """
        return list(self.operator.to_factors().factors)

    @property
    def scale(self) -> float:
        """The scalar λ of `factors`: 1 where they hold it themselves."""
        if isinstance(self.operator, Butterfly):  # its factors need not be made
            return 1.0
        return self.operator.to_factors().scale

    def save(self, path: Any) -> None:
        """Write the operator to a file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The suffix ``.npz`` gives nbfact's own format, in which a `Butterfly` stays
            one. The suffix ``.mat`` gives the factor list of FAμST
            (``faust_factors``).

        Raises
        ------
        ValueError
            When the suffix is another.
        OSError
            When the file cannot be written.

        See Also
        --------
        nbfact.load : Read the operator again.

        Examples
        --------
        >>> import os, tempfile, nbfact as nf
        >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     r.save(os.path.join(folder, "factors.npz"))
        ...     print(nf.load(os.path.join(folder, "factors.npz")).nnz)
        48
        """
        self.operator.save(path)

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Draw the supports of the factors, side by side.

        Parameters
        ----------
        figure : matplotlib.figure.Figure, optional
            Figure to draw in; a new one by default.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ModuleNotFoundError
            When matplotlib is not installed; the message says how to install it.
        TypeError
            When `figure` is no figure.

        Examples
        --------
        >>> import nbfact as nf
        >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
        >>> len(r.plot().axes)
        3
        """
        return self.operator.plot(figure)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the text, and pictures of the supports."""
        return notebook_html(repr(self), self.operator)

    def __repr__(self) -> str:
        operator = self.operator
        m, n = operator.shape
        sweeps = len(self.history.errors)
        first = (
            f"{type(self).__name__} {m}x{n}, {operator.dtype}, "
            f"{counted_factors(operator)}, nnz {operator.nnz}, "
            f"rcg {operator.rcg:.4g}, relative error {self.relative_error:.4g}, "
            f"{sweeps} iteration{'s' * (sweeps != 1)}"
        )
        known = {one.name for one in dataclasses.fields(Factorization)}
        more = {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.repr and one.name not in known
        }
        texts = [
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in more.items()
        ]
        short = [text for text in texts if len(text) <= _LONGEST]
        return f"{first}\n  {', '.join(short)}" if short else first


FactorsLike: TypeAlias = (
    Factorization[Any]
    | FastOperator
    | Chain
    | Sequence[ArrayLike | sp.sparray | sp.spmatrix]
)
"""What the public functions accept as factors: a result, an operator, or matrices."""
