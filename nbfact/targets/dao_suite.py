"""The targets of Dao et al. (2019) that are not transforms, and all nine by name."""

import numpy as np
import scipy.linalg
from numpy.polynomial.legendre import legvander

from .._core.checks import RandomState, size
from .dense_transforms import dct, dft, dst, hadamard, hartley


def legendre(n: int, normalized: bool = True) -> np.ndarray:
    """Return values of the Legendre polynomials on a regular grid.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: divided by √n. ``False``: the values, at most 1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (k, j) is P_k(x_j), x_j = -1 + 2 (j + 1) / (n + 1): n points strictly
        between -1 and 1.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> legendre(3, normalized=False)
    array([[ 1.   ,  1.   ,  1.   ],
           [-0.5  ,  0.   ,  0.5  ],
           [-0.125, -0.5  , -0.125]])
    """
    n = size("n", n)
    grid = np.linspace(-1, 1, n + 2)[1:-1]
    matrix = np.ascontiguousarray(legvander(grid, n - 1).T)
    return matrix / np.sqrt(n) if normalized else matrix


def hilbert(n: int, normalized: bool = True) -> np.ndarray:
    """Return the Hilbert matrix.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: divided by its spectral norm, which is below π.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Symmetric, positive definite; entry (i, j) is 1 / (i + j + 1).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> hilbert(2, normalized=False)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    n = size("n", n)
    matrix = 1 / (1.0 + np.add.outer(np.arange(n), np.arange(n)))
    return matrix / np.linalg.eigvalsh(matrix)[-1] if normalized else matrix


def convolution(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return a circulant matrix with a Gaussian first column of variance 1/n.

    Parameters
    ----------
    n : int
        Order, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (i, j) is c[(i - j) mod n]: its product is a circular convolution.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> matrix = convolution(4, random_state=0)
    >>> bool(matrix[3, 2] == matrix[0, 3])
    True
    """
    n = size("n", n)
    first = np.random.default_rng(random_state).standard_normal(n)
    return scipy.linalg.circulant(first / np.sqrt(n))


def randn(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return a matrix of independent Gaussian entries of variance 1/n: no structure.

    Parameters
    ----------
    n : int
        Order, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    Examples
    --------
    >>> randn(8, random_state=0).shape
    (8, 8)
    """
    n = size("n", n)
    return np.random.default_rng(random_state).standard_normal((n, n)) / np.sqrt(n)


def named(name: str, n: int, *, random_state: RandomState = 0) -> np.ndarray:
    """Return one of the nine targets of Dao et al., scaled as there.

    Parameters
    ----------
    name : str
        ``"dft"``, ``"dct"``, ``"dst"``, ``"convolution"``, ``"hadamard"``,
        ``"hartley"``, ``"legendre"``, ``"hilbert"`` or ``"randn"``.
    n : int
        Order; a power of two for ``"hadamard"``.
    random_state : None, int or numpy.random.Generator
        For ``"convolution"`` and ``"randn"``; other draws than those of the paper,
        which came from NumPy's former generator.

    Returns
    -------
    ndarray of float64 or complex128, shape (n, n)
        Of spectral norm about one. ``"dct"`` and ``"dst"`` are the textbook matrices,
        of `dct` with ``normalized=False``, divided by √n: √2 times orthonormal ones
        but for one row. The others are those of this module.

    Raises
    ------
    TypeError, ValueError
        When the name is another, or `n` is not an order of that target.

    References
    ----------
    T. Dao, A. Gu, M. Eichhorn, A. Rudra, C. Ré, Learning fast algorithms for linear
    transforms using butterfly factorizations, ICML 2019, section 4.1.

    Examples
    --------
    >>> named("hilbert", 1), named("dct", 1)
    (array([[1.]]), array([[2.]]))
    """
    if name in ("dct", "dst"):
        textbook = (dct if name == "dct" else dst)(n, normalized=False)
        return textbook / np.sqrt(n)
    if name in ("convolution", "randn"):
        return (convolution if name == "convolution" else randn)(n, random_state)
    others = {
        "dft": dft,
        "hadamard": hadamard,
        "hartley": hartley,
        "legendre": legendre,
        "hilbert": hilbert,
    }
    if name not in others:
        known = ", ".join(sorted([*others, "dct", "dst", "convolution", "randn"]))
        raise ValueError(f"name={name!r}: expected one of {known}")
    return others[name](n)
