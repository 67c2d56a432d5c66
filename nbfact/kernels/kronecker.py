"""Products of one vector with factors of pattern (a, b, c, d), alone or in a chain.

Such a factor is a matrix of a * b * d rows and a * c * d columns, M[i, j, m; i, k, m] =
values[i, j, k, m], zero elsewhere: a blocks down the diagonal, each made of d dense
b x c matrices, interleaved. `values` has shape (a, b, c, d); all arrays of a call have
one dtype and are C-contiguous.

A chain is the values of all factors as `kronecker_pack` writes them, one after the
other in order of application (rightmost factor first), and a table `layout` (J, 4) of
their patterns. Where d is small and a large, the packed values have i last.

All loops below work on flat arrays and a tuple `shape` = (a, b, c, d, outer, row,
column, inner): value (i, j, k, m) is at i * outer + j * row + k * column + m * inner,
so that an adjoint is a product with (b, row) and (c, column) exchanged. Places are
unsigned, as in `sparse.py`.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel
def _shape(a, b, c, d, adjoint):
    """Sizes and strides of a factor or of its adjoint, unsigned."""
    a, b, c, d = np.uintp(a), np.uintp(b), np.uintp(c), np.uintp(d)
    one = np.uintp(1)
    if adjoint:
        return a, c, b, d, b * c * d, d, c * d, one
    return a, b, c, d, b * c * d, c * d, d, one


@kernel
def _packed_shape(a, b, c, d):
    """Sizes and strides of a packed factor, unsigned: i last, or as `_shape`."""
    if d < 8 and a >= 16 and c <= 8:
        a, b, c, d = np.uintp(a), np.uintp(b), np.uintp(c), np.uintp(d)
        return a, b, c, d, np.uintp(1), c * d * a, d * a, a
    return _shape(a, b, c, d, np.uintp(0))


@kernel
def kronecker_pack(values, out):
    """Reorder the values of a factor of a chain; values: (a, b, c, d), out: (a*b*c*d,).

    A product with one vector then has long innermost loops whatever d: (2048, 2, 2, 1)
    takes 25 µs otherwise (`kronecker_apply`).
    """
    a, b, c, d, outer, row, column, inner = _packed_shape(*values.shape)
    for i in range(a):
        for j in range(b):
            for k in range(c):
                for m in range(d):
                    place = i * outer + j * row + k * column + m * inner
                    out[place] = values[i, j, k, m]


@kernel
def _conjugated(value, adjoint):
    """Conjugate of a value where the product is with the adjoint."""
    if adjoint:
        return np.conj(value)
    return value


@kernel
def _vector_planes(values, shape, adjoint, x, out):
    """One vector, d large: m innermost, two columns of a block at a time."""
    a, b, c, d, outer, row, column, _inner = shape
    one, two = np.uintp(1), np.uintp(2)
    for i in range(a):
        for j in range(b):
            target = out[(i * b + j) * d : (i * b + j + one) * d]
            v, p = i * outer + j * row, i * c * d
            if c % two == one:
                v0, x0 = values[v : v + d], x[p : p + d]
                for m in range(d):
                    target[m] = _conjugated(v0[m], adjoint) * x0[m]
            else:
                v0, v1 = values[v : v + d], values[v + column : v + column + d]
                x0, x1 = x[p : p + d], x[p + d : p + two * d]
                for m in range(d):
                    s = _conjugated(v0[m], adjoint) * x0[m]
                    target[m] = s + _conjugated(v1[m], adjoint) * x1[m]
            for k in range(two - c % two, c, two):
                w, q = v + k * column, p + k * d
                v0, v1 = values[w : w + d], values[w + column : w + column + d]
                x0, x1 = x[q : q + d], x[q + d : q + two * d]
                for m in range(d):
                    s = _conjugated(v0[m], adjoint) * x0[m]
                    target[m] += s + _conjugated(v1[m], adjoint) * x1[m]


@kernel(fastmath=REASSOC)
def _vector_dots(values, shape, adjoint, x, out):
    """One vector, d small: k innermost."""
    a, b, c, d, outer, row, column, inner = shape
    for i in range(a):
        for j in range(b):
            for m in range(d):
                v, p = i * outer + j * row + m * inner, i * c * d + m
                total = out.dtype.type(0)
                for k in range(c):
                    total += _conjugated(values[v + k * column], adjoint) * x[p + k * d]
                out[(i * b + j) * d + m] = total


@kernel(fastmath=REASSOC)
def _vector_strided(values, shape, adjoint, x, out):
    """One vector, values with i last: i innermost, two columns of a block at a time."""
    a, b, c, d, _outer, row, column, inner = shape
    one, two = np.uintp(1), np.uintp(2)
    xs, os = c * d, b * d
    for j in range(b):
        for m in range(d):
            v, o = j * row + m * inner, j * d + m
            if c % two == one:
                v0 = values[v : v + a]
                for i in range(a):
                    out[i * os + o] = v0[i] * x[i * xs + m]
            else:
                v0, v1 = values[v : v + a], values[v + column : v + column + a]
                for i in range(a):
                    p = i * xs + m
                    out[i * os + o] = v0[i] * x[p] + v1[i] * x[p + d]
            for k in range(two - c % two, c, two):
                w, q = v + k * column, k * d + m
                v0, v1 = values[w : w + a], values[w + column : w + column + a]
                for i in range(a):
                    p = i * xs + q
                    out[i * os + o] += v0[i] * x[p] + v1[i] * x[p + d]


@kernel
def _vector_rows(values, shape, adjoint, x, out):
    """One vector, d = 1 and consecutive values in a column of a block: j innermost."""
    a, b, c, _d, outer, _row, column, _inner = shape
    for i in range(a):
        target = out[i * b : (i + np.uintp(1)) * b]
        for k in range(c):
            v, value = i * outer + k * column, x[i * c + k]
            v0 = values[v : v + b]
            if k == 0:
                for j in range(b):
                    target[j] = _conjugated(v0[j], adjoint) * value
            else:
                for j in range(b):
                    target[j] += _conjugated(v0[j], adjoint) * value


@kernel
def _vector(values, shape, adjoint, x, out):
    """One vector, by the loop that suits the strides; values, x, out: flat."""
    if shape[7] != 1:
        _vector_strided(values, shape, adjoint, x, out)
    elif shape[3] >= 8:
        _vector_planes(values, shape, adjoint, x, out)
    elif shape[5] == 1 and shape[1] >= 8:
        _vector_rows(values, shape, adjoint, x, out)
    else:
        _vector_dots(values, shape, adjoint, x, out)


@kernel
def kronecker_apply(values, x, out):
    """Product with one vector; values: (a, b, c, d), x: (a*c*d,), out: (a*b*d,)."""
    a, b, c, d = values.shape
    shape = _shape(a, b, c, d, np.uintp(0))
    _vector(values.ravel(), shape, np.uintp(0), x, out)


@kernel
def kronecker_adjoint(values, x, out):
    """Product of the adjoint with one vector; x: (a*b*d,), out: (a*c*d,)."""
    a, b, c, d = values.shape
    shape = _shape(a, b, c, d, np.uintp(1))
    _vector(values.ravel(), shape, np.uintp(1), x, out)


@kernel
def kronecker_chain_apply(values, layout, x, scratch, out):
    """Product of a chain with one vector, by two alternating buffers.

    values: (sum of sizes,), packed; layout: (J, 4); x: (columns,), out: (rows,);
    scratch: (2, largest number of rows); all distinct.
    """
    first, source = 0, x
    for j in range(layout.shape[0]):
        a, b, c, d = layout[j, 0], layout[j, 1], layout[j, 2], layout[j, 3]
        target = out if j == layout.shape[0] - 1 else scratch[j % 2]
        shape, size = _packed_shape(a, b, c, d), a * b * c * d
        _vector(values[first : first + size], shape, np.uintp(0), source, target)
        first, source = first + size, target
