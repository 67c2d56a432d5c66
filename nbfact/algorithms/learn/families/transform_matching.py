"""Whether a matrix is a known one up to permutations, signs and scalings.

With B and T square, a `Match` says B ≈ D T[rows][:, columns] E with diagonal D and E.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

TOLERANCE = 0.05
"""Largest relative error up to which a matrix is said to be a transform with noise."""

_SWEEPS = 200
"""Maximum number of sweeps that balance a matrix."""

_PAIRS, _CLASSES, _TRIES = 6, 6, 4
"""Numbers of pairs of columns of the matrix, of first columns of the known one, and of
second columns for each, that are tried."""

_SLANT = 0.7319
"""Weight of the second column in the keys that rows are matched by: no simple ratio, so
that keys of different rows differ."""


@dataclass(frozen=True)
class Match:
    """How a known matrix T becomes a matrix B.

    Attributes
    ----------
    rows, columns : ndarray of intp, or None
        B ≈ D T[rows][:, columns] E; None leaves them in order.
    left, right : ndarray
        The diagonals of D and E.
    error : float
        ‖B - D T[rows][:, columns] E‖_F / ‖B‖_F.
    """

    rows: np.ndarray | None
    columns: np.ndarray | None
    left: np.ndarray
    right: np.ndarray
    error: float

    @property
    def words(self) -> str:
        """What was done to T, as it follows its name; the overall scale is not said."""
        said = []
        for verb, rows, columns in (
            ("permuted", self.rows is not None, self.columns is not None),
            ("scaled", _is_scaled(self.left), _is_scaled(self.right)),
            ("with signs", _has_signs(self.left), _has_signs(self.right)),
        ):
            which = "rows" * rows + " and " * (rows and columns) + "columns" * columns
            if which:
                said.append(f"{which} {verb}")
        return "".join(f", {one}" for one in said)


def _is_scaled(weights):
    """Return whether the moduli of weights differ."""
    sizes = np.abs(weights)
    return bool(np.ptp(sizes) > TOLERANCE * sizes.mean())


def _has_signs(weights):
    """Return whether the signs or phases of weights differ."""
    sizes = np.abs(weights)
    phases = weights / np.where(sizes > 0, sizes, 1)
    return bool(np.abs(phases - phases[0]).max() > TOLERANCE)


Places = tuple[np.ndarray | None, np.ndarray | None]
Finder = Callable[[np.ndarray, np.ndarray], Iterator[Places]]
"""A function of B and T, which yields rows and columns that may match."""


def matched(matrix: np.ndarray, known: np.ndarray, finder: Finder) -> Match | None:
    """Return how a unitary matrix becomes another matrix, or None.

    Parameters
    ----------
    matrix : ndarray, (n, n)
        The matrix B, of moderate size.
    known : ndarray, (n, n)
        The matrix T, unitary.
    finder : callable
        Finds permutations of rows and columns.
    """
    # The squared moduli of a unitary matrix add up to 1 in each row and each column,
    # whatever their order: this fixes the moduli of the scalings.
    balance = balanced(matrix)
    if balance is None:
        return None
    even, left, right = balance
    sizes = np.sort(np.abs(even).ravel()) - np.sort(np.abs(known).ravel())
    if np.linalg.norm(sizes) > TOLERANCE * np.sqrt(len(known)):
        return None
    for rows, columns in finder(even, known):
        placed = known if rows is None else known[rows]
        placed = placed if columns is None else placed[:, columns]
        signs = _phases(even * placed.conj())
        if signs is None:
            continue
        one, other = _fitted(matrix, placed, left * signs[0], right * signs[1])
        rest = matrix - one[:, None] * placed * other
        error = float(np.linalg.norm(rest) / np.linalg.norm(matrix))
        if error <= TOLERANCE:
            return Match(rows, columns, one, other, error)
    return None


def _fitted(matrix, placed, left, right):
    """Return the best scalings near some, the plainest where they say no more.

    Those whose moduli hardly differ are signs or phases, times a number in `left`.
    """
    fixed = [not _is_scaled(one) for one in (left, right)]
    squares = np.abs(placed) ** 2
    if not all(fixed):
        moduli = _moduli(matrix, placed, squares)
        left, right = _unit(left) * moduli[0], _unit(right) * moduli[1]
    for _ in range(30):
        both = placed.conj() * matrix
        left = (both @ right.conj()) / (squares @ np.abs(right) ** 2)
        left = _even(left) if fixed[0] else left
        right = (left.conj() @ both) / (np.abs(left) ** 2 @ squares)
        right = _even(right) if fixed[1] else right
        if all(fixed):
            break
    left, right = (
        one if _has_signs(one) or not even else np.full_like(one, one.mean())
        for one, even in zip((left, right), fixed, strict=True)
    )
    size = np.abs(right).mean() * (1 if _has_signs(right) else _unit(right)[0])
    return left * size, right / size


def _moduli(matrix, placed, squares):
    """Return the moduli of scalings by least squares over the logarithms of entries."""
    held = (squares > 1e-12) & (matrix != 0)
    ratios = np.log(
        np.abs(matrix / np.where(held, placed, 1)), where=held, out=0 * squares
    )
    weights = np.where(held, squares, 0)
    rows, columns = np.diag(weights.sum(1)), np.diag(weights.sum(0))
    system = np.block([[rows, weights], [weights.T, columns]])
    known = np.concatenate([(weights * ratios).sum(1), (weights * ratios).sum(0)])
    found = np.exp(np.linalg.lstsq(system, known, rcond=None)[0])
    return found[: len(matrix)], found[len(matrix) :]


def _even(weights):
    """Return weights of one modulus, the mean of all."""
    return _unit(weights) * np.abs(weights).mean()


def balanced(
    matrix: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return E, d and e: matrix = d E e, and rows and columns of E have norm 1.

    None is returned for a matrix with zero rows or columns, or that has no such form.
    """
    square = np.abs(matrix) ** 2
    left, right = np.ones(len(matrix)), np.ones(len(matrix))
    for _ in range(_SWEEPS):
        rows = square @ right
        if not rows.all():
            return None
        left = 1 / rows
        columns = left @ square
        if not columns.all():
            return None
        done = np.abs(columns * right - 1).max() < 1e-9
        right = 1 / columns
        if done:
            break
    left, right = np.sqrt(left), np.sqrt(right)
    return left[:, None] * matrix * right, 1 / left, 1 / right


def _phases(product):
    """Return the phases d and e with product ≈ d |product| e, or None.

    They are those of the first singular vectors, which are positive for |product|.
    """
    u, _, v = np.linalg.svd(product)
    left, right = _unit(u[:, 0]), _unit(v[0])
    rest = left.conj()[:, None] * product * right.conj() - np.abs(product)
    if np.linalg.norm(rest) > 4 * TOLERANCE * np.linalg.norm(product):
        return None
    return left, right


def _unit(vector):
    """Return the phases of a vector, 1 in place of 0."""
    sizes = np.abs(vector)
    return np.where(sizes > 0, vector / np.where(sizes > 0, sizes, 1), 1)


def in_order(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield the rows and columns as they are, where the moduli agree."""
    moduli = np.abs(matrix) - np.abs(known)
    if np.linalg.norm(moduli) <= TOLERANCE * np.sqrt(len(known)):
        yield None, None


def by_one_side(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield rows alone and columns alone in another order, and first neither.

    The rows of a unitary matrix are orthogonal, so that inner products tell which row
    is which.
    """
    yield from in_order(matrix, known)
    rows = nearest_columns(matrix.T, known.T)
    if rows is not None:
        yield rows, None
    columns = nearest_columns(matrix, known)
    if columns is not None:
        yield None, columns


def by_columns(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a real matrix whose columns or rows tell the others apart.

    Two columns of the matrix are matched with two columns of the known one, up to signs
    of rows and of the second column. Rows are matched in the order of their entries
    there; the other columns follow from inner products.
    """
    yield from by_one_side(matrix, known)
    if matrix.dtype.kind == "c":
        return
    for pair in range(min(_PAIRS, len(matrix) - 1)):
        yield from _by_pair(matrix, known, pair)
        for rows, columns in _by_pair(matrix.T, known.T, pair):
            yield columns, rows


def _by_pair(matrix, known, pair):
    """Yield permutations from two columns, those that tell most rows apart first."""
    n = len(matrix)
    moduli = np.sort(np.abs(matrix), axis=0)
    spread = np.diff(moduli, axis=0) > 1e-3 / np.sqrt(n)
    first, second = np.argsort(-spread.sum(0) - moduli[0], kind="stable")[pair:][:2]
    gaps = np.linalg.norm(np.sort(np.abs(known), 0) - moduli[:, [first]], axis=0)
    likely = np.argsort(gaps, kind="stable")[:_CLASSES]
    own_sign = _sign(matrix[:, first])
    own = np.abs(matrix[:, first]) + _SLANT * own_sign * matrix[:, second]
    own_order = np.argsort(own, kind="stable")
    for column in likely[gaps[likely] <= 4 * TOLERANCE]:
        sign = _sign(known[:, column])
        both = np.concatenate([known, -known], axis=1) * sign[:, None]
        keys = np.abs(known[:, [column]]) + _SLANT * both
        orders = np.argsort(keys, axis=0, kind="stable")
        ranked = np.take_along_axis(keys, orders, 0) - own[own_order][:, None]
        distance = np.linalg.norm(ranked, axis=0)
        for at in np.argsort(distance, kind="stable")[:_TRIES]:
            rows = np.empty(n, np.intp)
            rows[own_order] = orders[:, at]
            signed = own_sign[:, None] * matrix
            columns = nearest_columns(signed, (sign[:, None] * known)[rows])
            if columns is None:
                continue
            # With the signs of the columns, all entries of the rows are compared.
            placed = known[:, columns]
            signs = np.sign((signed * sign[rows, None] * placed[rows]).sum(0))
            rows = nearest_columns(matrix.T, (placed * signs).T)
            if rows is not None:
                yield rows, columns


def _sign(vector):
    """Return signs, 0 for entries that may be noise."""
    return np.sign(np.where(np.abs(vector) < 1e-3 / np.sqrt(len(vector)), 0, vector))


def nearest_columns(matrix, known):
    """Return the column of a known matrix that is nearest to each, if all differ."""
    found = np.argmax(np.abs(known.conj().T @ matrix), axis=0)
    return found if len(np.unique(found)) == len(found) else None


def by_signs(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a Sylvester-Hadamard matrix, or one like it.

    Rows whose signs split all sets of columns in halves number the columns in binary;
    the columns with one bit then number the rows.
    """
    yield from by_one_side(matrix, known)
    if matrix.dtype.kind == "c" or len(matrix) & (len(matrix) - 1):
        return
    n = len(matrix)
    bits = matrix * matrix[0] * (matrix[:, [0]] * matrix[0, 0]) < 0
    number, chosen = np.zeros(n, np.intp), 0
    for row in bits:
        parts = np.bincount(number + (row << chosen), minlength=2 << chosen)
        if np.all(parts == n >> (chosen + 1)):
            number += row << chosen
            chosen += 1
        if 1 << chosen == n:
            break
    if 1 << chosen != n:
        return
    places = np.argsort(number)
    rows = sum(bits[:, places[1 << k]].astype(np.intp) << k for k in range(chosen))
    if len(np.unique(rows)) == n:
        yield rows, number


def by_phases(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a Fourier matrix.

    Divided by its first row and column, its entries are roots of unity, whose exponents
    are products of the numbers of row and column.
    """
    yield from by_one_side(matrix, known)
    if matrix.dtype.kind != "c" or not matrix.all():
        return
    n = len(matrix)
    turned = matrix * matrix[0, 0] / (matrix[:, [0]] * matrix[0])
    exponents = np.round(-np.angle(turned) * n / (2 * np.pi)).astype(np.intp) % n
    for row in exponents:
        if len(np.unique(row)) == n:
            columns = row
            rows = exponents[:, np.flatnonzero(columns == 1)[0]] if n > 1 else row
            if len(np.unique(rows)) == n:
                yield rows, columns
            return


def by_supports(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
    """Yield permutations for a Haar matrix, whose rows halve the columns repeatedly."""
    yield from by_one_side(matrix, known)
    n = len(matrix)
    moduli = np.abs(matrix)
    held = moduli > 0.5 * moduli.max(1, keepdims=True)
    sizes = held.sum(1)
    whole = np.flatnonzero(sizes == n)
    if matrix.dtype.kind == "c" or len(whole) != 2 or n < 4:
        return
    signs = np.sign(matrix) * np.sign(matrix[whole[0]])
    by_set = {one.tobytes(): row for row, one in enumerate(held)}
    by_set[np.ones(n, bool).tobytes()] = whole[1]
    columns, rows = np.empty(n, np.intp), np.full(n, -1, np.intp)
    rows[whole[0]] = 0
    # A node of the tree is a set of columns, the first place of it, and its row in T.
    nodes = [(np.arange(n), 0, 1)]
    while nodes:
        members, place, number = nodes.pop()
        if len(members) == 1:
            columns[members] = place
            continue
        mask = np.zeros(n, bool)
        mask[members] = True
        row = by_set.get(mask.tobytes())
        if row is None or number >= n:
            return
        rows[row] = number
        ahead = members[signs[row, members] > 0]
        behind = members[signs[row, members] < 0]
        if len(ahead) != len(behind):
            return
        nodes += [
            (ahead, place, 2 * number),
            (behind, place + len(ahead), 2 * number + 1),
        ]
    if np.all(rows >= 0) and len(np.unique(rows)) == n:
        yield rows, columns


def turned(finder: Finder) -> Finder:
    """Return the function that finds what another one finds in the transposes."""

    def find(matrix: np.ndarray, known: np.ndarray) -> Iterator[Places]:
        return ((rows, columns) for columns, rows in finder(matrix.T, known.T))

    return find
