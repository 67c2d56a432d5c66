"""Sets of matrices with a structure, or with fixed entries, supports or norms."""

from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import ArrayLike

from ..kernels.entry_projections import project_const, project_supp
from ..kernels.norm_projections import project_normcol, project_normlin
from ..kernels.structured_projections import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)
from .sets import (
    Options,
    Set,
    Shaped,
    Square,
    constraint,
    fixed_matrix,
    pair,
    real_number,
)


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
        blocks = tuple(pair("blocks", block) for block in self.blocks)
        if not blocks:
            raise ValueError("blocks must hold at least one (rows, columns) pair")
        object.__setattr__(self, "blocks", blocks)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrices of the set."""
        rows, columns = zip(*self.blocks, strict=True)
        return sum(rows), sum(columns)

    def _nearest(self, x: np.ndarray) -> None:
        row_ends, col_ends = np.cumsum(self.blocks, axis=0).T.copy()
        project_blockdiag(x, row_ends, col_ends)


@constraint
class Const(Set):
    """The set of one matrix: a factor that does not change.

    Parameters
    ----------
    value : (m, n) array_like
        The matrix. The result of `project` has the dtype of its argument; a complex
        value with a real argument is a ``TypeError``.

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
        project_const(x, self.value)


@constraint
class Normed(Set):
    """Base class of the sets whose matrices have columns, or rows, of one norm."""

    shape: tuple[int, int]
    s: float = 1.0
    nonneg: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", pair("shape", self.shape))
        s = real_number("s", self.s)
        if not 0 < s < np.inf:
            raise ValueError(f"s must be positive and finite, got {self.s}")
        object.__setattr__(self, "s", s)


@constraint
class NormCol(Normed):
    """The matrices whose columns have Euclidean norm ``s``.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    s : float
        The norm of each column, positive; 1 by default.
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
        The norm of each row, positive; 1 by default.
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
        project_normlin(x, self.s)

    def transposed(self) -> NormCol:
        """Return the set of the transposed matrices."""
        return NormCol(self.shape[::-1], self.s, **self._options())


@constraint
class Identity(Shaped):
    """The set of all matrices: the projection changes nothing but for the options.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    normalized : bool
        Whether the result is scaled to unit Frobenius norm; ``False`` by default.
    nonneg
        See `nbfact.constraints`.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Identity((1, 2), nonneg=True).project([[3.0, -4.0]])
    array([[3., 0.]])
    """

    normalized: bool = field(default=False, kw_only=True)

    def _nearest(self, x: np.ndarray) -> None:
        pass
