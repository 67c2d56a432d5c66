"""Vector instructions of dyadic butterflies: 2x2 blocks that mix rows of columns.

A row of two to eight columns fills a part of a register, and LLVM vectorises no loop
that is so short: with loops two columns took up to six times as long as one.
"""

import itertools
from collections.abc import Callable
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import INT32, VectorEmitter


class _Mixer(VectorEmitter):
    """Emits products of scalar coefficients with vectors of columns.

    A vector of complex numbers holds real and imaginary parts in turn. The product
    with a number t is then Re t times the vector, plus Im t times the vector in which
    the two parts are exchanged and the first is negated, which is i times the vector.
    """

    def entry(self, data: Any, place: Any) -> Any:
        """Return the pointer to the entry at a place."""
        place = self.builder.mul(place, ir.Constant(place.type, self.parts))
        return self.builder.gep(data, [place])

    def block(self, pointer: Any) -> list[list[Any]]:
        """Load the four entries of a block, the parts of each."""
        numbers = []
        for i in range(4 * self.parts):
            place = self.builder.gep(pointer, [ir.Constant(INT32, i)])
            numbers.append(self.builder.load(place, align=self.item))
        return [numbers[i : i + self.parts] for i in range(0, len(numbers), self.parts)]

    def factors(self, vector: Any) -> list[Any]:
        """Return what the parts of a number multiply: the vector, and i times it."""
        if self.parts == 1:
            return [vector]
        return [vector, self.builder.fmul(self.swapped(vector), self.signs())]

    def mixed(self, block: Any, first: Any, second: Any) -> tuple[Any, Any]:
        """Return a block times two vectors."""
        parts = [*self.factors(first), *self.factors(second)]
        found = []
        for row in (block[:2], block[2:]):
            weights = [self.spread(part) for entry in row for part in entry]
            total = self.builder.fmul(weights[0], parts[0])
            for weight, part in zip(weights[1:], parts[1:], strict=True):
                total = self.multiply_add(weight, part, total)
            found.append(total)
        return found[0], found[1]

    def run(self, dtype: Any, size: Any, blocks: Any, rows: Any, mix: Callable) -> None:
        """Emit the loops over some blocks that follow one another, and over columns.

        dtype: that of all arrays; size: the numbers of blocks and of columns; blocks,
        rows: lists of pointers, and their distances from one block to the next; rows
        has those of x and those of out; mix: a function of a mixer, the coefficients
        and the vectors of all rows.
        """
        builder, (count, width) = self.builder, size
        kind, zero = count.type, ir.Constant(count.type, 0)

        def moved(group, number):
            pointers, distance = group
            offset = self.builder.mul(distance, number)
            return [self.entry(pointer, offset) for pointer in pointers]

        def each(body):
            one = ir.Constant(kind, 1)
            with cgutils.for_range_slice(builder, zero, count, one, kind) as (i, _):
                own = [self.block(p) for p in moved(blocks, i)]
                body(own, moved(rows[0], i), moved(rows[1], i))

        def strip(mixer, own, rows, j):
            vector = mixer.vector.as_pointer()
            sources, targets = (
                [builder.bitcast(self.entry(p, j), vector) for p in side]
                for side in rows
            )
            loaded = [builder.load(p, align=self.item) for p in sources]
            for value, place in zip(mix(mixer, own, loaded), targets, strict=True):
                builder.store(value, place, align=self.item)

        columns = self.size // self.parts  # of a whole vector
        whole = builder.and_(width, ir.Constant(kind, -columns))
        step = ir.Constant(kind, columns)

        def all_whole(own, *rows):
            with cgutils.for_range_slice(builder, zero, whole, step, kind) as (j, _):
                strip(self, own, rows, j)

        with builder.if_then(builder.icmp_signed("!=", whole, zero)):
            each(all_whole)
        while columns > 1:  # half a vector, a quarter, ... where the rest has it
            columns //= 2
            left = builder.and_(width, ir.Constant(kind, columns))
            j = builder.and_(width, ir.Constant(kind, -2 * columns))
            part = _Mixer(self.context, builder, dtype, columns)
            with builder.if_then(builder.icmp_signed("!=", left, zero)):
                each(lambda own, *rows, m=part, j=j: strip(m, own, rows, j))


def _typed(emit: Callable, lengths: tuple[int, int]) -> Callable:
    """Return the intrinsic function of a function that emits the mixing of rows.

    lengths: those of the tuples `at`, and `source` and `target`.
    """

    def typed(typingctx, t, at, x, source, out, target, size):
        if any(a.layout != "C" or a.dtype != out.dtype for a in (t, x, out)):
            raise NumbaTypeError(f"expected flat arrays of {out.dtype}: {t}, {x}")

        def generate(context, builder, signature, arguments):
            mixer = _Mixer(context, builder, out.dtype)
            at, source, target, size = (
                cgutils.unpack_tuple(builder, arguments[i]) for i in (1, 3, 5, 6)
            )
            arrays = [
                mixer.reals(mixer.data(k, arguments[i]))
                for k, i in ((t, 0), (x, 2), (out, 4))
            ]
            emit(mixer, out.dtype, arrays, at, (source, target), size)
            return context.get_dummy_value()

        at_type, row_type = (types.UniTuple(types.intp, n) for n in lengths)
        pair = types.UniTuple(types.intp, 2)
        return types.void(t, at_type, x, row_type, out, row_type, pair), generate

    return typed


def _emit_two(mixer, dtype, arrays, at, places, size):
    """Mix pairs of rows: see `mix_two_rows`."""
    rows = []
    for array, (start, apart, line) in zip(arrays[1:], places, strict=True):
        starts = start, mixer.builder.add(start, apart)
        rows.append(([mixer.entry(array, place) for place in starts], line))
    first, distance = at
    blocks = [mixer.entry(arrays[0], first)], distance
    mixer.run(dtype, size, blocks, rows, lambda m, own, v: m.mixed(own[0], *v))


def _emit_four(mixer, dtype, arrays, at, places, size):
    """Mix rows four by four: see `mix_four_rows`."""
    add = mixer.builder.add
    rows = []
    for array, (start, one, two, line) in zip(arrays[1:], places, strict=True):
        other = add(start, two)
        starts = start, add(start, one), other, add(other, one)
        rows.append(([mixer.entry(array, place) for place in starts], line))
    first, second, apart, distance = at
    starts = first, add(first, apart), second, add(second, apart)
    blocks = [mixer.entry(arrays[0], place) for place in starts], distance

    def mix(m, own, values):
        p0, p1 = m.mixed(own[0], values[0], values[1])
        p2, p3 = m.mixed(own[1], values[2], values[3])
        (q0, q2), (q1, q3) = m.mixed(own[2], p0, p2), m.mixed(own[3], p1, p3)
        return q0, q1, q2, q3

    mixer.run(dtype, size, blocks, rows, mix)


def _two_interpreted(t, at, x, source, out, target, size):
    """Do the same as `_emit_two` in NumPy, where nothing is compiled."""
    (place, step), (count, width) = at, size
    for r in range(count):
        rows, places = (
            (start + line * r + apart * np.arange(2))[:, None] + np.arange(width)
            for start, apart, line in (source, target)
        )
        with np.errstate(all="ignore"):
            out[places] = _block(t, place + step * r) @ x[rows]


def _four_interpreted(t, at, x, source, out, target, size):
    """Do the same as `_emit_four` in NumPy, where nothing is compiled."""
    (first, second, apart, step), (count, width) = at, size
    pairs = ((first, ((0, 1), (2, 3))), (second, ((0, 2), (1, 3))))
    for r in range(count):
        rows, places = (
            start
            + line * r
            + one * np.array([0, 1, 0, 1])
            + two * np.array([0, 0, 1, 1])
            for start, one, two, line in (source, target)
        )
        values = x[rows[:, None] + np.arange(width)]
        with np.errstate(all="ignore"):
            for (start, mixed), number in itertools.product(pairs, range(2)):
                pair = list(mixed[number])
                block = _block(t, start + number * apart + step * r)
                values[pair] = block @ values[pair]
        out[places[:, None] + np.arange(width)] = values


def _block(t, place):
    """Return the 2x2 block that begins at a place."""
    return t[place : place + 4].reshape(2, 2)


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both the intrinsic and its interpreted twin.
mix_two_rows: Callable[..., Any]
"""``mix_two_rows(t, at, x, source, out, target, size)`` multiplies pairs of rows.

All arrays are flat, C-contiguous and of one dtype. All places and distances are
counted in entries, as int64. ``size`` is the number of blocks, and of the columns of
each row. ``at`` is the place in t of the first block, of four entries, and the distance
of the next one. ``source`` and ``target`` are the place of the first row in x or out,
the distance of the row that it is mixed with, and the distance of the row that the next
block begins with. x may be out, with the same places."""
mix_four_rows: Callable[..., Any]
"""``mix_four_rows`` does so for four rows and two levels: ``at`` holds the places of a
block of the first and of the second level, the distance of the other block of each
level, and the distance of the next blocks. ``source`` and ``target`` are the place of
the first row, the distances of the row that it is mixed with in the first level, and in
the second, and that of the row that the next blocks begin with."""
if NUMBA_SETTINGS.DISABLE_JIT:
    mix_two_rows = _two_interpreted
    mix_four_rows = _four_interpreted
else:
    mix_two_rows = intrinsic(_typed(_emit_two, (2, 3)))
    mix_four_rows = intrinsic(_typed(_emit_four, (4, 4)))
