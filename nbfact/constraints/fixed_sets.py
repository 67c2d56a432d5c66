"""Sets of matrices with fixed entries or norms, and the set of all matrices."""

import functools
from dataclasses import field

import numpy as np
from numpy.typing import ArrayLike

from .._core.checks import flag, real_number
from ..kernels.entry_projections import project_const
from ..kernels.norm_projections import project_normcol, project_normlin
from .sets import (
    Set,
    Shaped,
    check_fits,
    constraint,
    fixed_matrix,
    largest_part,
    pair,
)


@constraint
class Const(Set):
    """The set of one matrix: a factor that does not change.

    Parameters
    ----------
    value : (m, n) array_like
        The matrix. The result of `project` has the dtype of its argument; a complex
        value with a real argument is a ``TypeError``, and one whose largest entry does
        not fit that dtype a ``ValueError``.

    See Also
    --------
    nbfact.kernels.project_const : The kernel.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Const([[1.0, 2.0]]).project([[0.0, 0.0]])
    array([[1., 2.]])
    """

    value: np.ndarray

    def __init__(self, value: ArrayLike) -> None:
        object.__setattr__(self, "value", fixed_matrix("value", value))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        rows, columns = self.value.shape
        return rows, columns

    def _nearest(self, x: np.ndarray) -> None:
        if np.iscomplexobj(self.value) and not np.iscomplexobj(x):
            raise TypeError(f"value is complex, x must be too, got dtype {x.dtype}")
        if self._largest:
            check_fits("value", self._largest, x.dtype)
        project_const(x, self.value)

    def _example(self) -> np.ndarray:
        return self.value  # which may be complex

    @functools.cached_property
    def _largest(self) -> float:
        """The largest real or imaginary part of the matrix."""
        return largest_part("value", self.value)


@constraint
class Normed(Set):
    """Base class of the sets whose matrices have columns, or rows, of one norm."""

    shape: tuple[int, int]
    s: float = 1.0
    nonneg: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", pair("shape", self.shape))
        object.__setattr__(self, "nonneg", flag("nonneg", self.nonneg))
        s = real_number("s", self.s, above=0)
        object.__setattr__(self, "s", s)


@constraint
class NormCol(Normed):
    """The matrices whose columns have Euclidean norm ``s``.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    s : float
        The norm of each column, positive; 1 by default. `project` raises a
        ``ValueError`` where it does not fit the dtype of the matrix.
    nonneg
        See `nbfact.constraints`.

    See Also
    --------
    NormLin : The rows have norm ``s``.
    nbfact.kernels.project_normcol : The kernel.

    Notes
    -----
    A zero column, which has the same distance to all columns of norm ``s``, stays zero.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.NormCol((2, 1), s=10.0).project([[3.0], [4.0]])
    array([[6.],
           [8.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        check_fits("s", self.s, x.dtype)
        project_normcol(x, self.s)

    def transposed(self) -> "NormLin":
        """Return the set of the transposed matrices."""
        return NormLin(self.shape[::-1], self.s, **self._options())


@constraint
class NormLin(Normed):
    """The matrices whose rows have Euclidean norm ``s``.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    s : float
        The norm of each row, positive; 1 by default. `project` raises a
        ``ValueError`` where it does not fit the dtype of the matrix.
    nonneg
        See `nbfact.constraints`.

    See Also
    --------
    NormCol : The columns have norm ``s``.
    nbfact.kernels.project_normlin : The kernel.

    Notes
    -----
    A zero row, which has the same distance to all rows of norm ``s``, stays zero.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.NormLin((1, 2), s=10.0).project([[3.0, 4.0]])
    array([[6., 8.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        check_fits("s", self.s, x.dtype)
        project_normlin(x, self.s)

    def transposed(self) -> NormCol:
        """Return the set of the transposed matrices."""
        return NormCol(self.shape[::-1], self.s, **self._options())


@constraint
class Identity(Shaped):
    """The set of all matrices: the projection does only what the options ask for.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    normalized : bool
        Whether the result is scaled to unit Frobenius norm; ``False`` by default.
    nonneg
        See `nbfact.constraints`.

    See Also
    --------
    Const : The set of any one matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Identity((1, 2), nonneg=True).project([[3.0, -4.0]])
    array([[3., 0.]])
    """

    normalized: bool = field(default=False, kw_only=True)

    def _nearest(self, x: np.ndarray) -> None:
        pass
