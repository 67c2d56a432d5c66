"""Squared distances as sums of squared differences, in double precision.

|x|² + |v|² - 2 <v, x> is faster for many points x and centers v, but its error is a
multiple of |x|² + |v|², which may be larger than the distance: far from the origin,
or where points are very near their center. These kernels compute what is in doubt.
"""

from typing import NamedTuple

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
        The centers; only read.
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

    See Also
    --------
    nearest_from_products : Finds the centers that are in doubt.
    distances_from_products : All distances.

    Notes
    -----
    The cost is D multiplications for each center that is compared with a point.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, centers = np.array([[0.0], [9.0]]), np.array([[1.0], [7.0]])
    >>> values, limits = np.zeros((2, 2)), np.full(2, np.inf)  # all are compared
    >>> labels, squares = np.empty(2, np.int32), np.empty(2)
    >>> arrays = np.zeros(2), values, limits, labels, squares
    >>> nf.kernels.nearest_exactly(x, centers, *arrays)
    >>> labels, squares
    (array([0, 1], dtype=int32), array([1., 4.]))
    """
    for i in range(x.shape[0]):
        labels[i], squares[i] = -1, np.inf
    for k in range(centers.shape[0]):
        for i in range(x.shape[0]):
            if not values[k, i] > limits[i]:
                square = _square_of_difference(x[i], centers[k]) + excess[k]
                if square < squares[i]:
                    labels[i], squares[i] = k, square


class CenterNorms(NamedTuple):
    """What `distances_from_products` reads of each center, all of shape (K,).

    Attributes
    ----------
    squares : ndarray
        Its squared norm.
    reaches : ndarray
        What bounds the rounding error of its products: see the kernel.
    floors : ndarray
        The squared distance below which it is computed anew.

    See Also
    --------
    distances_from_products : The kernel that reads these arrays.

    Examples
    --------
    Norms of the centers 1 and 3, whose products count as exact:

    >>> import numpy as np, nbfact as nf
    >>> norms = nf.kernels.CenterNorms(np.array([1.0, 9.0]), np.zeros(2), np.zeros(2))
    >>> norms.squares
    array([1., 9.])
    """

    squares: np.ndarray
    reaches: np.ndarray
    floors: np.ndarray


@kernel
def distances_from_products(
    products: np.ndarray,
    x: np.ndarray,
    centers: np.ndarray,
    of_centers: CenterNorms,
    squares: np.ndarray,
    lengths: np.ndarray,
    ratio: float,
    roots: bool,
) -> None:
    """Compute squared distances from products <v, x>, exactly where that is in doubt.

    Parameters
    ----------
    products : ndarray, shape (K, n), real, C-contiguous
        Products of K centers and n points. Overwritten with their squared distances,
        which are -2 <v, x> + |v|² + |x|² if that is finite, at least the floor of the
        center, and at least ratio (reach of the center + length of the point)², and
        else |x - v|² in double precision.
    x : ndarray, shape (n, D), real, C-contiguous
        The points.
    centers : ndarray, shape (K, D), real, C-contiguous
        The centers.
    of_centers : CenterNorms
        Arrays of the dtype of products.
    squares, lengths : ndarray, shape (n,), of the dtype of products
        The squared norms of the points, and the lengths.
    ratio : float
        Share of the squared lengths below which a squared distance is computed anew.
    roots : bool
        Whether the squared distances are replaced by their square roots.

    See Also
    --------
    CenterNorms : What is read of each center.
    nearest_rows : The nearest center alone, through sparse factors.

    Notes
    -----
    The cost is one pass over products, and D multiplications for each squared distance
    that is summed.

    Examples
    --------
    The squared distances of the point 2 from the centers 1 and 4:

    >>> import numpy as np, nbfact as nf
    >>> x, centers = np.array([[2.0]]), np.array([[1.0], [4.0]])
    >>> norms = nf.kernels.CenterNorms(np.array([1.0, 16.0]), np.zeros(2), np.zeros(2))
    >>> products, of_points = centers @ x.T, (np.array([4.0]), np.array([2.0]))
    >>> arrays = x, centers, norms, *of_points
    >>> nf.kernels.distances_from_products(products, *arrays, 0.0, False)
    >>> products
    array([[1.],
           [4.]])
    """
    for k in range(products.shape[0]):
        row = products[k]
        added = of_centers.squares[k], of_centers.reaches[k], of_centers.floors[k]
        if _fast_distances(row, added, squares, lengths, ratio, roots):
            for i in range(row.shape[0]):
                if row[i] < 0:
                    square = _square_of_difference(x[i], centers[k])
                    row[i] = np.sqrt(square) if roots else square


@kernel
def _fast_distances(row, of_center, squares, lengths, ratio, roots):
    """Overwrite the products of one center; return how many need exact distances.

    Those become -1. row, squares, lengths: (n,).
    """
    norm, reach, floor = of_center
    kind, in_doubt = row.dtype.type, 0
    two, zero, share = kind(2), kind(0), kind(ratio)
    for i in range(row.shape[0]):
        square = (-two * row[i] + norm) + squares[i]
        total = reach + lengths[i]
        good = (square >= max(floor, share * total * total)) & (square < np.inf)
        value = square if good else zero
        value = np.sqrt(value) if roots else value
        row[i] = value if good else kind(-1)
        in_doubt += not good
    return in_doubt


@kernel(fastmath=REASSOC)
def _squared_norm(x):
    """Return |x|²; x: (D,) real."""
    total = x.dtype.type(0)
    for j in range(x.shape[0]):
        total += x[j] * x[j]
    return total


@kernel
def nearest_from_products(
    products: np.ndarray,
    added: np.ndarray,
    x: np.ndarray,
    margin: np.ndarray,
    labels: np.ndarray,
    best: np.ndarray,
    second: np.ndarray,
) -> int:
    """Find the nearest center of each point from products, and whether it is in doubt.

    Parameters
    ----------
    products : ndarray, shape (K, n), real, C-contiguous
        Only read. The values of the points are products + added; what is not a number
        is passed over.
    added : ndarray, shape (K,), of the dtype of products
        What is added to each row.
    x : ndarray, shape (n, D), real, C-contiguous
        The points, whose lengths |x| are computed.
    margin : ndarray, shape (2,), of the dtype of products
        A value that is larger by at most margin[0] + margin[1] |x| counts as equal.
    labels : ndarray of int32, shape (n,)
        Overwritten with the row r of the smallest value, the first of equals; with 0
        where no value is below infinity. Where another value counts as equal to it, or
        no value is below infinity, ~r = -r - 1 is written instead.
    best, second : ndarray, shape (n,), of the dtype of products
        Overwritten with the smallest value and the second smallest one, which is equal
        to it where there are two; with infinity where there is none.

    Returns
    -------
    int
        The number of points with a negative label.

    See Also
    --------
    nearest_exactly : Decides where the two are too close.

    Notes
    -----
    The cost is one pass over products, and one over x.

    Examples
    --------
    The second point has two values that differ by less than the margin:

    >>> import numpy as np, nbfact as nf
    >>> products = np.array([[3.0, 1.0], [2.0, 5.0], [4.0, 1.2]])
    >>> x, margin = np.zeros((2, 1)), np.array([0.5, 0.0])
    >>> labels, best, second = np.empty(2, np.int32), np.empty(2), np.empty(2)
    >>> found = labels, best, second
    >>> int(nf.kernels.nearest_from_products(products, np.zeros(3), x, margin, *found))
    1
    >>> labels, best
    (array([ 1, -1], dtype=int32), array([2., 1.]))
    """
    for i in range(products.shape[1]):
        labels[i], best[i], second[i] = 0, np.inf, np.inf
    for k in range(products.shape[0]):
        more = added[k]
        for i in range(products.shape[1]):
            value, least, other = products[k, i] + more, best[i], second[i]
            smaller = value < least  # no branch, so that the loop is vectorised
            labels[i] = k if smaller else labels[i]
            best[i] = value if smaller else least
            larger = least if smaller else value
            second[i] = larger if larger < other else other
    in_doubt = 0
    for i in range(products.shape[1]):
        limit = margin[0] + margin[1] * np.sqrt(_squared_norm(x[i]))
        if not (best[i] < np.inf and second[i] - best[i] > limit):
            labels[i] = ~labels[i]
            in_doubt += 1
    return in_doubt
