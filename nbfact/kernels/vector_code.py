"""Vectors: code for loads, sums, turns and butterflies of vectors of real numbers."""

import math

import llvmlite.ir as ir

from .vectors import BYTES

_INT32 = ir.IntType(32)


class Vectors:
    """Loads, stores and sums of vectors of the dtype of some arrays."""

    def __init__(self, context, builder, kind):
        self.context, self.builder = context, builder
        self.item = kind.dtype.bitwidth // 8
        self.size = BYTES // self.item
        self.vector = ir.VectorType(context.get_value_type(kind.dtype), self.size)

    def data(self, kind, array):
        """Return the pointer to the numbers of an array."""
        return self.context.make_array(kind)(self.context, self.builder, array).data

    def planes(self, kind, array):
        """Return the pointers to the two rows of an array."""
        made = self.context.make_array(kind)(self.context, self.builder, array)
        length = self.builder.extract_value(made.shape, 1)
        return made.data, self.builder.gep(made.data, [length])

    def pointer(self, data, place):
        """Return the pointer to the vector from a place on."""
        entry = self.builder.gep(data, [place])
        return self.builder.bitcast(entry, self.vector.as_pointer())

    def load(self, data, place):
        """Load the vector from a place on."""
        return self.builder.load(self.pointer(data, place), align=self.item)

    def store(self, value, data, place):
        """Store a vector from a place on."""
        self.builder.store(value, self.pointer(data, place), align=self.item)

    def places(self, start, step, count):
        """Return start, start + step, ... as values."""
        found = [start]
        for _ in range(count - 1):
            found.append(self.builder.add(found[-1], step))
        return found

    def number(self, data, place, offset=0):
        """Return one number of an array in all lanes of a vector."""
        place = self.builder.add(place, ir.Constant(place.type, offset))
        return self.spread(self.builder.load(self.builder.gep(data, [place])))

    def spread(self, value):
        """Return a vector of equal numbers."""
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_INT32, 0))
        lanes = ir.Constant(ir.VectorType(_INT32, self.size), [0] * self.size)
        return self.builder.shuffle_vector(first, nothing, lanes)

    def constant(self, value):
        """Return a vector of one constant."""
        return ir.Constant(self.vector, [value] * self.size)

    def add(self, a, b):
        """Emit a + b, which may be fused with a product."""
        return self.builder.fadd(a, b, flags=("contract",))

    def subtract(self, a, b):
        """Emit a - b, which may be fused with a product."""
        return self.builder.fsub(a, b, flags=("contract",))

    def multiply(self, a, b):
        """Emit a b, which may be fused with a sum."""
        return self.builder.fmul(a, b, flags=("contract",))

    def turned(self, x, y, c, s):
        """Return the parts of (x + iy) (c + is)."""
        re = self.subtract(self.multiply(x, c), self.multiply(y, s))
        return re, self.add(self.multiply(x, s), self.multiply(y, c))

    def exchanged(self, square):
        """Return the columns of a square whose rows are vectors."""
        rows, bit = list(square), 1
        while bit < self.size:
            for i in range(self.size):
                if i & bit:
                    continue
                a, b = rows[i], rows[i | bit]
                for row, part in ((i, 0), (i | bit, bit)):
                    # A lane without the bit is from a, and one with it from b.
                    lanes = [
                        self.size + (at & ~bit | part) if at & bit else at | part
                        for at in range(self.size)
                    ]
                    mask = ir.Constant(ir.VectorType(_INT32, self.size), lanes)
                    rows[row] = self.builder.shuffle_vector(a, b, mask)
            bit *= 2
        return rows

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
