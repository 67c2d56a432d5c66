"""Products with sparse factors: one in CSR form, its adjoint, a chain of factors.

One factor is `data` (nnz,), `indices` (nnz,) and `indptr` (rows + 1,) as in scipy.
Unsigned indices are the fastest: Numba then leaves out its test for negative ones.

A chain is packed in order of application (rightmost factor first): `data` and
`indices` of all factors one after the other, and a table `layout` (J, 4) with, for
each factor, its rows, its slots, its first entry, and its first place in `indptr`.
slots = 0 means CSR, with `indptr` counting from the start of `data`. slots = k > 0
means that every row has k entries, stored slot by slot (entry t of row i at
first + t * rows + i): the innermost loop is then over rows, which vectorises.
Measured on a chain of 2-sparse factors, float32, n = 8192, one vector: 84 µs so,
198 in CSR, 199 with scipy (Zen 4; `nbfact bench -k butterfly` shows it today).
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _csr_rows(data, indices, indptr, first_row, scale, x, out):
    """Write scale * rows of S @ x to out, rows from first_row on; out: (rows,)."""
    for i in range(out.shape[0]):
        total = out.dtype.type(0)
        for p in range(indptr[first_row + i], indptr[first_row + i + 1]):
            total += data[p] * x[indices[p]]
        out[i] = scale * total


@kernel
def csr_apply(data, indices, indptr, x, out):
    """Write S @ x to out; x: (columns,), out: (rows,), distinct from x."""
    _csr_rows(data, indices, indptr, 0, data.real.dtype.type(1), x, out)


@kernel
def csr_adjoint(data, indices, indptr, x, out):
    """Write Sᴴ @ x to out; x: (rows,), out: (columns,), distinct from x."""
    for j in range(out.shape[0]):
        out[j] = 0
    for i in range(x.shape[0]):
        for p in range(indptr[i], indptr[i + 1]):
            out[indices[p]] += np.conj(data[p]) * x[i]


@kernel
def csr_adjoint_columns(data, indices, indptr, x, out):
    """Write Sᴴ @ x to out; x: (rows, batch), out: (columns, batch), C-contiguous."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 0
    for i in range(x.shape[0]):
        for p in range(indptr[i], indptr[i + 1]):
            value, row = np.conj(data[p]), indices[p]
            for j in range(out.shape[1]):
                out[row, j] += value * x[i, j]


@kernel
def _factor_columns(data, indices, indptr, entry, scale, x, window, out, place, width):
    """One factor of a chain times `width` columns: rows of out = scale * S @ x.

    x and out are flat; row r of the columns starts at window[0] * r + window[1] in x,
    at place[0] * r + place[1] in out. entry: the factor's row of layout. Two entries a
    pass halve the traffic on out. All in one kernel, flat and unsigned, for speed
    (n = 8192, batch 16: 0.42 ms, 0.93 with calls in the loop, 3.7 with views of rows):
    a view costs two atomic operations, a signed place a test for negative ones.
    """
    one, two = np.uintp(1), np.uintp(2)
    n_rows, slots = np.uintp(entry[0]), np.uintp(entry[1])
    first, first_row = np.uintp(entry[2]), np.uintp(entry[3])
    for i in range(n_rows):
        t, step, count = first + i, n_rows, slots
        if slots == 0:
            t, step = np.uintp(indptr[first_row + i]), one
            count = np.uintp(indptr[first_row + i + one]) - t
        last = t + step * count
        o = place[0] * i + place[1]
        if count % two == one:
            a, p = scale * data[t], window[0] * np.uintp(indices[t]) + window[1]
            for j in range(width):
                out[o + j] = a * x[p + j]
            t += step
        elif count > 0:
            a, p = scale * data[t], window[0] * np.uintp(indices[t]) + window[1]
            t += step
            b, q = scale * data[t], window[0] * np.uintp(indices[t]) + window[1]
            for j in range(width):
                out[o + j] = a * x[p + j] + b * x[q + j]
            t += step
        else:
            for j in range(width):
                out[o + j] = 0
        while t < last:
            a, p = scale * data[t], window[0] * np.uintp(indices[t]) + window[1]
            t += step
            b, q = scale * data[t], window[0] * np.uintp(indices[t]) + window[1]
            for j in range(width):
                out[o + j] += a * x[p + j] + b * x[q + j]
            t += step


@kernel
def csr_apply_columns(data, indices, indptr, x, out):
    """Write S @ x to out; x: (columns, batch), out: (rows, batch), C-contiguous."""
    batch = np.uintp(x.shape[1])
    entry = (out.shape[0], 0, 0, 0)
    window = (batch, np.uintp(0))
    one = data.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    _factor_columns(
        data, indices, indptr, entry, one, flat_x, window, flat_out, window, batch
    )


@kernel
def _slots_apply(data, indices, slots, scale, x, out):
    """Write scale * S @ x to out, S stored slot by slot: data, indices (slots * rows,).

    Rows innermost, two slots a pass.
    """
    rows = out.shape[0]
    d0, i0 = data[:rows], indices[:rows]
    slot = 2 - slots % 2
    if slot == 1:
        for i in range(rows):
            out[i] = scale * (d0[i] * x[i0[i]])
    else:
        d1, i1 = data[rows : 2 * rows], indices[rows : 2 * rows]
        for i in range(rows):
            out[i] = scale * (d0[i] * x[i0[i]] + d1[i] * x[i1[i]])
    while slot < slots:
        d0, i0 = data[slot * rows :], indices[slot * rows :]
        d1, i1 = data[(slot + 1) * rows :], indices[(slot + 1) * rows :]
        for i in range(rows):
            out[i] += scale * (d0[i] * x[i0[i]] + d1[i] * x[i1[i]])
        slot += 2


@kernel
def chain_apply(data, indices, indptr, layout, scale, x, scratch, out):
    """Write scale * S[0] @ ... @ S[J-1] @ x to out, by two alternating buffers.

    data, indices, indptr, layout: the packed chain; scale: scalar of the real dtype;
    x: (columns,), scratch: (2, largest number of rows), out: (rows,); all distinct.
    """
    n_factors = layout.shape[0]
    weight = data.real.dtype.type(1)
    source = x
    for j in range(n_factors):
        rows, slots, first = layout[j, 0], layout[j, 1], layout[j, 2]
        target = scratch[j % 2][:rows]
        if j == n_factors - 1:
            weight, target = scale, out
        if slots > 0:
            d, i = data[first : first + slots * rows], indices[first:]
            _slots_apply(d, i, slots, weight, source, target)
        else:
            _csr_rows(data, indices, indptr, layout[j, 3], weight, source, target)
        source = target


@kernel
def chain_apply_columns(data, indices, indptr, layout, scale, x, scratch, out):
    """`chain_apply` on every column of x, a tile of columns at a time.

    x: (columns, batch), scratch: (2, largest number of rows, tile), out: (rows, batch);
    C-contiguous, all distinct.
    """
    n_factors, tile, batch = layout.shape[0], scratch.shape[2], np.uintp(x.shape[1])
    flat_x, flat_out = x.ravel(), out.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    for start in range(0, x.shape[1], tile):
        width = np.uintp(min(tile, x.shape[1] - start))
        weight = data.real.dtype.type(1)
        source, window = flat_x, (batch, np.uintp(start))
        for j in range(n_factors):
            e = layout[j]
            entry = (e[0], e[1], e[2], e[3])
            target, place = even, (np.uintp(tile), np.uintp(0))
            if j % 2 == 1:
                target = odd
            if j == n_factors - 1:
                weight, target, place = scale, flat_out, (batch, np.uintp(start))
            _factor_columns(
                data, indices, indptr, entry, weight,
                source, window, target, place, width,
            )  # fmt: skip
            source, window = target, place
