"""The sets that factors live in: a shape, and the projection onto the set.

A constraint is any object with ``shape`` and ``project(x)``; here are FAµST's sets,
under its names. They share these parameters:

``shape`` : (int, int)
    Rows and columns, at least 1.
``k`` : int
    Entries kept, at least 1; more than there are keeps them all.
``normalized`` : bool
    Scale the result to unit Frobenius norm, as PALM expects: for sets closed under
    scaling this is the projection onto their matrices of unit norm. A zero matrix
    stays zero. ``False`` by default for `Identity`; fixed norms have no such option.
``nonneg`` : bool
    Set negative entries to zero first. Real matrices only. The result is then the
    nearest non-negative point, but not where entries are averaged (`Circ`,
    `AntiCirc`, `Toeplitz`, `Hankel`): FAµST's order, kept.

A bad parameter raises ``TypeError`` or ``ValueError`` naming it.

``project(x)`` takes a finite float32, float64, complex64 or complex128 matrix of the
right shape, in any memory order (integers become float64), and returns a new
C-contiguous matrix of its dtype. It raises ``TypeError`` for any other dtype and
``ValueError`` for another shape, a NaN, an infinity, or a complex matrix where
``nonneg`` is asked. Moduli are compared; on ties the lowest index wins.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from .kernels.assignment import project_skperm
from .kernels.projections import (
    normalize_frobenius,
    project_const,
    project_nonneg,
    project_normcol,
    project_normlin,
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
    project_spsymm,
    project_sptril,
    project_sptriu,
    project_supp,
)
from .kernels.structured import (
    project_anticirc,
    project_blockdiag,
    project_circ,
    project_hankel,
    project_toeplitz,
)

_DTYPES = ("float32", "float64", "complex64", "complex128")


@runtime_checkable
class Constraint(Protocol):
    """What the algorithms ask of a set: its shape, and the projection onto it."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrices of the set."""

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return the point of the set nearest to x, as a new array."""


class _Set:
    """One place for checks, copy, options, ``repr`` and equality of the sets below."""

    normalized = False
    nonneg = False

    def project(self, x: ArrayLike) -> np.ndarray:
        """Return the point of the set nearest to ``x``.

        Parameters
        ----------
        x : (m, n) array_like
            Any memory order, read-only or not; never modified.

        Returns
        -------
        (m, n) ndarray
            A new C-contiguous array of the dtype of ``x``, float64 for integers.

        Raises
        ------
        TypeError
            If the dtype of ``x`` is none of the four, nor an integer.
        ValueError
            If ``x`` has another shape than the set or an entry that is not finite,
            or is complex where the set is real.
        """
        copy = _finite_copy(x, "x")
        if copy.shape != self.shape:
            raise ValueError(f"x has shape {copy.shape}, the constraint {self.shape}")
        return self.project_inplace(copy)

    def project_inplace(self, x: np.ndarray) -> np.ndarray:
        """Project ``x`` in place and return it, without the checks of ``project``.

        Parameters
        ----------
        x : (m, n) ndarray
            Overwritten: C-contiguous and finite, of one of the four dtypes.

        Returns
        -------
        (m, n) ndarray
            ``x``.

        Raises
        ------
        ValueError
            If ``x`` is complex where the set is real.
        """
        if self.nonneg:
            if np.iscomplexobj(x):
                raise ValueError(f"nonneg needs a real x, got dtype {x.dtype}")
            project_nonneg(x)
        self._nearest(x)
        if self.normalized:
            normalize_frobenius(x)
        return x

    def _nearest(self, x):
        """Move ``x`` to the nearest point of the set, in place."""
        raise NotImplementedError

    def __repr__(self):
        arguments = []
        for f in sorted(fields(self), key=lambda f: f.kw_only):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                arguments.append(f"<{value.shape[0]} x {value.shape[1]}>")
            elif isinstance(value, tuple):
                arguments.append(repr(value))
            elif f.name in ("k", "s") or value != f.default:
                arguments.append(f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)
        )

    def __hash__(self):
        return hash((type(self), self.shape))


def _finite_copy(x, name):
    """Return a C-contiguous copy of x in one of the four dtypes, or raise naming it."""
    array = np.asarray(x)
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind in "biu":
        dtype = np.dtype(np.float64)
    if dtype.name not in _DTYPES:
        names = ", ".join(_DTYPES)
        raise TypeError(f"{name} must be {names} or integer, got dtype {dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, it holds a NaN or an infinity")
    return np.array(array, dtype, order="C")


def _fixed_matrix(x, name):
    """Return x as a read-only, non-empty, finite matrix, or raise naming it."""
    matrix = _finite_copy(x, name)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"{name} must be a non-empty matrix, got shape {matrix.shape}")
    matrix.flags.writeable = False
    return matrix


def _positive_integer(value, name):
    """Return value as an int >= 1, or raise naming it."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        value = operator.index(value)
    except TypeError:
        message = f"{name} must be an integer, got {value!r}"
        raise TypeError(message) from None
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return value


def _pair(value, name):
    """Return value as a tuple of two ints >= 1, or raise naming it."""
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ValueError(f"{name} must be a pair of integers, got {value!r}")
    return tuple(_positive_integer(item, name) for item in value)


# The classes differ from plain dataclasses in how they compare and print.
_constraint = dataclass(frozen=True, repr=False, eq=False)


@_constraint
class _Options(_Set):
    normalized: bool = field(default=True, kw_only=True)
    nonneg: bool = field(default=False, kw_only=True)


@_constraint
class _Shaped(_Options):
    shape: tuple[int, int]

    def __post_init__(self):
        object.__setattr__(self, "shape", _pair(self.shape, "shape"))


@_constraint
class _Square(_Shaped):
    def __post_init__(self):
        super().__post_init__()
        if self.shape[0] != self.shape[1]:
            name = type(self).__name__
            raise ValueError(f"{name} needs a square shape, got {self.shape}")


@_constraint
class _Counted(_Shaped):
    k: int

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "k", _positive_integer(self.k, "k"))


@_constraint
class Sp(_Counted):
    """At most ``k`` non-zeros in the matrix.

    Notes
    -----
    The k largest moduli by quickselect, ties in column-major order: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Sp((2, 2), k=2, normalized=False).project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x):
        project_sp(x, self.k)


@_constraint
class SpLin(_Counted):
    """At most ``k`` non-zeros per row.

    Notes
    -----
    A quickselect per row: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpLin((2, 2), k=1, normalized=False).project([[3.0, -1.0], [2.0, -4.0]])
    array([[ 3.,  0.],
           [ 0., -4.]])
    """

    def _nearest(self, x):
        project_splin(x, self.k)


@_constraint
class SpCol(_Counted):
    """At most ``k`` non-zeros per column.

    Notes
    -----
    A quickselect per column: O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpCol((2, 2), k=1, normalized=False).project([[3.0, -1.0], [4.0, -4.0]])
    array([[ 0.,  0.],
           [ 4., -4.]])
    """

    def _nearest(self, x):
        project_spcol(x, self.k)


@_constraint
class SpLinCol(_Counted):
    """The entries that `SpLin` or `SpCol` keeps: not a projection.

    Notes
    -----
    The union of two supports: a row or column may hold more than k entries, some
    1.4 kn in all for n x n Gaussian entries, so that PALM may increase its
    objective. `SkPerm` is the projection onto "k per row and per column". O(mn).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpLinCol((2, 2), k=1, normalized=False).project([[3.0, -1.0], [4.0, -2.0]])
    array([[ 3.,  0.],
           [ 4., -2.]])
    """

    def _nearest(self, x):
        project_splincol(x, self.k)


@_constraint
class SkPerm(_Counted):
    """At most ``k`` non-zeros per row and ``k_col`` per column.

    Parameters
    ----------
    k_col : int, optional
        Entries kept per column, at least 1; ``k`` if not given.

    Notes
    -----
    Exact: the support of largest energy is a maximum-weight b-matching, found by
    shortest augmenting paths, in min(m k, n k_col) searches of O(mn) at most. With
    ties it is not unique. `nbfact.kernels.project_skperm_greedy` is faster.

    References
    ----------
    Q.-T. Le and R. Gribonval, "Structured support exploration for multilayer sparse
    matrix factorization", ICASSP 2021.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SkPerm((2, 2), k=1, normalized=False).project([[3.0, 2.5], [2.5, 0.0]])
    array([[0. , 2.5],
           [2.5, 0. ]])
    """

    k_col: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.k_col is not None:
            k_col = _positive_integer(self.k_col, "k_col")
            object.__setattr__(self, "k_col", k_col)

    def _nearest(self, x):
        project_skperm(x, self.k, self.k if self.k_col is None else self.k_col)


@_constraint
class SpTriu(_Counted):
    """At most ``k`` non-zeros, all in the upper triangle, diagonal included.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpTriu((2, 2), k=1, normalized=False).project([[3.0, 2.0], [5.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x):
        project_sptriu(x, self.k)


@_constraint
class SpTril(_Counted):
    """At most ``k`` non-zeros, all in the lower triangle, diagonal included.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpTril((2, 2), k=1, normalized=False).project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 0.],
           [0., 4.]])
    """

    def _nearest(self, x):
        project_sptril(x, self.k)


@_constraint
class SpSymm(_Counted, _Square):
    """Symmetric, with ``k`` non-zeros or ``k + 1``: not a projection.

    Notes
    -----
    FAµST's rule: the larger of two mirrored entries is given to both (the projection
    would take their mean; neither is conjugated), then the largest are kept until k
    are. A pair is kept whole, so that there may be one more than k.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.SpSymm((2, 2), k=1, normalized=False).project([[3.0, 5.0], [2.0, 4.0]])
    array([[0., 5.],
           [5., 0.]])
    """

    def _nearest(self, x):
        project_spsymm(x, self.k)


@_constraint
class Circ(_Square):
    """Circulant: ``x[i, j]`` depends on ``(j - i) % n``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Circ((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x):
        project_circ(x)


@_constraint
class AntiCirc(_Square):
    """Anti-circulant: ``x[i, j]`` depends on ``(i + j) % n``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.AntiCirc((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 3.],
           [3., 2.]])
    """

    def _nearest(self, x):
        project_anticirc(x)


@_constraint
class Toeplitz(_Shaped):
    """Toeplitz: ``x[i, j]`` depends on ``j - i``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Toeplitz((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[2., 2.],
           [4., 2.]])
    """

    def _nearest(self, x):
        project_toeplitz(x)


@_constraint
class Hankel(_Shaped):
    """Hankel: ``x[i, j]`` depends on ``i + j``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Hankel((2, 2), normalized=False).project([[1.0, 2.0], [4.0, 3.0]])
    array([[1., 3.],
           [3., 3.]])
    """

    def _nearest(self, x):
        project_hankel(x)


@_constraint
class Supp(_Options):
    """Zero outside a given support.

    Parameters
    ----------
    support : (m, n) array_like
        Boolean, or numbers, where any non-zero belongs to the support.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Supp([[1, 0], [1, 1]], normalized=False).project([[1.0, 2.0], [3.0, 4.0]])
    array([[1., 0.],
           [3., 4.]])
    """

    support: np.ndarray

    def __post_init__(self):
        support = _fixed_matrix(self.support, "support") != 0
        support.flags.writeable = False
        object.__setattr__(self, "support", support)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.support.shape

    def _nearest(self, x):
        project_supp(x, self.support)


@_constraint
class BlockDiag(_Options):
    """Block diagonal.

    Parameters
    ----------
    blocks : sequence of (int, int)
        Rows and columns of each block, from the top left.

    Examples
    --------
    >>> import nbfact as nf
    >>> blocks = nf.BlockDiag([(1, 2), (1, 1)], normalized=False)
    >>> blocks.project([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([[1., 2., 0.],
           [0., 0., 6.]])
    """

    blocks: Sequence[tuple[int, int]]

    def __post_init__(self):
        blocks = tuple(_pair(block, "blocks") for block in self.blocks)
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


@_constraint
class Const(_Set):
    """One given matrix: a factor that does not change.

    Parameters
    ----------
    value : (m, n) array_like
        The matrix. It is given in the dtype of what is projected; a complex value
        cannot be given for a real matrix, which raises ``TypeError``.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Const([[1.0, 2.0]]).project([[0.0, 0.0]])
    array([[1., 2.]])
    """

    value: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "value", _fixed_matrix(self.value, "value"))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.value.shape

    def _nearest(self, x):
        if np.iscomplexobj(self.value) and not np.iscomplexobj(x):
            raise TypeError(f"value is complex, x must be too, got dtype {x.dtype}")
        project_const(x, self.value)


@_constraint
class _Normed(_Set):
    shape: tuple[int, int]
    s: float = 1.0
    nonneg: bool = field(default=False, kw_only=True)

    def __post_init__(self):
        object.__setattr__(self, "shape", _pair(self.shape, "shape"))
        if not isinstance(self.s, int | float | np.integer | np.floating):
            raise TypeError(f"s must be a real number, got {self.s!r}")
        if not 0 < self.s < np.inf:
            raise ValueError(f"s must be positive and finite, got {self.s}")
        object.__setattr__(self, "s", float(self.s))


@_constraint
class NormCol(_Normed):
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
    >>> nf.NormCol((2, 1), s=10.0).project([[3.0], [4.0]])
    array([[6.],
           [8.]])
    """

    def _nearest(self, x):
        project_normcol(x, self.s)


@_constraint
class NormLin(_Normed):
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
    >>> nf.NormLin((1, 2), s=10.0).project([[3.0, 4.0]])
    array([[6., 8.]])
    """

    def _nearest(self, x):
        project_normlin(x, self.s)


@_constraint
class Identity(_Shaped):
    """Any matrix: the projection changes nothing unless an option is given.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.Identity((1, 2), nonneg=True).project([[3.0, -4.0]])
    array([[3., 0.]])
    """

    normalized: bool = field(default=False, kw_only=True)

    def _nearest(self, x):
        pass
