"""Better supports of sparse codes, by adding, removing and exchanging single atoms."""

import numpy as np

from ._jit import kernel

DEPENDENT = 1e-6
"""Share of its squared norm that an atom must have outside the span of the others, for
it to be added to them."""

ENOUGH = 1e-4
"""Least gain of a move, in units of the price of an entry: less may be rounding."""


@kernel
def _squared(z):
    """Return the squared modulus of a real or complex scalar."""
    return z.real * z.real + z.imag * z.imag


@kernel
def _add(gram, support, count, inverse, atom):
    """Add an atom to a support of `count` atoms and to the inverse of their products.

    Returns the number of atoms, which is `count` if the new one depends on the others.
    """
    last = inverse[count]
    rest = gram[atom, atom].real
    for i in range(count):
        last[i] = 0
        for j in range(count):
            last[i] += inverse[i, j] * gram[support[j], atom]
        rest -= (np.conj(gram[support[i], atom]) * last[i]).real
    if not rest > DEPENDENT * gram[atom, atom].real:
        return count
    for i in range(count):
        for j in range(count):
            inverse[i, j] += last[i] * np.conj(last[j]) / rest
    for i in range(count):
        inverse[i, count] = -last[i] / rest
        last[i] = np.conj(inverse[i, count])
    last[count] = 1 / rest
    support[count] = atom
    return count + 1


@kernel
def _remove(support, count, inverse, place):
    """Remove an atom from a support and from the inverse; the last one takes its place.

    Returns the number of atoms.
    """
    pivot = inverse[place, place].real
    for i in range(count):
        if i != place:
            factor = inverse[i, place] / pivot
            for j in range(count):
                if j != place:
                    inverse[i, j] -= factor * inverse[place, j]
    last = count - 1
    support[place] = support[last]
    for i in range(count):
        inverse[place, i] = inverse[last, i]
    for i in range(count):
        inverse[i, place] = inverse[i, last]
    inverse[place, place] = inverse[last, last]
    return last


@kernel
def _solve(inner, support, count, inverse, values):
    """Write the least squares values of a support."""
    for i in range(count):
        values[i] = 0
        for j in range(count):
            values[i] += inverse[i, j] * inner[support[j]]


@kernel
def _project(gram, inner, support, count, inverse, work):
    """Write what is needed to judge moves into four arrays.

    values: the least squares values of the support.
    rest: the inner products of all atoms and the residual.
    outside: their squared norms outside the span of the support.
    parts: row i has their inner products with the dual vector of atom i of the support.
    """
    values, rest, outside, parts = work
    _solve(inner, support, count, inverse, values)
    n = gram.shape[0]
    for b in range(n):
        rest[b] = inner[b]
        outside[b] = gram[b, b].real
    for i in range(count):
        row, part = gram[support[i]], parts[i]
        for b in range(n):
            rest[b] -= values[i] * np.conj(row[b])
            part[b] = 0
        for j in range(count):
            other, factor = gram[support[j]], inverse[j, i]
            for b in range(n):
                part[b] += factor * np.conj(other[b])
        for b in range(n):
            outside[b] -= (part[b] * row[b]).real


@kernel
def _best_move(gram, count, inverse, price, work):
    """Return the gain of the best move, the place that it frees and the atom it adds.

    A place, or an atom, of -1 stands for none.
    """
    values, rest, outside, parts = work
    n, most, place, atom = gram.shape[0], 0.0, -1, -1
    for b in range(n):
        if outside[b] > DEPENDENT * gram[b, b].real:
            gain = _squared(rest[b]) / outside[b] - price
            if gain > most:
                most, atom = gain, b
    for i in range(count):
        pivot = inverse[i, i].real
        factor, loss, part = values[i] / pivot, _squared(values[i]) / pivot, parts[i]
        if price - loss > most:
            most, place, atom = price - loss, i, -1
        for b in range(n):
            free = outside[b] + _squared(part[b]) / pivot
            if free > DEPENDENT * gram[b, b].real:
                square = _squared(rest[b] + factor * part[b])
                if square > (most + loss) * free:
                    most, place, atom = square / free - loss, i, b
    return most, place, atom


@kernel
def exchange_atoms(
    gram: np.ndarray, inner: np.ndarray, price: float, moves: int, codes: np.ndarray
) -> None:
    """Improve the supports of sparse codes by moves of single atoms.

    Each code x of a signal y lowers ‖y - D x‖² + price ‖x‖₀, for a dictionary D: by the
    best of all moves that add an atom, remove one, or exchange one for another, with
    least squares for the values after each, until no move lowers it.

    Parameters
    ----------
    gram : ndarray, shape (n, n), real or complex, C-contiguous
        The inner products Dᴴ D of the atoms; only read.
    inner : ndarray, shape (p, n), C-contiguous
        Row j has the inner products Dᴴ y of the atoms and signal j; only read.
    price : float
        What an entry costs, positive.
    moves : int
        Maximum number of moves for each code.
    codes : ndarray, shape (p, n), C-contiguous
        The codes to begin with, of which only the places of their non-zeros matter.
        Overwritten.

    See Also
    --------
    gram_pursuit : Orthogonal matching pursuit, which only adds atoms.

    Notes
    -----
    No move raises the sum, and no single move lowers it in the end, unless `moves` was
    too small. An atom that nearly depends on those of a support is not added to it.
    With t atoms in the support, a look at all moves costs about t² n multiplications.

    References
    ----------
    H. Hazimeh and R. Mazumder, Fast best subset selection: coordinate descent and local
    combinatorial optimization algorithms, Operations Research 68(5), 2020.

    Examples
    --------
    The signal (1, 1) is coded by the second of two atoms, (3, 4) / 5, whose residual is
    smaller than with the first one, (1, 0):

    >>> import numpy as np, nbfact as nf
    >>> atoms = np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> codes = np.array([[1.0, 0.0]])
    >>> inner = np.array([[1.0, 1.0]]) @ atoms.T
    >>> nf.kernels.exchange_atoms(atoms @ atoms.T, inner, 0.1, 9, codes)
    >>> codes.round(2)
    array([[0. , 1.4]])
    """
    n = gram.shape[0]
    support, values = np.empty(n, np.intp), np.empty(n, codes.dtype)
    inverse, parts = np.empty((n, n), codes.dtype), np.empty((n, n), codes.dtype)
    work = values, np.empty(n, codes.dtype), np.empty(n), parts
    for j in range(codes.shape[0]):
        count = 0
        for b in range(n):
            if codes[j, b] != 0:
                count = _add(gram, support, count, inverse, b)
        for _ in range(moves):
            _project(gram, inner[j], support, count, inverse, work)
            gain, place, atom = _best_move(gram, count, inverse, price, work)
            if gain <= ENOUGH * price:
                break
            if place >= 0:
                count = _remove(support, count, inverse, place)
            if atom >= 0:
                count = _add(gram, support, count, inverse, atom)
        for b in range(n):
            codes[j, b] = 0
        _solve(inner[j], support, count, inverse, values)
        for i in range(count):
            codes[j, support[i]] = values[i]
