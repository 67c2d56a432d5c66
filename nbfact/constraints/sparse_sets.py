"""Sets of sparse matrices: so many entries in all, in a row, in a column."""

import numpy as np

from ..kernels.skperm import project_skperm_warm
from ..kernels.sparse_projections import (
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
    project_spsymm,
    project_sptril,
    project_sptriu,
)
from .sets import Counted, Square, Tolerant, constraint, positive_integer


@constraint
class Sp(Tolerant):
    """At most ``k`` non-zeros in the matrix.

    Notes
    -----
    The k largest moduli by quickselect, ties in column-major order: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Sp((2, 2), k=2, normalized=False).project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x):
        project_sp(x, self.k, self.tie_tol)


@constraint
class SpLin(Tolerant):
    """At most ``k`` non-zeros per row.

    Notes
    -----
    Some ten passes over each row: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpLin((2, 2), k=1, normalized=False).project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x):
        project_splin(x, self.k, self.tie_tol)

    def transposed(self):
        """Return the set of the transposes."""
        return SpCol(self.shape[::-1], self.k, **self._options())


@constraint
class SpCol(Tolerant):
    """At most ``k`` non-zeros per column.

    Notes
    -----
    Some ten passes over each column, one if k is small: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpCol((2, 2), k=1, normalized=False).project([[3.0, -1.0], [4.0, -4.0]])
    array([[ 0.,  0.],
           [ 4., -4.]])
    """

    def _nearest(self, x):
        project_spcol(x, self.k, self.tie_tol)

    def transposed(self):
        """Return the set of the transposes."""
        return SpLin(self.shape[::-1], self.k, **self._options())


@constraint
class SpLinCol(Tolerant):
    """The entries that `SpLin` or `SpCol` keeps: not a projection.

    Notes
    -----
    The union of two supports: a row or column may hold more than k entries, some
    1.4 kn in all for n x n Gaussian entries, so that PALM may increase its
    objective. `SkPerm` is the projection onto "k per row and per column". O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpLinCol((2, 2), k=1, normalized=False).project([[3.0, -1.0], [4.0, -2.0]])
    array([[ 3.,  0.],
           [ 4., -2.]])
    """

    def _nearest(self, x):
        project_splincol(x, self.k, self.tie_tol)

    def transposed(self):
        """Return the set of the transposes."""
        return SpLinCol(self.shape[::-1], self.k, **self._options())


@constraint
class SkPerm(Tolerant):
    """At most ``k`` non-zeros per row and ``k_col`` per column.

    Parameters
    ----------
    k_col : int, optional
        Entries kept per column, at least 1; ``k`` if not given.
    tie_tol : float
        In [0, 1): the energies ``|x|² / max |x|²`` are rounded to multiples of it, so
        that nearly equal ones tie; those that round to 0 are not kept. Sums of
        multiples of a power of two, such as ``2**-20``, are exact: the search takes
        the path that it would take without noise.

    Notes
    -----
    Exact: the support of largest energy is a maximum-weight b-matching, found by
    shortest augmenting paths, in min(m k, n k_col) searches of O(mn) at most; most
    entries need none where no other support is as good. With ties, the support is that
    of a fixed order of searches. `project_in_place` with a `memory` starts from the
    potentials of the last matrix. `nbfact.kernels.project_skperm_greedy` is faster.

    References
    ----------
    Q.-T. Le and R. Gribonval, "Structured support exploration for multilayer sparse
    matrix factorization", ICASSP 2021.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SkPerm((2, 2), k=1, normalized=False).project([[3.0, 2.5], [2.5, 0.0]])
    array([[0. , 2.5],
           [2.5, 0. ]])
    """

    k_col: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.k_col is not None:
            k_col = positive_integer(self.k_col, "k_col")
            object.__setattr__(self, "k_col", k_col)

    def memory(self) -> np.ndarray | None:
        """Return potentials of rows and columns; None for a subclass, as it may differ.

        Returns
        -------
        (m + n,) ndarray or None
            Zeros.
        """
        return np.zeros(sum(self.shape)) if type(self) is SkPerm else None

    def _nearest(self, x):
        self._nearest_from(x, np.zeros(sum(self.shape)))

    def _nearest_from(self, x, memory):
        k_col = self.k if self.k_col is None else self.k_col
        project_skperm_warm(x, self.k, k_col, memory, self.tie_tol)


@constraint
class SpTriu(Counted):
    """At most ``k`` non-zeros, all in the upper triangle, diagonal included.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpTriu((2, 2), k=1, normalized=False).project([[3.0, 2.0], [5.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x):
        project_sptriu(x, self.k)


@constraint
class SpTril(Counted):
    """At most ``k`` non-zeros, all in the lower triangle, diagonal included.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpTril((2, 2), k=1, normalized=False).project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x):
        project_sptril(x, self.k)


@constraint
class SpSymm(Counted, Square):
    """Symmetric, with ``k`` non-zeros or ``k + 1``: not a projection.

    Notes
    -----
    FAµST's rule: the larger of two mirrored entries is given to both (the projection
    would take their mean; neither is conjugated), then the largest are kept until k
    are. A pair is kept whole, so that there may be one more than k.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.SpSymm((2, 2), k=1, normalized=False).project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 5.],
           [5., 0.]])
    """

    def _nearest(self, x):
        project_spsymm(x, self.k)
