"""Perturbations of a target: noise, and random orders of rows and columns."""

import numpy as np

from .._core.array_checks import array_of
from .._core.checks import RandomState, generator, real_number
from .._core.dtypes import real_dtype


def noisy(
    target: np.ndarray, noise: float, *, random_state: RandomState = None
) -> np.ndarray:
    """Return a matrix plus Gaussian noise of a given norm.

    Parameters
    ----------
    target : array_like, shape (m, n)
        A matrix of finite numbers. The noise is complex when the matrix is.
    noise : float
        Frobenius norm of the noise divided by that of the target, at least 0.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray, shape (m, n)
        A new matrix in the dtype of the target; float64 for integers.

    Raises
    ------
    TypeError
        When the target does not hold numbers.
    ValueError
        When the target is not a matrix of finite numbers, or the noise is negative or
        not finite.

    See Also
    --------
    permuted : The other way to make a target harder.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = nf.targets.noisy(np.eye(4), 0.1, random_state=0)
    >>> round(float(np.linalg.norm(x - np.eye(4)) / np.linalg.norm(np.eye(4))), 12)
    0.1
    """
    target = array_of("target", target, 2)
    noise = real_number("noise", noise, least=0)
    rng = generator("random_state", random_state)
    drawn = rng.standard_normal(target.shape)
    if target.dtype.kind == "c":
        drawn = drawn + 1j * rng.standard_normal(target.shape)
    # Divided by a power of two, the squares in the norm neither over- nor underflow.
    parts = target.ravel("K").view(real_dtype(target.dtype))
    exponent = np.frexp(np.max(abs(parts)))[1]
    norm = np.linalg.norm(np.ldexp(parts, -exponent).view(target.dtype))
    drawn *= noise * norm / np.linalg.norm(drawn)
    with np.errstate(over="ignore", invalid="ignore"):
        drawn = np.ldexp(drawn.view(float), exponent).view(drawn.dtype)
        found = target + drawn.astype(target.dtype)
    if not np.isfinite(found).all():
        raise ValueError(f"noise={noise}: the sum is not finite in {target.dtype}")
    return found


def permuted(target: np.ndarray, random_state: RandomState = None) -> np.ndarray:
    """Return a matrix with its rows and its columns in random orders.

    Parameters
    ----------
    target : array_like, shape (m, n)
        A matrix of finite numbers.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one. The order of the rows is drawn
        before that of the columns.

    Returns
    -------
    ndarray, shape (m, n)
        A new matrix in the dtype of the target; float64 for integers.

    Raises
    ------
    TypeError, ValueError
        When the target is not a matrix of finite numbers.

    See Also
    --------
    noisy : The other way to make a target harder.
    nbfact.identify_butterfly : Find unknown permutations.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.targets.permuted(np.arange(6.0).reshape(2, 3), random_state=0)
    array([[2., 0., 1.],
           [5., 3., 4.]])
    """
    target = array_of("target", target, 2)
    rng = generator("random_state", random_state)
    rows = rng.permutation(target.shape[0])
    return target[rows][:, rng.permutation(target.shape[1])]
