"""Butterfly: a product of Kronecker-sparse factors, rows and columns permuted."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import plain_array
from .._core.checks import dtype_of, sequence
from .._core.dtypes import common_dtype
from . import layouts, reorderings
from .algebra import Algebra
from .chain import Chain
from .factor_product import FactorProduct
from .operator_files import Saved, read_butterfly, saved_butterfly
from .patterns import csr_factor, fused_values, groups
from .program_operator import ProgramOperator


class Butterfly(ProgramOperator):
    """The product of Kronecker-sparse factors, with rows and columns permuted.

    It is a `scipy.sparse.linalg.LinearOperator`, of the matrix A for which
    ``A[rows][:, columns] = K[0] @ K[1] @ ... @ K[J-1]``.

    Parameters
    ----------
    chain : Chain, or sequence of patterns (a, b, c, d)
        The supports I_a ⊗ 1_{b×c} ⊗ I_d of the factors K[0], ..., K[J-1], from left to
        right.
    values : sequence of array_like
        One array of shape (a, b, c, d) for each factor: real or complex, finite, all of
        one dtype, where integers count as float64. They are copied.
    rows, columns : array_like of int, optional
        Index of the row (column) of A that each row (column) of the product of the
        factors is; by default all in order. An index -1 drops a row (column) of the
        product, so that A may be smaller than it. Every row (column) of A must occur
        exactly once.

    Attributes
    ----------
    chain : Chain
    values : tuple of ndarray
        They are read-only, and so are `rows` and `columns`.
    rows, columns : ndarray of intp, or None
        None stands for all in order.
    shape, dtype, nnz, rcg, density
        See `FastOperator`; `nnz` is the number of values.

    Raises
    ------
    TypeError
        When values are not numbers.
    ValueError
        When shapes of values are not those of the chain, when values have several
        dtypes or are not finite, or when `rows` or `columns` is no permutation. The
        message names the argument and the sizes.

    See Also
    --------
    nbfact.transforms : The named transforms as butterflies.
    nbfact.butterfly_factorize : Approximate a matrix by a butterfly.
    FactorProduct : The product of factors of any support.
    nbfact.load : Read what the method `save` wrote.

    Notes
    -----
    By its factors, ``B @ x`` costs `nnz` multiplications per column of x. The result is
    float32 when operator and x are float32, and complex64 when they are complex64;
    other dtypes promote as in NumPy. ``B.T``, ``B.H``, ``B * number`` and the product
    of two butterflies whose inner permutations cancel are butterflies.

    References
    ----------
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019 [dao2019]. Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval,
    Butterfly factorization with error guarantees, SIAM J. Matrix Anal. Appl., 2025
    [le2025].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> chain = nf.Chain.square_dyadic(4)
    >>> block = np.array([[1.0, 1.0], [1.0, -1.0]])[None, :, :, None]
    >>> B = nf.Butterfly(chain, [np.broadcast_to(block, p) for p in chain])
    >>> B @ np.ones(4)
    array([4., 0., 0., 0.])
    >>> B.nnz, B.rcg
    (16, 1.0)
    >>> twiddle, increasing_stride = B.to_twiddle()
    >>> nf.Butterfly.from_twiddle(twiddle, increasing_stride).fuse().chain.patterns
    ((1, 4, 4, 1),)
    >>> nf.Butterfly.from_ks_values(B.ks_values).astype("complex64").real_part().dtype
    dtype('float32')
    >>> nf.Butterfly.from_factors(B.to_factors(), chain).nnz
    16
    """

    def __init__(
        self,
        chain: Chain | Sequence[Sequence[int]],
        values: Sequence[Any],
        *,
        rows: Any = None,
        columns: Any = None,
    ) -> None:
        chain = layouts.chain_of(chain)
        self._hold(chain, layouts.checked_values(chain, values), rows, columns)

    @classmethod
    def from_ks_values(cls, ks_values: Sequence[Any]) -> "Butterfly":
        """Return the butterfly of a list ``ks_values`` of lazylinop.

        Parameters
        ----------
        ks_values : sequence of array_like, shapes (a, b, c, d)
            The values of the factors, from left to right; shapes are the patterns.

        Returns
        -------
        Butterfly
        """
        listed = sequence("ks_values", ks_values, "arrays", 1)
        values = [plain_array(f"ks_values[{j}]", one) for j, one in enumerate(listed)]
        try:
            return cls([value.shape for value in values], values)
        except ValueError as error:
            raise ValueError(f"ks_values: {error}") from None

    @classmethod
    def from_twiddle(cls, twiddle: Any, increasing_stride: bool = True) -> "Butterfly":
        """Return the butterfly of a twiddle (array of values) of torch_butterfly.

        Parameters
        ----------
        twiddle : array_like, shape (nstacks, nblocks, log2(n), n / 2, 2, 2)
            The array that ``torch_butterfly.Butterfly`` calls ``twiddle``.
        increasing_stride : bool
            Whether the first level that is applied has stride 1.

        Returns
        -------
        Butterfly
            An operator of shape (nstacks n, n).

        Raises
        ------
        ValueError
            When the shape is not that of a twiddle.
        """
        chain, values = layouts.from_twiddle(twiddle, increasing_stride)
        return cls(chain, values)

    @classmethod
    def from_factors(
        cls,
        factors: Any,
        chain: Chain | Sequence[Sequence[int]],
    ) -> "Butterfly":
        """Return the butterfly of sparse or dense factors with the supports of a chain.

        Parameters
        ----------
        factors : FactorProduct, result, or sequence of array_like or scipy sparse array
            One factor for each pattern. The scale of a FactorProduct, or of the result
            of an algorithm, is multiplied into the factor with the fewest values.
        chain : Chain, or sequence of patterns (a, b, c, d)
            Supports of the factors.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError
            When the number of factors or a shape is not that of the chain, or an entry
            outside a pattern is not zero.
        """
        chain = layouts.chain_of(chain)
        scale = getattr(factors, "scale", 1.0)
        listed = sequence("factors", getattr(factors, "factors", factors), "matrices")
        if len(listed) != len(chain):
            raise ValueError(f"{len(listed)} factors for {len(chain)} patterns")
        values = [
            layouts.factor_values(factor, pattern, f"factors[{j}]")
            for j, (factor, pattern) in enumerate(zip(listed, chain, strict=True))
        ]
        found = cls(chain, values)
        return found if scale == 1.0 else found * scale

    @property
    def ks_values(self) -> list[np.ndarray]:
        """Copies of the values, as lazylinop's ``ksm`` takes them.

        A ValueError says when rows or columns are permuted, which ``ksm`` cannot do.
        """
        self._refuse_permutations("ks_values")
        return [value.copy() for value in self.values]

    def to_twiddle(self) -> tuple[np.ndarray, bool]:
        """Return the values as a twiddle of torch_butterfly.

        Returns
        -------
        twiddle : ndarray, shape (nstacks, nblocks, log2(n), n / 2, 2, 2)
        increasing_stride : bool
            Whether the first level that is applied has stride 1.

        Raises
        ------
        ValueError
            When the operator is not a stack of dyadic butterflies of alternating
            directions, or when rows or columns are permuted.
        """
        self._refuse_permutations("a twiddle")
        return layouts.to_twiddle(self.values)

    def to_factors(self) -> FactorProduct:
        """Return the operator as sparse factors that include the permutations."""
        factors = [csr_factor(value) for value in self.values]
        if self.rows is not None:
            factors[0] = factors[0][reorderings.inverse(self.rows)]
        if self.columns is not None:
            kept = reorderings.inverse(self.columns)
            factors[-1] = sp.csr_array(factors[-1][:, kept])
        return FactorProduct(factors)

    def fuse(self, sizes: Sequence[int] | None = None) -> "Butterfly":
        """Return the same operator with products of consecutive factors as factors.

        There are fewer factors, which are denser. Parameters and errors are those of
        `Chain.fuse`.
        """
        values = [
            functools.reduce(fused_values, self.values[start:stop])
            for start, stop in groups(len(self.values), sizes)
        ]
        return self._like(self.chain.fuse(sizes), values)

    def real_part(self) -> "Butterfly":
        """Return the real part of the operator as a real butterfly.

        The rank of the blocks between neighbouring factors doubles. A real butterfly is
        returned unchanged.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError
            When the product of two neighbouring factors has no pattern, see
            `Chain.fuse`.
        """
        if self.dtype.kind != "c":
            return self
        for left, right in itertools.pairwise(self.chain):
            Chain([left, right]).fuse()
        values = layouts.real_values(self.values)
        return self._like(Chain([value.shape for value in values]), values)

    def _inverted(self) -> "Butterfly":
        for name, index in (("rows", self.rows), ("columns", self.columns)):
            if index is not None and index.min() < 0:
                raise ValueError(f"{name} are dropped")
        values = layouts.inverse_values(self.values)
        return Butterfly(self.chain.T, values, rows=self.columns, columns=self.rows)

    def astype(self, dtype: Any) -> "Butterfly":
        """Return the operator with values converted to another dtype.

        Parameters
        ----------
        dtype : dtype_like

        Returns
        -------
        Butterfly

        Raises
        ------
        TypeError
            When the dtype is not float32, float64, complex64 or complex128, or when it
            is real and the values are complex.
        """
        dtype = dtype_of(dtype, "fc")
        if self.dtype.kind == "c" and dtype.kind == "f":
            raise TypeError(f"dtype={dtype}: the values are complex; see real_part")
        return self._like(self.chain, [value.astype(dtype) for value in self.values])

    def _saved(self) -> Saved:
        return saved_butterfly(self.values, self.rows, self.columns)

    def _reversed(self, name: str) -> "Butterfly":
        values = [value.transpose(0, 2, 1, 3) for value in reversed(self.values)]
        if name == "H":
            values = [value.conj() for value in values]
        return Butterfly(self.chain.T, values, rows=self.columns, columns=self.rows)

    def _like(self, chain, values):
        """Return a butterfly of other factors with the same rows and columns."""
        return Butterfly(chain, values, rows=self.rows, columns=self.columns)

    def _refuse_permutations(self, what):
        """Raise ValueError when rows or columns are permuted."""
        if self.rows is not None or self.columns is not None:
            raise ValueError(f"{what}: rows or columns are permuted")

    def _by_kernels(self) -> bool:
        """Return whether kernels multiply vectors, so that those of a part would."""
        return True

    def _joined(self, other: Algebra) -> "Butterfly | None":
        if not isinstance(other, Butterfly):
            return None
        if not (self._by_kernels() and other._by_kernels()):
            return None
        if not reorderings.cancel(self.columns, other.rows):
            return None
        dtype = common_dtype(self.dtype, other.dtype)
        values = [value.astype(dtype) for value in self.values + other.values]
        return Butterfly(
            self.chain @ other.chain, values, rows=self.rows, columns=other.columns
        )

    def _scaled(self, number: Any) -> "Butterfly":
        dtype = np.result_type(self.dtype, np.min_scalar_type(number * 1.0))
        dtype = self.dtype if dtype.kind == self.dtype.kind else dtype
        with np.errstate(over="ignore"):
            if not np.isfinite(dtype.type(number)):
                raise ValueError(f"other={number}: not finite in {dtype}")
        values = [value.astype(dtype) for value in self.values]
        smallest = min(range(len(values)), key=lambda j: values[j].size)
        values[smallest] = values[smallest] * dtype.type(number)
        return self._like(self.chain, values)

    def _conjugate(self) -> "Butterfly":
        return self._like(self.chain, [value.conj() for value in self.values])

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "Butterfly | None":
        ends = []
        for index, own, size, width in zip(
            (rows, columns),
            (self.rows, self.columns),
            self.shape,
            self.chain.shape,
            strict=True,
        ):
            if index is None:
                ends.append(own)
            elif len(np.unique(index)) < len(index):
                return None  # a row of a butterfly occurs once
            else:
                ends.append(reorderings.chosen(own, index, size, width))
        return Butterfly(self.chain, self.values, rows=ends[0], columns=ends[1])

    def _columns_weighted(self, weights: np.ndarray) -> "Butterfly":
        if self.columns is not None:
            weights = np.append(weights, 0)[self.columns]  # index -1 takes the 0
        *others, last = self.values
        a, _, c, d = last.shape
        weighted = last * weights.reshape(a, 1, c, d).astype(self.dtype)
        return self._like(self.chain, [*others, weighted])

    def __repr__(self) -> str:
        m, n = self.shape
        permuted = [
            name for name in ("rows", "columns") if getattr(self, name) is not None
        ]
        return (
            f"{type(self).__name__} {m}x{n}, {self.dtype}, {len(self.chain)} factors, "
            f"nnz {self.nnz}, density {self.density:.3g}, rcg {self.rcg:.4g}"
            f"{', permuted ' * bool(permuted)}{' and '.join(permuted)}\n"
            f"  {' '.join(str(pattern) for pattern in self.chain)}"
            f"{self._who_multiplies()}"
        )


def own_butterfly(chain: Chain, values: Any, rows: Any, columns: Any) -> Butterfly:
    """Return the butterfly of values that need neither checks nor copies.

    They are finite, of one dtype of the four, in C order, and belong to nobody else.
    """
    made = Butterfly.__new__(Butterfly)
    made._hold(chain, values, rows, columns)
    made._seal()
    return made


def butterfly_of(saved: Saved) -> Butterfly:
    """Return the butterfly that a file holds."""
    values, rows, columns = read_butterfly(saved)
    return Butterfly([v.shape for v in values], values, rows=rows, columns=columns)
