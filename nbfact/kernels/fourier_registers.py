"""Vector instructions of Fourier transforms: butterflies of a few rows in registers.

As in `registers.py`, what is emitted is generic vector code of 64 bytes. Real and
imaginary parts are in two flat arrays, the planes. A row of a plane is one vector of
64 bytes, with a number of each column. Places in all arrays are counted as if
they were flat.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter


def _check(*kinds):
    """Raise a NumbaTypeError unless all are C-ordered arrays of one real dtype."""
    fits = all(isinstance(kind, types.Array) and kind.layout == "C" for kind in kinds)
    if not fits or not isinstance(kinds[0].dtype, types.Float):
        raise NumbaTypeError(f"{kinds}: expected C-ordered arrays of real numbers")


def _butterfly_typed(typingctx, re, im, start, step, turns, place, radix):
    """Transform a few rows of the planes with one another, and turn them, in place.

    ``radix`` (a literal) rows begin at ``start``, ``step`` numbers apart. Row j of the
    result, from 1 on, is multiplied by the complex number whose parts are numbers
    ``place + 2 j - 2`` and ``place + 2 j - 1`` of ``turns``.
    """
    _check(re, im, turns)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, re.dtype)
        reals, imags = v.data(re, arguments[0]), v.data(im, arguments[1])
        start, step = arguments[2:4]
        numbers, place = v.data(turns, arguments[4]), arguments[5]
        places = v.places(start, step, radix.literal_value)
        parts = v.butterfly(*_loaded(v, reals, imags, places))
        _turn(v, parts, numbers, place)
        _stored(v, parts, reals, imags, places)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(re, im, intp, intp, turns, intp, radix), generate


def _turned_typed(typingctx, re, im, start, step, turns, place, radix):
    """Turn a few rows of the planes, and transform them with one another, in place.

    This undoes `_butterfly_typed`, but for a number, where the two planes are exchanged
    and all else is the same.
    """
    _check(re, im, turns)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, re.dtype)
        reals, imags = v.data(re, arguments[0]), v.data(im, arguments[1])
        places = v.places(arguments[2], arguments[3], radix.literal_value)
        parts = _loaded(v, reals, imags, places)
        numbers, place = v.data(turns, arguments[4]), arguments[5]
        _turn(v, parts, numbers, place)
        _stored(v, v.butterfly(*parts), reals, imags, places)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(re, im, intp, intp, turns, intp, radix), generate


def _mix_typed(typingctx, planes, one, two, numbers, place):
    """Replace rows p and q of the planes by a p + b conj(q), and c q + d conj(p).

    They begin at ``one`` and ``two``, and may be the same row. The parts of a, b, c and
    d are the eight numbers from ``place`` of ``numbers`` on.
    """
    _check(planes, numbers)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, planes.dtype)
        data, rows = v.planes(planes, arguments[0]), arguments[1:3]
        values = v.data(numbers, arguments[3])
        z = [[v.load(part, row) for part in data] for row in rows]
        found = []
        for index, ((x, y), (u, w)) in enumerate((z, z[::-1])):
            a, b, c, d = (
                v.number(values, arguments[4], 4 * index + j) for j in range(4)
            )
            re, im = v.turned(x, y, a, b)
            re = v.add(re, v.add(v.multiply(u, c), v.multiply(w, d)))
            im = v.add(im, v.subtract(v.multiply(u, d), v.multiply(w, c)))
            found.append((re, im))
        for row, parts in zip(rows, found, strict=True):
            for part, value in zip(data, parts, strict=True):
                v.store(value, part, row)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(planes, intp, intp, numbers, intp), generate


def _loaded(v, reals, imags, places):
    """Return the two parts of the rows at some places."""
    return [[v.load(data, one) for one in places] for data in (reals, imags)]


def _turn(v, parts, numbers, place):
    """Multiply all rows but the first one by complex numbers."""
    for j in range(1, len(parts[0])):
        c, s = (v.number(numbers, place, 2 * j - 2 + part) for part in range(2))
        parts[0][j], parts[1][j] = v.turned(parts[0][j], parts[1][j], c, s)


def _stored(v, parts, reals, imags, places):
    """Store the two parts of rows at some places."""
    for x, y, one in zip(*parts, places, strict=True):
        v.store(x, reals, one)
        v.store(y, imags, one)


def _split_typed(typingctx, x, place, re, im, start):
    """Copy the parts of a row of complex numbers of x to a row of each plane.

    x is an array of real numbers, in which the two parts alternate.
    """
    _check(x, re, im)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        data, place, start = v.data(x, arguments[0]), arguments[1], arguments[4]
        halves = [v.load(data, place, index) for index in range(2)]
        for part, (kind, array) in enumerate(((re, arguments[2]), (im, arguments[3]))):
            lanes = [2 * lane + part for lane in range(v.size)]
            row = v.shuffle(halves[0], lanes, halves[1])
            v.store(row, v.data(kind, array), start)
        return context.get_dummy_value()

    return types.void(x, types.intp, re, im, types.intp), generate


def _join_typed(typingctx, re, im, start, scale, out, place):
    """Write a row of each plane, times a number, to out as complex numbers."""
    _check(out, re, im)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, out.dtype)
        start, scale = arguments[2], v.spread(arguments[3])
        data, place = v.data(out, arguments[4]), arguments[5]
        parts = [
            v.multiply(v.load(v.data(kind, array), start), scale)
            for kind, array in ((re, arguments[0]), (im, arguments[1]))
        ]
        for half in range(2):
            lanes = [
                lane // 2 + half * v.size // 2 + lane % 2 * v.size
                for lane in range(v.size)
            ]
            v.store(v.shuffle(parts[0], lanes, parts[1]), data, place, half)
        return context.get_dummy_value()

    number = out.dtype
    return types.void(re, im, types.intp, number, out, types.intp), generate


def _copy_typed(typingctx, x, place, scale, out, start):
    """Write a vector of x, times a number, to out."""
    _check(x, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        row = v.load(v.data(x, arguments[0]), arguments[1])
        row = v.multiply(row, v.spread(arguments[2]))
        v.store(row, v.data(out, arguments[3]), arguments[4])
        return context.get_dummy_value()

    return types.void(x, types.intp, x.dtype, out, types.intp), generate


def _real_typed(typingctx, planes, place, other, numbers, number, out, start):
    """Write real parts of (c + is) V, for the transforms V of two real columns each.

    The planes hold the transform Z of some columns plus i times others; rows k and
    n - k of it, at ``place`` and ``other``, have row k of both V. The others follow in
    out. Half of c and of s are the two numbers from place ``number`` of ``numbers`` on.
    """
    _check(planes, numbers, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, out.dtype)
        reals, imags = v.planes(planes, arguments[0])
        place, other = arguments[1:3]
        values = v.data(numbers, arguments[3])
        c, s = (v.number(values, arguments[4], j) for j in range(2))
        data, start = v.data(out, arguments[5]), arguments[6]
        x, u = v.load(reals, place), v.load(reals, other)
        y, w = v.load(imags, place), v.load(imags, other)
        first, _ = v.turned(v.add(x, u), v.subtract(y, w), c, s)
        # (Z - conj Z') / i has the parts y + w and u - x.
        second, _ = v.turned(v.add(y, w), v.subtract(u, x), c, s)
        v.store(first, data, start)
        v.store(second, data, start, 1)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(planes, intp, intp, numbers, intp, out, intp), generate


def _fold_typed(typingctx, x, place, other, numbers, number, planes, start):
    """Write to the planes the row whose transform is real parts, see `_real_typed`.

    It is h + i h' with h = (w x + conj(w' y)) / 2 for rows x and y, at ``place`` and
    ``other``, of some columns, and the same h' for those that follow them. The parts of
    w / 2 and w' / 2 are the four numbers from place ``number`` of ``numbers`` on.
    """
    _check(x, planes, numbers)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        data, values = v.data(x, arguments[0]), v.data(numbers, arguments[3])
        c, s, d, t = (v.number(values, arguments[4], j) for j in range(4))
        parts = []
        for index in range(2):
            a, b = (v.load(data, place, index) for place in arguments[1:3])
            real = v.add(v.multiply(a, c), v.multiply(b, d))
            parts.append((real, v.subtract(v.multiply(a, s), v.multiply(b, t))))
        (p, q), (u, w) = parts
        reals, imags = v.planes(planes, arguments[5])
        v.store(v.subtract(p, w), reals, arguments[6])
        v.store(v.add(q, u), imags, arguments[6])
        return context.get_dummy_value()

    intp = types.intp
    return types.void(x, intp, intp, numbers, intp, planes, intp), generate


def _cross_typed(typingctx, planes, rows, index, cross, place, out, into):
    """Turn a square of complex numbers, and write it to out with its axes exchanged.

    Row r of the square is a vector of each plane, ``rows[index + r]`` vectors from its
    beginning. It is multiplied by complex numbers, number by number: those of row r
    after ``place`` in both halves of ``cross``, (2, rows, columns). Out has two planes
    as well; the rows of the exchanged square begin ``into`` numbers from the beginning.
    """
    _check(planes, cross, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, out.dtype)
        sources = v.planes(planes, arguments[0])
        targets = v.planes(out, arguments[5])
        listed, index, place = v.data(rows, arguments[1]), arguments[2], arguments[4]
        made = context.make_array(cross)(context, builder, arguments[3])
        apart = builder.extract_value(made.shape, 2)
        half = builder.mul(builder.extract_value(made.shape, 1), apart)
        halves = made.data, builder.gep(made.data, [half])
        squares: tuple[list, list] = ([], [])
        for r, one in enumerate(v.places(place, apart, v.size)):
            number = builder.add(index, ir.Constant(index.type, r))
            row = builder.load(builder.gep(listed, [number]))
            row = builder.mul(row, ir.Constant(row.type, v.size))
            x, y = (v.load(source, row) for source in sources)
            c, s = (v.load(data, one) for data in halves)
            for square, part in zip(squares, v.turned(x, y, c, s), strict=True):
                square.append(part)
        for target, square in zip(targets, squares, strict=True):
            for index, row in enumerate(v.exchanged(square)):
                v.store(row, target, arguments[6], index)
        return context.get_dummy_value()

    intp = types.intp
    kinds = planes, rows, intp, cross, intp, out, intp
    return types.void(*kinds), generate


def _row(x, place):
    """Return a vector of an array as a view, where nothing is compiled."""
    return x.reshape(-1)[place : place + BYTES // x.itemsize]


def _butterfly_interpreted(re, im, start, step, turns, place, radix):
    """Do the same as `_butterfly_typed` in NumPy."""
    places = [start + step * j for j in range(radix)]
    z = np.array([_row(re, one) + 1j * _row(im, one) for one in places])
    z = np.fft.fft(z, axis=0)
    z[1:] *= turns[place : place + 2 * radix - 2].astype(float).view(complex)[:, None]
    for row, one in zip(z, places, strict=True):
        _row(re, one)[:], _row(im, one)[:] = row.real, row.imag


def _turned_interpreted(re, im, start, step, turns, place, radix):
    """Do the same as `_turned_typed` in NumPy."""
    places = [start + step * j for j in range(radix)]
    z = np.array([_row(re, one) + 1j * _row(im, one) for one in places])
    z[1:] *= turns[place : place + 2 * radix - 2].astype(float).view(complex)[:, None]
    for row, one in zip(np.fft.fft(z, axis=0), places, strict=True):
        _row(re, one)[:], _row(im, one)[:] = row.real, row.imag


def _mix_interpreted(planes, one, two, numbers, place):
    """Do the same as `_mix_typed` in NumPy."""
    a, b, c, d = numbers[place : place + 8].astype(float).view(complex)
    p, q = (_row(planes[0], row) + 1j * _row(planes[1], row) for row in (one, two))
    for row, z in ((one, a * p + b * q.conj()), (two, c * q + d * p.conj())):
        _row(planes[0], row)[:], _row(planes[1], row)[:] = z.real, z.imag


def _split_interpreted(x, place, re, im, start):
    """Do the same as `_split_typed` in NumPy."""
    size = BYTES // x.itemsize
    both = x.reshape(-1)[place : place + 2 * size]
    _row(re, start)[:], _row(im, start)[:] = both[::2], both[1::2]


def _join_interpreted(re, im, start, scale, out, place):
    """Do the same as `_join_typed` in NumPy."""
    size = BYTES // out.itemsize
    both = out.reshape(-1)[place : place + 2 * size]
    both[::2], both[1::2] = _row(re, start) * scale, _row(im, start) * scale


def _copy_interpreted(x, place, scale, out, start):
    """Do the same as `_copy_typed` in NumPy."""
    _row(out, start)[:] = _row(x, place) * scale


def _real_interpreted(planes, place, other, numbers, number, out, start):
    """Do the same as `_real_typed` in NumPy."""
    size, (re, im), (c, s) = BYTES // out.itemsize, planes, numbers[number : number + 2]
    x, u, y, w = _row(re, place), _row(re, other), _row(im, place), _row(im, other)
    _row(out, start)[:] = (x + u) * c - (y - w) * s
    _row(out, start + size)[:] = (y + w) * c - (u - x) * s


def _fold_interpreted(x, place, other, numbers, number, planes, start):
    """Do the same as `_fold_typed` in NumPy."""
    size, (c, s, d, t) = BYTES // x.itemsize, numbers[number : number + 4]
    (p, q), (u, w) = (
        (
            _row(x, place + one) * c + _row(x, other + one) * d,
            _row(x, place + one) * s - _row(x, other + one) * t,
        )
        for one in (0, size)
    )
    _row(planes[0], start)[:], _row(planes[1], start)[:] = p - w, q + u


def _cross_interpreted(planes, rows, index, cross, place, out, into):
    """Do the same as `_cross_typed` in NumPy."""
    size = BYTES // out.itemsize
    first, column = divmod(place, cross.shape[2])
    turns = cross[:, first : first + size, column : column + size]
    places = [row * size for row in rows[index : index + size]]
    z = np.array([_row(planes[0], p) + 1j * _row(planes[1], p) for p in places])
    z = (z * (turns[0] + 1j * turns[1])).T.reshape(-1)
    out[0, into : into + z.size], out[1, into : into + z.size] = z.real, z.imag


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both an intrinsic and its interpreted twin.
butterfly_rows: Callable[..., Any] = _butterfly_interpreted
turned_rows: Callable[..., Any] = _turned_interpreted
mix_rows: Callable[..., Any] = _mix_interpreted
split_row: Callable[..., Any] = _split_interpreted
join_rows: Callable[..., Any] = _join_interpreted
copy_row: Callable[..., Any] = _copy_interpreted
real_rows: Callable[..., Any] = _real_interpreted
fold_rows: Callable[..., Any] = _fold_interpreted
cross_square: Callable[..., Any] = _cross_interpreted
if not NUMBA_SETTINGS.DISABLE_JIT:
    butterfly_rows = intrinsic(prefer_literal=True)(_butterfly_typed)
    turned_rows = intrinsic(prefer_literal=True)(_turned_typed)
    mix_rows = intrinsic(_mix_typed)
    split_row, join_rows = intrinsic(_split_typed), intrinsic(_join_typed)
    copy_row, real_rows = intrinsic(_copy_typed), intrinsic(_real_typed)
    fold_rows, cross_square = intrinsic(_fold_typed), intrinsic(_cross_typed)
