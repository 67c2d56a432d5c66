"""Other ways to multiply by Kronecker-sparse factors, in NumPy, SciPy and lazylinop.

Each way is a function of x, a vector (n,), columns (n, batch) or rows (batch, n), that
returns the product in the same layout. Factors are given by their values of shape
(a, b, c, d), in the order in which they are written: the last one is applied first.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp

from ...operators import Butterfly
from . import peers

Way = Callable[[np.ndarray], np.ndarray]

COLUMNS, ROWS = "columns", "rows"
"""Layouts of x: one vector in each column, or in each row."""

BACKENDS = ("xp", "scipy")
"""Ways of lazylinop's ``ksm`` that multiply arrays of NumPy without a GPU."""


def ways(
    butterfly: Butterfly,
    layout: str,
    batch: int,
    dense_bytes: int,
) -> dict[str, Way]:
    """Return the ways to multiply by an operator, by name.

    Each has a copy of the values, as the operator has: where several share an array,
    each finds it in the cache after the others.

    Parameters
    ----------
    butterfly : Butterfly
        The operator, without permutations.
    layout : {"columns", "rows"}
        How x holds its vectors. With one vector x has the shape (n,).
    batch : int
        Number of vectors.
    dense_bytes : int
        Limit of the dense matrix; above it that way is left out.

    Returns
    -------
    dict of str to callable
    """
    values = butterfly.values
    packed = [np.ascontiguousarray(v.transpose(0, 3, 1, 2)) for v in values]
    m, n = butterfly.shape

    def own():
        return [value.copy() for value in packed]

    found: dict[str, Way] = {}
    if m * n * butterfly.dtype.itemsize <= dense_bytes:
        found["dense"] = _matrix(butterfly.toarray(), layout)
    if layout == COLUMNS or batch == 1:
        factors = {
            "matmul": _matmul,
            "matmul of copies": functools.partial(_matmul, copied=True),
            "matmul in place": _matmul_in_place,
        }
    else:
        factors = {
            "matmul": _rows,
            "matmul of copies": functools.partial(_rows, copied=True),
        }
        found["matmul in place, turned"] = _turned(_chain(_matmul_in_place, own()))
    if batch == 1 and hasattr(np, "matvec"):  # since NumPy 2.2
        factors["matvec"] = _matvec
    for name, factor in factors.items():
        found[name] = _chain(factor, own())
    found["einsum"] = _chain(_einsum if layout == COLUMNS else _einsum_rows, values)
    for name, matrices in (("CSR", _csr(values)), ("BSR", _bsr(packed))):
        found[name] = _chained([_matrix(matrix, layout) for matrix in matrices])
    return found | _lazylinop(butterfly, layout)


def _chain(factor, arrays):
    """Return the way that multiplies by one factor after the other."""
    return _chained([functools.partial(factor, array) for array in arrays])


def _chained(steps: Sequence[Way]) -> Way:
    """Return the way that takes some steps, the last one first."""
    if len(steps) == 1:
        return steps[0]

    def call(x):
        for step in reversed(steps):
            x = step(x)
        return x

    return call


def _turned(way):
    """Return a way for rows that copies them to columns, and the product back."""

    def call(x):
        return np.ascontiguousarray(way(np.ascontiguousarray(x.T)).T)

    return call


def _matrix(matrix, layout):
    """Return the product with a matrix: dense, sparse, or an operator."""
    if layout == COLUMNS:
        return lambda x: matrix @ x
    if isinstance(matrix, np.ndarray):
        return lambda x: x @ matrix.T
    return lambda x: (matrix @ x.T).T


def _matmul(packed, x, copied=False):
    a, d, b, c = packed.shape
    columns = x.reshape(a, c, d, -1).transpose(0, 2, 1, 3)
    if copied:
        columns = np.ascontiguousarray(columns)
    found = (packed @ columns).transpose(0, 2, 1, 3)
    return found.reshape(a * b * d, *x.shape[1:])


def _matmul_in_place(packed, x):
    a, d, b, c = packed.shape
    out = np.empty((a * b * d, *x.shape[1:]), x.dtype)
    columns = x.reshape(a, c, d, -1).transpose(0, 2, 1, 3)
    np.matmul(packed, columns, out=out.reshape(a, b, d, -1).transpose(0, 2, 1, 3))
    return out


def _rows(packed, x, copied=False):
    a, d, b, c = packed.shape
    rows = x.reshape(-1, a, c, d).transpose(1, 3, 0, 2)
    if copied:
        rows = np.ascontiguousarray(rows)
    found = (rows @ packed.swapaxes(2, 3)).transpose(2, 0, 3, 1)
    return found.reshape(len(x), a * b * d)


def _matvec(packed, x):
    a, d, b, c = packed.shape
    found = np.matvec(packed, x.reshape(a, c, d).transpose(0, 2, 1))
    return found.transpose(0, 2, 1).reshape(a * b * d)


def _einsum(values, x):
    a, b, c, d = values.shape
    columns = x.reshape(a, c, d, -1)
    found = np.einsum("ijkl,iklz->ijlz", values, columns, optimize=True)
    return found.reshape(a * b * d, *x.shape[1:])


def _einsum_rows(values, x):
    a, b, c, d = values.shape
    rows = x.reshape(-1, a, c, d)
    found = np.einsum("ijkl,zikl->zijl", values, rows, optimize=True)
    return found.reshape(*x.shape[:-1], a * b * d)


def _csr(values):
    """Return the factors as CSR matrices."""
    found = []
    for value in values:
        a, b, c, d = value.shape
        i, _, m, k = np.ogrid[:a, :b, :d, :c]
        places = np.broadcast_to((i * c + k) * d + m, (a, b, d, c)).astype(np.int32)
        pointers = np.arange(a * b * d + 1, dtype=np.int32) * c
        data = np.ascontiguousarray(value.transpose(0, 1, 3, 2)).ravel()
        shape = (a * b * d, a * c * d)
        found.append(sp.csr_array((data, places.ravel(), pointers), shape=shape))
    return found


def _bsr(packed):
    """Return the factors as BSR matrices, between permutations where d is not 1."""
    found = []
    for blocks in packed:
        a, d, b, c = blocks.shape
        data, count = blocks.reshape(a * d, b, c), np.arange(a * d + 1)
        matrix = sp.bsr_array(
            (data, count[:-1], count), shape=(a * d * b, a * d * c), blocksize=(b, c)
        )
        found.append(matrix if d == 1 else _Permuted(matrix, a, b, c, d))
    return found


class _Permuted:
    """A block diagonal matrix between the permutations of a Kronecker-sparse factor."""

    def __init__(self, matrix, a, b, c, d):
        self.matrix = matrix
        self.taken = np.arange(a * c * d).reshape(a, c, d).transpose(0, 2, 1).ravel()
        self.given = np.arange(a * b * d).reshape(a, d, b).transpose(0, 2, 1).ravel()

    def __matmul__(self, x):
        return (self.matrix @ x[self.taken])[self.given]


def _lazylinop(butterfly, layout):
    """Return the ways of lazylinop, where it is installed."""
    if not peers.installed("lazylinop"):
        return {}
    from lazylinop.butterfly import ksm

    found = {}
    for backend in BACKENDS:
        operator = ksm(butterfly.ks_values, {"backend": backend, "params": None})
        found[f"lazylinop {backend}"] = _matrix(operator, layout)
    return found
