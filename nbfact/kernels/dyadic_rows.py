"""Fits of rows of a dyadic butterfly to rows of a dense matrix, for `butterfly_fit`.

`dyadic_gradient.py` says what the arrays of a `Tape` hold. A row of the butterfly is a
twiddle times a row of its last blocks, so that its error and its gradient need one pass
over that row.
"""

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _fit(a, x, target, dx):
    """Fit row x times a real number a to a row of the target.

    dx is added to; the sum of squared errors and the gradient with respect to a are
    returned.
    """
    total, da = a * 0, a * 0
    for j in range(x.size):
        u = a * x[j] - target[j]
        total += u * u
        da += x[j] * u
        dx[j] += a * u
    return total, da


@kernel(fastmath=REASSOC)
def _fit_part(a, b, x0, x1, target, dx0, dx1):
    """Fit the real part of row x times a + ib to a row of the target, as `_fit`."""
    total, da, db = a * 0, a * 0, a * 0
    for j in range(x0.size):
        u = a * x0[j] - b * x1[j] - target[j]
        total += u * u
        da += x0[j] * u
        db -= x1[j] * u
        dx0[j] += a * u
        dx1[j] -= b * u
    return total, da, db


@kernel(fastmath=REASSOC)
def _fit_complex(a, b, x0, x1, target0, target1, dx0, dx1):
    """Fit row x times a + ib to a complex row of the target, as `_fit`."""
    total, da, db = a * 0, a * 0, a * 0
    for j in range(x0.size):
        u0 = a * x0[j] - b * x1[j] - target0[j]
        u1 = a * x1[j] + b * x0[j] - target1[j]
        total += u0 * u0 + u1 * u1
        da += x0[j] * u0 + x1[j] * u1
        db += x0[j] * u1 - x1[j] * u0
        dx0[j] += a * u0 + b * u1
        dx1[j] += a * u1 - b * u0
    return total, da, db


@kernel
def fit_row(t, tape, corner, entry, i, row, first, size):
    """Fit a twiddle times a row of the last blocks to a part of a row of the target.

    ``tape.given`` is the target. The row begins at i in ``tape.states`` and in
    ``tape.found``; the part of the target is `size` entries of row `row` from `first`
    on. Return the sum of squared errors.
    """
    x, target, dx, gradient = tape
    a, x0, dx0 = t[0, corner, entry], x[0, i : i + size], dx[0, i : i + size]
    y0 = target[0, row, first : first + size]
    if t.shape[0] == 1:
        total, da = _fit(a, x0, y0, dx0)
        gradient[0, corner, entry] += da
        return total
    b, x1, dx1 = t[1, corner, entry], x[1, i : i + size], dx[1, i : i + size]
    if target.shape[0] == 1:
        total, da, db = _fit_part(a, b, x0, x1, y0, dx0, dx1)
    else:
        y1 = target[1, row, first : first + size]
        total, da, db = _fit_complex(a, b, x0, x1, y0, y1, dx0, dx1)
    gradient[0, corner, entry] += da
    gradient[1, corner, entry] += db
    return total
