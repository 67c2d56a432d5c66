"""The yardsticks at their best: products of NumPy and SciPy as an expert writes them.

``A @ x`` with a dense matrix takes up to a fifth less time in one memory layout than in
the other, depending on the size. SciPy's operator ``@`` for sparse matrices checks its
operands, and allocates the result, in each call; the compiled loop below it takes
arrays that were made beforehand.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

from .._core.cache_lines import aligned
from ..harness import clocks
from ..harness.sample import aligned_like

try:  # private, but the only way to SciPy's loop without its checks
    from scipy.sparse._sparsetools import csr_matvec, csr_matvecs
except ImportError:  # another SciPy: the operator stands in
    csr_matvec = csr_matvecs = None

TRIES = 5
"""How often each layout is tried."""

_LINE, _PAGE = 64, 4096  # bytes of a cache line, and of a page

LONG = 0.02
"""Length of a call, in seconds, from which on it is tried once."""


def fastest_layout(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return a dense matrix in the layout, C or Fortran, that multiplies x faster here.

    Parameters
    ----------
    A : ndarray, shape (m, n)
        The matrix.
    x : ndarray, shape (n,) or (n, batch)
        What it will multiply.

    Examples
    --------
    >>> A = fastest_layout(np.eye(3), np.ones(3))
    >>> A.flags.c_contiguous or A.flags.f_contiguous
    True
    """
    return _faster(A, lambda layout: dense_product(layout, x))


def _faster(A, prepare):
    """Return A in C or in Fortran order, whichever makes the prepared call faster."""
    layouts = [aligned_like(A, "C"), aligned_like(A, "F")]
    for layout in layouts:
        layout[...] = A
    calls = [prepare(layout) for layout in layouts]
    clock = clocks.clock()
    best = [clocks.both_clocks(call)[clock] for call in calls]
    if max(best) < LONG:
        best = [np.inf, np.inf]  # the first call fetched the matrix from memory
        for _ in range(TRIES):
            times = [clocks.both_clocks(call)[clock] for call in calls]
            best = [min(pair) for pair in zip(best, times, strict=True)]
    return layouts[int(np.argmin(best))]


def fastest_factor(A: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return a right factor in the layout in which ``rows @ A`` is faster here.

    Parameters
    ----------
    A : ndarray, shape (n, m)
        The right factor.
    rows : ndarray, shape (batch, n)
        What it is multiplied by from the left.

    Examples
    --------
    >>> fastest_factor(np.eye(3), np.ones((2, 3))).shape
    (3, 3)
    """
    out = aligned((len(rows), A.shape[1]), rows.dtype)
    return _faster(A, lambda layout: lambda: np.matmul(rows, layout, out=out))


def dense_product(A: np.ndarray, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Return a call of ``A @ x`` that writes into memory made beforehand.

    Examples
    --------
    >>> dense_product(np.eye(2), np.ones(2))()
    array([1., 1.])
    """
    out = aligned((len(A), *x.shape[1:]), x.dtype)
    return lambda: np.matmul(A, x, out=out)


def laid_out_as(x: np.ndarray) -> np.ndarray:
    """Return an array laid out as another, which begins at a line of the cache.

    Examples
    --------
    >>> laid_out_as(np.zeros((2, 3)).T).flags.f_contiguous
    True
    """
    return aligned_like(x, "C" if x.flags.c_contiguous else "F")


def csr_product(
    factors: Sequence[scipy.sparse.csr_array], x: np.ndarray
) -> Callable[[], np.ndarray]:
    """Return a call of SciPy's loop over sparse factors, with memory made beforehand.

    Parameters
    ----------
    factors : sequence of csr_array
        Factors from left to right, in the dtype of `x`.
    x : ndarray, shape (n,) or (n, batch), C-ordered
        What they multiply.

    Examples
    --------
    >>> csr_product([scipy.sparse.eye_array(2, format="csr")] * 2, np.ones(2))()
    array([1., 1.])
    """
    shapes = [(factor.shape[0], *x.shape[1:]) for factor in reversed(factors)]
    memory = _two_buffers(max(map(math.prod, shapes)), x.dtype)
    steps, y = [], x
    for number, (factor, shape) in enumerate(
        zip(reversed(factors), shapes, strict=True)
    ):
        source, y = y, memory[number % 2][: math.prod(shape)].reshape(shape)
        steps.append((_step(factor, source, y), y))

    def call():
        for step, out in steps:
            out.fill(0)  # the loop adds to it
            step()
        return y

    return call


def merged_pairs(
    factors: Sequence[scipy.sparse.csr_array],
) -> list[scipy.sparse.csr_array]:
    """Return the products of the first two factors, of the next two, and so on.

    Half as many passes over a vector pay where a product has few more entries than its
    two factors together, as those of a butterfly do.

    Examples
    --------
    >>> len(merged_pairs([scipy.sparse.eye_array(2, format="csr")] * 3))
    2
    """
    found = []
    for start in range(0, len(factors), 2):
        pair = factors[start : start + 2]
        product = scipy.sparse.csr_array(pair[0] @ pair[1] if pair[1:] else pair[0])
        product.sort_indices()
        found.append(product)
    return found


def _two_buffers(size, dtype):
    """Return two arrays of `size` entries at cache lines, apart by half a page.

    Reading one array while writing to another whose addresses are equal modulo a page
    takes up to twice as long: processors then take a load for one of the last stores.
    """
    length = size * dtype.itemsize
    apart = length + (_PAGE // 2 + _LINE - length) % _PAGE
    block = np.empty(_LINE + apart + length, np.uint8)
    first = -block.ctypes.data % _LINE
    starts = first, first + apart - apart % _LINE
    return [block[start : start + length].view(dtype) for start in starts]


def _step(factor, x, out):
    """Return a call that adds the product of a factor and x to `out`."""
    if csr_matvec is None:
        return lambda: np.add(out, factor @ x, out=out)
    A = factor.indptr, factor.indices, factor.data
    m, n = factor.shape
    if x.ndim == 1:
        return lambda: csr_matvec(m, n, *A, x, out)
    flat, to = x.reshape(-1), out.reshape(-1)
    return lambda: csr_matvecs(m, n, x.shape[1], *A, flat, to)
