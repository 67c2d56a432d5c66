"""Base classes of the constraint sets: checks, copies, options and printing."""

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import ArrayLike

from .._core.array_checks import check_matrix
from .._core.checks import size
from .._core.dtypes import DTYPES
from ..kernels.entry_projections import project_nonneg
from ..kernels.norm_projections import normalize_frobenius

_SetType = TypeVar("_SetType")


@dataclass_transform(
    frozen_default=True, eq_default=False, field_specifiers=(field, Field)
)
def constraint(cls: type[_SetType]) -> type[_SetType]:
    """Make a class a frozen dataclass that compares and prints as `Set` says.

    ``dataclass_transform`` lets a type checker and an editor know the signature of the
    constructor, which an alias of `dataclasses.dataclass` would hide from them.
    """
    return dataclass(frozen=True, repr=False, eq=False)(cls)


class Set:
    """Base class of the sets: checks, copy, options, ``repr`` and equality.

    A subclass is decorated with `constraint`, has an attribute or property ``shape``
    and implements ``_nearest``. The other methods are the optional members that
    `nbfact.constraints.protocol.FastConstraint` describes.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    if TYPE_CHECKING:  # a base property would be taken for the default of the field

        @property
        def shape(self) -> tuple[int, int]:
            """Rows and columns of the matrices of the set."""

        @property
        def normalized(self) -> bool:
            """Whether `project` scales its result to unit Frobenius norm."""

        @property
        def nonneg(self) -> bool:
            """Whether `project` sets negative entries to zero first."""

    else:
        normalized = False
        nonneg = False

    def project(self, x: ArrayLike) -> np.ndarray:
        """Return the matrix of the set nearest to ``x``.

        Parameters
        ----------
        x : (m, n) array_like
            Matrix of the shape of the set, in any memory order, read-only or not. It is
            not modified.

        Returns
        -------
        (m, n) ndarray
            A new C-contiguous array of the dtype of ``x``; float64 for integers.

        Raises
        ------
        TypeError
            When the dtype of ``x`` is neither one of the four supported ones nor an
            integer.
        ValueError
            When ``x`` has another shape than the set or holds an entry that is not
            finite, or when ``x`` is complex and the set is real.
        """
        copy = finite_copy("x", x)
        if copy.shape != self.shape:
            raise ValueError(f"x has shape {copy.shape}, the constraint {self.shape}")
        self.project_in_place(copy)
        return copy

    def project_in_place(self, x: np.ndarray, memory: np.ndarray | None = None) -> None:
        """Overwrite ``x`` with the nearest matrix of the set, for inner loops.

        Nothing is checked: the result is undefined when a precondition does not hold.

        Parameters
        ----------
        x : (m, n) ndarray
            Matrix of the shape of the set: C-contiguous, writable, finite, of dtype
            float32, float64, complex64 or complex128. Overwritten.
        memory : ndarray, optional
            The array that the method `memory` returned, as the earlier calls left it.
            It saves time when ``x`` changes little from call to call; the result is the
            same with and without it.

        Raises
        ------
        ValueError
            When ``x`` is complex and the set is real.
        """
        if self.nonneg:
            if np.iscomplexobj(x):
                raise ValueError(f"nonneg needs a real x, got dtype {x.dtype}")
            project_nonneg(x)
        if memory is None:
            self._nearest(x)
        else:
            self._nearest_from(x, memory)
        if self.normalized:
            normalize_frobenius(x)

    def memory(self) -> np.ndarray | None:
        """Return an array for `project_in_place` to keep between calls, or None.

        Returns
        -------
        ndarray or None
            An array for one sequence of matrices; None when no memory would save time.
        """
        return None

    def _nearest(self, x: np.ndarray) -> None:
        """Overwrite ``x`` with the nearest matrix, before the norm is scaled."""
        raise NotImplementedError

    def _nearest_from(self, x: np.ndarray, memory: np.ndarray) -> None:
        """Do what `_nearest` does, with the array that `memory` returned."""
        raise NotImplementedError

    def transposed(self) -> "Set | None":
        """Return the set of the transposed matrices, or None when there is none.

        There is none when the projection onto it would choose other entries among tied
        ones than the projection onto this set.
        """
        return None

    def _options(self) -> dict[str, Any]:
        """Return the keyword-only options of the set by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.kw_only}

    def __repr__(self) -> str:
        arguments = []
        for f in sorted(fields(self), key=lambda f: bool(f.kw_only)):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                arguments.append(f"<{value.shape[0]} x {value.shape[1]}>")
            elif isinstance(value, tuple):
                arguments.append(repr(value))
            elif f.name in ("k", "s") or value != f.default:
                arguments.append(f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)
        )

    def __hash__(self) -> int:
        return hash((type(self), self.shape))


def finite_copy(name: str, x: ArrayLike) -> np.ndarray:
    """Return a C-contiguous copy of x in native byte order and one of the four dtypes.

    Integers become float64. A TypeError or a ValueError that names the argument reports
    another dtype, NaN or infinity.
    """
    array = np.asarray(x)
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind in "biu":
        dtype = np.dtype(np.float64)
    if dtype.name not in DTYPES:
        names = ", ".join(DTYPES)
        raise TypeError(f"{name} must be {names} or integer, got dtype {dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, it holds a NaN or an infinity")
    return np.array(array, dtype, order="C")


def fixed_matrix(name: str, x: ArrayLike) -> np.ndarray:
    """Return a read-only copy of a non-empty, finite matrix, or raise naming it."""
    matrix = finite_copy(name, x)
    check_matrix(name, matrix.shape)
    matrix.flags.writeable = False
    return matrix


def pair(name: str, value: Any) -> tuple[int, int]:
    """Return a sequence of two positive integers as a tuple, or raise naming it."""
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ValueError(f"{name} must be a pair of integers, got {value!r}")
    return size(name, value[0]), size(name, value[1])


def real_number(name: str, value: Any) -> float:
    """Return a real number as a float, or raise a TypeError naming it."""
    if not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    return float(value)


@constraint
class Options(Set):
    """Base class of the sets with the options ``normalized`` and ``nonneg``.

    These sets are closed under scaling, apart from the norm that ``normalized`` fixes.
    The options are described in `nbfact.constraints`.
    """

    normalized: bool = field(default=True, kw_only=True)
    nonneg: bool = field(default=False, kw_only=True)


@constraint
class Shaped(Options):
    """Base class of the sets that are given by their shape."""

    shape: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", pair("shape", self.shape))


@constraint
class Square(Shaped):
    """Base class of the sets of square matrices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shape[0] != self.shape[1]:
            name = type(self).__name__
            raise ValueError(f"{name} needs a square shape, got {self.shape}")


@constraint
class Counted(Shaped):
    """Base class of the sets that keep at most k entries of some kind."""

    k: int

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "k", size("k", self.k))


@constraint
class Tolerant(Counted):
    """Base class of the sets whose projection can treat near ties as ties."""

    tie_tol: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.tie_tol, bool):
            raise TypeError(f"tie_tol must be a real number, got {self.tie_tol!r}")
        tie_tol = real_number("tie_tol", self.tie_tol)
        if not 0 <= tie_tol < 1:
            raise ValueError(f"tie_tol must be in [0, 1), got {self.tie_tol}")
        object.__setattr__(self, "tie_tol", tie_tol)
