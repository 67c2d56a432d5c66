"""Products of one vector with factors of pattern (a, b, c, d), alone or in a chain.

Such a factor is a matrix M of a * b * d rows and a * c * d columns with a blocks down
the diagonal, each made of d dense b x c matrices, interleaved: row (i, j, m) and column
(i, k, m) hold values[i, j, k, m], and all other entries are zero. It is the pattern of
I_a ⊗ 1_{b×c} ⊗ I_d, a Kronecker-sparse factor. ``values`` has shape (a, b, c, d); all
arrays of a call have one dtype and are C-contiguous.

A chain is the values of all factors as `kronecker_pack` writes them, one after the
other in order of application (rightmost factor first), and a table ``layout`` (J, 4) of
their patterns. Where d is small and a large, the packed values have i last.

All loops below work on flat arrays and a tuple ``shape`` = (a, b, c, d, outer, row,
column, inner), where value (i, j, k, m) is at i * outer + j * row + k * column + m *
inner. An adjoint is then a product with (b, row) and (c, column) exchanged. All of
these are unsigned, because Numba tests signed places for negative ones.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel
def strides_of(a, b, c, d, adjoint):
    """Return the sizes and strides of a factor, or of its adjoint, unsigned.

    adjoint: 0 or 1, unsigned.
    """
    a, b, c, d = np.uintp(a), np.uintp(b), np.uintp(c), np.uintp(d)
    one = np.uintp(1)
    if adjoint:
        return a, c, b, d, b * c * d, d, c * d, one
    return a, b, c, d, b * c * d, c * d, d, one


@kernel
def packed_strides_of(a, b, c, d):
    """Return the sizes and strides of a packed factor, unsigned.

    The index i is last where d is small and a large; else they are as in
    `strides_of`.
    """
    if d < 8 and a >= 16 and c <= 8:
        a, b, c, d = np.uintp(a), np.uintp(b), np.uintp(c), np.uintp(d)
        return a, b, c, d, np.uintp(1), c * d * a, d * a, a
    return strides_of(a, b, c, d, np.uintp(0))


@kernel
def kronecker_pack(values: np.ndarray, out: np.ndarray) -> None:
    """Reorder the values of a Kronecker-sparse factor for a product with a chain.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Only read.
    out : ndarray, shape (a * b * c * d,)
        Overwritten with the same numbers, in C order where d is at least 8, a below 16
        or c above 8, and else with the index of length a last.

    See Also
    --------
    kronecker_chain_apply : The product that reads what is packed.
    shuffled_pack : The order of another kernel.

    Notes
    -----
    A product with one vector then has long innermost loops, whatever d is. Without it a
    factor of pattern (2048, 2, 2, 1) takes 25 µs, as `kronecker_apply` does.
    The cost is one pass over the values.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> values = np.arange(8.0).reshape(2, 2, 2, 1)
    >>> nf.kernels.kronecker_pack(values, out := np.empty(8))
    >>> out
    array([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    a, b, c, d, outer, row, column, inner = packed_strides_of(*values.shape)
    for i in range(a):
        for j in range(b):
            for k in range(c):
                for m in range(d):
                    place = i * outer + j * row + k * column + m * inner
                    out[place] = values[i, j, k, m]


@kernel
def conjugated(value, adjoint):
    """Return a value, or its conjugate where the product is with the adjoint."""
    if adjoint:
        return np.conj(value)
    return value


@kernel
def _vector_with_m_inside(values, shape, adjoint, x, out):
    """Multiply one vector where d is large: m is innermost.

    Two columns of a block are read in each pass.
    """
    a, b, c, d, outer, row, column, _inner = shape
    one, two = np.uintp(1), np.uintp(2)
    for i in range(a):
        for j in range(b):
            target = out[(i * b + j) * d : (i * b + j + one) * d]
            v, p = i * outer + j * row, i * c * d
            if c % two == one:
                v0, x0 = values[v : v + d], x[p : p + d]
                for m in range(d):
                    target[m] = conjugated(v0[m], adjoint) * x0[m]
            else:
                v0, v1 = values[v : v + d], values[v + column : v + column + d]
                x0, x1 = x[p : p + d], x[p + d : p + two * d]
                for m in range(d):
                    s = conjugated(v0[m], adjoint) * x0[m]
                    target[m] = s + conjugated(v1[m], adjoint) * x1[m]
            for k in range(two - c % two, c, two):
                w, q = v + k * column, p + k * d
                v0, v1 = values[w : w + d], values[w + column : w + column + d]
                x0, x1 = x[q : q + d], x[q + d : q + two * d]
                for m in range(d):
                    s = conjugated(v0[m], adjoint) * x0[m]
                    target[m] += s + conjugated(v1[m], adjoint) * x1[m]


@kernel(fastmath=REASSOC)
def _vector_with_k_inside(values, shape, adjoint, x, out):
    """Multiply one vector where d is small: k is innermost."""
    a, b, c, d, outer, row, column, inner = shape
    for i in range(a):
        for j in range(b):
            for m in range(d):
                v, p = i * outer + j * row + m * inner, i * c * d + m
                total = out.dtype.type(0)
                for k in range(c):
                    total += conjugated(values[v + k * column], adjoint) * x[p + k * d]
                out[(i * b + j) * d + m] = total


@kernel(fastmath=REASSOC)
def _vector_with_i_inside(values, shape, adjoint, x, out):
    """Multiply one vector where the values have i last: i is innermost.

    Two columns of a block are read in each pass.
    """
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
def _vector_with_j_inside(values, shape, adjoint, x, out):
    """Multiply one vector where d = 1 and columns are contiguous: j is innermost."""
    a, b, c, _d, outer, _row, column, _inner = shape
    for i in range(a):
        target = out[i * b : (i + np.uintp(1)) * b]
        for k in range(c):
            v, value = i * outer + k * column, x[i * c + k]
            v0 = values[v : v + b]
            if k == 0:
                for j in range(b):
                    target[j] = conjugated(v0[j], adjoint) * value
            else:
                for j in range(b):
                    target[j] += conjugated(v0[j], adjoint) * value


@kernel
def _multiply_vector(values, shape, adjoint, x, out):
    """Multiply one vector by the loop that suits the strides; values, x, out: flat."""
    if shape[7] != 1:
        _vector_with_i_inside(values, shape, adjoint, x, out)
    elif shape[3] >= 8:
        _vector_with_m_inside(values, shape, adjoint, x, out)
    elif shape[5] == 1 and shape[1] >= 8:
        _vector_with_j_inside(values, shape, adjoint, x, out)
    else:
        _vector_with_k_inside(values, shape, adjoint, x, out)


@kernel
def kronecker_apply(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Write the product of a Kronecker-sparse factor with one vector.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Values of a factor of pattern (a, b, c, d), not packed; only read. All arrays
        have one dtype and are C-contiguous.
    x : ndarray, shape (a * c * d,)
        Only read.
    out : ndarray, shape (a * b * d,)
        Overwritten with the product; shares no memory with x.

    See Also
    --------
    kronecker_adjoint : The product of the adjoint.
    kronecker_apply_columns : The product with the columns of a matrix.
    kronecker_chain_apply : The product of a chain of factors.

    Notes
    -----
    The cost is a b c d multiplications.

    Examples
    --------
    Pattern (1, 2, 2, 2) mixes x[0] with x[2], and x[1] with x[3]:

    >>> import numpy as np, nbfact as nf
    >>> x, out = np.array([1.0, 2.0, 3.0, 4.0]), np.empty(4)
    >>> nf.kernels.kronecker_apply(np.ones((1, 2, 2, 2)), x, out)
    >>> out
    array([4., 6., 4., 6.])
    """
    a, b, c, d = values.shape
    shape = strides_of(a, b, c, d, np.uintp(0))
    _multiply_vector(values.ravel(), shape, np.uintp(0), x, out)


@kernel
def kronecker_adjoint(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Write the product of the adjoint of a Kronecker-sparse factor with one vector.

    Parameters
    ----------
    values : ndarray, shape (a, b, c, d)
        Values of the factor, not packed; only read. All arrays have one dtype and are
        C-contiguous.
    x : ndarray, shape (a * b * d,)
        Only read.
    out : ndarray, shape (a * c * d,)
        Overwritten with the product; shares no memory with x.

    See Also
    --------
    kronecker_apply : The product of the factor itself.
    kronecker_adjoint_columns : The product with the columns of a matrix.

    Notes
    -----
    The adjoint is the conjugate transpose. The cost is a b c d multiplications.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> values = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> nf.kernels.kronecker_adjoint(values, np.array([1.0, 10.0]), out := np.empty(2))
    >>> out
    array([31., 42.])
    """
    a, b, c, d = values.shape
    shape = strides_of(a, b, c, d, np.uintp(1))
    _multiply_vector(values.ravel(), shape, np.uintp(1), x, out)


@kernel
def kronecker_chain_apply(
    values: np.ndarray,
    layout: np.ndarray,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of Kronecker-sparse factors with one vector.

    Parameters
    ----------
    values : ndarray, shape (sum of a * b * c * d over the factors,)
        What `kronecker_pack` writes for each factor, one after the other in order of
        application: the rightmost factor is first. Only read. All arrays but layout
        have one dtype, and all are C-contiguous.
    layout : ndarray of int64, shape (J, 4), J at least 1
        The patterns (a, b, c, d) in the same order. The columns a * c * d of a factor
        are the rows a * b * d of the one before.
    x : ndarray, shape (columns of the first factor of layout,)
        Only read.
    scratch : ndarray, shape (2, r)
        r is at least the largest number of rows of a factor; overwritten.
    out : ndarray, shape (rows of the last factor of layout,)
        Overwritten with the product. x, scratch and out share no memory.

    See Also
    --------
    kronecker_pack : Packs the values of a factor.
    shuffled_chain_apply : A faster kernel, for chains that are chainable.
    nbfact.Butterfly : The operator, which packs its values.

    Notes
    -----
    The cost is one multiplication for each value. The factors write to the two rows of
    scratch in turn.

    Examples
    --------
    Two factors of ones, of patterns (2, 2, 2, 1) and (1, 2, 2, 2), add all entries:

    >>> import numpy as np, nbfact as nf
    >>> layout = np.array([[2, 2, 2, 1], [1, 2, 2, 2]])
    >>> x, out = np.array([1.0, 2.0, 3.0, 4.0]), np.empty(4)
    >>> nf.kernels.kronecker_chain_apply(np.ones(16), layout, x, np.empty((2, 4)), out)
    >>> out
    array([10., 10., 10., 10.])
    """
    first, source = 0, x
    for j in range(layout.shape[0]):
        a, b, c, d = layout[j, 0], layout[j, 1], layout[j, 2], layout[j, 3]
        target = out if j == layout.shape[0] - 1 else scratch[j % 2]
        shape, size = packed_strides_of(a, b, c, d), a * b * c * d
        v = values[first : first + size]
        _multiply_vector(v, shape, np.uintp(0), source, target)
        first, source = first + size, target
