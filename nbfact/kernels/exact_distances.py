"""Squared distances as sums of squared differences, in double precision.

|x|² + |v|² - 2 <v, x> is faster for many points x and centers v, but its error is a
multiple of |x|² + |v|², which may be larger than the distance: far from the origin,
or where points are very near their center. These kernels compute what is in doubt.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _square_of_difference(a, b):
    """Return |a - b|² in double precision; a, b: (D,) real."""
    total = 0.0
    for j in range(a.shape[0]):
        difference = np.float64(a[j]) - np.float64(b[j])
        total += difference * difference
    return total


@kernel
def nearest_exactly(
    x: np.ndarray,
    centers: np.ndarray,
    excess: np.ndarray,
    values: np.ndarray,
    limits: np.ndarray,
    labels: np.ndarray,
    squares: np.ndarray,
) -> None:
    """Find for each point x the center v with the smallest |x - v|² + excess.

    Only the centers whose value for that point is not above a limit are compared.

    Parameters
    ----------
    x : ndarray of float64, shape (n, D), C-contiguous
        The points; a hundred or so, because all centers are read for them together.
    centers : ndarray of float64, shape (K, D), C-contiguous
    excess : ndarray of float64, shape (K,)
        What is added for each center; zeros for the nearest one.
    values : ndarray of float64, shape (K, n)
        An approximation of what is compared, or of what differs from it by the same
        number for all centers. A center is also compared where it is not a number.
    limits : ndarray of float64, shape (n,)
        The values above which centers are passed over.
    labels : ndarray of int32, shape (n,)
        Overwritten with the number of the center, the smallest of those equally near;
        with -1 where no sum is finite.
    squares : ndarray of float64, shape (n,)
        Overwritten with that sum; with infinity where no sum is finite.

    Notes
    -----
    The cost is D multiplications for each center that is compared with a point.
    """
    for i in range(x.shape[0]):
        labels[i], squares[i] = -1, np.inf
    for k in range(centers.shape[0]):
        for i in range(x.shape[0]):
            if not values[k, i] > limits[i]:
                square = _square_of_difference(x[i], centers[k]) + excess[k]
                if square < squares[i]:
                    labels[i], squares[i] = k, square


@kernel
def correct_distances(
    squares: np.ndarray,
    x: np.ndarray,
    centers: np.ndarray,
    reaches: np.ndarray,
    norms: np.ndarray,
    floors: np.ndarray,
    ratio: float,
    roots: bool,
) -> None:
    """Compute anew the squared distances that rounding may have spoilt, in place.

    Parameters
    ----------
    squares : ndarray, shape (K, n), real
        Squared distances of K centers and n points. Finite ones of at least
        ``floors[k]`` and ``ratio * (reaches[k] + norms[i])**2`` are kept, and all
        others are overwritten with |x - v|².
    x : ndarray, shape (n, D), real, C-contiguous
        The points.
    centers : ndarray, shape (K, D), real, C-contiguous
        The centers.
    reaches, floors : ndarray of float64, shape (K,)
    norms : ndarray of float64, shape (n,)
    ratio : float
    roots : bool
        Whether squares are replaced by their square roots.

    Notes
    -----
    The cost is one pass over squares, and D multiplications for each that is computed.
    """
    for k in range(centers.shape[0]):
        for i in range(x.shape[0]):
            reach = reaches[k] + norms[i]
            square = np.float64(squares[k, i])
            if not np.inf > square >= max(floors[k], ratio * reach * reach):
                square = _square_of_difference(x[i], centers[k])
            squares[k, i] = np.sqrt(square) if roots else square


@kernel
def two_smallest(
    values: np.ndarray, labels: np.ndarray, best: np.ndarray, second: np.ndarray
) -> None:
    """Find the smallest value of each column, its row, and the second smallest value.

    Parameters
    ----------
    values : ndarray, shape (K, n), real, C-contiguous
        Only read. What is not a number is passed over.
    labels : ndarray of int32, shape (n,)
        Overwritten with the row of the smallest value, the first of equals; 0 where no
        value is below infinity.
    best, second : ndarray, shape (n,)
        Overwritten with the smallest value and the second smallest one, which is equal
        to it where there are two; with infinity where there is none.

    Notes
    -----
    The cost is one pass over values.
    """
    for i in range(values.shape[1]):
        labels[i], best[i], second[i] = 0, np.inf, np.inf
    for k in range(values.shape[0]):
        for i in range(values.shape[1]):
            value, least, other = values[k, i], best[i], second[i]
            smaller = value < least  # no branch, so that the loop is vectorised
            labels[i] = k if smaller else labels[i]
            best[i] = value if smaller else least
            larger = least if smaller else value
            second[i] = larger if larger < other else other
