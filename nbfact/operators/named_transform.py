"""NamedTransform: the butterfly of a named transform, which SciPy may multiply by."""

import functools
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.dtypes import common_dtype, real_dtype
from .butterfly import Butterfly
from .call_forms import converting_call, keep, left_turned, single_column
from .convolution_formula import Convolution
from .fast_operator import FastOperator
from .formulas import Formula
from .library_calls import FOLDED
from .operator_files import TRANSFORM, Saved
from .paired_transforms import columns_in_pairs, pairing_cost, pairs_of, rows_in_pairs
from .planned_operator import PlannedOperator
from .product_plans import SHOWN, parts_time
from .row_calls import ALONE, turned_cost
from .small_matrices import COLUMNS, ROWS, matrix_cost
from .tied_convolutions import (
    is_tied_convolution,
    tied_convolution_cost,
    tied_convolution_multiplier,
)
from .tied_transforms import is_tied, tied_cost, tied_multiplier, tile_of

MOST_CHOICES = 256
"""Number of dtypes and numbers of vectors for which an operator keeps its choice."""
REAL_PART = 0.8
"""Part of the time for complex numbers that the library takes for real ones."""
MARGIN = 1.15
"""Part of the cost of the library that kernels may cost for an operator to use them,
which does not take longer than a call of the library by the user."""
NEAR, READ = 1 << 18, 0.03
"""Bytes of the values of a chain that stay in cache beside the vectors, and how much
longer a product takes for each byte more, in nanoseconds: others read no values."""
HARTLEY_ROWS = 3500.0
"""How much longer the library takes for a call with rows than with columns, where a
Hartley transform is folded from a Fourier transform, in nanoseconds."""

SPARED = ALONE + 900.0
"""Time that each vector but the first spares where one call of a kernel takes several:
calls of Python and the passage of arguments to compiled code, in nanoseconds."""

TURNED_BYTES, TURNED_FAR = 1 << 20, 2.0
"""Bytes of rows and products from which on they do not stay in the second cache beside
the planes of a kernel, and how many times as long it takes then to turn them."""


class NamedTransform(Butterfly):
    """A `Butterfly` whose matrix is a transform that SciPy's FFT library knows.

    Fourier, Hartley, cosine and sine transforms are of this class, and circulant,
    Toeplitz and Hankel matrices. Chain, factors,
    `nnz` and `rcg` are those of the butterfly. A product is computed by the kernels of
    the chain, by kernels that know the values of the transform, by the dense matrix
    where it is small, or by a public function of scipy.fft, whichever is expected to
    take the least time: the choice depends on the transform, the dtype, the number of
    vectors and their layout alone, and the text of the operator (`repr`) says it for
    columns.

    Parameters
    ----------
    formula : Formula or Convolution
        Which calls of scipy.fft multiply by the same matrix.
    butterfly : Butterfly
        The same matrix, whose arrays are shared.

    Attributes
    ----------
    formula : Formula or Convolution
    chain, values, rows, columns, shape, dtype, nnz, rcg, density
        See `Butterfly`.

    See Also
    --------
    nbfact.transforms.dft, nbfact.transforms.dct : Functions that return one.

    Notes
    -----
    ``T``, ``H``, ``conj()``, ``inverse()``, `fuse`, `astype` and products with numbers
    are of this class too. Where scipy.fft multiplies vectors, a product with another
    butterfly is an `OperatorProduct`, a part ``A[rows, columns]`` a `SelectedOperator`,
    and a Kronecker product a `KroneckerProduct`, because a butterfly of the same matrix
    would be slower. Real vectors times a Fourier transform are transformed two by two,
    as one complex vector, where their norms differ by no more than a factor of 16:
    their rounding errors are those of the larger one. Many numbers go to the backend of
    `scipy.fft.set_backend`; few go to scipy.fftpack, which computes the same without
    looking for backends.

    References
    ----------
    L. Bluestein, A linear filtering approach to the computation of discrete Fourier
    transform, IEEE Trans. Audio and Electroacoustics, 1970: how the library transforms
    large prime orders.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> D = nf.transforms.dct(1009)
    >>> D.rcg, str(D).splitlines()[-1]
    (1.0, '  scipy.fft.dct, type 2 multiplies vectors, 4, 16, 64 columns')
    """

    _made = (*Butterfly._made, "_choices", "_calls", "_reals")
    _skips = False  # a fast transform spreads infinity to all entries

    def __init__(self, formula: Formula | Convolution, butterfly: Butterfly) -> None:
        FastOperator.__init__(self, butterfly.dtype, butterfly.shape)
        self.formula: Formula | Convolution = formula
        self.chain, self.values = butterfly.chain, butterfly.values
        self.rows, self.columns = butterfly.rows, butterfly.columns
        self.nnz = butterfly.nnz
        self._forget()

    def _forget(self) -> None:
        super()._forget()
        self._choices: dict[tuple[np.dtype, int, bool], tuple[str, float]] = {}
        self._calls: dict[Any, Any] = {}
        self._reals: dict[Any, Any] = {}

    def _multiplies(self, dtype: np.dtype, batch: int, rows: bool = False) -> str:
        """Return who multiplies `batch` columns, or rows, where no matrix does.

        These are the kernels of the chain, "chain", those that know the values of the
        transform, "tied", or scipy.fft, "library".
        """
        return self._choice(dtype, batch, rows)[0]

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        return self._choice(dtype, batch, rows)[1]

    def _choice(self, dtype, batch, rows):
        """Return who is expected to take the least time, and that time."""
        key = dtype, batch, rows
        found = self._choices.get(key)
        if found is None:
            if len(self._choices) >= MOST_CHOICES:
                self._choices.clear()
            found = self._choices[key] = self._chosen(*key)
        return found

    def _chosen(self, dtype, batch, rows):
        n, formula = self.shape[1], self.formula
        turned = turned_cost(self.shape, dtype, batch) if rows else 0.0
        if sum(self.shape) * batch * dtype.itemsize > TURNED_BYTES:
            turned *= TURNED_FAR
        costs = {"library": MARGIN * formula.cost(n, dtype, batch)}
        folded = isinstance(formula, Formula) and formula.function == "hartley"
        if rows and folded and n * batch >= FOLDED:
            costs["library"] += HARTLEY_ROWS
        if isinstance(formula, Convolution):
            if is_tied_convolution(formula, dtype, batch):
                costs["tied"] = turned + tied_convolution_cost(formula, dtype, batch)
        elif is_tied(formula, n, dtype, batch):
            costs["tied"] = turned + tied_cost(formula, n, dtype, batch)
        far = max(self.nnz * dtype.itemsize - NEAR, 0)
        costs["chain"] = super()._cost(dtype, batch, rows) + READ * far
        least = min(costs, key=costs.__getitem__)
        return least, costs[least]

    def _spared(self, dtype: np.dtype) -> float:
        tied = self._multiplies(dtype, 1) == "tied"
        return SPARED if tied and self._matrix_call(dtype, 1) is None else 0.0

    def _again(self, dtype: np.dtype) -> int:
        by_chain = self._multiplies(dtype, 1) == "chain"
        return super()._again(dtype) if by_chain else 0  # which knows the values

    def _matrix(self, dtype: np.dtype) -> np.ndarray | None:
        return self.formula.matrix(self.shape[1], dtype)

    def _by_kernels(self) -> bool:
        if self._multiplies(self.dtype, 1) == "chain":
            return True
        return self._matrix_call(self.dtype, 1) is not None

    def _multiplier(self, dtype, shape):
        batch = 1 if len(shape) == 1 else shape[1]
        who = self._multiplies(dtype, batch)
        if who == "chain":
            return super()._multiplier(dtype, shape)
        return self._tied(dtype, batch) if who == "tied" else self._call(dtype)

    def _copied(self, dtype, batch):
        who = self._multiplies(dtype, batch)
        if who == "tied":
            return PlannedOperator._copied(self, dtype, batch)
        return super()._copied(dtype, batch) if who == "chain" else 0

    def _tied(self, dtype, batch):
        """Return the function (x, out=None) that calls a kernel for some columns.

        It is made once for all numbers of columns that are a tile and more.
        """
        formula, tile = self.formula, tile_of(dtype)
        alike = batch > 1 and isinstance(formula, Convolution)
        key = dtype, tile if alike else min(batch, tile)
        if key not in self._calls:
            self._calls[key] = (
                tied_convolution_multiplier(formula, dtype, batch)
                if isinstance(formula, Convolution)
                else tied_multiplier(formula, self.shape[1], dtype, batch)
            )
        return self._calls[key]

    def _call(self, dtype):
        """Return the function (x, out=None, axis=0) that calls scipy.fft, made once."""
        if dtype not in self._calls:
            self._calls[dtype] = self.formula.multiplier(self.shape[1], dtype)
        return self._calls[dtype]

    def _row_multiplier(self, dtype, shape):
        """Return a function (x, out=None) for C-contiguous rows of a shape."""
        who = self._multiplies(dtype, shape[0], True)
        if who == "chain":
            return super()._row_multiplier(dtype, shape)
        if who == "tied":
            return PlannedOperator._row_multiplier(self, dtype, shape)
        call = self._call(dtype)
        return lambda x, out=None: call(x, out, 1)

    def _turned_rows(self, columns: Callable, shape: tuple[int, int]) -> Callable:
        batch = shape[0]
        if batch == 1 or self._multiplies(self.dtype, batch) != "library":
            return left_turned(columns)
        if columns is not self._call(self.dtype):  # the matrix, or one by one
            return left_turned(columns)
        return lambda x: columns(x, None, 1)  # the library writes rows faster

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """Multiply a plain array whose shape is checked, (n,) or (n, batch).

        The real numbers of a Fourier transform cost half of complex ones.
        """
        call = self._of_real(x) if x.size else None
        return super()._apply(x) if call is None else call(x)

    def _of_real(self, x):
        """Return the function that multiplies real numbers as they are, or None."""
        if x.dtype.kind == "c" or not self.formula.takes_real:
            return None
        rows, dtype = x.ndim == 2 and x.flags.fnc, common_dtype(self.dtype, x.dtype)
        key = dtype, x.T.shape if rows else x.shape, rows
        real = real_dtype(dtype)
        if key not in self._reals:
            call = self._for_reals(*key)
            found = call and (call, converting_call(call, key[1], real, rows))
            keep(self._reals, key, found)
        if self._reals[key] is None:
            return None
        call, converted = self._reals[key]

        def multiply(x):
            given = x.T if rows else x
            if given.dtype is not real or not given.flags.carray:
                return converted(x)
            return call(given).T if rows else call(given)

        return multiply

    def _for_reals(self, dtype, shape, rows):
        """Return the function for C-contiguous real numbers of a shape, or None."""
        batch, call = math.prod(shape) // self.shape[1], None
        if self._takes_real(dtype, batch, rows):
            call = self._call(dtype)
            if batch == 1:
                call = single_column(call, shape, dtype)
            elif rows:
                call = functools.partial(call, axis=1)
        if batch > 1 and self._is_paired(dtype, batch, rows):
            return self._in_pairs(dtype, shape, rows, call)
        return call

    def _is_paired(self, dtype, batch, rows):
        """Return whether real vectors are expected to take less time two by two."""
        n = self.shape[1]
        if not self.formula.is_symmetric:
            return False

        def cost(count):
            given = dtype, count, rows and count > 1
            return min(parts_time(self, *given), matrix_cost(self.shape, *given))

        alone = min(cost(batch), REAL_PART * self.formula.cost(n, dtype, batch))
        pairs = cost(pairs_of(batch, dtype, rows))
        return pairs + pairing_cost(n, batch, dtype, rows) < alone

    def _in_pairs(self, dtype, shape, rows, library):
        """Return the function for real columns, or rows, of a shape, two by two.

        `library` is the function of the library that multiplies them, or None.
        """
        kept: Any = weakref.ref(self)  # which keeps what is returned

        def plain(x):
            if library is not None:
                return library(x)
            find = kept()._ready_rows if rows else kept()._ready
            return find(dtype, shape)(x.astype(dtype))

        ready = functools.partial(self._ready_rows if rows else self._ready, dtype)
        if not rows:
            return columns_in_pairs(ready, plain, shape, dtype)
        vector, work = self._ready(dtype, shape[1:]), self.nnz * dtype.itemsize
        return rows_in_pairs(ready, vector, plain, shape, work, dtype)

    def _takes_real(self, dtype, batch, rows):
        """Return whether the library multiplies real numbers of a product's dtype."""
        own = REAL_PART * self.formula.cost(self.shape[1], dtype, batch)
        if parts_time(self, dtype, batch, rows) < own:
            return False
        way = ROWS if rows else COLUMNS
        return self._matrix_call(dtype, batch, way) is None

    def _converter(self, x):
        return self._of_real(x) or super()._converter(x)

    def fuse(self, sizes: Any = None) -> "NamedTransform":
        """Return the same operator with products of consecutive factors as factors.

        There are fewer factors, which are denser. Parameters and errors are those of
        `Chain.fuse`.
        """
        return NamedTransform(self.formula, super().fuse(sizes))

    def astype(self, dtype: Any) -> "NamedTransform":
        """Return the operator with values converted to another dtype.

        The errors are those of `Butterfly.astype`.
        """
        return NamedTransform(self.formula, super().astype(dtype))

    def _inverted(self) -> "Butterfly":
        raise ValueError("a named transform is inverted as a whole")

    def _saved(self) -> Saved:
        arrays = super()._saved().arrays
        return Saved(TRANSFORM, arrays | self.formula.arrays())

    def _reversed(self, name: str) -> "NamedTransform":
        formula = self.formula.transposed()
        formula = formula.conjugate() if name == "H" else formula
        return NamedTransform(formula, super()._reversed(name))

    def _scaled(self, number: Any) -> Butterfly:
        found, formula = super()._scaled(number), self.formula.scaled(number)
        return self._named(formula, found) if number else NamedTransform(formula, found)

    def _named(self, formula, found):
        """Return a butterfly with a formula, unless that brings back lost values."""
        both = self.values, found.values
        least, pairs = np.finfo(found.dtype).tiny, zip(*both, strict=True)
        lost = any(((abs(b) < least) & (abs(a) >= least)).any() for a, b in pairs)
        return found if lost else NamedTransform(formula, found)

    def _conjugate(self) -> "NamedTransform":
        return NamedTransform(self.formula.conjugate(), super()._conjugate())

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "Butterfly | None":
        return super()._selected(rows, columns) if self._by_kernels() else None

    def _columns_weighted(self, weights: np.ndarray) -> "Butterfly":
        found = super()._columns_weighted(weights)
        formula: Formula | Convolution | None = None
        if weights.dtype.kind != "c":
            formula = self.formula.weighted(weights)
        return found if formula is None else self._named(formula, found)

    def _shown(self, batch):
        """Return who multiplies some columns, "alone" where they are taken singly."""
        given = self.dtype, batch, False
        if batch > 1 and self._alone_cost(*given) < self._cost(*given):
            return "alone"
        return self._multiplies(self.dtype, batch)

    def __repr__(self) -> str:
        lines = [super().__repr__()]
        dense = self._by_matrix()
        for who, text in (
            ("chain", "kernels of the chain multiply"),
            ("tied", "kernels with the values of the transform multiply"),
            ("library", f"{self.formula} multiplies"),
            ("alone", "the way of vectors, one by one, multiplies"),
        ):
            shown = [
                f"{batch}" if batch > 1 else "vectors"
                for batch in SHOWN
                if batch not in dense and self._shown(batch) == who
            ]
            if shown:
                columns = " columns" * (shown[-1] != "vectors")
                lines.append(f"  {text} {', '.join(shown)}{columns}")
        return "\n".join(lines)
