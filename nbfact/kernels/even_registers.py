"""Vector instructions for transforms of one real vector by half as many complex ones.

As in `fourier_registers.py`, what is emitted is generic vector code of 64 bytes. The
complex numbers are pairs of real ones in a flat array, of which a row is a vector of
parts. `even_vectors.py` and `convolution_vectors.py` say what is computed.
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


def _halved(v, data, place):
    """Return the entries with even and with odd places, of two vectors in turn."""
    return v.halved(*(v.load(data, place, index) for index in range(2)))


def _paired(v, first, second, data, place):
    """Store the entries of two vectors in turn."""
    for half, value in enumerate(v.paired(first, second)):
        v.store(value, data, place, half)


def _reversed(v, value):
    """Return a vector with its lanes in reverse order."""
    return v.shuffle(value, list(range(v.size))[::-1])


def _doubled(builder, place):
    """Return twice a place."""
    return builder.mul(place, ir.Constant(place.type, 2))


def _apart_typed(typingctx, x, place, sign, out, first, last):
    """Copy two vectors of x: entries with even places to ``first`` of out.

    The others are copied to ``last``, in reverse order, and multiplied by a number.
    """
    _check(x, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        even, odd = _halved(v, v.data(x, arguments[0]), arguments[1])
        data = v.data(out, arguments[3])
        v.store(even, data, arguments[4])
        odd = v.multiply(_reversed(v, odd), v.spread(arguments[2]))
        v.store(odd, data, arguments[5])
        return context.get_dummy_value()

    intp = types.intp
    return types.void(x, intp, x.dtype, out, intp, intp), generate


def _joined_typed(typingctx, x, first, last, sign, out, place):
    """Undo `_apart_typed`: two vectors of x become two in turn, at a place of out."""
    _check(x, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        data = v.data(x, arguments[0])
        even, odd = (v.load(data, one) for one in arguments[1:3])
        odd = v.multiply(_reversed(v, odd), v.spread(arguments[3]))
        _paired(v, even, odd, v.data(out, arguments[4]), arguments[5])
        return context.get_dummy_value()

    intp = types.intp
    return types.void(x, intp, intp, x.dtype, out, intp), generate


def _coefficients(v, parts, array):
    """Return the pointers to the four rows of an array, and half of their length."""
    made = v.context.make_array(parts)(v.context, v.builder, array)
    length = v.builder.extract_value(made.shape, 1)
    rows = [
        v.builder.gep(made.data, [v.builder.mul(length, ir.Constant(length.type, row))])
        for row in range(4)
    ]
    return rows, v.builder.ashr(length, ir.Constant(length.type, 1))


def _unfold_typed(typingctx, work, k, other, parts, out, place, turned):
    """Write two vectors of a real transform, from the complex one of half the order.

    Let z be numbers k, k + 1, ... of ``work``, and u those from ``other`` on in reverse
    order. The vectors are sums of the parts of z and of u, times numbers: those of the
    first one are in the four rows of ``parts`` from k on, those of the second one half
    a row later. The first one is written to ``place`` of out, and the second one half
    of a row later; where ``turned`` (a literal) is 1, it is half of a row before, and
    both are in reverse order.
    """
    _check(work, parts, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, out.dtype)
        data, k = v.data(work, arguments[0]), arguments[1]
        given = _halved(v, data, _doubled(builder, k))
        far = _halved(v, data, _doubled(builder, arguments[2]))
        given += [_reversed(v, one) for one in far]
        rows, half = _coefficients(v, parts, arguments[3])
        target, place = v.data(out, arguments[4]), arguments[5]
        move = builder.sub if turned.literal_value else builder.add
        pairs = (k, place), (builder.add(k, half), move(place, half))
        for place, to in pairs:
            total = v.multiply(given[0], v.load(rows[0], place))
            for row, one in zip(rows[1:], given[1:], strict=True):
                total = v.add(total, v.multiply(one, v.load(row, place)))
            v.store(_reversed(v, total) if turned.literal_value else total, target, to)
        return context.get_dummy_value()

    intp = types.intp
    kinds = work, intp, intp, parts, out, intp, turned
    return types.void(*kinds), generate


def _fold_typed(typingctx, x, places, k, other, parts, work, turned):
    """Write a vector of complex numbers, the transpose of `_unfold_typed`.

    ``places`` are those in x of the first and the second vector, and of those that
    belong to ``other``. They are in reverse order where ``turned`` (a literal) is 1.
    """
    _check(x, parts, work)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, x.dtype)
        data, k, other = v.data(x, arguments[0]), arguments[2], arguments[3]
        places = [builder.extract_value(arguments[1], i) for i in range(4)]
        rows, half = _coefficients(v, parts, arguments[4])
        totals: list[Any] = [None, None]
        for number in range(2):
            one, two = (v.load(data, places[number + 2 * i]) for i in range(2))
            near, far = k, other
            if number:
                near, far = builder.add(k, half), builder.add(other, half)
            if turned.literal_value:
                one = _reversed(v, one)
            else:
                two = _reversed(v, two)
            for part in range(2):
                found = v.multiply(one, v.load(rows[part], near))
                weight = _reversed(v, v.load(rows[2 + part], far))
                found = v.add(found, v.multiply(two, weight))
                before = totals[part]
                totals[part] = found if before is None else v.add(before, found)
        real, imag = totals
        _paired(v, real, imag, v.data(work, arguments[5]), _doubled(builder, k))
        return context.get_dummy_value()

    intp = types.intp
    kinds = x, types.UniTuple(intp, 4), intp, intp, parts, work, turned
    return types.void(*kinds), generate


def _weigh_typed(typingctx, work, k, other, weights, out, pairs):
    """Write a vector of complex numbers times others to out.

    Let z be numbers k, k + 1, ... of ``work``, and u those from ``other`` on in reverse
    order. The result is a z, and a z + b conj(u) where ``pairs`` (a literal) is 1. The
    parts of a, and those of b, are in rows of ``weights``, from k on.
    """
    _check(work, weights, out)

    def generate(context, builder, signature, arguments):
        v = VectorEmitter(context, builder, out.dtype)
        data, k = v.data(work, arguments[0]), arguments[1]
        rows, _ = _coefficients(v, weights, arguments[3])
        x, y = _halved(v, data, _doubled(builder, k))
        re, im = v.turned(x, y, v.load(rows[0], k), v.load(rows[1], k))
        if pairs.literal_value:
            far = _halved(v, data, _doubled(builder, arguments[2]))
            u, w = (_reversed(v, one) for one in far)
            c, d = v.load(rows[2], k), v.load(rows[3], k)
            re = v.add(re, v.add(v.multiply(u, c), v.multiply(w, d)))
            im = v.add(im, v.subtract(v.multiply(u, d), v.multiply(w, c)))
        _paired(v, re, im, v.data(out, arguments[4]), _doubled(builder, k))
        return context.get_dummy_value()

    intp = types.intp
    return types.void(work, intp, intp, weights, out, pairs), generate


def _row(x, place, step=1):
    """Return a vector of an array as a view, where nothing is compiled."""
    return x.reshape(-1)[place : place + step * (BYTES // x.itemsize)]


def _apart_interpreted(x, place, sign, out, first, last):
    """Do the same as `_apart_typed` in NumPy."""
    both = _row(x, place, 2)
    _row(out, first)[:], _row(out, last)[:] = both[::2], both[::-2] * sign


def _joined_interpreted(x, first, last, sign, out, place):
    """Do the same as `_joined_typed` in NumPy."""
    both = _row(out, place, 2)
    both[::2], both[::-2] = _row(x, first), _row(x, last) * sign


def _unfold_interpreted(work, k, other, parts, out, place, turned):
    """Do the same as `_unfold_typed` in NumPy."""
    near, far = _row(work, 2 * k, 2), _row(work, 2 * other, 2)
    given = np.array([near[::2], near[1::2], far[::2][::-1], far[1::2][::-1]])
    half, size = parts.shape[1] // 2, given.shape[1]
    for number in range(2):
        here = k + number * half
        total = (given * parts[:, here : here + size]).sum(axis=0)
        to = place + number * (-half if turned else half)
        _row(out, to)[:] = total[::-1] if turned else total


def _fold_interpreted(x, places, k, other, parts, work, turned):
    """Do the same as `_fold_typed` in NumPy."""
    half, size, found = parts.shape[1] // 2, BYTES // x.itemsize, _row(work, 2 * k, 2)
    found[:] = 0
    for number in range(2):
        one, two = _row(x, places[number]), _row(x, places[number + 2])
        one, two = (one[::-1], two) if turned else (one, two[::-1])
        near, far = k + number * half, other + number * half
        for part in range(2):
            found[part::2] += one * parts[part, near : near + size]
            found[part::2] += two * parts[2 + part, far : far + size][::-1]


def _weigh_interpreted(work, k, other, weights, out, pairs):
    """Do the same as `_weigh_typed` in NumPy."""
    size, near = BYTES // work.itemsize, _row(work, 2 * k, 2)
    given = weights[:, k : k + size]
    z = (given[0] + 1j * given[1]) * (near[::2] + 1j * near[1::2])
    if pairs:
        far = _row(work, 2 * other, 2)
        z += (given[2] + 1j * given[3]) * (far[::2] - 1j * far[1::2])[::-1]
    found = _row(out, 2 * k, 2)
    found[::2], found[1::2] = z.real, z.imag


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both an intrinsic and its interpreted twin.
ends_apart: Callable[..., Any] = _apart_interpreted
ends_joined: Callable[..., Any] = _joined_interpreted
unfold_entries: Callable[..., Any] = _unfold_interpreted
fold_entries: Callable[..., Any] = _fold_interpreted
weigh_entries: Callable[..., Any] = _weigh_interpreted
if not NUMBA_SETTINGS.DISABLE_JIT:
    ends_apart, ends_joined = intrinsic(_apart_typed), intrinsic(_joined_typed)
    unfold_entries = intrinsic(prefer_literal=True)(_unfold_typed)
    fold_entries = intrinsic(prefer_literal=True)(_fold_typed)
    weigh_entries = intrinsic(prefer_literal=True)(_weigh_typed)
