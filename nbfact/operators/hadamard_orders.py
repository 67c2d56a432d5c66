"""The orders for which Hadamard matrices are known here, as Kronecker products."""

import functools
from typing import NoReturn

from .hadamard_blocks import has_block
from .radices import divisors


def hadamard_order(n: int) -> tuple[int, ...]:
    """Return the orders of the blocks whose Kronecker product has order n, or raise.

    Parameters
    ----------
    n : int
        Order of a Hadamard matrix, at least 1.

    Returns
    -------
    tuple of int
        Orders with product n: those above 2 first, each of which is the order of a
        `nbfact.operators.hadamard_blocks.block`, in decreasing order. The sum of all is
        the least that there is. The tuple is empty for n = 1.

    Raises
    ------
    ValueError
        When no matrix of that order is known.

    Examples
    --------
    >>> hadamard_order(96), hadamard_order(8)
    ((12, 2, 2, 2), (2, 2, 2))
    """
    found = _cheapest(n)
    if found is None:
        _refuse(n)
    return found


@functools.lru_cache(maxsize=4096)
def _cheapest(n):
    """Return the orders of the blocks with product n and the least sum, or None."""
    if n & (n - 1) == 0:
        return (2,) * (n.bit_length() - 1)
    if n % 4:
        return None
    found = [(n,)] if has_block(n) else []
    for order in divisors(n):
        if order % 4 == 0 and order & (order - 1) and order < n and has_block(order):
            rest = _cheapest(n // order)
            if rest is not None:
                found.append(tuple(sorted((order, *rest), reverse=True)))
    return min(found, key=lambda orders: (sum(orders), orders), default=None)


def _refuse(n: int) -> NoReturn:
    """Raise the ValueError that says which orders there are in place of n."""
    if n % 4:
        reason = "an order above 2 is divisible by 4"
    else:
        reason = "no Hadamard matrix of this order is known to nbfact"
    below = next(k for k in range(n - 1, 0, -1) if _cheapest(k) is not None)
    above = next(k for k in range(n + 1, 4 * n) if _cheapest(k) is not None)
    raise ValueError(
        f"n={n}: {reason}; the nearest orders that exist are {below} and {above}"
    )
