"""NamedTransform: the butterfly of a named transform, which SciPy may multiply by."""

from typing import Any

import numpy as np

from .._core.dtypes import common_dtype, real_dtype
from . import plan as plans
from .butterfly import Butterfly, butterfly_of
from .convolution_formula import Convolution, is_convolution, read_convolution
from .fast_operator import FastOperator
from .formulas import MARGIN, Formula, read_formula
from .operator_files import BUTTERFLY, TRANSFORM, Saved
from .tied_transforms import is_tied, tied_cost, tied_multiplier
from .transform_matrices import matrix_cost, matrix_multiplier

GATHER, PERMUTED = 1.0, 1500.0
"""Time of reordering one entry by a permutation of a butterfly, and of the calls that
this takes beside those of the chain, in nanoseconds."""
SHOWN = (1, 4, 16, 64)
"""Numbers of columns for which the text of an operator says who multiplies."""


class NamedTransform(Butterfly):
    """A `Butterfly` whose matrix is a transform that SciPy's FFT library knows.

    Fourier, Hartley, cosine and sine transforms are of this class, and circulant,
    Toeplitz and Hankel matrices. Chain, factors,
    `nnz` and `rcg` are those of the butterfly. A product is computed by the kernels of
    the chain, by kernels that know the values of the transform, by the dense matrix
    where it is small, or by a public function of scipy.fft, whichever is expected to
    take the least time: the choice depends on the transform, the dtype and the number
    of columns alone, and the text of the operator (`repr`) says it.

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
    would be slower. The backends of `scipy.fft.set_backend` are respected.

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

    _made = (*Butterfly._made, "_choices", "_calls")

    def __init__(self, formula: Formula | Convolution, butterfly: Butterfly) -> None:
        FastOperator.__init__(self, butterfly.dtype, butterfly.shape)
        self.formula: Formula | Convolution = formula
        self.chain, self.values = butterfly.chain, butterfly.values
        self.rows, self.columns = butterfly.rows, butterfly.columns
        self.nnz = butterfly.nnz
        self._forget()

    def _forget(self) -> None:
        super()._forget()
        self._choices: dict[tuple[np.dtype, int], str] = {}
        self._calls: dict[tuple[np.dtype, str], Any] = {}

    def _multiplies(self, dtype: np.dtype, batch: int) -> str:
        """Return who multiplies `batch` columns of a dtype.

        These are the kernels of the chain, "chain", those that know the values of the
        transform, "tied", the dense matrix, "matrix", or scipy.fft, "library". All
        numbers of columns that have one plan have one answer.
        """
        key = dtype, plans.columns_planned(batch)
        found = self._choices.get(key)
        if found is None:
            found = self._choices[key] = self._chosen(*key)
        return found

    def _chosen(self, dtype, batch):
        """Return who is expected to take the least time."""
        costs = self.costs(dtype, batch)
        return min(costs, key=costs.__getitem__)

    def costs(self, dtype: np.dtype, batch: int) -> dict[str, float]:
        """Return how long each way to multiply is expected to take, in nanoseconds."""
        n = self.shape[1]
        costs = {
            "library": MARGIN * self.formula.cost(n, dtype, batch),
            "matrix": MARGIN * matrix_cost(self.shape, dtype, batch),
        }
        formula = self.formula
        if isinstance(formula, Formula) and is_tied(formula, n, dtype, batch):
            costs["tied"] = tied_cost(formula, n, dtype, batch)
        plan = plans.best(self.chain, dtype, batch)
        costs["chain"] = plans.cost(self.chain, plan, dtype, batch)
        for index in (self.rows, self.columns):
            if index is not None:
                costs["chain"] += PERMUTED + GATHER * len(index) * batch
        return costs

    def _by_kernels(self) -> bool:
        return self._multiplies(self.dtype, 1) in ("chain", "matrix")

    def _multiplier(self, dtype, shape):
        batch = 1 if len(shape) == 1 else shape[1]
        who = self._multiplies(dtype, batch)
        if who == "chain" or shape[1:] == (1,):
            return super()._multiplier(dtype, shape)
        return self._call(dtype, who, batch)

    def _call(self, dtype, who="library", batch=2):
        """Return the function that multiplies arrays of a dtype, made once."""
        who = "tied vector" if who == "tied" and batch == 1 else who
        key = dtype, who
        if key not in self._calls:
            n = self.shape[1]
            if who == "library":
                self._calls[key] = self.formula.multiplier(n, dtype)
            elif who == "matrix":
                self._calls[key] = matrix_multiplier(self.formula, n, dtype)
            else:
                assert isinstance(self.formula, Formula), "no other formula is tied"
                self._calls[key] = tied_multiplier(self.formula, n, dtype, batch)
        return self._calls[key]

    def _row_multiplier(self, dtype, shape):
        """Return a function (x, out=None) for C-contiguous rows of a shape."""
        who = self._multiplies(dtype, shape[0])
        if who == "chain":
            return super()._row_multiplier(dtype, shape)
        call = self._call(dtype, "library" if who == "tied" else who)
        return lambda x, out=None: call(x, out, 1)

    def _apply(self, x: np.ndarray) -> np.ndarray:
        """Multiply a plain array whose shape is checked, (n,) or (n, batch).

        The library takes the real numbers of a Fourier transform as they are, which
        then costs half.
        """
        rows = x.ndim == 2 and x.flags.fnc
        real = x.dtype.kind != "c" and self.formula.takes_real
        if not real or not x.size:
            return super()._apply(x)
        dtype, batch = common_dtype(self.dtype, x.dtype), x.size // len(x)
        who = self._multiplies(dtype, batch)
        if who == "chain":
            return super()._apply(x)
        call = self._call(dtype, "library" if who == "tied" else who)
        kind = real_dtype(dtype)
        if rows:
            return call(np.asarray(x.T, kind, order="C"), None, 1).T
        x = np.asarray(x, kind, order="C")
        return call(x) if batch > 1 else call(x.reshape(-1)).reshape(x.shape)

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

    def _reversed(self, name, turn):
        """Return the transform of the turned factors in reverse order, made once."""
        if name not in self._adjoints:
            formula = self.formula.transposed()
            formula = formula.conjugate() if name == "H" else formula
            found = NamedTransform(formula, super()._reversed(name, turn))
            self._adjoints[name] = found
        return self._adjoints[name]

    def _scaled(self, number: Any) -> "NamedTransform":
        return NamedTransform(self.formula.scaled(number), super()._scaled(number))

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
        return found if formula is None else NamedTransform(formula, found)

    def __repr__(self) -> str:
        lines = [super().__repr__()]
        for who, text in (
            ("chain", "kernels of the chain multiply"),
            ("tied", "kernels with the values of the transform multiply"),
            ("matrix", "the dense matrix multiplies"),
            ("library", f"{self.formula} multiplies"),
        ):
            shown = [
                f"{batch}" if batch > 1 else "vectors"
                for batch in SHOWN
                if self._multiplies(self.dtype, batch) == who
            ]
            if shown:
                columns = " columns" * (shown[-1] != "vectors")
                lines.append(f"  {text} {', '.join(shown)}{columns}")
        return "\n".join(lines)


def read_transform(saved: Saved) -> tuple[Formula | Convolution, Butterfly]:
    """Return the arguments of `NamedTransform` from what a file holds of it."""
    formula: Formula | Convolution
    convolves = is_convolution(saved.arrays)
    formula = (read_convolution if convolves else read_formula)(saved.arrays)
    names = formula.arrays()
    rest = {name: one for name, one in saved.arrays.items() if name not in names}
    found = butterfly_of(Saved(BUTTERFLY, rest))
    m, n = found.shape
    if isinstance(formula, Convolution):
        if formula.shape != (m, n):
            raise ValueError(f"a formula of shape {formula.shape}, factors {(m, n)}")
        if formula.column.dtype.kind == "c" and found.dtype.kind != "c":
            raise ValueError("a complex formula of real factors")
    elif m != n:
        raise ValueError(f"a transform of shape {found.shape}, which is not square")
    return formula, found
