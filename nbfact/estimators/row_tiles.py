"""Long arrays some rows at a time, where the result for each row is wide."""

from collections.abc import Iterator

BLOCK = 2**21
"""Maximum number of entries of the result for one tile of rows, which bounds the memory
that it takes: 16 MB in double precision."""

CACHED = 2**15
"""Maximum number of entries where several passes over a tile are made: it stays in the
cache of a core, and they take less than half of the time."""


def tiles(n: int, width: int, most: int | None = None) -> Iterator[slice]:
    """Yield slices of n rows, each of which has at most BLOCK entries of this width.

    A tile has one row at least, however wide that is. `most` stands for BLOCK.
    """
    step = max(1, (most or BLOCK) // width)
    return (slice(first, min(first + step, n)) for first in range(0, n, step))
