"""What all constraint sets share: checks, copies, options, printing."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from .._core.dtypes import DTYPES
from ..kernels.entry_projections import project_nonneg
from ..kernels.norm_projections import normalize_frobenius


@runtime_checkable
class Constraint(Protocol):
    """What the algorithms ask of a set: its shape, and the projection onto it."""

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrices of the set."""

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return the point of the set nearest to x, as a new array."""


class Set:
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
        copy = finite_copy(x, "x")
        if copy.shape != self.shape:
            raise ValueError(f"x has shape {copy.shape}, the constraint {self.shape}")
        self.project_in_place(copy)
        return copy

    def project_in_place(self, x: np.ndarray, memory: np.ndarray | None = None) -> None:
        """Move ``x`` to the nearest point of the set, unchecked: for inner loops.

        Parameters
        ----------
        x : (m, n) ndarray
            Overwritten. C-contiguous, float32, float64, complex64 or complex128, of the
            shape of the set and finite, or the result is undefined.
        memory : ndarray, optional
            What `memory` returned, and each call since has written to. It saves time
            if ``x`` changes little from call to call; the result is the same.

        Raises
        ------
        ValueError
            If ``x`` is complex where the set is real.
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
        """Return what `project_in_place` may keep between calls; None for nothing.

        Returns
        -------
        ndarray or None
            For one sequence of matrices; None where nothing would save time.
        """
        return None

    def _nearest(self, x):
        """Move ``x`` to the nearest point of the set, in place."""
        raise NotImplementedError

    def _nearest_from(self, x, memory):
        """Do as `_nearest`, given what `memory` returned."""
        raise NotImplementedError

    def transposed(self) -> "Set | None":
        """Return the set of the transposes, if its ties are those of this one."""
        return None

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


def finite_copy(x, name):
    """Return a C-contiguous copy of x in one of the four dtypes, or raise naming it."""
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


def fixed_matrix(x, name):
    """Return x as a read-only, non-empty, finite matrix, or raise naming it."""
    matrix = finite_copy(x, name)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"{name} must be a non-empty matrix, got shape {matrix.shape}")
    matrix.flags.writeable = False
    return matrix


def positive_integer(value, name):
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


def pair(value, name):
    """Return value as a tuple of two ints >= 1, or raise naming it."""
    if not isinstance(value, Sequence) or len(value) != 2:
        raise ValueError(f"{name} must be a pair of integers, got {value!r}")
    return tuple(positive_integer(item, name) for item in value)


# The classes differ from plain dataclasses in how they compare and print.
constraint = dataclass(frozen=True, repr=False, eq=False)


@constraint
class Options(Set):
    """The options of most sets: see `nbfact.constraints`."""

    normalized: bool = field(default=True, kw_only=True)
    nonneg: bool = field(default=False, kw_only=True)

    def _options(self):
        """Return the options, by keyword."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.kw_only}


@constraint
class Shaped(Options):
    """A set given by its shape."""

    shape: tuple[int, int]

    def __post_init__(self):
        object.__setattr__(self, "shape", pair(self.shape, "shape"))


@constraint
class Square(Shaped):
    """A set of square matrices."""

    def __post_init__(self):
        super().__post_init__()
        if self.shape[0] != self.shape[1]:
            name = type(self).__name__
            raise ValueError(f"{name} needs a square shape, got {self.shape}")


@constraint
class Counted(Shaped):
    """A set with at most k entries of some kind."""

    k: int

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "k", positive_integer(self.k, "k"))


@constraint
class Tolerant(Counted):
    """A set whose projection may take nearly equal entries for ties."""

    tie_tol: float = field(default=0.0, kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        number = isinstance(self.tie_tol, int | float | np.integer | np.floating)
        if not number or isinstance(self.tie_tol, bool):
            raise TypeError(f"tie_tol must be a real number, got {self.tie_tol!r}")
        if not 0 <= self.tie_tol < 1:
            raise ValueError(f"tie_tol must be in [0, 1), got {self.tie_tol}")
        object.__setattr__(self, "tie_tol", float(self.tie_tol))
