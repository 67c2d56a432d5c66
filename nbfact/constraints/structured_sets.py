"""Sets with a structure or with fixed entries, supports or norms."""

from collections.abc import Sequence
from dataclasses import field

import numpy as np

from ..kernels.entry_projections import project_const, project_supp
from ..kernels.norm_projections import project_normcol, project_normlin
from ..kernels.structured_projections import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)
from .sets import Options, Set, Shaped, Square, constraint, fixed_matrix, pair


@constraint
class Circ(Square):
    """Circulant: ``x[i, j]`` depends on ``(j - i) % n``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Circ((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x):
        project_circ(x)


@constraint
class AntiCirc(Square):
    """Anti-circulant: ``x[i, j]`` depends on ``(i + j) % n``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.AntiCirc((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x):
        project_anticirc(x)


@constraint
class Toeplitz(Shaped):
    """Toeplitz: ``x[i, j]`` depends on ``j - i``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Toeplitz((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 2.],
           [4., 2.]])
    """

    def _nearest(self, x):
        project_toeplitz(x)


@constraint
class Hankel(Shaped):
    """Hankel: ``x[i, j]`` depends on ``i + j``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Hankel((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[1., 3.],
           [3., 3.]])
    """

    def _nearest(self, x):
        project_hankel(x)


@constraint
class Supp(Options):
    """Zero outside a given support.

    Parameters
    ----------
    support : (m, n) array_like
        Boolean, or numbers, where any non-zero belongs to the support.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Supp([[1, 0], [1, 1]], normalized=False).project([[1.0, 2.0], [3.0, 4.0]])
    array([[1., 0.],
           [3., 4.]])
    """

    support: np.ndarray

    def __post_init__(self):
        support = fixed_matrix(self.support, "support") != 0
        support.flags.writeable = False
        object.__setattr__(self, "support", support)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.support.shape

    def _nearest(self, x):
        project_supp(x, self.support)

    def transposed(self):
        """Return the set of the transposes."""
        return Supp(self.support.T, **self._options())


@constraint
class BlockDiag(Options):
    """Block diagonal.

    Parameters
    ----------
    blocks : sequence of (int, int)
        Rows and columns of each block, from the top left.

    Examples
    --------
    >>> import nbfact as nf
    >>> blocks = nf.constraints.BlockDiag([(1, 2), (1, 1)], normalized=False)
    >>> blocks.project([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([[1., 2., 0.],
           [0., 0., 6.]])
    """

    blocks: Sequence[tuple[int, int]]

    def __post_init__(self):
        blocks = tuple(pair(block, "blocks") for block in self.blocks)
        if not blocks:
            raise ValueError("blocks must hold at least one (rows, columns) pair")
        object.__setattr__(self, "blocks", blocks)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = zip(*self.blocks, strict=True)
        return sum(rows), sum(columns)

    def _nearest(self, x):
        row_ends, col_ends = np.cumsum(self.blocks, axis=0).T.copy()
        project_blockdiag(x, row_ends, col_ends)


@constraint
class Const(Set):
    """One given matrix: a factor that does not change.

    Parameters
    ----------
    value : (m, n) array_like
        The matrix. It is given in the dtype of what is projected; a complex value
        cannot be given for a real matrix, which raises ``TypeError``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Const([[1.0, 2.0]]).project([[0.0, 0.0]])
    array([[1., 2.]])
    """

    value: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "value", fixed_matrix(self.value, "value"))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.value.shape

    def _nearest(self, x):
        if np.iscomplexobj(self.value) and not np.iscomplexobj(x):
            raise TypeError(f"value is complex, x must be too, got dtype {x.dtype}")
        project_const(x, self.value)


@constraint
class Normed(Set):
    """A set of matrices whose columns, or rows, have one norm."""

    shape: tuple[int, int]
    s: float = 1.0
    nonneg: bool = field(default=False, kw_only=True)

    def __post_init__(self):
        object.__setattr__(self, "shape", pair(self.shape, "shape"))
        if not isinstance(self.s, int | float | np.integer | np.floating):
            raise TypeError(f"s must be a real number, got {self.s!r}")
        if not 0 < self.s < np.inf:
            raise ValueError(f"s must be positive and finite, got {self.s}")
        object.__setattr__(self, "s", float(self.s))


@constraint
class NormCol(Normed):
    """Columns of norm ``s``.

    Parameters
    ----------
    s : float
        The Euclidean norm of each column, positive.

    Notes
    -----
    A zero column, at the same distance of all points of the set, stays zero.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.NormCol((2, 1), s=10.0).project([[3.0], [4.0]])
    array([[6.],
           [8.]])
    """

    def _nearest(self, x):
        project_normcol(x, self.s)

    def transposed(self):
        """Return the set of the transposes."""
        return NormLin(self.shape[::-1], self.s)


@constraint
class NormLin(Normed):
    """Rows of norm ``s``.

    Parameters
    ----------
    s : float
        The Euclidean norm of each row, positive.

    Notes
    -----
    A zero row, at the same distance of all points of the set, stays zero.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.NormLin((1, 2), s=10.0).project([[3.0, 4.0]])
    array([[6., 8.]])
    """

    def _nearest(self, x):
        project_normlin(x, self.s)

    def transposed(self):
        """Return the set of the transposes."""
        return NormCol(self.shape[::-1], self.s)


@constraint
class Identity(Shaped):
    """Any matrix: the projection changes nothing unless an option is given.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.constraints.Identity((1, 2), nonneg=True).project([[3.0, -4.0]])
    array([[3., 0.]])
    """

    normalized: bool = field(default=False, kw_only=True)

    def _nearest(self, x):
        pass
