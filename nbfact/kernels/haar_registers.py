"""Vector instructions of two levels of a Haar transform.

As `registers.py` says, LLVM's loop vectoriser takes more shuffles than are needed.
Nothing here is fused, so that an entry of a product has the same bits in all layouts.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import intrinsic

from ._jit import NUMBA_SETTINGS
from .vectors import BYTES, VectorEmitter

ROOT = math.sqrt(2)


class _Tile(VectorEmitter):
    """The builder of the code of a tile, and where its vectors are."""

    def __init__(self, context, builder, kinds, arguments):
        x, _, _, places, _, wide, lanes = kinds
        entries = None if wide.literal_value else 1
        super().__init__(context, builder, x.dtype, entries)
        self.x, self.means, self.out = (
            self.data(kind, array)
            for kind, array in zip(kinds[:3], arguments[:3], strict=True)
        )
        at = self.integers(places, arguments[3])
        first, step, self.mean, self.coarse, fine, far = at
        self.four, self.fine = self.places(first, step, 4), self.places(fine, far, 2)
        self.scale, self.lanes = self.spread(arguments[4]), lanes.literal_value

    def apart(self, a, b):
        """Return the first and the second entries of the pairs of two vectors."""
        return self.halved(a, b) if self.lanes else (a, b)

    def together(self, a, b):
        """Return the vectors whose pairs have these first and second entries."""
        return self.paired(a, b) if self.lanes else (a, b)

    def times(self, value, factor):
        """Return a product, which is never fused with a sum."""
        return self.builder.fmul(value, factor)

    def both(self, a, b):
        """Return the sum and the difference, which are never fused with a product."""
        return self.builder.fadd(a, b), self.builder.fsub(a, b)


def _check(x):
    if x.layout != "C" or x.ndim != 1 or not isinstance(x.dtype, types.Float):
        raise NumbaTypeError(f"x: {x}; expected real numbers in a flat array")


def _typed(typingctx, x, means, out, places, scale, wide, lanes):
    """Write what two levels of a Haar transform are of four vectors of x.

    A vector has 64 bytes if ``wide`` is true, and else one entry. If ``lanes`` is true,
    neighbours within the vectors are summed, and else the vectors with one another.
    Halves of the sums of four entries go to ``means``; differences, times ``scale``, go
    to ``out``: one vector of those of pairs, the coarse ones, and two of those of
    entries, the fine ones.

    places: those of the first vector of x and the distance of the others, of the means,
    of the coarse differences, and of the first fine ones and the distance of the second
    ones. All arrays are flat; the last two arguments are literals.
    """
    _check(x)
    kinds = (x, means, out, places, scale, wide, lanes)

    def generate(context, builder, signature, arguments):
        tile = _Tile(context, builder, kinds, arguments)
        half, sums = tile.constant(0.5), []
        weight = tile.times(tile.scale, tile.constant(ROOT))
        # Halves come first, because a sum of two may be too large where theirs is not.
        four = [tile.times(tile.load(tile.x, place), half) for place in tile.four]
        for (a, b), place in zip((four[:2], four[2:]), tile.fine, strict=True):
            total, difference = tile.both(*tile.apart(a, b))
            tile.store(tile.times(difference, weight), tile.out, place)
            sums.append(total)
        total, difference = tile.both(*tile.apart(*sums))
        tile.store(total, tile.means, tile.mean)
        tile.store(tile.times(difference, tile.scale), tile.out, tile.coarse)
        return context.get_dummy_value()

    return types.void(*kinds), generate


def _typed_adjoint(typingctx, x, means, out, places, scale, wide, lanes):
    """Write the four vectors of out that have given means and differences.

    It is the transpose of `_typed`, with the same arguments: differences times
    ``scale`` are read from x, and the places of x there are those of out here.
    """
    _check(x)
    kinds = (x, means, out, places, scale, wide, lanes)

    def generate(context, builder, signature, arguments):
        tile = _Tile(context, builder, kinds, arguments)
        half, four = tile.constant(0.5), iter(tile.four)
        weight = tile.times(tile.scale, tile.constant(ROOT / 2))
        mean = tile.times(tile.load(tile.means, tile.mean), half)
        coarse = tile.times(tile.scale, half)
        coarse = tile.times(tile.load(tile.x, tile.coarse), coarse)
        pair = tile.together(*tile.both(mean, coarse))
        for total, place in zip(pair, tile.fine, strict=True):
            fine = tile.times(tile.load(tile.x, place), weight)
            for value in tile.together(*tile.both(total, fine)):
                tile.store(value, tile.out, next(four))
        return context.get_dummy_value()

    return types.void(*kinds), generate


def _indices(x, places, wide, lanes):
    """Return the places of the entries a, b, c, d of a tile, and of what they give."""
    first, step, mean, coarse, fine, far = places
    size = BYTES // x.itemsize if wide else 1
    lane = np.arange(size)
    four = (
        first + 4 * lane[None] + np.arange(4)[:, None]
        if lanes
        else first + lane[None] + step * np.arange(4)[:, None]
    )
    two = (
        fine + 2 * lane[None] + np.arange(2)[:, None]
        if lanes
        else fine + lane[None] + far * np.arange(2)[:, None]
    )
    return four, mean + lane, coarse + lane, two


def _interpreted(x, means, out, places, scale, wide, lanes):
    """Do the same as `_typed` in NumPy, where nothing is compiled."""
    four, mean, coarse, fine = _indices(x, places, wide, lanes)
    half, root = x.dtype.type(0.5), x.dtype.type(ROOT)
    a, b, c, d = x[four] * half
    out[fine] = np.stack([a - b, c - d]) * (scale * root)
    means[mean], out[coarse] = (a + b) + (c + d), ((a + b) - (c + d)) * scale


def _interpreted_adjoint(x, means, out, places, scale, wide, lanes):
    """Do the same as `_typed_adjoint` in NumPy, where nothing is compiled."""
    four, mean, coarse, fine = _indices(x, places, wide, lanes)
    half, root = x.dtype.type(0.5), x.dtype.type(ROOT / 2)
    total, difference = means[mean] * half, x[coarse] * (scale * half)
    a, b = x[fine] * (scale * root)
    p, q = total + difference, total - difference
    out[four] = np.stack([p + a, p - a, q + b, q - b])


# Numba's decorator drops the typing context from what callers pass, so that no type but
# Any fits both an intrinsic and its interpreted twin.
haar_tile: Callable[..., Any]
haar_tile_adjoint: Callable[..., Any]
if NUMBA_SETTINGS.DISABLE_JIT:
    haar_tile, haar_tile_adjoint = _interpreted, _interpreted_adjoint
else:
    haar_tile = intrinsic(prefer_literal=True)(_typed)
    haar_tile_adjoint = intrinsic(prefer_literal=True)(_typed_adjoint)
