"""Products of random sparse factors, which an algorithm should find again."""

import math
from collections.abc import Callable, Sequence
from typing import Literal, overload

import numpy as np
import scipy.sparse

from .._core.checks import (
    RandomState,
    choice,
    flag,
    generator,
    power_of_two,
    sequence,
    size,
)
from .._core.limits import check_memory, dense_order, number_of_factors
from .dense_transforms import hadamard
from .perturbations import permuted

MatrixAndFactors = tuple[np.ndarray, list[scipy.sparse.csr_array]]
"""A product, and its factors from left to right."""


@overload
def planted(
    n: int,
    n_factors: int,
    k: int,
    *,
    random_state: RandomState = None,
    return_factors: Literal[False] = False,
) -> np.ndarray: ...
@overload
def planted(
    n: int,
    n_factors: int,
    k: int,
    *,
    random_state: RandomState = None,
    return_factors: Literal[True],
) -> MatrixAndFactors: ...
def planted(
    n: int,
    n_factors: int,
    k: int,
    *,
    random_state: RandomState = None,
    return_factors: bool = False,
) -> np.ndarray | MatrixAndFactors:
    """Return a product of random sparse factors.

    An algorithm that is given the product should find such factors again.

    Parameters
    ----------
    n : int
        Order of the matrix and of each factor.
    n_factors : int
        Number of factors, J.
    k : int
        Number of non-zeros in each row and in each column of each factor, from 1 to
        `n`.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Whether to return the factors too.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        The product S[0] @ S[1] @ ... @ S[J-1].
    factors : list of scipy.sparse.csr_array
        The factors, each of shape (n, n) with ``n * k`` non-zeros. Only with
        ``return_factors=True``.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `k` exceeds `n`.

    See Also
    --------
    permuted_butterfly : A product with supports that are known except for their order.

    Notes
    -----
    The support of a factor is k random diagonals of a circulant matrix, with its rows
    and its columns in random orders. The values are Gaussian of variance 1/k, so that
    the columns of the product have norms of about one for any number of factors.

    Examples
    --------
    >>> import nbfact as nf
    >>> matrix, factors = nf.targets.planted(
    ...     8, 3, 2, random_state=0, return_factors=True
    ... )
    >>> matrix.shape, [factor.nnz for factor in factors]
    ((8, 8), [16, 16, 16])
    """
    n, k = dense_order("n", n), size("k", k)
    n_factors = number_of_factors("n_factors", n_factors)
    return_factors = flag("return_factors", return_factors)
    if k > n:
        raise ValueError(f"k={k}: a row of n={n} entries has at most {n} non-zeros")
    check_memory(f"n_factors={n_factors} with k={k}", 8 * n * k * n_factors)
    rng = generator("random_state", random_state)
    factors = [_planted_factor(n, k, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def _planted_factor(n, k, rng):
    """Return a random CSR factor with exactly k Gaussian entries per row and column."""
    rows, columns = rng.permutation(n), rng.permutation(n)
    offsets = rng.choice(n, size=k, replace=False)
    shifted = (np.arange(n)[:, None] + offsets) % n
    values = rng.standard_normal(n * k) / np.sqrt(k)
    coordinates = (np.repeat(rows, k), columns[shifted.ravel()])
    return scipy.sparse.coo_array((values, coordinates), shape=(n, n)).tocsr()


@overload
def pair_rotations(
    n: int,
    n_factors: int,
    *,
    random_state: RandomState = None,
    return_factors: Literal[False] = False,
) -> np.ndarray: ...
@overload
def pair_rotations(
    n: int,
    n_factors: int,
    *,
    random_state: RandomState = None,
    return_factors: Literal[True],
) -> MatrixAndFactors: ...
def pair_rotations(
    n: int,
    n_factors: int,
    *,
    random_state: RandomState = None,
    return_factors: bool = False,
) -> np.ndarray | MatrixAndFactors:
    """Return a product of factors, each of which rotates n / 2 pairs of coordinates.

    Parameters
    ----------
    n : int
        Order of the matrix and of each factor, even.
    n_factors : int
        Number of factors, J.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Whether to return the factors too.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        The orthogonal product S[0] @ S[1] @ ... @ S[J-1].
    factors : list of scipy.sparse.csr_array
        The factors, each orthogonal of shape (n, n), with two entries in each row and
        each column. The pairs are a random perfect matching of the indices, and the
        angles are uniform. Only with ``return_factors=True``.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `n` is odd.

    See Also
    --------
    planted : Random sparse products.

    Examples
    --------
    >>> import nbfact as nf
    >>> matrix, factors = nf.targets.pair_rotations(
    ...     8, 2, random_state=0, return_factors=True
    ... )
    >>> [factor.nnz for factor in factors], bool(abs(matrix @ matrix.T).max() < 1.01)
    ([16, 16], True)
    """
    n, n_factors = dense_order("n", n), number_of_factors("n_factors", n_factors)
    return_factors = flag("return_factors", return_factors)
    if n % 2:
        raise ValueError(f"n={n}: pairs of coordinates need an even number of them")
    rng = generator("random_state", random_state)
    factors = [_pair_rotation(n, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def _pair_rotation(n, rng):
    """Return a random CSR factor that rotates n / 2 disjoint pairs of coordinates."""
    first, second = rng.permutation(n).reshape(2, -1)
    turns = rng.uniform(0, 2 * np.pi, n // 2)
    cos, sin = np.cos(turns), np.sin(turns)
    values = np.concatenate([cos, -sin, sin, cos])
    rows = np.concatenate([first, first, second, second])
    columns = np.concatenate([first, second, first, second])
    return scipy.sparse.coo_array((values, (rows, columns)), shape=(n, n)).tocsr()


def permuted_butterfly(
    n: int,
    kind: str = "orthogonal",
    *,
    radices: Sequence[int] | None = None,
    random_state: RandomState = None,
) -> np.ndarray:
    """Return a product of butterfly factors, with rows and columns in random orders.

    Parameters
    ----------
    n : int
        Order: the product of the radices, or else a power of two.
    kind : {"orthogonal", "gaussian", "hadamard", "unitary"}
        Kind of the r x r blocks of a factor of radix r: random orthogonal matrices
        (of order 2: rotations and reflections by uniform angles), matrices of Gaussian
        entries of variance 1/r, the orthonormal Hadamard matrix, or random complex
        unitary matrices.
    radices : sequence of int, optional
        The radix of each factor, at least 2, that of the leftmost one first, as in
        `nbfact.Chain.mixed_radix`. By default all are 2.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64 or complex128, shape (n, n)
        The matrix P B Q with random permutations P and Q, and a butterfly B: a product
        of factors with as many entries in each row and each column as their radix.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, not a power of two or not the product of the
        radices, or the kind is another, or has no block of a radix.

    See Also
    --------
    nbfact.identify_butterfly : Find the permutations and the factors again.
    nbfact.transforms : Butterflies as operators.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> matrix = nf.targets.permuted_butterfly(8, random_state=0)
    >>> bool(abs(matrix @ matrix.T - np.eye(8)).max() < 1e-14)
    True
    """
    if radices is None:
        n = dense_order("n", power_of_two("n", n, "a butterfly"))
        radices = [2] * (n.bit_length() - 1)
    else:
        n = dense_order("n", n)
        radices = sequence("radices", radices, "integers of at least 2", 1)
        radices = [size(f"radices[{j}]", r, 2) for j, r in enumerate(radices)]
        if math.prod(radices) != n:
            raise ValueError(f"radices={radices}: their product must be n={n}")
    kind = choice("kind", kind, _BLOCKS)
    rng = generator("random_state", random_state)
    matrix, stride = np.eye(n), 1
    for radix in reversed(radices):
        blocks = _BLOCKS[kind](rng, (n // (radix * stride), stride), radix)
        parts = matrix.reshape(-1, radix, stride, n)
        matrix = np.einsum("ajbc,acjn->abjn", blocks, parts).reshape(n, n)
        stride *= radix
    return permuted(matrix, rng)


def _orthogonal(rng, shape, radix):
    """Return random orthogonal blocks; of order 2, half of them reflections.

    These blocks, and those of the next functions, have shape (*shape, radix, radix).
    """
    if radix > 2:
        return np.linalg.qr(rng.standard_normal((*shape, radix, radix)))[0]
    turns, mirror = rng.uniform(0, 2 * np.pi, shape), rng.choice([-1, 1], shape)
    cos, sin = np.cos(turns), np.sin(turns)
    return np.stack([cos, -sin * mirror, sin, cos * mirror], -1).reshape(*shape, 2, 2)


def _gaussian(rng, shape, radix):
    """Return blocks of Gaussian entries of variance 1 / radix."""
    return rng.standard_normal((*shape, radix, radix)) / np.sqrt(radix)


def _hadamard(rng, shape, radix):
    """Return blocks that are all the orthonormal Hadamard matrix."""
    return np.broadcast_to(hadamard(radix), (*shape, radix, radix))


def _unitary(rng, shape, radix):
    """Return random unitary blocks."""
    real, imaginary = rng.standard_normal((2, *shape, radix, radix))
    return np.linalg.qr(real + 1j * imaginary)[0]


_BLOCKS: dict[str, Callable] = {
    "orthogonal": _orthogonal,
    "gaussian": _gaussian,
    "hadamard": _hadamard,
    "unitary": _unitary,
}
