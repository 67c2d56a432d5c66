"""Products with random sparse factors, forward and adjoint.

Such factors are what learning returns: equally many entries in each row, at random
places. Their adjoints have rows of uneven lengths.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from ..harness.case import DENSE, Case
from ..operators import FactorProduct
from .timed_operators import wider

SIDES = ("forward", "adjoint")
"""What multiplies: the product of the factors, or its adjoint."""

OURS, SCIPY, BUFFERS = "nbfact chain", "scipy CSR chain", "csr_matvec of scipy"
"""Implementations. The last one calls the routine of SciPy for a CSR matrix itself,
and writes to arrays made beforehand: it is what SciPy could reach."""


@dataclass(eq=False)
class SparseInputs:
    """Inputs of a product with sparse factors.

    Attributes
    ----------
    factors : tuple of scipy.sparse.csr_array
        The factors of what multiplies, from left to right.
    x : ndarray, (n,) or (n, batch)
        What to multiply.
    """

    factors: tuple[Any, ...]
    x: np.ndarray

    @functools.cached_property
    def dense(self) -> np.ndarray:
        """The matrix, in the dtype of x."""
        wide = wider(self.x.dtype)
        first, *rest = (factor.toarray().astype(wide) for factor in self.factors)
        return functools.reduce(np.matmul, rest, first).astype(self.x.dtype)


def sparse_factor_cases(
    sizes: Sequence[int],
    depths: Sequence[tuple[int, int]],
    dtypes: Sequence[str],
    batches: Sequence[int],
    sides: Sequence[str] = SIDES,
) -> Iterator[Case]:
    """Yield the cases of products with random sparse factors and their adjoints.

    Parameters
    ----------
    sizes : sequence of int
        Orders of the square factors.
    depths : sequence of (int, int)
        Numbers of factors, and of entries in each of their rows.
    dtypes, batches : sequences
        Names of dtypes, and numbers of columns of x; with one column, x is a vector.
    sides : sequence of {"forward", "adjoint"}
        What multiplies: the product of the factors, or its adjoint.

    Yields
    ------
    Case
    """
    prepared: dict[str, Callable[[SparseInputs], Callable[[], np.ndarray]]] = {
        OURS: _ours,
        SCIPY: _scipy,
        BUFFERS: _buffers,
        DENSE: _dense,
    }
    for n, (depth, k), dtype, batch, side, impl in itertools.product(
        sizes, depths, dtypes, batches, sides, prepared
    ):
        kind, entries = np.dtype(dtype), n * n if impl == DENSE else depth * k * n
        stored = entries * (kind.itemsize + (0 if impl == DENSE else 4))
        flops = (8 if kind.kind == "c" else 2) * entries * batch
        bound = 2 * (math.sqrt(n) if impl == DENSE else depth * math.sqrt(k) + 2)
        yield Case(
            group="sparse factors",
            impl=impl,
            params={
                **{"n": n, "factors": depth, "k": k, "side": side},
                **{"batch": batch, "dtype": dtype},
            },
            make=functools.partial(_inputs, n, depth, k, side, batch, kind),
            prepare=prepared[impl],
            reference=_reference,
            bound=bound * float(np.finfo(kind).eps),
            size=stored + 2 * n * batch * kind.itemsize,
            flops=flops,
            nnz=entries,
        )


def _inputs(n, depth, k, side, batch, dtype, rng):
    factors = [_factor(n, k, dtype, rng) for _ in range(depth)]
    if side == "adjoint":
        factors = [factor.T.conj().tocsr() for factor in factors[::-1]]
    x = _gaussian((n,) if batch == 1 else (n, batch), dtype, rng)
    return SparseInputs(tuple(factors), x)


def _factor(n, k, dtype, rng):
    """Return a random factor with k entries a row, which keeps norms on average."""
    columns = np.sort(np.argsort(rng.random((n, n)), axis=1)[:, :k]).astype(np.int32)
    ends = np.arange(0, n * k + 1, k, dtype=np.int32)
    data = _gaussian(n * k, dtype, rng) / dtype.type(math.sqrt(k))
    return scipy.sparse.csr_array((data, columns.ravel(), ends), shape=(n, n))


def _gaussian(shape, dtype, rng):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def _reference(inputs):
    y = inputs.x.astype(wider(inputs.x.dtype))
    for factor in reversed(inputs.factors):
        y = factor.astype(y.dtype) @ y
    return y


def _ours(inputs):
    F, x = FactorProduct(list(inputs.factors)), inputs.x
    return lambda: F @ x


def _scipy(inputs):
    factors, x = inputs.factors[::-1], inputs.x

    def call():
        y = x
        for factor in factors:
            y = factor @ y
        return y

    return call


def _buffers(inputs):
    from scipy.sparse import _sparsetools

    factors, x = inputs.factors[::-1], inputs.x
    outs = [np.empty_like(x) for _ in factors]
    columns = [] if x.ndim == 1 else [x.shape[1]]
    multiply = _sparsetools.csr_matvecs if columns else _sparsetools.csr_matvec

    def call():
        source = x.ravel()
        for factor, out in zip(factors, outs, strict=True):
            out.fill(0)  # the routine adds to it
            parts = factor.indptr, factor.indices, factor.data
            multiply(*factor.shape, *columns, *parts, source, out.ravel())
            source = out.ravel()
        return outs[-1]

    return call


def _dense(inputs):
    A, x = inputs.dense, inputs.x
    out = np.empty_like(x)
    return lambda: np.matmul(A, x, out=out)
