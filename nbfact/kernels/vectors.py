"""What the kernels that emit vector instructions themselves share.

They are `registers.py`, `tiles.py`, `squares.py`, `gathers.py`, `dyadic_registers.py`,
`dyadic_vectors.py`, `fourier_registers.py`, `real_pairs.py`, `even_registers.py` and
`haar_registers.py`. What they emit is generic vector code, which LLVM maps to the
registers that the processor has.
"""

import math

import llvmlite.ir as ir
from numba import types
from numba.core import cgutils

BYTES = 64
"""Bytes of one vector: one register of AVX-512, two of AVX, or four of NEON."""

INT32 = ir.IntType(32)
"""The type of LLVM in which lanes of a vector are numbered."""


class VectorEmitter:
    """The builder of the code, and the type of a vector of one dtype.

    Parameters
    ----------
    context, builder : object
        Those of the function that Numba generates.
    dtype : numba.types.Float, numba.types.Complex or numba.types.Integer
        The dtype of the entries. A complex one counts as two reals. Products and sums
        are those of real and complex numbers.
    entries : int, optional
        Number of entries of a vector; by default those of `BYTES`.
    """

    def __init__(self, context, builder, dtype, entries=None):
        self.context, self.builder = context, builder
        real = getattr(dtype, "underlying_float", dtype)
        self.parts = 2 if isinstance(dtype, types.Complex) else 1
        self.real, self.item = context.get_value_type(real), real.bitwidth // 8
        self.size = entries * self.parts if entries else BYTES // self.item
        self.vector = ir.VectorType(self.real, self.size)

    def data(self, kind, array):
        """Return the pointer to the entries of an array."""
        return self.context.make_array(kind)(self.context, self.builder, array).data

    def planes(self, kind, array):
        """Return the pointers to the two rows of an array."""
        made = self.context.make_array(kind)(self.context, self.builder, array)
        length = self.builder.extract_value(made.shape, 1)
        return made.data, self.builder.gep(made.data, [length])

    def field(self, kind, value, name):
        """Return the type of a field of a NamedTuple, and its value."""
        index = kind.fields.index(name)
        return kind.types[index], self.builder.extract_value(value, index)

    def integers(self, kinds, value):
        """Return the entries of a tuple of integers as places."""
        entries = cgutils.unpack_tuple(self.builder, value)
        return [
            self.context.cast(self.builder, entry, kind, types.intp)
            for entry, kind in zip(entries, kinds, strict=True)
        ]

    def array(self, kind, value, name):
        """Return the type of an array in a NamedTuple, and the pointer to its data."""
        kind, array = self.field(kind, value, name)
        return kind, self.data(kind, array)

    def reals(self, data):
        """Return a pointer to entries as one to real numbers."""
        return self.builder.bitcast(data, self.real.as_pointer())

    def pointer(self, data, place, vector, index=0):
        """Return the pointer to the index-th vector from a place on."""
        if index:
            step = ir.Constant(place.type, index * self.size)
            place = self.builder.add(place, step)
        entry = self.builder.gep(data, [place])
        return self.builder.bitcast(entry, vector.as_pointer())

    def load(self, data, place, index=0):
        """Load the index-th vector from a place on."""
        pointer = self.pointer(data, place, self.vector, index)
        return self.builder.load(pointer, align=self.item)

    def store(self, value, data, place, index=0):
        """Store the index-th vector from a place on."""
        pointer = self.pointer(data, place, self.vector, index)
        self.builder.store(value, pointer, align=self.item)

    def places(self, start, step, count):
        """Return start, start + step, ... as values."""
        found = [start]
        for index in range(1, count):
            offset = self.builder.mul(step, ir.Constant(step.type, index))
            found.append(self.builder.add(start, offset))
        return found

    def parts_of(self, place):
        """Return the number of reals of an entry, of the type of a place."""
        return ir.Constant(place.type, self.parts)

    def number(self, data, place, offset=0):
        """Return one real number of an array in all lanes of a vector."""
        if offset:
            place = self.builder.add(place, ir.Constant(place.type, offset))
        return self.spread(self.builder.load(self.builder.gep(data, [place])))

    def constant(self, value):
        """Return a vector of one constant."""
        return ir.Constant(self.vector, [value] * self.size)

    def spread(self, value):
        """Return a vector of equal entries."""
        vector = ir.VectorType(value.type, self.size)
        nothing = ir.Constant(vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(INT32, 0))
        return self.shuffle(first, [0] * self.size)

    def shuffle(self, value, lanes, other=None):
        """Return a vector of some lanes of another one, or of two, end to end."""
        mask = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
        other = value if other is None else other
        return self.builder.shuffle_vector(value, other, mask)

    def swapped(self, value, distance=1):
        """Return a vector with lanes exchanged whose numbers differ in one bit."""
        return self.shuffle(value, [lane ^ distance for lane in range(self.size)])

    def halved(self, first, second):
        """Return the entries with even and with odd places, of two vectors in turn."""
        lanes = [list(range(part, 2 * self.size, 2)) for part in range(2)]
        return [self.shuffle(first, one, second) for one in lanes]

    def paired(self, first, second):
        """Return the entries of two vectors in turn, as two vectors."""
        lanes = [lane // 2 + lane % 2 * self.size for lane in range(2 * self.size)]
        halves = lanes[: self.size], lanes[self.size :]
        return [self.shuffle(first, one, second) for one in halves]

    def exchanged(self, square):
        """Return the columns of a square whose rows are vectors.

        Where there are fewer vectors than lanes, they are squares side by side. Blocks
        of 1, 2, 4, ... entries off the diagonals are exchanged.
        """
        rows, bit, lanes = list(square), 1, range(self.size)
        while bit < len(rows):
            # A lane without the bit is from a, and one with it from b.
            far = bit * self.parts
            upper = [self.size + i - far if i & far else i for i in lanes]
            lower = [self.size + i if i & far else i + far for i in lanes]
            for i in range(len(rows)):
                if not i & bit:
                    a, b = rows[i], rows[i + bit]
                    rows[i] = self.shuffle(a, upper, b)
                    rows[i + bit] = self.shuffle(a, lower, b)
            bit *= 2
        return rows

    def add(self, a, b):
        """Emit a + b, which may be fused with a product."""
        return self.builder.fadd(a, b, flags=("contract",))

    def subtract(self, a, b):
        """Emit a - b, which may be fused with a product."""
        return self.builder.fsub(a, b, flags=("contract",))

    def multiply(self, a, b):
        """Emit a b, which may be fused with a sum."""
        return self.builder.fmul(a, b, flags=("contract",))

    def multiply_add(self, a, x, total):
        """Emit a * x + total, fused where the processor can."""
        name = f"llvm.fmuladd.v{self.size}{'f32' if self.item == 4 else 'f64'}"
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, x, total])

    def totals(self):
        """Return a vector of zeros for each part of a number, to which others add."""
        zero = self.constant(0.0)
        return [
            cgutils.alloca_once_value(self.builder, zero) for _ in range(self.parts)
        ]

    def add_products(self, weights, x, totals):
        """Add the products of x with each part of some weights to `totals`."""
        for weight, total in zip(weights, totals, strict=True):
            value = self.multiply_add(weight, x, self.builder.load(total))
            self.builder.store(value, total)

    def sum_of_parts(self, totals):
        """Return the numbers whose products with each part of weights are in `totals`.

        The products with imaginary parts are (re, im) pairs that are to be multiplied
        by the imaginary unit, which makes them (-im, re).
        """
        real = self.builder.load(totals[0])
        if self.parts == 1:
            return real
        turned = self.swapped(self.builder.load(totals[1]))
        return self.multiply_add(turned, self.signs(), real)

    def signs(self):
        """Return a vector of -1 for real and 1 for imaginary parts."""
        return ir.Constant(self.vector, [-1.0, 1.0] * (self.size // 2))

    def turned(self, x, y, c, s):
        """Return the parts of (x + iy) (c + is)."""
        re = self.subtract(self.multiply(x, c), self.multiply(y, s))
        return re, self.add(self.multiply(x, s), self.multiply(y, c))

    def butterfly(self, re, im):
        """Return the Fourier transform of a few complex vectors."""
        if len(re) == 4:
            return self._four(re, im)
        return self._pairs(re, im)

    def _four(self, re, im):
        add, subtract = self.add, self.subtract
        p, q = add(re[0], re[2]), add(im[0], im[2])
        r, s = subtract(re[0], re[2]), subtract(im[0], im[2])
        t, u = add(re[1], re[3]), add(im[1], im[3])
        v, w = subtract(re[1], re[3]), subtract(im[1], im[3])
        return (
            [add(p, t), add(r, w), subtract(p, t), subtract(r, w)],
            [add(q, u), subtract(s, v), subtract(q, u), add(s, v)],
        )

    def _pairs(self, re, im):
        """Transform by sums and differences of the vectors k and -k.

        For an even number of vectors, the one in the middle has no partner.
        """
        n, add, subtract = len(re), self.add, self.subtract
        half = range(1, (n + 1) // 2)
        sums = [[add(x[k], x[n - k]) for k in half] for x in (re, im)]
        apart = [[subtract(x[k], x[n - k]) for k in half] for x in (re, im)]
        found_re, found_im = [None] * n, [None] * n
        for j in range(n // 2 + 1):
            x, y, u, v = re[0], im[0], None, None
            if n % 2 == 0:
                sign = add if j % 2 == 0 else subtract
                x, y = sign(x, re[n // 2]), sign(y, im[n // 2])
            for k in half:
                angle = 2 * math.pi * (j * k % n) / n
                c, s = self.constant(math.cos(angle)), self.constant(math.sin(angle))
                x = add(x, self.multiply(sums[0][k - 1], c))
                y = add(y, self.multiply(sums[1][k - 1], c))
                if j and j != n - j:
                    a, b = (self.multiply(part[k - 1], s) for part in apart)
                    u, v = (b, a) if u is None else (add(u, b), add(v, a))
            if u is None:
                found_re[j], found_im[j] = x, y
                continue
            found_re[j], found_im[j] = add(x, u), subtract(y, v)
            found_re[n - j], found_im[n - j] = subtract(x, u), add(y, v)
        return found_re, found_im
