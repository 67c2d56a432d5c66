"""A baseline that finds the permutations of a butterfly by clustering rows and columns.

This is the method of Zheng, Puy, Riccietti, Pérez and Gribonval (GRETSI 2023), written
from the paper so that the study can compare with it. To factor a matrix, use
``nbfact.identify_butterfly`` instead.
"""

import numpy as np
import scipy.linalg
import scipy.optimize

from ..._core.checks import RandomState, generator
from ...algorithms import ButterflyFactorization, butterfly_factorize
from ...operators import Chain
from ...operators.reorderings import bit_reversal

ALPHAS = (1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
"""Exponents that correlations are raised to: those of the authors' experiments."""

EXACT = 1e-6
"""Relative error below which the search of a level ends, because it has succeeded."""

LLOYD_SWEEPS, LLOYD_STARTS = 20, 2
"""Largest number of sweeps of the balanced K-means, and how often it starts anew."""


def rank_one_blocks(
    target: np.ndarray,
    alphas: tuple[float, ...] = ALPHAS,
    n_guesses: int = 5,
    n_iter: int = 50,
    random_state: RandomState = None,
) -> ButterflyFactorization | None:
    """Factor a matrix into a butterfly whose rows and columns are permuted.

    Parameters
    ----------
    target : ndarray, (n, n)
        The matrix to factor; n is a power of two.
    alphas : tuple of float
        Exponents α to try, see Notes.
    n_guesses : int
        Number of random partitions to start from, for each exponent.
    n_iter : int
        Largest number of alternations between rows and columns. They end earlier when
        the partitions repeat.
    random_state : None, int, numpy.random.Generator or RandomState
        Seed of the random partitions and of K-means.

    Returns
    -------
    ButterflyFactorization or None
        The factorization, or None when the partitions of two levels do not nest:
        no permutation then fits both levels.

    Notes
    -----
    For each level l below log2(n), the rows and columns of a butterfly fall into blocks
    of 2^l rows and n / 2^l columns that have rank one. Each level is searched by
    itself. Its rows are clustered by the similarity Σ |c|^α, where the sum is over the
    groups of columns and c is the cosine of two rows within a group; then its columns
    are clustered in the same way over groups of rows, and so on. Clusters are those of
    normalised spectral clustering with clusters of equal size, which K-means finds by
    solving assignment problems. The partition with the least error over all
    alternations, exponents and guesses is kept; an error below 1e-6 ends the search of
    a level.

    References
    ----------
    L. Zheng, G. Puy, E. Riccietti, P. Pérez, R. Gribonval, Factorisation butterfly par
    identification algorithmique de blocs de rang un, GRETSI 2023, hal-04145743.

    Examples
    --------
    >>> from nbfact import targets
    >>> A = targets.permuted_butterfly(8, "orthogonal", random_state=0)
    >>> bool(rank_one_blocks(A, random_state=0).relative_error < 1e-12)
    True
    """
    rng = generator("random_state", random_state)
    n_levels = len(target).bit_length() - 1
    levels = [
        _level(target, level, alphas, n_guesses, n_iter, rng)
        for level in range(1, n_levels)
    ]
    # `nested` and `leaves` take partitions from coarse to fine: those of the rows are
    # finest at the first level, those of the columns at the last.
    rows = [rows for rows, _ in levels][::-1]
    columns = [columns for _, columns in levels]
    if not (nested(rows) and nested(columns)):
        return None
    order = leaves(rows, len(target))[bit_reversal(len(target))]
    return butterfly_factorize(
        target,
        Chain.square_dyadic(target.shape),
        permutation=(order, leaves(columns, len(target))),
        transpose=False,
    )


def nested(partitions: list[np.ndarray]) -> bool:
    """Return whether each partition refines the one before it.

    Parameters
    ----------
    partitions : list of ndarray of int, (n,)
        Each partition as the label of each of the n items.

    Returns
    -------
    bool

    Examples
    --------
    >>> halves = np.array([0, 0, 1, 1])
    >>> nested([halves, np.arange(4)]), nested([halves, np.array([0, 1, 1, 0])])
    (True, False)
    """
    for i in range(1, len(partitions)):
        pairs = set(zip(partitions[i], partitions[i - 1], strict=True))
        if len(pairs) != len(set(partitions[i])):
            return False
    return True


def leaves(partitions: list[np.ndarray], n: int) -> np.ndarray:
    """Return the items in an order that keeps each cluster of each partition together.

    Parameters
    ----------
    partitions : list of ndarray of int, (n,)
        Nested partitions, from coarse to fine, as the label of each item.
    n : int
        Number of items.

    Returns
    -------
    ndarray of int, (n,)

    Examples
    --------
    >>> leaves([np.array([1, 0, 1, 0])], 4)
    array([1, 3, 0, 2])
    """
    return np.lexsort((np.arange(n), *partitions[::-1]))


def _level(target, level, alphas, n_guesses, n_iter, rng):
    """Return the labels of the rows and of the columns at one level.

    The columns have 2^level labels and the rows n / 2^level.
    """
    n = len(target)
    n_columns = 2**level
    size = np.linalg.norm(target)
    best, least = None, np.inf
    for alpha in alphas:
        for _ in range(n_guesses):
            columns = rng.permutation(np.arange(n) % n_columns)
            rows = None
            for _ in range(n_iter):
                before = rows, columns
                rows = _clusters(target, columns, n_columns, alpha, n // n_columns, rng)
                columns = _clusters(
                    target.T, rows, n // n_columns, alpha, n_columns, rng
                )
                error = _residual_norm(target, rows, columns, n_columns)
                if error < least:
                    best, least = (rows, columns), error
                if least <= EXACT * size:
                    return best
                if before[0] is not None and _same(before, (rows, columns)):
                    break
    return best


def _same(before, after):
    """Return whether two pairs of partitions are equal, whatever their labels are."""
    return all(
        len(set(zip(x, y, strict=True))) == len(set(x))
        for x, y in zip(before, after, strict=True)
    )


def _clusters(matrix, groups, n_groups, alpha, n_clusters, rng):
    """Return the labels of the rows, clustered by similarity in groups of columns."""
    n = len(matrix)
    order = np.argsort(groups, kind="stable")
    parts = matrix[:, order].reshape(n, n_groups, -1).transpose(1, 0, 2)
    norms = np.linalg.norm(parts, axis=2, keepdims=True)
    parts = parts / np.where(norms == 0, 1, norms)
    cosines = abs(parts @ parts.conj().transpose(0, 2, 1))
    weights = (np.minimum(cosines, 1) ** alpha).sum(0)
    degrees = np.sqrt(np.maximum(weights.sum(1), np.finfo(float).tiny))
    weights /= degrees[:, None] * degrees
    chosen = [n - n_clusters, n - 1]
    points = scipy.linalg.eigh(weights, subset_by_index=chosen)[1]
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return _balanced(points / np.where(lengths == 0, 1, lengths), n_clusters, rng)


def _balanced(points, n_clusters, rng):
    """Return the labels of the best of a few K-means with clusters of equal size."""
    best, least = None, np.inf
    slots = np.repeat(np.arange(n_clusters), len(points) // n_clusters)
    for _ in range(LLOYD_STARTS):
        centres, labels = points[_spread(points, n_clusters, rng)], None
        for _ in range(LLOYD_SWEEPS):
            away = ((points[:, None] - centres) ** 2).sum(-1)
            _, taken = scipy.optimize.linear_sum_assignment(away[:, slots])
            before, labels = labels, slots[taken]
            members = labels == np.arange(n_clusters)[:, None]
            centres = members @ points / members.sum(1, keepdims=True)
            if before is not None and (before == labels).all():
                break
        inertia = ((points - centres[labels]) ** 2).sum()
        if inertia < least:
            best, least = labels, inertia
    return best


def _spread(points, n_clusters, rng):
    """Return the indices of the points to start K-means from, drawn by k-means++."""
    chosen = [rng.integers(len(points))]
    away = np.full(len(points), np.inf)
    while len(chosen) < n_clusters:
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(1))
        away[chosen] = 0
        chance = away + 1e-12 * (away.max() + 1) * (away == 0)
        chance[chosen] = 0
        chosen.append(rng.choice(len(points), p=chance / chance.sum()))
    return chosen


def _residual_norm(target, rows, columns, n_columns):
    """Return the norm of the residual that the best rank-one blocks leave."""
    n = len(target)
    view = target[np.argsort(rows, kind="stable")]
    view = view[:, np.argsort(columns, kind="stable")]
    blocks = view.reshape(n // n_columns, n_columns, n_columns, -1).swapaxes(1, 2)
    if n_columns**2 > n:
        blocks = blocks.swapaxes(2, 3)
    gram = blocks @ blocks.conj().swapaxes(2, 3)
    kept = np.linalg.eigvalsh(gram)[..., -1].sum()
    return np.sqrt(max(np.linalg.norm(target) ** 2 - kept, 0.0))
