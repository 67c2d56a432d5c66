"""Vector instructions of dyadic butterflies: 2x2 blocks that mix rows of columns.

This is one of three files that emit vector instructions themselves, as `registers.py`
says. A row of two to eight columns fills a part of a register, and LLVM vectorises no
loop that is so short: with loops two columns took up to six times as long as one.
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
from .registers import BYTES

_INT32 = ir.IntType(32)


class _Mixer:
    """Emits products of scalar coefficients with vectors of columns.

    A vector of complex numbers holds real and imaginary parts in turn. The product
    with a number t is then Re t times the vector, plus Im t times the vector in which
    the two parts are exchanged and the first is negated, which is i times the vector.
    """

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.builder = context, builder
        self.parts = 2 if isinstance(dtype, types.Complex) else 1
        real = dtype.underlying_float if self.parts == 2 else dtype
        self.item = real.bitwidth // 8
        self.real = context.get_value_type(real)

    def data(self, kind: Any, value: Any) -> Any:
        """Return the pointer to the first real number of a flat array."""
        data = self.context.make_array(kind)(self.context, self.builder, value).data
        return self.builder.bitcast(data, self.real.as_pointer())

    def entry(self, data: Any, place: Any) -> Any:
        """Return the pointer to the entry at a place."""
        place = self.builder.mul(place, ir.Constant(place.type, self.parts))
        return self.builder.gep(data, [place])

    def block(self, pointer: Any) -> list[list[Any]]:
        """Load the four entries of a block, the parts of each."""
        numbers = []
        for i in range(4 * self.parts):
            place = self.builder.gep(pointer, [ir.Constant(_INT32, i)])
            numbers.append(self.builder.load(place, align=self.item))
        return [numbers[i : i + self.parts] for i in range(0, len(numbers), self.parts)]

    def spread(self, value: Any, size: int) -> Any:
        """Return a vector of equal reals."""
        nothing = ir.Constant(ir.VectorType(self.real, size), ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_INT32, 0))
        lanes = ir.Constant(ir.VectorType(_INT32, size), [0] * size)
        return self.builder.shuffle_vector(first, nothing, lanes)

    def factors(self, vector: Any) -> list[Any]:
        """Return what the parts of a number multiply: the vector, and i times it."""
        if self.parts == 1:
            return [vector]
        builder, size = self.builder, vector.type.count
        lanes = ir.Constant(
            ir.VectorType(_INT32, size), [lane ^ 1 for lane in range(size)]
        )
        signs = ir.Constant(vector.type, [-1.0, 1.0] * (size // 2))
        return [
            vector, builder.fmul(builder.shuffle_vector(vector, vector, lanes), signs)
        ]  # fmt: skip

    def mixed(self, block: Any, first: Any, second: Any) -> tuple[Any, Any]:
        """Return a block times two vectors."""
        size = first.type.count
        parts = [*self.factors(first), *self.factors(second)]
        found = []
        for row in (block[:2], block[2:]):
            weights = [self.spread(part, size) for entry in row for part in entry]
            total = self.builder.fmul(weights[0], parts[0])
            for weight, part in zip(weights[1:], parts[1:], strict=True):
                total = self._multiply_add(weight, part, total)
            found.append(total)
        return found[0], found[1]

    def _multiply_add(self, a: Any, x: Any, total: Any) -> Any:
        """Emit a * x + total, fused where the processor can."""
        vector = x.type
        name = f"llvm.fmuladd.v{vector.count}{'f32' if self.item == 4 else 'f64'}"
        kind = ir.FunctionType(vector, [vector] * 3)
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, x, total])

    def run(self, size: Any, blocks: Any, rows: Any, mix: Callable) -> None:
        """Emit the loops over some blocks that follow one another, and over columns.

        size: the numbers of blocks and of columns; blocks, rows: lists of pointers, and
        their distances from one block to the next; rows has those of x and those of
        out; mix: a function of the coefficients and the vectors of all rows.
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

        def strip(own, sources, targets, j, lanes):
            vector = ir.VectorType(self.real, lanes).as_pointer()
            pointers = [builder.bitcast(self.entry(p, j), vector) for p in sources]
            values = mix(own, [builder.load(p, align=self.item) for p in pointers])
            for value, place in zip(values, targets, strict=True):
                pointer = builder.bitcast(self.entry(place, j), vector)
                builder.store(value, pointer, align=self.item)

        lanes = BYTES // self.item
        columns = lanes // self.parts  # of a whole vector
        whole = builder.and_(width, ir.Constant(kind, -columns))
        step = ir.Constant(kind, columns)

        def all_whole(own, sources, targets):
            with cgutils.for_range_slice(builder, zero, whole, step, kind) as (j, _):
                strip(own, sources, targets, j, lanes)

        with builder.if_then(builder.icmp_signed("!=", whole, zero)):
            each(all_whole)
        while columns > 1:  # half a vector, a quarter, ... where the rest has it
            columns, lanes = columns // 2, lanes // 2
            left = builder.and_(width, ir.Constant(kind, columns))
            j = builder.and_(width, ir.Constant(kind, -2 * columns))
            with builder.if_then(builder.icmp_signed("!=", left, zero)):
                each(lambda own, x, out, j=j, n=lanes: strip(own, x, out, j, n))


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
                mixer.data(k, arguments[i]) for k, i in ((t, 0), (x, 2), (out, 4))
            ]
            emit(mixer, arrays, at, (source, target), size)
            return context.get_dummy_value()

        at_type, row_type = (types.UniTuple(types.intp, n) for n in lengths)
        pair = types.UniTuple(types.intp, 2)
        return types.void(t, at_type, x, row_type, out, row_type, pair), generate

    return typed


def _emit_two(mixer, arrays, at, places, size):
    """Mix pairs of rows: see `mix_two_rows`."""
    rows = []
    for array, (start, apart, line) in zip(arrays[1:], places, strict=True):
        starts = start, mixer.builder.add(start, apart)
        rows.append(([mixer.entry(array, place) for place in starts], line))
    first, distance = at
    blocks = [mixer.entry(arrays[0], first)], distance
    mixer.run(size, blocks, rows, lambda own, v: mixer.mixed(own[0], *v))


def _emit_four(mixer, arrays, at, places, size):
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

    def mix(own, values):
        p0, p1 = mixer.mixed(own[0], values[0], values[1])
        p2, p3 = mixer.mixed(own[1], values[2], values[3])
        (q0, q2), (q1, q3) = mixer.mixed(own[2], p0, p2), mixer.mixed(own[3], p1, p3)
        return q0, q1, q2, q3

    mixer.run(size, blocks, rows, mix)


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
each row. ``at`` is the place in t of the first block, of four entries, and the distance of
the next one. ``source`` and ``target`` are the place of the first row in x or out, the
distance of the row that it is mixed with, and the distance of the row that the next
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
