"""Sets of sparse matrices: few entries in all, in each row or in each column."""

import numpy as np

from .._core.checks import size
from ..kernels.skperm import project_skperm_warm
from ..kernels.sparse_projections import (
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
)
from ..kernels.triangle_projections import (
    project_spsymm,
    project_sptril,
    project_sptriu,
)
from .sets import Counted, Square, Tolerant, constraint


@constraint
class Sp(Tolerant):
    """The matrices with at most ``k`` non-zeros.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep in the whole matrix.
    normalized, nonneg, tie_tol
        See `nbfact.constraints`.

    See Also
    --------
    SpLin, SpCol : The limit holds in each row, or in each column.
    nbfact.kernels.project_sp : The kernel.

    Notes
    -----
    The k largest moduli are found by quickselect, in O(mn) operations. Among tied
    entries the first in column-major order are kept.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Sp((2, 2), k=2, normalized=False)
    >>> set_.project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_sp(x, self.kept, self.tie_tol)


@constraint
class SpLin(Tolerant):
    """The matrices with at most ``k`` non-zeros in each row.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep in each row.
    normalized, nonneg, tie_tol
        See `nbfact.constraints`.

    See Also
    --------
    SpCol : The limit holds in each column.
    SkPerm : The limit holds in each row and in each column.
    nbfact.kernels.project_splin : The kernel.

    Notes
    -----
    The projection makes about ten passes over each row: O(mn) operations.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpLin((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_splin(x, self.kept, self.tie_tol)

    def transposed(self) -> "SpCol":
        """Return the set of the transposed matrices."""
        return SpCol(self.shape[::-1], self.k, **self._options())


@constraint
class SpCol(Tolerant):
    """The matrices with at most ``k`` non-zeros in each column.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep in each column.
    normalized, nonneg, tie_tol
        See `nbfact.constraints`.

    See Also
    --------
    SpLin : The limit holds in each row.
    SkPerm : The limit holds in each row and in each column.
    nbfact.kernels.project_spcol : The kernel.

    Notes
    -----
    The projection makes about ten passes over each column, or one if k is small: O(mn)
    operations.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpCol((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, -1.0], [4.0, -4.0]])
    array([[ 0.,  0.],
           [ 4., -4.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_spcol(x, self.kept, self.tie_tol)

    def transposed(self) -> SpLin:
        """Return the set of the transposed matrices."""
        return SpLin(self.shape[::-1], self.k, **self._options())


@constraint
class SpLinCol(Tolerant):
    """FAµST's set ``splincol``, which keeps the entries that `SpLin` or `SpCol` keeps.

    The result is not a projection; see the notes.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep in each row, and in each column.
    normalized, nonneg, tie_tol
        See `nbfact.constraints`.

    See Also
    --------
    SkPerm : The projection onto "at most k per row and per column".
    nbfact.kernels.project_splincol : The kernel.

    Notes
    -----
    The support is the union of two supports, so that a row or a column may keep more
    than k entries: about 1.4 kn in all for an n x n matrix of Gaussian entries. PALM
    may therefore increase its objective with this set, which FAµST has in its preset
    for the Hadamard matrix. Cost: O(mn) operations.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpLinCol((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, -1.0], [4.0, -2.0]])
    array([[ 3.,  0.],
           [ 4., -2.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_splincol(x, self.kept, self.tie_tol)

    def transposed(self) -> "SpLinCol":
        """Return the set of the transposed matrices."""
        return SpLinCol(self.shape[::-1], self.k, **self._options())


@constraint
class SkPerm(Tolerant):
    """The matrices with at most ``k`` non-zeros per row and ``k_col`` per column.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep in each row.
    k_col : int, optional
        Number of entries to keep in each column, at least 1; ``k`` by default.
    normalized, nonneg
        See `nbfact.constraints`.
    tie_tol : float
        In [0, 1); 0 by default. The energies ``|x|² / max |x|²`` are rounded to
        multiples of it, so that nearly equal ones are tied; entries whose energy rounds
        to 0 are not kept. Choose a power of two, such as ``2**-20``: sums of its
        multiples are exact, and the search then makes the choices that it would make
        without noise.

    See Also
    --------
    SpLinCol : A cheaper set, whose rows and columns may hold more than k entries.
    nbfact.kernels.project_skperm : The kernel.
    nbfact.kernels.project_skperm_greedy : A faster kernel, which is not exact.

    Notes
    -----
    The projection is exact. The support of largest energy is a maximum-weight
    b-matching of rows and columns, found by min(m k, n k_col) searches for a shortest
    augmenting path of at most O(mn) operations each; where only one support is best,
    most entries need no search. Among tied supports, the one that a fixed order of
    searches finds is kept. `project_in_place` with a `memory` starts from the
    potentials (dual variables) that it found for the matrix before.

    References
    ----------
    Q.-T. Le and R. Gribonval, "Structured support exploration for multilayer sparse
    matrix factorization", ICASSP 2021 [le2021].

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SkPerm((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, 2.5], [2.5, 0.0]])
    array([[0. , 2.5],
           [2.5, 0. ]])
    """

    k_col: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.k_col is not None:
            object.__setattr__(self, "k_col", size("k_col", self.k_col, most=None))

    def memory(self) -> np.ndarray | None:
        """Return zero potentials of rows and columns, for `project_in_place`.

        Returns
        -------
        (m + n,) ndarray of float64, or None
            None for an object of a subclass, whose projection may be another one.
        """
        return np.zeros(sum(self.shape)) if type(self) is SkPerm else None

    def _nearest(self, x: np.ndarray) -> None:
        self._nearest_from(x, np.zeros(sum(self.shape)))

    def _nearest_from(self, x: np.ndarray, memory: np.ndarray) -> None:
        k_col = self.k if self.k_col is None else self.k_col
        k_col = min(k_col, self.shape[0])
        project_skperm_warm(x, self.kept, k_col, memory, self.tie_tol)


@constraint
class SpTriu(Counted):
    """The upper triangular matrices with at most ``k`` non-zeros.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep, all on or above the diagonal.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    SpTril : The lower triangular matrices.
    nbfact.kernels.project_sptriu : The kernel.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpTriu((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, 2.0], [5.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_sptriu(x, self.kept)


@constraint
class SpTril(Counted):
    """The lower triangular matrices with at most ``k`` non-zeros.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of entries to keep, all on or below the diagonal.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    SpTriu : The upper triangular matrices.
    nbfact.kernels.project_sptril : The kernel.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpTril((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_sptril(x, self.kept)


@constraint
class SpSymm(Counted, Square):
    """FAµST's symmetric sparse matrices, with ``k`` non-zeros or ``k + 1``.

    The result is not a projection; see the notes.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, equal.
    k : int
        Number of entries to keep.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    nbfact.kernels.project_spsymm : The kernel.

    Notes
    -----
    FAµST's rule: of two mirrored entries the larger one takes both places, where the
    projection would put their mean (neither is conjugated). Then the largest entries
    are kept until there are k. A mirrored pair is kept whole, so that one entry more
    than k may be kept.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpSymm((2, 2), k=1, normalized=False)
    >>> set_.project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 5.],
           [5., 0.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_spsymm(x, self.kept)
