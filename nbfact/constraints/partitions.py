"""The matrices that are constant on the pieces of a partition of the entries."""

import functools

import numpy as np
from numpy.typing import ArrayLike

from .._core.array_checks import check_matrix, plain_array
from .._core.checks import size
from ..kernels.partition_projection import project_partition
from .sets import Options, constraint


@constraint
class Partition(Options):
    """The matrices that are constant on pieces, and not zero on at most k of them.

    Parameters
    ----------
    labels : (m, n) array_like of int
        The piece of each entry: entries with the same label, at least 0, form a piece.
        Entries with a negative label are in no piece: they are zero in each matrix.
    k : int, optional
        Number of pieces to keep, at least 1; all of them by default. Of pieces that
        tie, those of the lowest labels are kept.
    normalized, nonneg
        See `nbfact.constraints`.

    Raises
    ------
    TypeError
        Labels that are not integers.
    ValueError
        Labels that are no matrix, or all negative.

    See Also
    --------
    Circ, AntiCirc, Toeplitz, Hankel : The pieces are diagonals, and all are kept.
    Sp, Supp : Each entry is a piece of its own.
    nbfact.kernels.project_partition : The kernel.

    Notes
    -----
    This is the general set of appendix A.2 of Le Magoarou and Gribonval, Flexible
    multilayer sparse approximations of matrices and applications, IEEE J. Sel. Topics
    Signal Process. 10(4), 2016 [lemagoarou2016].

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Partition([[0, 0, 1], [2, 2, 1]], 2, normalized=False)
    >>> set_.project([[1.0, 3.0, 8.0], [0.0, 1.0, 6.0]])
    array([[2., 2., 7.],
           [0., 0., 7.]])
    """

    labels: np.ndarray
    k: int | None = None

    def __init__(
        self,
        labels: ArrayLike,
        k: int | None = None,
        *,
        normalized: bool = True,
        nonneg: bool = False,
    ) -> None:
        given = plain_array("labels", labels)
        check_matrix("labels", given.shape)
        if given.dtype.kind not in "iu":
            raise TypeError(f"labels have dtype {given.dtype}: expected integers")
        whole = given.astype(np.int64)
        if not (whole >= 0).any() or (given.dtype.kind == "u" and (whole < 0).any()):
            raise ValueError(
                f"labels {given.shape} name no piece: expected integers of which one "
                "is at least 0, below 2**63"
            )
        whole.flags.writeable = False
        object.__setattr__(self, "labels", whole)
        object.__setattr__(self, "k", None if k is None else size("k", k, most=None))
        object.__setattr__(self, "normalized", normalized)
        object.__setattr__(self, "nonneg", nonneg)
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrices of the set."""
        rows, columns = self.labels.shape
        return rows, columns

    @functools.cached_property
    def _pieces(self) -> tuple[np.ndarray, int]:
        """The labels without gaps, in the same order, and the number of pieces."""
        found, dense = np.unique(self.labels, return_inverse=True)
        outside = int((found < 0).sum())
        dense = dense.reshape(self.labels.shape) - outside
        return np.maximum(dense, -1), found.size - outside

    def _nearest(self, x: np.ndarray) -> None:
        labels, n_pieces = self._pieces
        kept = n_pieces if self.k is None else min(self.k, n_pieces)
        project_partition(x, labels, n_pieces, kept)

    def transposed(self) -> "Partition":
        """Return the set of the transposed matrices."""
        return Partition(self.labels.T, self.k, **self._options())
