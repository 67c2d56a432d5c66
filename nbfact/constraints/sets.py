"""Base classes of the constraint sets: checks, copies, options and printing."""

import functools
import math
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import ArrayLike

from .._core.array_checks import check_matrix, plain_array
from .._core.checks import flag, real_number, sequence, shown, size
from .._core.dtypes import DTYPES
from ..kernels.entry_projections import project_nonneg
from ..kernels.norm_projections import normalize_frobenius
from ..operators.drawings import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
        copy = real_or_complex_copy("x", x)
        if copy.shape != self.shape:
            raise ValueError(f"x has shape {copy.shape}, the constraint {self.shape}")
        self._project_scaled(copy, largest_part("x", copy))
        return copy

    def _project_scaled(self, x: np.ndarray, largest: float) -> None:
        """Overwrite x, whose largest part is given, however large or small that is."""
        self.project_in_place(x)

    def project_in_place(self, x: np.ndarray, memory: np.ndarray | None = None) -> None:
        """Overwrite ``x`` with the nearest matrix of the set, for inner loops.

        Nothing is checked: the result is undefined when a precondition does not hold.

        Parameters
        ----------
        x : (m, n) ndarray
            Matrix of the shape of the set: C-contiguous, writable, finite, of dtype
            float32, float64, complex64 or complex128, and so far from the limits of the
            dtype that neither sums nor moduli of its entries overflow. Overwritten.
        memory : ndarray, optional
            The array that the method `memory` returned, as the earlier calls left it.
            It saves time when ``x`` changes little from call to call; the result is the
            same with and without it.

        Raises
        ------
        ValueError
            When ``x`` is complex and the set is real.

        Examples
        --------
        >>> import numpy as np, nbfact as nf
        >>> x, rows = np.array([[3.0, 4.0]]), nf.constraints.SpLin((1, 2), 1)
        >>> rows.project_in_place(x, rows.memory())
        >>> x, rows.transposed()
        (array([[0., 1.]]), SpCol((2, 1), k=1))
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

    def plot(
        self, x: ArrayLike | None = None, figure: "Figure | None" = None
    ) -> "Figure":
        """Draw the support of a matrix of the set: the projection of one.

        Parameters
        ----------
        x : (m, n) array_like, optional
            The matrix whose projection is drawn; by default one of Gaussian numbers,
            the same ones in each call, of which each entry is as likely to be kept as
            any other one.
        figure : matplotlib.figure.Figure, optional
            Figure to draw in; a new one by default.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        TypeError, ValueError
            When `project` refuses ``x``, or `figure` is no figure.
        ModuleNotFoundError
            When matplotlib is not installed; the message says how to install it.

        Examples
        --------
        >>> import nbfact as nf
        >>> len(nf.constraints.SpLin((8, 8), 2).plot().axes)
        1
        """
        if x is None:
            x = self._example()
        kept = self.project(x)
        return drawn([(repr(self), kept != 0)], figure)

    def _example(self) -> np.ndarray:
        """Return the matrix whose projection is drawn by default."""
        return np.random.default_rng(0).standard_normal(self.shape)

    def transposed(self) -> "Set | None":
        """Return the set of the transposed matrices, or None when there is none.

        There is none when the projection onto it would choose other entries among tied
        ones than the projection onto this set.

        Returns
        -------
        Set or None
        """
        return None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled set; its arrays, which pickles make writable, are fixed."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(state)

    def _options(self) -> dict[str, Any]:
        """Return the keyword-only options of the set by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.kw_only}

    def __repr__(self) -> str:
        arguments = []
        for f in sorted(fields(self), key=lambda f: bool(f.kw_only)):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                arguments.append(f"<{value.shape[0]} x {value.shape[1]}>")
            elif isinstance(value, tuple) and f.default is MISSING:
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


def real_or_complex_copy(name: str, x: ArrayLike) -> np.ndarray:
    """Return a C-contiguous copy of x in native byte order and one of the four dtypes.

    Integers become float64. A TypeError or a ValueError that names the argument reports
    what is no array of numbers of one of these dtypes.
    """
    array = plain_array(name, x)
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind in "biu":
        dtype = np.dtype(np.float64)
    if dtype.name not in DTYPES:
        names = ", ".join(DTYPES)
        raise TypeError(f"{name} must be {names} or integer, got dtype {dtype}")
    return np.array(array, dtype, order="C")


def largest_part(name: str, x: np.ndarray) -> float:
    """Return the largest modulus of the real and imaginary parts of a C-ordered array.

    It has at least one entry. A ValueError that names the argument reports NaN and
    infinity.
    """
    parts = _parts(x)
    largest = max(float(parts.max()), -float(parts.min()))
    if not largest < np.inf:
        raise ValueError(f"{name} must be finite, it holds a NaN or an infinity")
    return largest


def _parts(x: np.ndarray) -> np.ndarray:
    """Return the real and imaginary parts of a C-ordered array, which they share."""
    return x.reshape(-1).view(x.real.dtype)


def fixed_matrix(name: str, x: ArrayLike) -> np.ndarray:
    """Return a read-only copy of a non-empty, finite matrix, or raise naming it."""
    matrix = real_or_complex_copy(name, x)
    check_matrix(name, matrix.shape)
    largest_part(name, matrix)
    matrix.flags.writeable = False
    return matrix


def pair(name: str, value: Any) -> tuple[int, int]:
    """Return a sequence of two positive integers as a tuple, or raise naming it."""
    items = sequence(name, value, "two integers")
    if len(items) != 2:
        raise ValueError(f"{name}={shown(value)}: expected two integers")
    return size(name, items[0]), size(name, items[1])


@functools.cache
def _limits(dtype: np.dtype) -> tuple[float, float]:
    """Return the smallest and the largest normal number of a dtype."""
    info = np.finfo(dtype)
    return float(info.smallest_normal), float(info.max)


def check_fits(name: str, value: float, dtype: np.dtype) -> None:
    """Raise a ValueError that names it unless a positive number is one of a dtype."""
    least, most = _limits(dtype)
    if not least <= value <= most:
        raise ValueError(
            f"{name} holds {value:.6g}, which does not fit {dtype}: its numbers are "
            f"{least:.4g} to {most:.4g}"
        )


HEADROOM = 40
"""Powers of two by which the largest entry stays away from the limits of its dtype.
Neither the sum of 2^39 entries nor the modulus of a complex one then overflows, and
entries that are not far smaller than the largest one are no subnormal numbers."""


@constraint
class Options(Set):
    """Base class of the sets with the options ``normalized`` and ``nonneg``.

    These sets are closed under scaling, apart from the norm that ``normalized`` fixes.
    The options are described in `nbfact.constraints`.
    """

    normalized: bool = field(default=True, kw_only=True)
    nonneg: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("normalized", "nonneg"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))

    def _project_scaled(self, x: np.ndarray, largest: float) -> None:
        """Project a multiple of x by a power of two where its scale is extreme."""
        least, most = _limits(x.dtype)
        if least * 2.0**HEADROOM <= largest <= most * 2.0**-HEADROOM or largest == 0:
            self.project_in_place(x)
            return
        shift = -math.frexp(largest)[1]
        if shift < 0:  # no further than is needed, so that small entries keep digits
            shift += np.finfo(x.dtype).maxexp - HEADROOM
        parts, before = _parts(x), _parts(x).copy()
        np.ldexp(parts, shift, out=parts)
        scaled = parts.copy()
        self.project_in_place(x)
        if not self.normalized:
            # What is kept is not rounded, even where its multiple is subnormal.
            kept = (parts == scaled) & (parts != 0)
            with np.errstate(over="ignore"):  # a mean is rounded, perhaps upwards
                np.ldexp(parts, -shift, out=parts)
            np.clip(parts, -largest, largest, out=parts)
            parts[kept] = before[kept]


@constraint
class Shaped(Options):
    """Base class of the sets that are given by their shape."""

    shape: tuple[int, int]

    def __post_init__(self) -> None:
        super().__post_init__()
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
        object.__setattr__(self, "k", size("k", self.k, most=None))

    @functools.cached_property
    def kept(self) -> int:
        """The number k, or that of all entries where k is larger, for a kernel."""
        return min(self.k, self.shape[0] * self.shape[1])


@constraint
class Tolerant(Counted):
    """Base class of the sets whose projection can treat near ties as ties."""

    tie_tol: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        tie_tol = real_number("tie_tol", self.tie_tol, least=0, below=1)
        object.__setattr__(self, "tie_tol", tie_tol)
