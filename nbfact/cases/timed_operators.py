"""The operators that products are timed with: factors, dense matrix, exact product.

An operator depends on its kind, order and dtype only, so that all batches of a
benchmark, all its implementations, and all runs multiply by the same numbers.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.sparse

from .. import targets
from ..operators import Butterfly
from ..operators.layouts import from_twiddle
from ..operators.patterns import csr_factor
from ..operators.reorderings import bit_reversal

PLANTED_FACTORS, PLANTED_K = 4, 4
"""Number of factors of a planted operator, and of non-zeros in each of their rows."""


@dataclass(eq=False)
class Operator:
    """A linear map in all the forms that implementations need.

    Parameters
    ----------
    dtype : str
        Dtype of the factors, of the dense matrix and of what they multiply.
    exact : callable
        ``exact(x)`` returns the product in a wider dtype, by code that is not timed.
    build_dense : callable
        Returns the matrix in double precision.
    factors : tuple of scipy.sparse.csr_array, optional
        Factors whose product is the operator; empty for an operator without factors.
    values : ndarray, shape (n_levels, n / 2, 2, 2), optional
        Values of a butterfly. The 2 × 2 block number ``high * stride + low`` of level
        l, whose stride is 2^l, mixes the rows ``p = 2 * stride * high + low`` and
        ``p + stride``.
    """

    dtype: str
    exact: Callable[[np.ndarray], np.ndarray]
    build_dense: Callable[[], np.ndarray]
    factors: tuple = ()
    values: np.ndarray | None = None

    @functools.cached_property
    def dense(self) -> np.ndarray:
        """The matrix in `dtype`, C-ordered; built when first read, then kept."""
        return np.ascontiguousarray(self.build_dense().astype(self.dtype, copy=False))

    @functools.cached_property
    def butterfly(self) -> Butterfly:
        """The butterfly with these `values`."""
        if self.values is None:
            raise ValueError("values: None; only a butterfly has them")
        return Butterfly.from_twiddle(self.values[None, None])

    @functools.cached_property
    def nnz(self) -> int:
        """The number of entries that all factors store."""
        return sum(factor.nnz for factor in self.factors)


@functools.lru_cache(maxsize=1)  # one dense matrix may take a gigabyte
def build(kind: str, n: int, dtype: str) -> Operator:
    """Return the operator of a kind; the last one that was built is kept.

    Parameters
    ----------
    kind : {"hadamard", "butterfly", "dft", "dct", "planted"}
        The transforms ``hadamard``, ``dft`` and ``dct`` are not normalised. The blocks
        of ``butterfly`` are random rotations. ``planted`` has the shape n/4 × n, and is
        a product of four random factors with four non-zeros in each row.
    n : int
        Order, or number of columns.
    dtype : str
        One of float32, float64, complex64 and complex128; "dft" is complex, "dct" is
        real.

    Returns
    -------
    Operator

    Examples
    --------
    >>> build("hadamard", 8, "float32").nnz
    48
    """
    return _BUILDERS[kind](n, dtype)


def _hadamard(n, dtype):
    values = np.broadcast_to([[1, 1], [1, -1]], (_log2(n), n // 2, 2, 2)).astype(dtype)
    return Operator(
        dtype,
        lambda x: butterfly_product(values, x),
        lambda: targets.hadamard(n, normalized=False),
        butterfly_factors(values),
        values,
    )


def _butterfly(n, dtype):
    """Return a butterfly of rotations, whose errors are not those of conditioning."""
    angles = np.random.default_rng(n).uniform(0, 2 * np.pi, (_log2(n), n // 2))
    cos, sin = np.cos(angles), np.sin(angles)
    values = np.stack([cos, -sin, sin, cos], axis=-1).reshape(*angles.shape, 2, 2)
    values = values.astype(dtype)
    return Operator(
        dtype,
        lambda x: butterfly_product(values, x),
        lambda: butterfly_dense(values),
        butterfly_factors(values),
        values,
    )


def _dft(n, dtype):
    """Return the DFT by decimation in time.

    The bit reversal is merged into the rightmost factor.
    """
    n_levels = _log2(n)
    values = np.empty((n_levels, n // 2, 2, 2), np.complex128)
    for level in range(n_levels):
        stride = 1 << level
        root = np.exp(-1j * np.pi * np.arange(stride) / stride)
        block = np.stack([np.ones(stride), root, np.ones(stride), -root], axis=-1)
        values[level] = np.tile(block.reshape(stride, 2, 2), (n // 2 // stride, 1, 1))
    factors = list(butterfly_factors(values.astype(dtype)))
    # The bit reversal is its own inverse.
    factors[-1] = _csr(factors[-1][:, bit_reversal(n)])
    return Operator(
        dtype,
        lambda x: scipy.fft.fft(x.astype(np.clongdouble), axis=0),
        lambda: targets.dft(n, normalized=False),
        tuple(factors),
    )


def _dct(n, dtype):
    return Operator(
        dtype,
        lambda x: scipy.fft.dct(x.astype(np.longdouble), axis=0),
        lambda: targets.dct(n, normalized=False),
    )


def _planted(n, dtype):
    rng = np.random.default_rng(n)
    factors = []
    for rows in (n // 4,) + (n,) * (PLANTED_FACTORS - 1):
        columns = np.argsort(rng.random((rows, n)), axis=1)[:, :PLANTED_K]
        data = rng.standard_normal((rows, PLANTED_K)) / np.sqrt(PLANTED_K)
        indptr = np.arange(0, rows * PLANTED_K + 1, PLANTED_K)
        factors.append(
            _csr(
                scipy.sparse.csr_array(
                    (data.astype(dtype).ravel(), np.sort(columns).ravel(), indptr),
                    shape=(rows, n),
                )
            )
        )

    def exact(x):
        for factor in reversed(factors):
            x = factor.astype(wider(dtype)) @ x
        return x

    return Operator(dtype, exact, lambda: exact(np.eye(n)), tuple(factors))


_BUILDERS = {
    "hadamard": _hadamard,
    "butterfly": _butterfly,
    "dft": _dft,
    "dct": _dct,
    "planted": _planted,
}


def butterfly_product(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Multiply by a butterfly in a wider dtype, level by level, in NumPy.

    Parameters
    ----------
    values : ndarray, shape (n_levels, n / 2, 2, 2)
        See :class:`Operator`.
    x : ndarray, shape (n,) or (n, batch)
        What to multiply.

    Returns
    -------
    ndarray, shape of `x`
        The product, in the dtype that `wider` returns.
    """
    y = x.astype(wider(x.dtype)).reshape(len(x), -1)
    for level, blocks in enumerate(values.astype(wider(values.dtype))):
        stride = 1 << level
        blocks = blocks.reshape(-1, stride, 2, 2, 1)
        pairs = y.reshape(len(blocks), 2, stride, -1)
        top, bottom = pairs[:, 0], pairs[:, 1]
        y = np.stack(
            [
                blocks[:, :, 0, 0] * top + blocks[:, :, 0, 1] * bottom,
                blocks[:, :, 1, 0] * top + blocks[:, :, 1, 1] * bottom,
            ],
            axis=1,
        ).reshape(len(x), -1)
    return y.reshape(x.shape)


def butterfly_dense(values: np.ndarray) -> np.ndarray:
    """Return the dense matrix of a butterfly in double precision.

    Each level merges pairs of its diagonal blocks into blocks of twice their size.

    Parameters
    ----------
    values : ndarray, shape (n_levels, n / 2, 2, 2)
        See :class:`Operator`.

    Returns
    -------
    ndarray of float64 or complex128, shape (n, n)
    """
    values = values.astype(np.result_type(values, np.float64))
    blocks = np.ones((2 * values.shape[1], 1, 1), values.dtype)
    for level, factor in enumerate(values):
        stride = 1 << level
        weights = factor.reshape(-1, stride, 2, 2, 1)
        merged = np.empty((len(weights), 2 * stride, 2 * stride), values.dtype)
        for row in range(2):
            for column in range(2):
                np.multiply(
                    weights[:, :, row, column],
                    blocks[column::2],
                    out=merged[
                        :,
                        row * stride : (row + 1) * stride,
                        column * stride : (column + 1) * stride,
                    ],
                )
        blocks = merged
    return blocks[0]


def butterfly_factors(values: np.ndarray) -> tuple[scipy.sparse.csr_array, ...]:
    """Return the sparse factors of a butterfly, from left to right.

    Parameters
    ----------
    values : ndarray, shape (n_levels, n / 2, 2, 2)
        See :class:`Operator`. The last level is the leftmost factor.

    Returns
    -------
    tuple of scipy.sparse.csr_array, each (n, n) with 2 n non-zeros
    """
    _, listed = from_twiddle(values[None, None])
    return tuple(_csr(csr_factor(value)) for value in listed)


def wider(dtype: np.typing.DTypeLike) -> np.dtype:
    """Return a dtype so precise that its rounding does not show in results of `dtype`.

    On platforms where ``longdouble`` is a double, the rounding of float64 shows a
    little.

    Parameters
    ----------
    dtype : dtype_like
        One of float32, float64, complex64 and complex128.

    Returns
    -------
    numpy.dtype

    Examples
    --------
    >>> wider("float32"), wider("complex64")
    (dtype('float64'), dtype('complex128'))
    """
    dtype = np.dtype(dtype)
    single = dtype.name in ("float32", "complex64")
    if dtype.kind == "c":
        return np.dtype(np.complex128 if single else np.clongdouble)
    return np.dtype(np.float64 if single else np.longdouble)


def _csr(matrix):
    """Return a CSR array with sorted 32-bit indices."""
    matrix = scipy.sparse.csr_array(matrix)
    matrix.sort_indices()
    return scipy.sparse.csr_array(
        (matrix.data, matrix.indices.astype("i4"), matrix.indptr.astype("i4")),
        shape=matrix.shape,
    )


def _log2(n):
    """Return the number of levels of a transform of order n, a power of two."""
    return n.bit_length() - 1
