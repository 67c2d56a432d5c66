"""Butterfly: a product of Kronecker-sparse factors, with rows and columns permuted."""

import functools
import itertools
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy import ndarray

from .._core.checks import dtype_of
from .._core.dtypes import common_dtype
from . import layouts, reorderings
from . import plan as plans
from .chain import Chain
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .operator_files import write_butterfly
from .patterns import fused_values, groups
from .program import Program

TYPICAL_BATCH = 16
"""Columns that plans for several of them are made for."""


class Butterfly(FastOperator):
    """Product of Kronecker-sparse factors, a scipy LinearOperator.

    The matrix A with ``A[rows][:, columns] = K[0] @ K[1] @ ... @ K[J-1]``.

    Parameters
    ----------
    chain : Chain, or sequence of patterns (a, b, c, d)
        The supports I_a ⊗ 1_{b×c} ⊗ I_d of the factors, left to right as written.
    values : sequence of array_like
        One array of shape (a, b, c, d) a factor, real or complex, finite, of one dtype
        (integers count as float64). Copied.
    rows, columns : array_like of int, optional
        Permutations of the rows and of the columns of A; by default in order. -1
        drops a row or a column of the product, so that A may be smaller: each index of
        A stands exactly once.

    Attributes
    ----------
    chain : Chain
    values : list of ndarray
    rows, columns : ndarray of intp, or None
    shape, dtype, nnz, rcg, density
        See `FastOperator`; nnz is the number of values.

    Raises
    ------
    TypeError
        Values that are not numbers.
    ValueError
        Shapes that are not those of the chain, several dtypes, NaN or infinity,
        indices that are no permutation. The message names the argument and the sizes.

    Notes
    -----
    ``B @ x`` costs `nnz` multiplications a column. float32 stays float32 and complex64
    complex64; other dtypes promote as in NumPy. ``B.T``, ``B.H``, ``B * number`` and
    the product of two butterflies whose inner permutations agree are butterflies.

    References
    ----------
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019. Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly
    factorization with error guarantees, SIAM J. Matrix Anal. Appl., 2025.

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
    """

    def __init__(
        self,
        chain: Chain | Sequence[Sequence[int]],
        values: Sequence[Any],
        *,
        rows: Any = None,
        columns: Any = None,
    ) -> None:
        chain = chain if isinstance(chain, Chain) else Chain(chain)
        self.values = layouts.checked_values(chain, values)
        self.rows, m = reorderings.checked("rows", rows, chain.shape[0])
        self.columns, n = reorderings.checked("columns", columns, chain.shape[1])
        super().__init__(self.values[0].dtype, (m, n))
        self.chain = chain
        self.nnz = chain.n_parameters
        self._forget()

    @classmethod
    def from_ks_values(cls, ks_values: Sequence[Any]) -> "Butterfly":
        """Return the butterfly of lazylinop's ``ks_values``: arrays (a, b, c, d)."""
        return cls([np.shape(value) for value in ks_values], ks_values)

    @classmethod
    def from_twiddle(cls, twiddle: Any, increasing_stride: bool = True) -> "Butterfly":
        """Return the butterfly of a twiddle of torch_butterfly.

        Parameters
        ----------
        twiddle : array_like, shape (nstacks, nblocks, log2(n), n / 2, 2, 2)
            As in ``torch_butterfly.Butterfly``: the operator has shape (nstacks n, n).
        increasing_stride : bool
            Whether the first level that is applied has stride 1.

        Raises
        ------
        ValueError
            When the shape is not that of a twiddle.
        """
        return cls(*layouts.from_twiddle(twiddle, increasing_stride))

    @classmethod
    def from_factors(
        cls, factors: Sequence[Any], chain: Chain | Sequence[Sequence[int]]
    ) -> "Butterfly":
        """Return the butterfly of sparse or dense factors that lie in a chain.

        Parameters
        ----------
        factors : FactorProduct, or sequence of array_like or scipy sparse
            As many as patterns. The scale of a FactorProduct goes into the factor with
            fewest values.
        chain : Chain, or sequence of patterns

        Raises
        ------
        ValueError
            For another number of factors, other shapes, or entries outside a pattern.
        """
        chain = chain if isinstance(chain, Chain) else Chain(chain)
        scale = factors.scale if isinstance(factors, FactorProduct) else 1.0
        listed = factors.factors if isinstance(factors, FactorProduct) else factors
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
        """Copies of the values, which lazylinop's ``ksm`` takes; no reorderings."""
        self._refuse_permutations("ks_values")
        return [value.copy() for value in self.values]

    def to_twiddle(self) -> tuple[np.ndarray, bool]:
        """Return ``(twiddle, increasing_stride)`` of torch_butterfly.

        Raises
        ------
        ValueError
            When this is not a stack of dyadic butterflies of alternating directions, or
            when rows or columns are permuted.
        """
        self._refuse_permutations("a twiddle")
        return layouts.to_twiddle(self.values)

    def to_factors(self) -> FactorProduct:
        """Return the product as sparse factors (FAμST), permutations merged."""
        factors = [layouts.csr_factor(value) for value in self.values]
        if self.rows is not None:
            factors[0] = factors[0][reorderings.inverse(self.rows)]
        if self.columns is not None:
            kept = reorderings.inverse(self.columns)
            factors[-1] = sp.csr_array(factors[-1][:, kept])
        return FactorProduct(factors)

    def fuse(self, sizes: Sequence[int] | None = None) -> "Butterfly":
        """Multiply consecutive factors out: fewer and denser ones, the same product.

        Parameters and errors as in `Chain.fuse`.
        """
        values = [
            functools.reduce(fused_values, self.values[start:stop])
            for start, stop in groups(len(self.values), sizes)
        ]
        return self._like(self.chain.fuse(sizes), values)

    def real_part(self) -> "Butterfly":
        """Return the real butterfly of the real part: blocks between factors double.

        A real butterfly is its own.

        Raises
        ------
        ValueError
            When the product of two neighbours has no pattern (`Chain.fuse`).
        """
        if self.dtype.kind != "c":
            return self
        for left, right in itertools.pairwise(self.chain):
            Chain([left, right]).fuse()
        values = layouts.real_values(self.values)
        return self._like(Chain([value.shape for value in values]), values)

    def inverse(self) -> "Butterfly":
        """Return the inverse, factor by factor and block by block.

        Raises
        ------
        ValueError
            When a factor is not square, has a singular block, or a row or column is
            dropped.
        """
        for name, index in (("rows", self.rows), ("columns", self.columns)):
            if index is not None and index.min() < 0:
                raise ValueError(f"{name} are dropped: there is no inverse")
        values = layouts.inverse_values(self.values)
        return Butterfly(self.chain.T, values, rows=self.columns, columns=self.rows)

    def astype(self, dtype: Any) -> "Butterfly":
        """Return the butterfly with values of another dtype.

        Raises
        ------
        TypeError
            When it is not float32, float64, complex64 or complex128, or is real while
            the values are not.
        """
        dtype = dtype_of(dtype, "fc")
        if self.dtype.kind == "c" and dtype.kind == "f":
            raise TypeError(f"dtype={dtype}: the values are complex; see real_part")
        return self._like(self.chain, [value.astype(dtype) for value in self.values])

    def apply(
        self, x: Any, out: np.ndarray | None = None, *, parallel: bool = False
    ) -> np.ndarray:
        """Return ``self @ x``, written into `out` when given.

        Parameters
        ----------
        x : array_like, shape (n,) or (n, batch)
        out : ndarray, shape (m,) or (m, batch), optional
            Of the dtype of the product; may be `x` itself, or overlap with it. Nothing
            is allocated for the result when it is C-contiguous and apart from `x`.
        parallel : bool
            Whether chains multiply more than 64 columns on Numba's threads: the same
            result. Calls wait for one another; do not run parallel functions of your
            own meanwhile where Numba's threading layer is "workqueue".

        Raises
        ------
        ValueError
            When the shape or the dtype of `out` does not fit.
        """
        if out is None and not parallel:
            return self @ x
        if 1 in self._quick and self._own(x, 1) and self._own(out, 0) and x is not out:
            return self._quick[1](x, out)
        x = self._operand(x)
        if out is None:
            return self._apply(x, parallel=parallel)
        dtype, shape = common_dtype(self.dtype, x.dtype), (self.shape[0], *x.shape[1:])
        if out.shape != shape or out.dtype != dtype:
            raise ValueError(
                f"out has shape {out.shape} and dtype {out.dtype}, the product has "
                f"shape {shape} and dtype {dtype}"
            )
        ready = x.size and x.dtype == self.dtype == dtype
        ready = ready and x.flags.carray and out.flags.carray
        if ready and not np.may_share_memory(x, out):
            self._run(dtype, x, out, parallel)
        else:
            out[...] = self._apply(x, parallel=parallel)
        return out

    def _own(self, x, axis):
        """Whether x is a plain vector of our dtype and size that owns its memory."""
        return (
            type(x) is ndarray
            and x.dtype is self.dtype
            and x.shape == (self.shape[axis],)
            and x.base is None
            and x.flags.carray
        )

    def save(self, path: Any) -> None:
        """Write the operator to `path`, whole or not at all; see `nbfact.load`.

        Parameters
        ----------
        path : str or path-like
            ``.npz``. For FAμST's ``.mat``, save `to_factors`.

        Raises
        ------
        ValueError
            For another suffix.
        OSError
            When the file can not be written.
        """
        write_butterfly(self.values, self.rows, self.columns, path)

    def _run(self, dtype, x, out=None, parallel=False) -> np.ndarray:
        """Multiply x: (n,) or (n, batch) of dtype, not empty; see `Program.run`."""
        vector = x.ndim == 1 or x.shape[1] == 1
        shape = (self.shape[0], *x.shape[1:])
        if vector:
            x, out = x.reshape(-1), None if out is None else out.reshape(-1)
        return self._program(dtype, vector).run(x, out, parallel).reshape(shape)

    def _program(self, dtype, vector):
        """Return the packed plan for vectors, or for several columns; made once."""
        key = dtype, vector
        if key not in self._programs:
            plan = plans.best(self.chain, dtype, 1 if vector else TYPICAL_BATCH)
            program = Program(self.values, plan, dtype, self.rows, self.columns)
            self._programs[key] = program
            if dtype == self.dtype:
                run = program.for_vectors() if vector else program.run
                self._quick[1 if vector else 2] = run
        return self._programs[key]

    def _transpose(self) -> "Butterfly":
        return self._reversed("T", lambda value: value)

    def _adjoint(self) -> "Butterfly":
        if self.dtype.kind != "c":
            return self._transpose()
        return self._reversed("H", np.conj)

    def _reversed(self, name, turn):
        """Butterfly of the turned factors in reverse order, built once."""
        if name not in self._adjoints:
            values = [turn(v).transpose(0, 2, 1, 3) for v in reversed(self.values)]
            found = Butterfly(
                self.chain.T, values, rows=self.columns, columns=self.rows
            )
            self._adjoints[name] = found
        return self._adjoints[name]

    def _like(self, chain, values):
        """Butterfly with the same reorderings."""
        return Butterfly(chain, values, rows=self.rows, columns=self.columns)

    def _refuse_permutations(self, what):
        if self.rows is not None or self.columns is not None:
            raise ValueError(f"{what}: rows or columns are permuted")

    def _forget(self):
        """Start without anything that is made when first used."""
        self._adjoints, self._programs, self._quick = {}, {}, {}

    def __getstate__(self) -> dict:
        made = ("_adjoints", "_programs", "_quick")
        return {k: v for k, v in super().__getstate__().items() if k not in made}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._forget()

    def __matmul__(self, other: Any) -> Any:
        if type(other) is ndarray and other.dtype is self.dtype:
            # Ready to multiply as it is: more checks would double the time.
            call = self._quick.get(other.ndim)
            if call is not None and len(other) == self.shape[1] and other.flags.carray:
                return call(other)
        if isinstance(other, Butterfly) and reorderings.cancel(
            self.columns, other.rows
        ):
            if self.shape[1] != other.shape[0]:
                raise ValueError(f"shapes do not chain: {self.shape} @ {other.shape}")
            dtype = common_dtype(self.dtype, other.dtype)
            values = [value.astype(dtype) for value in self.values + other.values]
            return Butterfly(
                self.chain @ other.chain, values, rows=self.rows, columns=other.columns
            )
        return super().__matmul__(other)

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, numbers.Number):
            return self @ other
        dtype = np.result_type(self.dtype, np.min_scalar_type(other * 1.0))
        dtype = self.dtype if dtype.kind == self.dtype.kind else dtype
        values = [value.astype(dtype) for value in self.values]
        smallest = min(range(len(values)), key=lambda j: values[j].size)
        values[smallest] = values[smallest] * dtype.type(other)
        return self._like(self.chain, values)

    def __repr__(self) -> str:
        m, n = self.shape
        permuted = [
            name for name in ("rows", "columns") if getattr(self, name) is not None
        ]
        return (
            f"Butterfly {m}x{n}, {self.dtype}, {len(self.chain)} factors, "
            f"nnz {self.nnz}, density {self.density:.3g}, rcg {self.rcg:.4g}"
            f"{', permuted ' * bool(permuted)}{' and '.join(permuted)}\n"
            f"  {' '.join(str(pattern) for pattern in self.chain)}"
        )
