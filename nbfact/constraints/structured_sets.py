"""Sets of matrices with a structure: constant diagonals, a support, or blocks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._core.checks import sequence
from ..kernels.entry_projections import project_supp
from ..kernels.structured_projections import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)
from .sets import Options, Shaped, Square, constraint, fixed_matrix, pair


@constraint
class Circ(Square):
    """The circulant matrices: ``x[i, j]`` depends on ``(j - i) % n`` alone.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, equal.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    AntiCirc, Toeplitz, Hankel : Other sets of matrices with constant diagonals.
    nbfact.transforms.circulant : The fast operator of a circulant matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Circ((2, 2), normalized=False)
    >>> set_.project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_circ(x)


@constraint
class AntiCirc(Square):
    """The anti-circulant matrices: ``x[i, j]`` depends on ``(i + j) % n`` alone.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, equal.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    Circ, Toeplitz, Hankel : Other sets of matrices with constant diagonals.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.AntiCirc((2, 2), normalized=False)
    >>> set_.project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_anticirc(x)


@constraint
class Toeplitz(Shaped):
    """The Toeplitz matrices: ``x[i, j]`` depends on ``j - i`` alone.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    Circ, AntiCirc, Hankel : Other sets of matrices with constant diagonals.
    nbfact.transforms.toeplitz : The fast operator of a Toeplitz matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Toeplitz((2, 2), normalized=False)
    >>> set_.project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 2.],
           [4., 2.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_toeplitz(x)


@constraint
class Hankel(Shaped):
    """The Hankel matrices: ``x[i, j]`` depends on ``i + j`` alone.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    Circ, AntiCirc, Toeplitz : Other sets of matrices with constant diagonals.
    nbfact.transforms.hankel : The fast operator of a Hankel matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Hankel((2, 2), normalized=False)
    >>> set_.project([[1.0, 2.0], [4.0, 3.0]])
    array([[1., 3.],
           [3., 3.]])
    """

    def _nearest(self, x: np.ndarray) -> None:
        project_hankel(x)


@constraint
class Supp(Options):
    """The matrices that are zero outside a given support.

    Parameters
    ----------
    support : (m, n) array_like
        The support: booleans, or numbers, of which those that are not zero mark an
        entry of the support.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    BlockDiag : The support is a row of blocks along the diagonal.
    nbfact.kernels.project_supp : The kernel.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.Supp([[1, 0], [1, 1]], normalized=False)
    >>> set_.project([[1.0, 2.0], [3.0, 4.0]])
    array([[1., 0.],
           [3., 4.]])
    """

    support: np.ndarray

    def __init__(
        self, support: ArrayLike, *, normalized: bool = True, nonneg: bool = False
    ) -> None:
        mask = fixed_matrix("support", support) != 0
        mask.flags.writeable = False
        object.__setattr__(self, "support", mask)
        object.__setattr__(self, "normalized", normalized)
        object.__setattr__(self, "nonneg", nonneg)
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrices of the set."""
        rows, columns = self.support.shape
        return rows, columns

    def _nearest(self, x: np.ndarray) -> None:
        project_supp(x, self.support)

    def transposed(self) -> "Supp":
        """Return the set of the transposed matrices."""
        return Supp(self.support.T, **self._options())


@constraint
class BlockDiag(Options):
    """The block diagonal matrices with blocks of given shapes.

    Parameters
    ----------
    blocks : sequence of (int, int)
        Rows and columns of each block, from the top left to the bottom right.
    normalized, nonneg
        See `nbfact.constraints`.

    See Also
    --------
    Supp : The support is any set of entries.
    nbfact.kernels.project_blockdiag : The kernel.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.BlockDiag([(1, 2), (1, 1)], normalized=False)
    >>> set_.project([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([[1., 2., 0.],
           [0., 0., 6.]])
    """

    blocks: Sequence[tuple[int, int]]

    def __post_init__(self) -> None:
        super().__post_init__()
        pairs = sequence("blocks", self.blocks, "(rows, columns) pairs", least=1)
        blocks = tuple(pair("blocks", block) for block in pairs)
        object.__setattr__(self, "blocks", blocks)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrices of the set."""
        rows, columns = zip(*self.blocks, strict=True)
        return sum(rows), sum(columns)

    def _nearest(self, x: np.ndarray) -> None:
        row_ends, col_ends = np.cumsum(self.blocks, axis=0).T.copy()
        project_blockdiag(x, row_ends, col_ends)
