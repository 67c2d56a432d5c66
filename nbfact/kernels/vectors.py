"""What the kernels that emit vector instructions themselves share.

`registers.py`, `tiles.py` and `gathers.py` are those kernels. What they emit is generic
vector code, which LLVM maps to the registers that the processor has.
"""

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
    dtype : numba.types.Float or numba.types.Complex
        The dtype of the entries. A complex one counts as two reals.
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

    def field(self, kind, value, name):
        """Return the type of a field of a NamedTuple, and its value."""
        index = kind.fields.index(name)
        return kind.types[index], self.builder.extract_value(value, index)

    def array(self, kind, value, name):
        """Return the type of an array in a NamedTuple, and the pointer to its data."""
        kind, array = self.field(kind, value, name)
        return kind, self.data(kind, array)

    def reals(self, data):
        """Return a pointer to entries as one to real numbers."""
        return self.builder.bitcast(data, self.real.as_pointer())

    def pointer(self, data, place, vector, index):
        """Return the pointer to the index-th vector from a place on."""
        step = ir.Constant(place.type, index * self.size)
        entry = self.builder.gep(data, [self.builder.add(place, step)])
        return self.builder.bitcast(entry, vector.as_pointer())

    def load(self, data, place, index=0):
        """Load the index-th vector from a place on."""
        pointer = self.pointer(data, place, self.vector, index)
        return self.builder.load(pointer, align=self.item)

    def store(self, value, data, place, index=0):
        """Store the index-th vector from a place on."""
        pointer = self.pointer(data, place, self.vector, index)
        self.builder.store(value, pointer, align=self.item)

    def spread(self, value):
        """Return a vector of equal entries."""
        vector = ir.VectorType(value.type, self.size)
        nothing = ir.Constant(vector, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(INT32, 0))
        return self.shuffle(first, [0] * self.size)

    def shuffle(self, value, lanes):
        """Return a vector of some lanes of another one."""
        mask = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
        return self.builder.shuffle_vector(value, value, mask)

    def multiply_add(self, a, x, total):
        """Emit a * x + total, fused where the processor can."""
        name = f"llvm.fmuladd.v{self.size}{'f32' if self.item == 4 else 'f64'}"
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, x, total])

    def totals(self):
        """Return a vector of zeros for each part of a number, to which others add."""
        zero = ir.Constant(self.vector, [0.0] * self.size)
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
        lanes = range(self.size)
        turned = self.shuffle(
            self.builder.load(totals[1]), [lane ^ 1 for lane in lanes]
        )
        signs = ir.Constant(self.vector, [1.0 if lane % 2 else -1.0 for lane in lanes])
        return self.multiply_add(turned, signs, real)
