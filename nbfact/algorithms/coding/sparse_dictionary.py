"""A sparse dictionary and sparse codes of a matrix, whose supports are found in turns.

Both are found by hard thresholding pursuit (Foucart 2011): a gradient step from the
codes, the largest entries of all columns together, and least squares on them. A budget
of non-zeros is shared by all columns, so that those with more energy get more of them,
and by the dictionary and the codes. Errors may be weighted by a matrix W on the left:
then ‖W (A - D X)‖ is what becomes small.

The thresholds judge all entries at a time, by gradients. Where they find nothing better
any more, `exchange_atoms` does: it judges the moves of single entries of a code by the
errors that they lead to.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...kernels import exchange_atoms
from ..palm.least_squares import least_squares

STEP = 2 / 3
"""Length of the gradient step for atoms of norm 1. With 1, whole groups of atoms that
resemble one another enter together, and with 1/4 supports take twice as many turns."""

RIDGE = 1e-10
"""Number that is added to the diagonal of a system whose diagonal is scaled to 1."""

FIRST_SHARE = 0.5
"""Share of its entries that a dictionary has in the first turn, and largest share of
the budget that these may be."""

_CHANGE, _POWER = 0.85, 0.5
"""Least factor by which a turn changes the number of entries of the dictionary, one
over the largest one, and the power of the ratio of marginal errors that it is."""

_SETTLING = 2
"""Number of first turns in which the dictionary keeps its number of entries."""

_STEPS = 3
"""Number of steps of the pursuit of codes that start from zeros, in the first turn."""

_PATIENCE, _GAIN = 12, 1e-3
"""Turns end when as many in a row have not lowered the least error by this part."""

MOVES = 30
"""Maximum number of moves of each code in a turn that exchanges entries."""

_FIRST_PRICE = 0.1
"""Price in the first turn that exchanges entries, over the square of the marginal error
of the least entry of the codes."""

_SURPLUS = 1.02
"""Number of entries that codes shall have after their moves, over the number that they
may have: the least ones of all codes are left out."""

SAMPLED = 8
"""Number of columns, in those that the dictionary has, of the sample that it is learned
from first where the matrix has at least twice as many, because a turn costs in
proportion."""


class Coding(NamedTuple):
    """A dictionary D and codes X with A ≈ D X.

    Attributes
    ----------
    dictionary : ndarray, (m, m)
    codes : ndarray, (m, n)
    entries : int
        Number of entries that the dictionary may have in the next turn.
    error : float
        About ‖W (A - D X)‖_F, where that is not much smaller than ‖W A‖_F.
    price : float
        By how much an entry of the codes must lower the square of the error in the next
        turn, where that exchanges entries; 0 where nothing is known.
    """

    dictionary: np.ndarray
    codes: np.ndarray
    entries: int
    error: float
    price: float = 0.0

    @classmethod
    def first(cls, matrix: np.ndarray, budget: int) -> "Coding":
        """Return the identity, and codes of zeros, for a matrix."""
        m = len(matrix)
        entries = min(m + int(FIRST_SHARE * (m * m - m)), int(FIRST_SHARE * budget))
        eye = np.eye(m, dtype=matrix.dtype)
        return cls(eye, np.zeros_like(matrix), max(entries, 1), math.inf)

    def of_columns(self, matrix: np.ndarray) -> "Coding":
        """Return the dictionary with codes of zeros for other columns."""
        zeros = np.zeros_like(matrix)
        return self._replace(codes=zeros, error=math.inf, price=0.0)


class CodingTask(NamedTuple):
    """What is coded, and how many non-zeros that may take.

    Attributes
    ----------
    matrix : ndarray, (m, n)
        The matrix A, in double precision, not zero.
    budget : int
        Largest number of non-zeros of the dictionary and the codes together, at least
        2.
    portion : float
        The share of the columns of a larger matrix that A has, where the dictionary and
        the budget are those of the larger one: codes get that share of the rest.
    weights : ndarray or None, (m, m)
        The matrix W by which errors are multiplied, invertible; None for the identity.
    exchanged : bool
        Whether turns exchange single entries of the codes, from codes that are not
        zeros; otherwise all supports are found by thresholds.
    """

    matrix: np.ndarray
    budget: int
    portion: float = 1.0
    weights: np.ndarray | None = None
    exchanged: bool = False

    def weighted(self, x: np.ndarray) -> np.ndarray:
        """Return W X for a matrix X with m rows."""
        return x if self.weights is None else self.weights @ x


def learn_coding(
    signals: CodingTask,
    start: Coding,
    tilt: float,
    n_iter: int,
    over: Callable[[], bool],
) -> tuple[Coding, Coding]:
    """Find better codes and a better dictionary in turns.

    Parameters
    ----------
    signals : CodingTask
    start : Coding
        What to start from.
    tilt : float
        How many times as large as that of a code the marginal error of an entry of the
        dictionary counts, when the budget is shared between the two.
    n_iter : int
        Maximum number of turns.
    over : callable
        Returns whether the time is over, which ends the turns after the first one.

    Returns
    -------
    best, last : Coding
        The one with the least error, and the last one, to go on from.

    Notes
    -----
    The marginal error of an entry, that of leaving it out, is about its modulus times
    the norm of the atom, or of the row of codes, that it multiplies. Where the least
    one of the dictionary's entries is larger than that of the codes, the dictionary
    gets more entries, and fewer otherwise. That number goes up and down from turn to
    turn, which lets supports change: with any number that stays, errors are larger.
    Where entries are exchanged it goes less far from turn to turn, and all turns are
    made.

    Cost of a turn: about 4 m² n multiplications, and t³ / 3 for each column with t
    entries, or m t² for each move of it. With weights the rows of the dictionary are
    coupled, and its values are found by conjugate gradients, at about 2 m³ for each of
    some hundred steps.
    """
    matrix, budget, portion, weights, _ = signals
    wanted = signals.weighted(matrix)
    square = np.vdot(wanted, wanted).real
    metric = None if weights is None else weights.conj().T @ weights
    m, best, last = len(matrix), start, start
    lowered, reached, fresh = 0, start.error, not start.codes.any()
    most = min(m * m, budget - 1)
    for turn in range(n_iter):
        share = min(last.entries, most)
        count = max(1, int(portion * (budget - share)))
        codes, price, ended = _coded(signals, last, wanted, count, over)
        images = matrix @ codes.conj().T
        if metric is not None:
            images = metric @ images
        normal = Normal(metric, codes @ codes.conj().T, images)
        dictionary, heavy, fitted = pursued(normal, last.dictionary, share)
        error = math.sqrt(max(0.0, square - fitted))
        change = 1.0
        if not fresh or turn >= _SETTLING:
            ratio = tilt * heavy / math.sqrt(price) if price > 0 else math.inf
            ratio /= math.sqrt(portion)  # more columns need the entry
            least = _CHANGE
            if signals.exchanged:  # less from turn to turn
                least **= 1 - turn / n_iter
            change = min(max(ratio**_POWER, least), 1 / least)
        entries = round(share * change)
        if entries == share:  # a few change by one
            entries += (change > 1) - (change < 1)
        entries = max(1, min(entries, most))
        last = Coding(dictionary, codes, entries, error, price)
        if error < best.error:
            best = last
        if error < (1 - _GAIN) * reached:
            lowered, reached = turn, error
        patient = signals.exchanged or turn - lowered < _PATIENCE
        if ended or over() or not patient:
            break
    return best, last


def _coded(signals, start, wanted, count, over):
    """Return `count` codes of W A in a dictionary, their price, and if time is over.

    wanted: the matrix W A.
    """
    atoms = np.ascontiguousarray(signals.weighted(start.dictionary).conj().T)
    gram, inner = atoms @ atoms.conj().T, atoms @ wanted
    normal = Normal(gram, None, inner)
    codes, price, ended = start.codes, start.price, False
    if signals.exchanged and price <= 0 and codes.any():
        sizes = np.abs(codes * normal.norms[0])
        price = _FIRST_PRICE * float(sizes[codes != 0].min()) ** 2
    elif not signals.exchanged or price <= 0:
        for step in range(1 if codes.any() else _STEPS):
            ended = step > 0 and over()
            if ended:
                break
            codes, light, _ = pursued(normal, codes, count)
        price = light * light
    if signals.exchanged and price > 0:
        codes, price = exchanged(gram, inner, codes, count, price)
    return codes, price, ended


class Normal(NamedTuple):
    """The normal equations G S H = N of the matrix S that minimises ‖Y - L S R‖_F.

    Attributes
    ----------
    gram, right_gram : ndarray or None
        G = Lᴴ L and H = R Rᴴ; None stands for the identity.
    inner : ndarray
        N = Lᴴ Y Rᴴ.
    """

    gram: np.ndarray | None
    right_gram: np.ndarray | None
    inner: np.ndarray

    def residual(self, x: np.ndarray) -> np.ndarray:
        """Return N - G X H."""
        if self.gram is not None:
            x = self.gram @ x
        return self.inner - (x if self.right_gram is None else x @ self.right_gram)

    @property
    def coupled(self) -> bool:
        """Whether the equations of different rows and columns are coupled."""
        return self.gram is not None and self.right_gram is not None

    @property
    def norms(self) -> tuple[np.ndarray | float, np.ndarray | float]:
        """Norms of the columns of L, as a column, and of the rows of R."""
        left = 1.0 if self.gram is None else _norms(self.gram)[:, None]
        return left, 1.0 if self.right_gram is None else _norms(self.right_gram)


def _norms(gram):
    """Return the norms of the vectors of a Gram matrix, and 1 for those of zeros."""
    norms = np.sqrt(gram.diagonal().real)
    return np.where(norms > 0, norms, 1.0)


def pursued(
    normal: Normal, start: np.ndarray, count: int
) -> tuple[np.ndarray, float, float]:
    """Take a step of hard thresholding pursuit from a sparse matrix S.

    Parameters
    ----------
    normal : Normal
        The equations of the best matrix, in which each unknown has norm 1 once it is
        multiplied by those of its column of L and its row of R.
    start : ndarray
        The matrix to start from.
    count : int
        Number of non-zeros that are allowed.

    Returns
    -------
    found : ndarray
        At most `count` entries are not zero, with least squares for their values.
    least : float
        The least modulus among the largest entries, times those two norms.
    fitted : float
        ‖Y‖² - ‖Y - L S R‖² for the matrix that is found.
    """
    left, right = normal.norms
    stepped = start * left * right
    stepped += STEP * normal.residual(start) / left / right
    rows, columns = largest_places(stepped, count)
    least = float(np.abs(stepped[rows, columns]).min())
    found = _fitted(normal, start, rows, columns)
    fitted = np.vdot(found, normal.inner).real
    if normal.coupled:  # whose solution is not exact
        fitted += np.vdot(found, normal.residual(found)).real
    return found, least, float(fitted)


def _fitted(normal, start, rows, columns):
    """Return the matrix of least squares with entries at these places."""
    found = np.zeros_like(start)
    wanted = normal.inner
    if normal.coupled:  # conjugate gradients need few steps from a near solution
        found[rows, columns] = start[rows, columns]
        wanted = normal.residual(found)
    found[rows, columns] += least_squares(
        normal.gram, normal.right_gram, rows, columns, wanted[rows, columns], RIDGE
    )
    return found


def exchanged(
    gram: np.ndarray, inner: np.ndarray, start: np.ndarray, count: int, price: float
) -> tuple[np.ndarray, float]:
    """Improve sparse codes by moves of single entries.

    Parameters
    ----------
    gram, inner : ndarray
        The inner products Dᴴ D of the atoms, and Dᴴ Y of them and the signals.
    start : ndarray
        The codes to start from.
    count : int
        Number of non-zeros that are allowed.
    price : float
        What an entry must lower the square of the error by, positive.

    Returns
    -------
    found : ndarray
        At most `count` entries are not zero, with least squares for their values.
    price : float
        An estimate of the price with which moves leave a little more than `count`.
    """
    codes = np.ascontiguousarray(start.T)
    exchange_atoms(gram, np.ascontiguousarray(inner.T), price, MOVES, codes)
    found = np.ascontiguousarray(codes.T)
    used = int(np.count_nonzero(found))
    normal = Normal(gram, None, inner)
    if used > count:
        rows, columns = largest_places(found * normal.norms[0], count)
        found = _fitted(normal, found, rows, columns)
    elif used < count:
        found = pursued(normal, found, count)[0]
    return found, price * (max(used, 1) / (_SURPLUS * count)) ** 2


def sampled(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `SAMPLED` m columns of an (m, n) matrix, or itself if it has few more."""
    m, n = matrix.shape
    if n < 2 * SAMPLED * m:
        return matrix
    chosen = np.sort(rng.choice(n, SAMPLED * m, replace=False))
    sample = np.ascontiguousarray(matrix[:, chosen])
    return sample if sample.any() else matrix


def largest_places(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of the entries of largest modulus, in any order.

    Examples
    --------
    >>> rows, columns = largest_places(np.array([[3.0, -5.0], [0.0, 1.0]]), 2)
    >>> sorted(zip(rows.tolist(), columns.tolist()))
    [(0, 0), (0, 1)]
    """
    size = np.abs(matrix).ravel()
    if count >= size.size:
        places = np.arange(size.size)
    else:
        places = np.argpartition(-size, count - 1)[:count]
    rows, columns = np.unravel_index(places, matrix.shape)
    return rows, columns
