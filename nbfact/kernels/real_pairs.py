"""Fourier transforms of real vectors, two of them as one complex vector.

For the transform Z of x + i y, with real x and y, that of x is (Z + Z') / 2 and that of
y is (Z - Z') / 2i, where Z'[k] is the conjugate of Z[n - k] (Cooley, Lewis & Welch
1970). Columns are two by two where they are, as a complex matrix of half as many, and
rows are paired first.

The rounding errors of both vectors are those of the larger one, and infinity in one is
in the other. So kernels return whether the two are alike: the squares of their norms,
which are those of their transforms but for one factor, differ by no more than that of
`FAR`, and are neither infinite nor nearly zero.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS, kernel
from .fourier_columns import FAR
from .fourier_registers import join_rows
from .vectors import BYTES, VectorEmitter

TINY = float(np.finfo(np.float32).tiny)
"""Least square of a norm that is a measure of it."""


def _part_typed(typingctx, z, out, sums, places, group, mixed):
    """Write two transforms of real vectors from two vectors of the one of both.

    z, out, sums: flat arrays of real numbers; group, mixed: literals. places: those of
    the vector of Z; of the one of Z', in which groups of ``group`` complex numbers are
    in reverse order unless it is 0; of the result of the first vector and of the second
    one; of their conjugates, in the order of Z'; and of the squares of both in sums,
    to which those of the results are added. Where ``mixed`` is 1, results of the second
    one follow those of the first one, number by number, and its places do not count.
    """

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, sums.dtype)
        source, target, squares = (
            v.data(kind, array)
            for kind, array in zip((z, out, sums), arguments[:3], strict=True)
        )
        one, two, near, near_too, far, far_too, *totals = v.integers(
            places, arguments[3]
        )
        lanes, count = range(v.size), 2 * (group.literal_value or v.size // 2)
        turned = [v.size - count - i + 2 * (i % count) for i in lanes]
        half = v.constant(0.5)
        a = v.multiply(v.load(source, one), half)
        b = v.shuffle(v.multiply(v.load(source, two), half), turned)
        total, less, more = v.add(a, b), v.subtract(a, b), v.subtract(b, a)
        # Even lanes are real parts: y has those of -i less, conjugated in odd lanes.
        x = v.shuffle(total, [i + v.size * (i % 2) for i in lanes], less)
        other = [v.size + i - 1 if i % 2 else i + 1 for i in lanes]
        y = v.shuffle(total, other, more)
        signs = ir.Constant(v.vector, [1.0, -1.0] * (v.size // 2))
        for value, place in zip((x, y), totals, strict=True):
            known = v.multiply_add(value, value, v.load(squares, place))
            v.store(known, squares, place)
        mirrored = [v.shuffle(v.multiply(one, signs), turned) for one in (x, y)]
        pairs = ((x, y), (near, near_too)), (mirrored, (far, far_too))
        for (first, second), (place, other) in pairs:
            if mixed.literal_value:
                for index in range(2):
                    # Numbers of two lanes of both vectors in turn.
                    start = index * v.size // 2
                    listed = [
                        start + i // 4 * 2 + i % 2 + (v.size if i % 4 > 1 else 0)
                        for i in lanes
                    ]
                    v.store(v.shuffle(first, listed, second), target, place, index)
            else:
                v.store(first, target, place)
                v.store(second, target, other)
        return context.get_dummy_value()

    return types.void(z, out, sums, places, group, mixed), generate


def _part_interpreted(z, out, sums, places, group, mixed):
    """Do the same as `_part_typed` in NumPy."""
    one, two, near, near_too, far, far_too, *totals = map(int, places)
    size = BYTES // sums.itemsize

    def row(array, place, count=1):
        return array[place : place + count * size]

    def turned(vector):
        groups = vector.reshape(-1, 2 * group if group else size)
        return groups[::-1].reshape(-1)

    kind = np.result_type(sums, np.complex64)
    a = row(z, one).view(kind) / 2
    b = turned(row(z, two)).view(kind).conj() / 2
    both = a + b, (a - b) * -1j
    for value, place in zip(both, totals, strict=True):
        row(sums, place)[:] += value.view(sums.dtype) ** 2
    mirrored = [turned(value.conj().view(sums.dtype)).view(kind) for value in both]
    pairs = (both, (near, near_too)), (mirrored, (far, far_too))
    for (first, second), (place, other) in pairs:
        if mixed:
            row(out, place, 2).view(kind)[:] = np.stack([first, second], 1).ravel()
        else:
            row(out, place).view(kind)[:], row(out, other).view(kind)[:] = first, second


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
part_vectors: Callable[..., Any] = _part_interpreted
if not NUMBA_SETTINGS.DISABLE_JIT:
    part_vectors = intrinsic(prefer_literal=True)(_part_typed)


@kernel
def pairs_are_alike(sums: np.ndarray, pairs: int) -> bool:
    """Return whether both vectors of each pair are alike, as the top of the file says.

    Parameters
    ----------
    sums : ndarray, real, of the shape that `part_columns` takes
        What it wrote, or the sum of what it wrote for parts of the rows.
    pairs : int
        Number of pairs, at least 1.

    Returns
    -------
    bool

    See Also
    --------
    part_columns : What writes the sums.

    Notes
    -----
    The cost is one pass over the sums.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> sums = np.ones(16)
    >>> bool(nf.kernels.pairs_are_alike(sums, 1))
    True
    >>> sums[8:] = 1e3
    >>> bool(nf.kernels.pairs_are_alike(sums, 1))
    False
    """
    half, count = sums.shape[0] // 2, max(pairs, BYTES // sums.itemsize // 2)
    for j in range(pairs):
        one, two = 0.0, 0.0
        for i in range(j, count, pairs):
            one += np.float64(sums[2 * i]) + np.float64(sums[2 * i + 1])
            two += np.float64(sums[half + 2 * i]) + np.float64(sums[half + 2 * i + 1])
        least, most = min(one, two), max(one, two)
        if not (TINY < least and most <= FAR * FAR * least and most < np.inf):
            return False
    return True


@kernel
def part_columns(
    z: np.ndarray, sums: np.ndarray, begin: int, end: int, out: np.ndarray
) -> None:
    """Write the Fourier transforms of real columns, from those of pairs of them.

    Parameters
    ----------
    z : ndarray, shape (n, p), complex
        Column j is the transform of column 2 j plus i times column 2 j + 1, times any
        real number. p is 1, 2 or 4, or at least as many as complex numbers in 64 bytes;
        n is at least 32. Only read. All arrays are C-contiguous.
    sums : ndarray, shape (2 * max(2 p, real numbers in 64 bytes),), real
        Overwritten with sums of squares, by which `pairs_are_alike` says whether the
        two columns of each pair are: if not, the result is less exact than that of each
        column alone.
    begin, end : int
        The rows to write are k and n - k for k from begin to end - 1: 0 and n // 2 + 1
        for all of them, as it must be for fewer columns than complex numbers in 64
        bytes.
    out : ndarray, shape (n, 2 p), complex
        Overwritten in these rows.

    See Also
    --------
    part_rows : The same for rows.
    fourier_columns : The transform of complex columns.
    nbfact.transforms.dft : The operator.

    Notes
    -----
    The cost is 4 n additions for each column.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.arange(64.0).reshape(32, 2)
    >>> z, out = np.fft.fft(x.view(complex), axis=0), np.empty((32, 2), complex)
    >>> nf.kernels.part_columns(z, np.empty(16), 0, 17, out)
    >>> bool(np.allclose(out, np.fft.fft(x, axis=0)))
    True
    """
    n, columns = z.shape
    numbers, result = z.reshape(-1).view(sums.dtype), out.reshape(-1).view(sums.dtype)
    half, wide = sums.shape[0] // 2, BYTES // sums.itemsize // 2
    sums[:] = 0
    if columns >= wide:
        for k in range(begin, end):
            m = n - k if k else 0
            for j in range(0, columns, wide):
                i = 2 * min(j, columns - wide)  # the last ones end with the row
                one, two = 2 * k * columns + i, 2 * m * columns + i
                near, far = 4 * k * columns + 2 * i, 4 * m * columns + 2 * i
                at = (one, two, near, near, far, far, i, half + i)
                part_vectors(numbers, result, sums, at, 0, 1)
        return
    for j in range(columns):
        x, y = z[0, j].real, z[0, j].imag
        out[0, 2 * j], out[0, 2 * j + 1] = x, y
        sums[2 * j], sums[half + 2 * j] = x * x, y * y
    rows = wide // columns
    for k in range(1, end, rows):
        one, two = 2 * k * columns, 2 * (n - k - rows + 1) * columns
        at = (one, two, 2 * one, 2 * one, 2 * two, 2 * two, 0, half)
        if columns == 1:
            part_vectors(numbers, result, sums, at, 1, 1)
        elif columns == 2:
            part_vectors(numbers, result, sums, at, 2, 1)
        else:
            part_vectors(numbers, result, sums, at, 4, 1)


@kernel
def part_rows(z: np.ndarray, sums: np.ndarray, out: np.ndarray) -> bool:
    """Write the Fourier transforms of real rows, from those of pairs of them.

    Parameters
    ----------
    z : ndarray, shape (p, n), complex
        The transforms of the rows of `pair_rows`, times any real number; n is at least
        32. Only read. All arrays are C-contiguous.
    sums : ndarray, shape (2 * real numbers in 64 bytes,), real
        Scratch memory.
    out : ndarray, shape (2 p, n), complex
        Overwritten.

    Returns
    -------
    bool
        Whether the two rows of each pair are alike, as the top of the file says: if
        not, the result is less exact, and not complete.

    See Also
    --------
    part_columns : The same for columns.
    pair_rows : What makes pairs.

    Notes
    -----
    The cost is 4 n additions for each row.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.cos(np.arange(64.0)).reshape(2, 32)
    >>> z, out = np.empty((1, 32), complex), np.empty((2, 32), complex)
    >>> nf.kernels.pair_rows(x, z)
    >>> bool(nf.kernels.part_rows(np.fft.fft(z), np.empty(16), out))
    True
    >>> bool(np.allclose(out, np.fft.fft(x)))
    True
    """
    pairs, n = z.shape
    numbers, result = z.reshape(-1).view(sums.dtype), out.reshape(-1).view(sums.dtype)
    lanes = BYTES // sums.itemsize
    wide = lanes // 2
    for j in range(pairs):
        first, top, low = 2 * j * n, 4 * j * n, (4 * j + 2) * n
        x, y = z[j, 0].real, z[j, 0].imag
        out[2 * j, 0], out[2 * j + 1, 0] = x, y
        sums[:] = 0
        sums[0], sums[lanes] = x * x, y * y
        for k in range(1, n // 2 + 1, wide):
            near, far = 2 * k, 2 * (n - k - wide + 1)
            at = (
                first + near, first + far, top + near, low + near, top + far, low + far,
                0, lanes,
            )  # fmt: skip
            part_vectors(numbers, result, sums, at, 1, 0)
        if not pairs_are_alike(sums, 1):
            return False
    return True


@kernel
def pair_rows(x: np.ndarray, out: np.ndarray) -> None:
    """Write pairs of real rows as complex rows: one plus i times the next one.

    Parameters
    ----------
    x : ndarray, shape (2 p, n), real
        Only read. Both arrays are C-contiguous.
    out : ndarray, shape (p, n), complex
        Overwritten.

    See Also
    --------
    part_rows : What separates their transforms.

    Notes
    -----
    The cost is that of one pass over both arrays.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.pair_rows(np.eye(2), out := np.empty((1, 2), complex))
    >>> out
    array([[1.+0.j, 0.+1.j]])
    """
    n, lanes = x.shape[1], BYTES // x.itemsize
    result = out.reshape(-1).view(x.dtype)
    for j in range(out.shape[0]):
        one, two, whole = x[2 * j], x[2 * j + 1], n - n % lanes
        for k in range(0, whole, lanes):
            join_rows(one, two, k, 1.0, result, 2 * (j * n + k))
        for k in range(whole, n):
            out[j, k] = one[k] + 1j * two[k]
