"""Product of one vector with a chainable chain, in constant geometry (Pease 1968).

The chain is K[J-1] @ ... @ K[0], here in order of application, of factors of pattern
(a, b, c, d) as in `kronecker.py`. It has to be chainable (`Chain.chainable`): write
(a', b', c', d') for the pattern of the factor that is applied next; then a' divides a,
d divides d', and r = a' c' / a is an integer. The first factor has d = 1 and the last
one a = 1, as in all chains of `Chain.mixed_radix`, fused or not. Whatever the patterns,
no loop goes through memory by a stride:

A factor has P = a * d blocks, block p = m * a + i, and its packed values are the planes
V[j, k, p]. It writes its rows as planes y[j, p]. The next factor, of which r is the
rank with this one and s = c / r, finds row (i', k', m') of its columns there:

    x[rho, p * s + sigma],    k' = sigma * r + rho,

so that all loops are over p, all writes are in order, and all reads are in order too,
one by one or in groups of s. The first factor reads x as it is, with r = 1 and s = c;
the last one writes it as it is. The adjoint of the chain goes the other way.

s = 2 has loops of its own, for r = 1 (Fourier, Hadamard) and r = 2 (cosines). All other
factors take the groups of s apart, into planes, or put them together. Few rows are
multiplied at a time: where P is a power of two, more streams of values would compete
for the same lines of the cache (P = 2048, rank 2: 0.20 ns a value with four rows, 0.08
ns with one or two). Arrays are flat and places unsigned, because a slice for each
stream took longer than its loop up to P = 64. Numbers in comments: Zen 4, one thread,
float32.
"""

import numpy as np

from ._jit import REASSOC, kernel
from .kronecker import conjugated


@kernel
def shuffled_pack(values: np.ndarray, out: np.ndarray) -> None:
    """Reorder the values of a Kronecker-sparse factor for `shuffled_chain_apply`.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Only read.
    out : ndarray, shape (a * b * c * d,)
        Overwritten with the same numbers, the index of length a last: entry
        ((j * c + k) * d + m) * a + i is values[i, j, k, m].

    See Also
    --------
    shuffled_chain_apply, shuffled_chain_adjoint : The products.
    kronecker_pack : The order of another kernel.

    Notes
    -----
    The cost is one pass over the values.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> values = np.arange(8.0).reshape(2, 2, 2, 1)
    >>> nf.kernels.shuffled_pack(values, out := np.empty(8))
    >>> out
    array([0., 4., 1., 5., 2., 6., 3., 7.])
    """
    a, b, c, d = values.shape
    for j in range(b):
        for k in range(c):
            for m in range(d):
                place = ((j * c + k) * d + m) * a
                for i in range(a):
                    out[place + i] = values[i, j, k, m]


@kernel(fastmath=REASSOC)
def _sum_planes(v, planes, count, size, x, adjoint, y, o):
    """Write to y, from o on, the sum of `count` planes of v times those of x.

    v, x, y: flat; planes: where the first plane of v starts, and how far apart they
    are; size: the length of a plane. Four planes are added at a time, after the rest.
    """
    v0, step = planes
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    rest = (count - one & three) + one
    v1, v2, v3 = v0 + step, v0 + two * step, v0 + three * step
    x1, x2, x3 = size, two * size, three * size
    if rest == 1:
        for p in range(size):
            y[o + p] = conjugated(v[v0 + p], adjoint) * x[p]
    elif rest == 2:
        for p in range(size):
            s = conjugated(v[v0 + p], adjoint) * x[p]
            y[o + p] = s + conjugated(v[v1 + p], adjoint) * x[x1 + p]
    elif rest == 3:
        for p in range(size):
            s = conjugated(v[v0 + p], adjoint) * x[p]
            s += conjugated(v[v1 + p], adjoint) * x[x1 + p]
            y[o + p] = s + conjugated(v[v2 + p], adjoint) * x[x2 + p]
    else:
        for p in range(size):
            s = conjugated(v[v0 + p], adjoint) * x[p]
            s += conjugated(v[v1 + p], adjoint) * x[x1 + p]
            s += conjugated(v[v2 + p], adjoint) * x[x2 + p]
            y[o + p] = s + conjugated(v[v3 + p], adjoint) * x[x3 + p]
    for n in range(rest, count, four):
        a, b = v0 + n * step, n * size
        a1, a2, a3 = a + step, a + two * step, a + three * step
        b1, b2, b3 = b + x1, b + x2, b + x3
        for p in range(size):
            s = conjugated(v[a + p], adjoint) * x[b + p]
            s += conjugated(v[a1 + p], adjoint) * x[b1 + p]
            s += conjugated(v[a2 + p], adjoint) * x[b2 + p]
            y[o + p] += s + conjugated(v[a3 + p], adjoint) * x[b3 + p]


@kernel
def _take_apart(x, i, s, size, out, o, step):
    """Take groups of s entries apart into s planes.

    The groups are read from x, from i on; the planes are written to out, `step` apart,
    from o on. size: the number of groups.
    """
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    o1, o2, o3 = o + step, o + step + step, o + step + step + step
    if s == 2:
        for p in range(size):
            q = i + two * p
            out[o + p], out[o1 + p] = x[q], x[q + one]
    elif s == 3:
        for p in range(size):
            q = i + three * p
            out[o + p], out[o1 + p], out[o2 + p] = x[q], x[q + one], x[q + two]
    elif s == 4:
        for p in range(size):
            q = i + np.uintp(4) * p
            out[o + p], out[o1 + p] = x[q], x[q + one]
            out[o2 + p], out[o3 + p] = x[q + two], x[q + three]
    else:
        for k in range(s):
            for p in range(size):
                out[o + k * step + p] = x[i + p * s + k]


@kernel(fastmath=REASSOC)
def _rows_of_two(v, b, size, x, out):
    """Multiply rows of rank 1 and s = 2, two rows at a time.

    v: (b, 2, size), x: (size, 2), out: (b, size), all flat; b is even.
    """
    one, two = np.uintp(1), np.uintp(2)
    for j in range(np.uintp(0), b, two):
        v0, o0 = two * j * size, j * size
        v1, o1 = v0 + size, o0 + size
        v2, v3 = v1 + size, v1 + size + size
        for p in range(size):
            s, t = x[two * p], x[two * p + one]
            out[o0 + p] = v[v0 + p] * s + v[v1 + p] * t
            out[o1 + p] = v[v2 + p] * s + v[v3 + p] * t


@kernel(fastmath=REASSOC)
def _rows_of_four(v, b, size, x, out):
    """Multiply rows of rank 2 and s = 2, two rows at a time.

    v: (b, 2, 2, size), x: (2, size, 2), out: (b, size), all flat; b is even. With one
    row at a time complex64 is 1.2 to 1.3 times slower; the top of this file says what
    four rows cost.
    """
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    x1 = two * size
    for j in range(np.uintp(0), b, two):
        v0, o0 = two * two * j * size, j * size
        v1, v2, v3 = v0 + size, v0 + two * size, v0 + three * size
        w0, o1 = v0 + two * two * size, o0 + size
        w1, w2, w3 = w0 + size, w0 + two * size, w0 + three * size
        for p in range(size):
            q = two * p
            s, t, u, w = x[q], x[x1 + q], x[q + one], x[x1 + q + one]
            y = v[v0 + p] * s + v[v1 + p] * t
            out[o0 + p] = y + (v[v2 + p] * u + v[v3 + p] * w)
            y = v[w0 + p] * s + v[w1 + p] * t
            out[o1 + p] = y + (v[w2 + p] * u + v[w3 + p] * w)


@kernel
def _put_together(x, begin, step, s, size, out, o):
    """Put s planes together into groups of s entries, the inverse of `_take_apart`.

    The planes are read from x, `step` apart, from `begin` on; the groups are written to
    out, from o on.
    """
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    x0 = begin
    x1, x2, x3 = x0 + step, x0 + step + step, x0 + step + step + step
    if s == 2:
        for p in range(size):
            q = o + two * p
            out[q], out[q + one] = x[x0 + p], x[x1 + p]
    elif s == 3:
        for p in range(size):
            q = o + three * p
            out[q], out[q + one], out[q + two] = x[x0 + p], x[x1 + p], x[x2 + p]
    elif s == 4:
        for p in range(size):
            q = o + np.uintp(4) * p
            out[q], out[q + one] = x[x0 + p], x[x1 + p]
            out[q + two], out[q + three] = x[x2 + p], x[x3 + p]
    else:
        for k in range(s):
            for p in range(size):
                out[o + p * s + k] = x[x0 + k * step + p]


@kernel(fastmath=REASSOC)
def _pairs_of_two(v, r, size, x, out):
    """Multiply by the adjoint of a factor with b = 2 and s = 2.

    v: (2, 2, r, size), x: (2, size), out: (r, size, 2), all flat.
    """
    one, two = np.uintp(1), np.uintp(2)
    for k in range(r):
        o, v0, v1 = two * k * size, k * size, (k + r) * size
        v2, v3 = v0 + two * r * size, v1 + two * r * size
        for p in range(size):
            s, t, q = x[p], x[size + p], o + two * p
            out[q] = np.conj(v[v0 + p]) * s + np.conj(v[v2 + p]) * t
            out[q + one] = np.conj(v[v1 + p]) * s + np.conj(v[v3 + p]) * t


@kernel(fastmath=REASSOC)
def _pairs_of_four(v, r, size, x, out):
    """Multiply by the adjoint of a factor with b = 4 and s = 2.

    v: (4, 2, r, size), x: (4, size), out: (r, size, 2), all flat.
    """
    one, two = np.uintp(1), np.uintp(2)
    row, x2, x3 = two * r * size, size + size, size + size + size
    for k in range(r):
        o, v0, w0 = two * k * size, k * size, (k + r) * size
        v1, v2, v3 = v0 + row, v0 + row + row, v0 + row + row + row
        w1, w2, w3 = w0 + row, w0 + row + row, w0 + row + row + row
        for p in range(size):
            a, b, c, d, q = x[p], x[size + p], x[x2 + p], x[x3 + p], o + two * p
            s = np.conj(v[v0 + p]) * a + np.conj(v[v1 + p]) * b
            out[q] = s + (np.conj(v[v2 + p]) * c + np.conj(v[v3 + p]) * d)
            s = np.conj(v[w0 + p]) * a + np.conj(v[w1 + p]) * b
            out[q + one] = s + (np.conj(v[w2 + p]) * c + np.conj(v[w3 + p]) * d)


@kernel
def _multiply_adjoint(v, b, c, size, r, x, planes, out):
    """Multiply by the adjoint of any factor.

    v: (b, c, size), x: (b, size), out: (r, size, c / r); planes: (c, size), overwritten
    with the result as planes.
    """
    s, one = c // r, np.uintp(1)
    target = planes if s > 1 else out
    for k in range(c):
        _sum_planes(v, (k * size, c * size), b, size, x, one, target, k * size)
    if s > 1:
        for k in range(r):
            _put_together(planes, k * size, r * size, s, size, out, k * s * size)


@kernel
def _sizes(layout, j):
    """Return the rows b, the columns c, the blocks a * d of factor j, and its rank r.

    All are unsigned.
    """
    a, b, c, d = layout[j, 0], layout[j, 1], layout[j, 2], layout[j, 3]
    r = 1 if j == 0 else a * c // layout[j - 1, 0]
    return np.uintp(b), np.uintp(c), np.uintp(a * d), np.uintp(r)


@kernel
def shuffled_chain_apply(
    values: np.ndarray,
    layout: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chainable chain with one vector, in constant geometry.

    Parameters
    ----------
    values : ndarray, shape (sum of a * b * c * d over the factors,)
        What `shuffled_pack` writes for each factor, one after the other in order of
        application: the rightmost factor is first. Only read. All arrays but layout
        have one dtype, and all are C-contiguous.
    layout : ndarray of int64, shape (J, 4), J at least 1
        The patterns (a, b, c, d) in the same order. They have to be chainable, with d =
        1 in the first row and a = 1 in the last one: see `nbfact.kernels.shuffled`.
        For other chains the result is wrong; `kronecker_chain_apply` takes any.
    x : ndarray, shape (columns of the first factor of layout,)
        Only read.
    scratch : ndarray, shape (3, r)
        r is at least the largest number of rows or columns of a factor; overwritten.
    out : ndarray, shape (rows of the last factor of layout,)
        Overwritten with the product. x, scratch and out share no memory.

    See Also
    --------
    shuffled_pack : Packs the values of a factor.
    kronecker_chain_apply : A kernel for any chain.

    Notes
    -----
    The cost is one multiplication for each value.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> layout, scratch = np.array([[2, 2, 2, 1], [1, 2, 2, 2]]), np.empty((3, 4))
    >>> x, out = np.array([1.0, 2.0, 3.0, 4.0]), np.empty(4)
    >>> nf.kernels.shuffled_chain_apply(np.ones(16), layout, x, scratch, out)
    >>> out
    array([10., 10., 10., 10.])
    """
    zero, one, two = np.uintp(0), np.uintp(1), np.uintp(2)
    first, source = zero, x
    for j in range(layout.shape[0]):
        b, c, size, r = _sizes(layout, j)
        target = out if j == layout.shape[0] - 1 else scratch[j % 2]
        v = values[first : first + b * c * size]
        if c == two * r and r <= two and b & one == 0:
            if r == one:
                _rows_of_two(v, b, size, source, target)
            else:
                _rows_of_four(v, b, size, source, target)
        else:
            s = c // r
            if s > one:
                for k in range(r):
                    here, step = k * size, r * size
                    _take_apart(source, here * s, s, size, scratch[2], here, step)
                source = scratch[2]
            for i in range(b):
                planes = (i * c * size, size)
                _sum_planes(v, planes, c, size, source, zero, target, i * size)
        first, source = first + b * c * size, target


@kernel
def shuffled_chain_adjoint(
    values: np.ndarray,
    layout: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of the adjoint of a chainable chain with one vector.

    Parameters
    ----------
    values, layout : ndarray
        The chain, packed as for `shuffled_chain_apply` and not reversed; only read.
    x : ndarray, shape (rows of the last factor of layout,)
        Only read.
    scratch : ndarray, shape (3, r)
        As in `shuffled_chain_apply`; overwritten.
    out : ndarray, shape (columns of the first factor of layout,)
        Overwritten with the product. x, scratch and out share no memory.

    See Also
    --------
    shuffled_chain_apply : The product of the chain itself.

    Notes
    -----
    The adjoint is the conjugate transpose. The cost is one multiplication for each
    value.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> layout, scratch = np.array([[2, 2, 2, 1], [1, 2, 2, 2]]), np.empty((3, 4))
    >>> x, out = np.array([1.0, 2.0, 3.0, 4.0]), np.empty(4)
    >>> nf.kernels.shuffled_chain_adjoint(np.ones(16), layout, x, scratch, out)
    >>> out
    array([10., 10., 10., 10.])
    """
    last, source, two = np.uintp(values.shape[0]), x, np.uintp(2)
    for j in range(layout.shape[0] - 1, -1, -1):
        b, c, size, r = _sizes(layout, j)
        target = out if j == 0 else scratch[j % 2]
        last -= b * c * size
        v = values[last : last + b * c * size]
        if c == two * r and b == two:
            _pairs_of_two(v, r, size, source, target)
        elif c == two * r and b == two * two:
            _pairs_of_four(v, r, size, source, target)
        else:
            _multiply_adjoint(v, b, c, size, r, source, scratch[2], target)
        source = target
