"""Long arrays some rows at a time, where the result for each row is wide."""

from collections.abc import Iterator

BLOCK = 2**21
"""Maximum number of entries of the result for one tile of rows, which bounds the memory
that it takes: 16 MB in double precision."""


def tiles(n: int, width: int) -> Iterator[slice]:
    """Yield slices of n rows, each of which has at most BLOCK entries of this width.

    A tile has one row at least, however wide that is.
    """
    step = max(1, BLOCK // width)
    return (slice(first, min(first + step, n)) for first in range(0, n, step))
