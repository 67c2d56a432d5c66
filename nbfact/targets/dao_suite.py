"""The nine targets in the code of Dao et al. (2019), some of which are no transform."""

from collections.abc import Callable

import numpy as np
import scipy.linalg
from numpy.polynomial.legendre import legvander
from scipy.sparse.linalg import eigsh

from .._core.checks import RandomState, choice, flag, generator
from .._core.limits import dense_order
from .dense_transforms import dct, dft, dst, hadamard, hartley

SMALL = 2048
"""Largest order of a Hilbert matrix of which all eigenvalues are computed, which takes
a second; for ten times the order it would take ten minutes."""


def legendre(n: int, normalized: bool = True) -> np.ndarray:
    """Return the values of the first n Legendre polynomials on a regular grid.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: the values are divided by √n. ``False``: they are not, so that their
        modulus is at most 1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Entry (k, j) is P_k(x_j) with the n points x_j = -1 + 2 (j + 1) / (n + 1), which
        lie strictly between -1 and 1.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.legendre : The matrix as a butterfly.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.legendre(3, normalized=False)
    array([[ 1.   ,  1.   ,  1.   ],
           [-0.5  ,  0.   ,  0.5  ],
           [-0.125, -0.5  , -0.125]])
    """
    n, normalized = dense_order("n", n), flag("normalized", normalized)
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
        ``True``: the matrix is divided by its spectral norm, which is below π.
        ``False``: it is not.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The symmetric, positive definite matrix whose entry (i, j) is 1 / (i + j + 1).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    kernel_matrix : Other matrices of low numerical rank.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.hilbert(2, normalized=False)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    n, normalized = dense_order("n", n), flag("normalized", normalized)
    matrix = 1 / (1.0 + np.add.outer(np.arange(n), np.arange(n)))
    if not normalized:
        return matrix
    if n <= SMALL:
        return matrix / np.linalg.eigvalsh(matrix)[-1]
    # The eigenvalues fall fast, so that a few products find the largest one.
    (largest,) = eigsh(matrix, 1, v0=matrix[0], return_eigenvectors=False)
    return matrix / largest


def convolution(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return a circulant matrix whose first column is Gaussian of variance 1/n.

    Parameters
    ----------
    n : int
        Order, at least 1.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose entry (i, j) is c[(i - j) mod n] with the random column c. A
        product with it is a circular convolution with c.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.circulant : The fast operator of a circulant matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> matrix = nf.targets.convolution(4, random_state=0)
    >>> bool(matrix[3, 2] == matrix[0, 3])
    True
    """
    n = dense_order("n", n)
    first = generator("random_state", random_state).standard_normal(n)
    return scipy.linalg.circulant(first / np.sqrt(n))


def randn(n: int, random_state: RandomState = None) -> np.ndarray:
    """Return a matrix of independent Gaussian entries of variance 1/n.

    It has no structure that a factorization could use.

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

    See Also
    --------
    planted : Random products that have sparse factors.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.randn(8, random_state=0).shape
    (8, 8)
    """
    n = dense_order("n", n)
    return generator("random_state", random_state).standard_normal((n, n)) / np.sqrt(n)


def named(name: str, n: int, *, random_state: RandomState = 0) -> np.ndarray:
    """Return one of the nine targets of the code of Dao et al. (2019), in its scale.

    Parameters
    ----------
    name : str
        ``"dft"``, ``"dct"``, ``"dst"``, ``"convolution"``, ``"hadamard"``,
        ``"hartley"``, ``"legendre"``, ``"hilbert"`` or ``"randn"``.
    n : int
        Order; that of a known Hadamard matrix for ``"hadamard"``.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, for ``"convolution"`` and
        ``"randn"`` only. The numbers differ from theirs, which are of NumPy's former
        generator.

    Returns
    -------
    ndarray of float64 or complex128, shape (n, n)
        A matrix of spectral norm about one. ``"dct"`` and ``"dst"`` are the textbook
        matrices, those of `dct` and `dst` with ``normalized=False``, divided by √n:
        except for one row, they are √2 times the orthonormal ones. The others are the
        results of the functions of these names.

    Raises
    ------
    TypeError, ValueError
        When the name is another, or `n` is not an order of that target.

    See Also
    --------
    nbfact.transforms : Named transforms as fast operators.

    References
    ----------
    T. Dao, A. Gu, M. Eichhorn, A. Rudra, C. Ré, Learning fast algorithms for linear
    transforms using butterfly factorizations, ICML 2019 [dao2019], section 4.1, which
    has eight of them: ``"hilbert"`` is in the repository HazyResearch/butterfly alone.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.named("hilbert", 1), nf.targets.named("dct", 1)
    (array([[1.]]), array([[2.]]))
    """
    name, rng = choice("name", name, _NAMED), generator("random_state", random_state)
    if name in ("convolution", "randn"):
        return _NAMED[name](n, rng)
    if name in ("dct", "dst"):
        return _NAMED[name](n, normalized=False) / np.sqrt(n)
    return _NAMED[name](n)


_NAMED: dict[str, Callable[..., np.ndarray]] = {
    "convolution": convolution,
    "dct": dct,
    "dft": dft,
    "dst": dst,
    "hadamard": hadamard,
    "hartley": hartley,
    "hilbert": hilbert,
    "legendre": legendre,
    "randn": randn,
}
"""The targets of `named`."""
