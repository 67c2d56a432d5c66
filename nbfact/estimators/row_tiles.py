"""Points taken few at a time, where what is made of each is long."""

from collections.abc import Iterator

# Entries of a block of distances: what the tiles of points keep in memory.
BLOCK = 2**21


def tiles(n: int, width: int) -> Iterator[slice]:
    """Yield slices of n rows, so that a block of them by width is a small one."""
    step = max(1, BLOCK // width)
    return (slice(first, min(first + step, n)) for first in range(0, n, step))
