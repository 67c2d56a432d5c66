"""The nine targets in the code of Dao et al. (2019), some of which are no transform."""

import numpy as np
import scipy.linalg
from numpy.polynomial.legendre import legvander

from .._core.checks import RandomState, size
from .dense_transforms import dct, dft, dst, hadamard, hartley


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

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.hilbert(2, normalized=False)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    n = size("n", n)
    matrix = 1 / (1.0 + np.add.outer(np.arange(n), np.arange(n)))
    return matrix / np.linalg.eigvalsh(matrix)[-1] if normalized else matrix


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
    n = size("n", n)
    first = np.random.default_rng(random_state).standard_normal(n)
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

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.randn(8, random_state=0).shape
    (8, 8)
    """
    n = size("n", n)
    return np.random.default_rng(random_state).standard_normal((n, n)) / np.sqrt(n)


def named(name: str, n: int, *, random_state: RandomState = 0) -> np.ndarray:
    """Return one of the nine targets of the code of Dao et al. (2019), in its scale.

    Parameters
    ----------
    name : str
        ``"dft"``, ``"dct"``, ``"dst"``, ``"convolution"``, ``"hadamard"``,
        ``"hartley"``, ``"legendre"``, ``"hilbert"`` or ``"randn"``.
    n : int
        Order; a power of two for ``"hadamard"``.
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

    References
    ----------
    T. Dao, A. Gu, M. Eichhorn, A. Rudra, C. Ré, Learning fast algorithms for linear
    transforms using butterfly factorizations, ICML 2019, section 4.1, which has eight
    of them: ``"hilbert"`` is in the repository HazyResearch/butterfly alone.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.named("hilbert", 1), nf.targets.named("dct", 1)
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
