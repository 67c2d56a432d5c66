"""Products of random sparse factors."""

from collections.abc import Callable

import numpy as np
import scipy.sparse

from .._core.checks import RandomState, power_of_two, size
from .perturbations import permuted


def planted(
    n: int,
    n_factors: int,
    k: int,
    *,
    random_state: RandomState = None,
    return_factors: bool = False,
) -> np.ndarray | tuple[np.ndarray, list[scipy.sparse.csr_array]]:
    """Return a product of random sparse factors, which an algorithm should find again.

    Parameters
    ----------
    n : int
        Order of the matrix and of every factor.
    n_factors : int
        Number of factors, J.
    k : int
        Non-zeros in each row and in each column of each factor, from 1 to `n`.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Return the factors as well.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        S[0] @ S[1] @ ... @ S[J-1].
    factors : list of scipy.sparse.csr_array
        Only with `return_factors`; each (n, n) with ``n * k`` non-zeros.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `k` exceeds `n`.

    Notes
    -----
    A support is k random diagonals of a circulant matrix under a random permutation
    of rows and another of columns. Values are Gaussian of variance 1/k, so a column
    of the product keeps a norm of about one at any depth.

    Examples
    --------
    >>> matrix, factors = planted(8, 3, 2, random_state=0, return_factors=True)
    >>> matrix.shape, [factor.nnz for factor in factors]
    ((8, 8), [16, 16, 16])
    """
    n, n_factors, k = size("n", n), size("n_factors", n_factors), size("k", k)
    if k > n:
        raise ValueError(f"k={k}: a row of n={n} entries has at most {n} non-zeros")
    rng = np.random.default_rng(random_state)
    factors = [_planted_factor(n, k, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def _planted_factor(n, k, rng):
    """Return one CSR factor with exactly k Gaussian entries per row and column."""
    rows, columns = rng.permutation(n), rng.permutation(n)
    offsets = rng.choice(n, size=k, replace=False)
    shifted = (np.arange(n)[:, None] + offsets) % n
    values = rng.standard_normal(n * k) / np.sqrt(k)
    coordinates = (np.repeat(rows, k), columns[shifted.ravel()])
    return scipy.sparse.coo_array((values, coordinates), shape=(n, n)).tocsr()


def pair_rotations(
    n: int, n_factors: int, *, random_state: RandomState = None, return_factors=False
) -> np.ndarray | tuple[np.ndarray, list[scipy.sparse.csr_array]]:
    """Return a product of factors, each of which rotates n / 2 pairs of coordinates.

    Parameters
    ----------
    n : int
        Order of the matrix and of every factor, even.
    n_factors : int
        Number of factors, J.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Return the factors as well.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        S[0] @ S[1] @ ... @ S[J-1], orthogonal.
    factors : list of scipy.sparse.csr_array
        Only with `return_factors`; each (n, n), orthogonal, with two entries in each
        row and each column: pairs are a random perfect matching of the indices, angles
        uniform.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `n` is odd.

    Examples
    --------
    >>> matrix, factors = pair_rotations(8, 2, random_state=0, return_factors=True)
    >>> [factor.nnz for factor in factors], bool(abs(matrix @ matrix.T).max() < 1.01)
    ([16, 16], True)
    """
    n, n_factors = size("n", n), size("n_factors", n_factors)
    if n % 2:
        raise ValueError(f"n={n}: pairs of coordinates need an even number of them")
    rng = np.random.default_rng(random_state)
    factors = [_pair_rotation(n, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def _pair_rotation(n, rng):
    """Return one CSR factor: rotations of n / 2 disjoint pairs."""
    first, second = rng.permutation(n).reshape(2, -1)
    turns = rng.uniform(0, 2 * np.pi, n // 2)
    cos, sin = np.cos(turns), np.sin(turns)
    values = np.concatenate([cos, -sin, sin, cos])
    rows = np.concatenate([first, first, second, second])
    columns = np.concatenate([first, second, first, second])
    return scipy.sparse.coo_array((values, (rows, columns)), shape=(n, n)).tocsr()


def permuted_butterfly(
    n: int, kind: str = "orthogonal", *, random_state: RandomState = None
) -> np.ndarray:
    """Return a product of log2(n) butterfly factors, rows and columns in random orders.

    Parameters
    ----------
    n : int
        Order, a power of two.
    kind : {"orthogonal", "gaussian", "hadamard", "unitary"}
        Of the 2 x 2 blocks: rotations and reflections by uniform angles, Gaussian
        entries of variance 1/2, those of the Hadamard matrix, or random unitary
        matrices (complex).
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64 or complex128, shape (n, n)
        P B Q, with P and Q random permutations: a product of log2(n) factors with two
        entries in each row and each column.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer or not a power of two, or the kind is another.

    Examples
    --------
    >>> matrix = permuted_butterfly(8, random_state=0)
    >>> bool(abs(matrix @ matrix.T - np.eye(8)).max() < 1e-14)
    True
    """
    n = power_of_two("n", n, "a butterfly")
    if kind not in _BLOCKS:
        raise ValueError(f"kind={kind!r}: expected one of {tuple(_BLOCKS)}")
    rng = np.random.default_rng(random_state)
    matrix, stride = np.eye(n), 1
    while stride < n:
        blocks = _BLOCKS[kind](rng, (n // (2 * stride), stride))
        pairs = matrix.reshape(-1, 2, stride, n)
        matrix = np.einsum("ajbc,acjn->abjn", blocks, pairs).reshape(n, n)
        stride *= 2
    return permuted(matrix, rng)


def _orthogonal(rng, shape):
    """Return 2 x 2 blocks, (*shape, 2, 2): rotations, half of them with a mirror."""
    turns, mirror = rng.uniform(0, 2 * np.pi, shape), rng.choice([-1, 1], shape)
    cos, sin = np.cos(turns), np.sin(turns)
    return np.stack([cos, -sin * mirror, sin, cos * mirror], -1).reshape(*shape, 2, 2)


def _gaussian(rng, shape):
    return rng.standard_normal((*shape, 2, 2)) / np.sqrt(2)


def _hadamard(rng, shape):
    block = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    return np.broadcast_to(block, (*shape, 2, 2))


def _unitary(rng, shape):
    real, imaginary = rng.standard_normal((2, *shape, 2, 2))
    return np.linalg.qr(real + 1j * imaginary)[0]


_BLOCKS: dict[str, Callable] = {
    "orthogonal": _orthogonal,
    "gaussian": _gaussian,
    "hadamard": _hadamard,
    "unitary": _unitary,
}
