"""Hadamard matrices that are no Kronecker product of smaller ones: blocks.

Each construction gives a matrix of entries 1 and -1 with orthogonal rows. Paley's take
the squares of a finite field, those of Williamson, Goethals and Seidel, and of Cooper
and Wallis circulant matrices whose first rows are in `hadamard_rows`.
"""

import functools
import itertools

import numpy as np
import scipy.linalg

from .hadamard_rows import CIRCULANTS, T_SEQUENCES, WILLIAMSON
from .radices import prime_factors


def has_block(order: int) -> bool:
    """Return whether a construction gives a block of an order, which is divisible by 4.

    Examples
    --------
    >>> has_block(12), has_block(28), has_block(92), has_block(428)
    (True, True, True, False)
    """
    return _construction(order) is not None


def block(order: int) -> np.ndarray:
    """Return a Hadamard matrix of an order for which `has_block` is true.

    Parameters
    ----------
    order : int

    Returns
    -------
    ndarray of int8, shape (order, order)
        Entries are 1 and -1, and the rows are orthogonal.

    References
    ----------
    R. Paley, On orthogonal matrices, J. Math. Phys., 1933. J. Williamson, Hadamard's
    determinant theorem and the sum of four squares, Duke Math. J., 1944. J. Goethals,
    J. Seidel, A skew Hadamard matrix of order 36, J. Austral. Math. Soc., 1970.
    J. Cooper, J. Wallis, A construction for Hadamard arrays, Bull. Austral. Math. Soc.,
    1972.
    """
    construction = _construction(order)
    if construction is None:
        raise ValueError(f"order={order}: no Hadamard block of this order is known")
    return construction()


@functools.lru_cache(maxsize=256)
def _construction(order):
    """Return a function that makes the block of an order, or None."""
    if order % 4:
        return None
    if _prime_power(order - 1):
        return functools.partial(_paley_one, order - 1)
    half = order // 2 - 1
    if half % 4 == 1 and _prime_power(half):
        return functools.partial(_paley_two, half)
    quarter = order // 4
    if quarter in CIRCULANTS:
        return functools.partial(_goethals_seidel, 1, quarter)
    for width in sorted([1, *WILLIAMSON]):
        if quarter % width == 0 and quarter // width in T_SEQUENCES:
            return functools.partial(_goethals_seidel, quarter // width, width)
    return None


def _prime_power(q):
    """Return whether a number is a power of one prime."""
    return q > 1 and len(set(prime_factors(q))) == 1


def squares_matrix(q: int) -> np.ndarray:
    """Return the quadratic character of differences in the field of q elements.

    Parameters
    ----------
    q : int
        An odd prime power.

    Returns
    -------
    ndarray of int8, shape (q, q)
        Entry (i, j) is 1 when element i minus element j is a square other than 0, -1
        when it is no square, and 0 on the diagonal.

    Examples
    --------
    >>> squares_matrix(3)
    array([[ 0, -1,  1],
           [ 1,  0, -1],
           [-1,  1,  0]], dtype=int8)
    """
    p, degree = prime_factors(q)[0], len(prime_factors(q))
    character = np.full(q, -1, np.int8)
    character[_powers(p, degree)[::2]] = 1
    character[0] = 0
    # Elements are numbers with `degree` digits to the base p, which are subtracted one
    # by one.
    index, place = np.zeros((q, q), np.int64), 1
    for _ in range(degree):
        digit = np.arange(q) // place % p
        index += (digit[:, None] - digit) % p * place
        place *= p
    return character[index]


def _powers(p, degree):
    """Return all powers of an element that generates the field of p**degree elements.

    Elements are polynomials whose coefficients are the digits of a number to the base
    p. For degree 1 these are the powers of a primitive root modulo p.
    """
    size = p**degree
    if degree == 1:
        wrong = [(p - 1) // f for f in set(prime_factors(p - 1))]
        root = next(g for g in range(2, p) if all(pow(g, e, p) != 1 for e in wrong))
        found = [1]
        while len(found) < p - 1:
            found.append(found[-1] * root % p)
        return np.array(found)
    top = size // p
    for tail in itertools.product(range(1, p), *[range(p)] * (degree - 1)):
        # x**degree is the polynomial with the coefficients `tail`; x generates the
        # field when its powers come back to 1 after size - 1 steps, and not before.
        reduction = [
            sum(c * k % p * p**i for i, c in enumerate(tail)) for k in range(p)
        ]
        found, element = [1], p
        while element not in (0, 1) and len(found) < size:
            found.append(element)
            high, low = divmod(element, top)
            element = _added(low * p, reduction[high], p)
        if element == 1 and len(found) == size - 1:
            return np.array(found)
    raise AssertionError(f"{p}**{degree}: every finite field has a generator")


def _added(left, right, p):
    """Return the sum of two polynomials, digit by digit to the base p."""
    total, place = 0, 1
    while left or right:
        left, one = divmod(left, p)
        right, other = divmod(right, p)
        total += (one + other) % p * place
        place *= p
    return total


def _paley_one(q):
    """Return the block of order q + 1, for a prime power q that is 3 modulo 4."""
    found = np.ones((q + 1, q + 1), np.int8)
    found[1:, 1:] = squares_matrix(q) + np.eye(q, dtype=np.int8)
    found[1:, 0] = -1
    return found


def _paley_two(q):
    """Return the block of order 2 (q + 1), for a prime power q that is 1 modulo 4."""
    conference = np.ones((q + 1, q + 1), np.int8)
    conference[0, 0] = 0
    conference[1:, 1:] = squares_matrix(q)
    one = np.array([[1, 1], [1, -1]], np.int8)
    other = np.array([[1, -1], [-1, -1]], np.int8)
    unit = np.eye(q + 1, dtype=np.int8)
    return np.kron(conference, one) + np.kron(unit, other)


def _rows(width):
    """Return the four rows of 1 and -1 of a given length, as an array (4, width)."""
    if width == 1:
        return np.ones((4, 1), np.int8)
    step, numbers = (WILLIAMSON | CIRCULANTS)[width]
    orbit, count = np.full(width, -1), 0
    for first in range(width):
        if orbit[first] < 0:
            member = first
            while orbit[member] < 0:
                orbit[member] = count
                member = member * step % width
            count += 1
    bits = [[1, *(number >> i & 1 for i in range(count - 1))] for number in numbers]
    return (2 * np.array(bits) - 1)[:, orbit].astype(np.int8)


def _goethals_seidel(length, width):
    """Return the block of order 4 length width from T-sequences and four circulants.

    The four matrices x[i] are circulants of signed sums of the given rows, the places
    of which the letters of the sequences distribute (Cooper & Wallis). All matrices
    commute with one another; for the array of Goethals and Seidel they need not be
    symmetric.
    """
    a, b, c, d = (scipy.linalg.circulant(row) for row in _rows(width))
    letters = T_SEQUENCES[length]
    places = [
        scipy.linalg.circulant([(c == name) - (c == name.lower()) for c in letters])
        for name in "ABCD"
    ]
    mixed = [(a, b, c, d), (-b, a, d, -c), (-c, -d, a, b), (-d, c, -b, a)]
    w, x, y, z = (
        np.sum([np.kron(s, m) for s, m in zip(places, row, strict=True)], axis=0)
        for row in mixed
    )
    # The reversal of both cyclic groups: entry (i, j) is 1 where i + j is 0.
    reversal = np.kron(
        *(np.roll(np.eye(n, dtype=np.int8)[::-1], 1, axis=0) for n in (length, width))
    )
    xr, yr, zr = x @ reversal, y @ reversal, z @ reversal
    xt, yt, zt = x.T @ reversal, y.T @ reversal, z.T @ reversal
    rows = [[w, xr, yr, zr], [-xr, w, zt, -yt], [-yr, -zt, w, xt], [-zr, yt, -xt, w]]
    return np.block(rows).astype(np.int8)
