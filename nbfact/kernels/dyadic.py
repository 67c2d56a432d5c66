"""Product of one vector with a dyadic butterfly: log2(n) levels of 2x2 blocks.

The matrix is K[L-1] @ ... @ K[1] @ K[0] with n = 2**L. Level l, of stride s = 2**l,
mixes rows p and p + s, for every p whose bit l is 0, by the block

    [[twiddle[l, 0, 0, i], twiddle[l, 0, 1, i]],
     [twiddle[l, 1, 0, i], twiddle[l, 1, 1, i]]]

where i holds the other L - 1 bits of p, the low l bits of p first: with
p = 2 * s * high + low, i = low * (n // (2 * s)) + high. In this order every level
reads its values one after the other whatever its stride ("constant geometry", Pease
1968), so that the product with one vector vectorises at all strides. `butterfly_pack`
converts from the order of torch_butterfly. Products with columns are in
`dyadic_columns.py`. Numbers in comments: Zen 4 with 1 MiB of L2, one thread.
"""

from typing import Any

import numpy as np

from ._jit import REASSOC, kernel
from .dyadic_vectors import levels_in_registers
from .vectors import BYTES


@kernel
def butterfly_pack(values: np.ndarray, out: np.ndarray) -> None:
    """Reorder the 2x2 blocks of a dyadic butterfly for the kernels that multiply by it.

    Parameters
    ----------
    values : ndarray, shape (L, n / 2, 2, 2), with n = 2**L and L at least 1
        The blocks in torch_butterfly's order with increasing strides: level l mixes
        rows 2 * s * high + low and 2 * s * high + low + s, s = 2**l, by the block
        ``values[l, high * s + low]``. Only read.
    out : ndarray, shape (L, 2, 2, n / 2), of a dtype that holds that of values
        Overwritten with the same numbers, as `butterfly_apply` reads them.

    See Also
    --------
    butterfly_apply, butterfly_adjoint : Kernels that read what is packed.
    nbfact.Butterfly : The operator, which packs its values.

    Notes
    -----
    The cost is one pass over the values.

    Examples
    --------
    One level of order 4 has two blocks, whose entries are gathered by their place:

    >>> import numpy as np, nbfact as nf
    >>> values, out = np.arange(8.0).reshape(1, 2, 2, 2), np.empty((1, 2, 2, 2))
    >>> nf.kernels.butterfly_pack(values, out)
    >>> out[0, 0, 0], out[0, 1, 1]
    (array([0., 4.]), array([3., 7.]))
    """
    half = values.shape[1]
    for level in range(values.shape[0]):
        stride = 2**level
        n_blocks = half // stride
        for high in range(n_blocks):
            for low in range(stride):
                for j in range(2):
                    for k in range(2):
                        value = values[level, high * stride + low, j, k]
                        out[level, j, k, low * n_blocks + high] = value


@kernel(fastmath=REASSOC)
def _level_up(t, first, x, out):
    """Apply one level and rotate: rows 2i, 2i+1 of x give rows i, i + n/2 of out.

    t: all twiddles, flat, of which those of the level begin at `first`, unsigned; x,
    out: (n,). Views of the four rows of a level would cost as much as a level of 64
    rows. Two levels in each pass would read x half as often, but the twiddles in eight
    more streams: that is within 15% either way for real vectors of 256 to 8192, and
    twice as slow for complex ones.
    """
    half, one = np.uintp(x.shape[0] // 2), np.uintp(1)
    second, third, fourth = (
        first + half,
        first + (half << one),
        first + half * np.uintp(3),
    )
    i: Any  # NumPy's stubs take a range of unsigned numbers for one of ints
    for i in range(half):
        a, b = x[i << one], x[(i << one) + one]
        out[i] = t[first + i] * a + t[second + i] * b
        out[i + half] = t[third + i] * a + t[fourth + i] * b


@kernel(fastmath=REASSOC)
def _level_down(t, first, x, out):
    """Apply the adjoint of `_level_up`, from rows i, i + n/2 to rows 2i, 2i+1."""
    half, one = np.uintp(x.shape[0] // 2), np.uintp(1)
    second, third, fourth = (
        first + half,
        first + (half << one),
        first + half * np.uintp(3),
    )
    i: Any  # see above
    for i in range(half):
        a, b = x[i], x[i + half]
        p, q = np.conj(t[first + i]) * a, np.conj(t[second + i]) * a
        out[i << one] = p + np.conj(t[third + i]) * b
        out[(i << one) + one] = q + np.conj(t[fourth + i]) * b


@kernel
def _all_up(flat, first, x, scratch, out):
    """Apply all levels, whose twiddles begin at `first`; the arrays are flat."""
    n = x.shape[0]
    n_levels, step = (flat.shape[0] - first) // (2 * n), np.uintp(2 * n)
    if not np.iscomplexobj(x):
        count = n * x.itemsize // BYTES
        if count == 2:
            return levels_in_registers(flat, first, n_levels, x, out, 2, True)
        if count == 4:
            return levels_in_registers(flat, first, n_levels, x, out, 4, True)
        if count == 8:
            return levels_in_registers(flat, first, n_levels, x, out, 8, True)
        if count == 16:
            return levels_in_registers(flat, first, n_levels, x, out, 16, True)
    source, begin = x, np.uintp(first)
    for level in range(n_levels):
        target = out if (n_levels - level) % 2 == 1 else scratch
        _level_up(flat, begin + step * np.uintp(level), source, target)
        source = target


@kernel
def _all_down(flat, first, x, scratch, out):
    """Apply the adjoint of `_all_up`."""
    n = x.shape[0]
    n_levels, step = (flat.shape[0] - first) // (2 * n), np.uintp(2 * n)
    if not np.iscomplexobj(x):
        count = n * x.itemsize // BYTES
        if count == 2:
            return levels_in_registers(flat, first, n_levels, x, out, 2, False)
        if count == 4:
            return levels_in_registers(flat, first, n_levels, x, out, 4, False)
        if count == 8:
            return levels_in_registers(flat, first, n_levels, x, out, 8, False)
        if count == 16:
            return levels_in_registers(flat, first, n_levels, x, out, 16, False)
    source, begin = x, np.uintp(first)
    for level in range(n_levels - 1, -1, -1):
        target = out if level % 2 == 0 else scratch
        _level_down(flat, begin + step * np.uintp(level), source, target)
        source = target


@kernel
def multiply_vector(x, work, out):
    """Do as `butterfly_apply`, with one array of the scratch entries and the twiddles.

    work: flat, n entries that are overwritten, and the twiddles. Each array that Python
    passes to a kernel takes as long as a level of a small butterfly.
    """
    n = x.shape[0]
    _all_up(work, n, x, work[:n], out)


@kernel
def multiply_vector_adjoint(x, work, out):
    """Do as `butterfly_adjoint`, with the array of `multiply_vector`."""
    n = x.shape[0]
    _all_down(work, n, x, work[:n], out)


@kernel
def butterfly_apply(
    twiddle: np.ndarray, x: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of a dyadic butterfly with one vector.

    Parameters
    ----------
    twiddle : ndarray, shape (L, 2, 2, n / 2), with n = 2**L and L at least 1
        The blocks as `butterfly_pack` writes them; level 0, of stride 1, is applied
        first. Only read. All arrays have one dtype and are C-contiguous.
    x : ndarray, shape (n,)
        Only read.
    scratch : ndarray, shape (n,)
        Overwritten.
    out : ndarray, shape (n,)
        Overwritten with the product. x, scratch and out share no memory.

    See Also
    --------
    butterfly_pack : Writes the blocks in this order.
    butterfly_adjoint : The product of the adjoint.
    butterfly_apply_columns : The product with the columns of a matrix.

    Notes
    -----
    The cost is 2 n log2(n) multiplications.

    Examples
    --------
    With [[1, 1], [1, -1]] in all blocks it is the Hadamard transform of order 4:

    >>> import numpy as np, nbfact as nf
    >>> twiddle = np.ones((2, 2, 2, 2))
    >>> twiddle[:, 1, 1] = -1
    >>> x, out = np.array([1.0, 2.0, 3.0, 4.0]), np.empty(4)
    >>> nf.kernels.butterfly_apply(twiddle, x, np.empty(4), out)
    >>> out
    array([10., -2., -4.,  0.])
    """
    _all_up(twiddle.ravel(), np.intp(0), x, scratch, out)


@kernel
def butterfly_adjoint(
    twiddle: np.ndarray, x: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of the adjoint of a dyadic butterfly with one vector.

    Parameters
    ----------
    twiddle, x, scratch, out : ndarray
        As in `butterfly_apply`, of the same shapes. The adjoint is the conjugate
        transpose, so that level 0 is applied last, with blocks transposed and
        conjugated.

    See Also
    --------
    butterfly_apply : The product of the butterfly itself.
    butterfly_adjoint_columns : The product with the columns of a matrix.

    Notes
    -----
    The cost is 2 n log2(n) multiplications.

    Examples
    --------
    One block [[1, 2], [3, 4]] is transposed:

    >>> import numpy as np, nbfact as nf
    >>> twiddle = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> x, out = np.array([1.0, 10.0]), np.empty(2)
    >>> nf.kernels.butterfly_adjoint(twiddle, x, np.empty(2), out)
    >>> out
    array([31., 42.])
    """
    _all_down(twiddle.ravel(), np.intp(0), x, scratch, out)
