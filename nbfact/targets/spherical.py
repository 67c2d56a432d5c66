"""Spherical harmonics at points of the sphere, as a square matrix."""

import numpy as np

from .._core.checks import RandomState, generator
from .._core.limits import dense_order


def spherical_harmonics(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return the first n real spherical harmonics at n random points of the sphere.

    Parameters
    ----------
    n : int
        Number of points and of harmonics, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the points
        uniformly. They are sorted by their height.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (i, j) is √(4π / n) times the j-th harmonic at point i. The harmonics are
        orthonormal on the sphere, in the order of the degrees l = 0, 1, …; those of
        one degree are in the order m = -l … l, with sin(|m| φ) for m < 0 and cos(m φ)
        for m > 0, and without the phase (-1)^m of Condon and Shortley.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    legendre : The polynomials in their columns.

    Examples
    --------
    >>> import nbfact as nf
    >>> Y = nf.targets.spherical_harmonics(9, random_state=0)
    >>> bool((abs(Y[:, 0] - 1 / 3) < 1e-15).all())
    True
    """
    n = dense_order("n", n)
    rng = generator("random_state", random_state)
    heights, turns = np.sort(rng.uniform(-1, 1, n)), rng.uniform(0, 2 * np.pi, n)
    columns: list[np.ndarray] = []
    degree = 0
    while len(columns) < n:
        for order in range(-degree, degree + 1):
            along = _legendre(degree, abs(order), heights)
            wave = np.sin if order < 0 else np.cos
            weight = np.sqrt(2) if order else 1.0
            columns.append(weight * along * wave(abs(order) * turns))
        degree += 1
    return np.stack(columns[:n], axis=1) / np.sqrt(n)


def _legendre(degree, order, x):
    """Return associated Legendre functions whose squares have the mean 1 on the sphere.

    They are normalised in each step of the recursion over the degrees, so that none
    overflows.
    """
    steps = np.arange(1, order + 1)
    start = np.sqrt((2 * order + 1) * np.prod((2 * steps - 1) / (2 * steps)))
    previous, found = np.zeros_like(x), start * (1 - x * x) ** (order / 2)
    for one in range(order + 1, degree + 1):
        square = one * one - order * order
        before = (one - 1) ** 2 - order * order
        first = np.sqrt((4 * one * one - 1) / square)
        second = np.sqrt((2 * one + 1) * before / ((2 * one - 3) * square))
        previous, found = found, first * x * found - second * previous
    return found
