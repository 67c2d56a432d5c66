"""Hadamard matrices of every order that is known here, as exact butterflies."""

from typing import Any

import numpy as np

from .._core.checks import RandomState, dtype_of, flag, generator, size
from .._core.limits import check_memory
from .butterfly import Butterfly
from .chain import Chain
from .hadamard_blocks import block
from .hadamard_orders import hadamard_order


def hadamard(n: int, normalized: bool = True, *, dtype: Any = np.float64) -> Butterfly:
    """Return a Hadamard matrix, whose rows of ones and signs are orthogonal.

    Parameters
    ----------
    n : int
        Order: 1, 2, or a multiple of 4 for which a construction is known, which are 218
        of the 250 up to 1000. For a power of two, the matrix is that of the
        Walsh-Hadamard transform in natural order.
    normalized : bool
        ``True``: the matrix is orthonormal. ``False``: its entries are 1 and -1.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        The operator of shape (n, n): the Kronecker product of blocks whose orders have
        product n, in decreasing order: those of order 2 are the last. Each block is a
        factor. For a power of two, the chain is ``Chain.square_dyadic(n)``.
        The dense matrix is `nbfact.targets.hadamard`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not a positive integer, no matrix of the order is known, or the
        dtype is another. The message has the nearest orders below and above.

    See Also
    --------
    nbfact.targets.hadamard : The dense matrix.
    randomized_hadamard : The same with random signs, to spread the entries of a vector.
    nbfact.kernels.fwht : The transform in place, without values: additions alone.

    Notes
    -----
    A product costs n times the sum of the orders of the blocks, which is least: the
    relative complexity gain ``rcg`` is n / (2 log2 n) for a power of two, and
    n / (12 + 2 k) for n = 12 · 2^k. A matrix that is no power of two need not be
    symmetric. The blocks are Paley's, of order q + 1 or 2 (q + 1) for a prime power q,
    and those of four or more circulant matrices (Williamson; Goethals and Seidel;
    Cooper and Wallis), whose rows were searched for by this project.

    References
    ----------
    K. Horadam, Hadamard matrices and their applications, 2007, chapters 2 and 4.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.transforms.hadamard(2, normalized=False).toarray()
    array([[ 1.,  1.],
           [ 1., -1.]])
    >>> nf.transforms.hadamard(1024).rcg
    51.2
    >>> nf.transforms.hadamard(3584).chain[:2]  # 28 * 2^7
    Chain([(1, 28, 28, 128), (28, 2, 2, 64)])
    """
    n, normalized = size("n", n), flag("normalized", normalized)
    check_memory(f"n={n}", 6 * n * n.bit_length())
    orders = hadamard_order(n)
    check_memory(f"n={n}", 3 * n * (sum(orders) + 1))
    dtype = dtype_of(dtype, "f")
    values, before, after = [], 1, n
    for order in orders or (1,):
        after //= order
        chosen = block(order) if order > 2 else _SMALL[order]
        pattern = (before, order, order, after)
        values.append(np.broadcast_to(chosen[None, :, :, None], pattern).astype(dtype))
        before *= order
    if normalized:
        values[0] = (values[0] / np.sqrt(n)).astype(dtype)
    return Butterfly(Chain([value.shape for value in values]), values)


def randomized_hadamard(
    n: int,
    random_state: RandomState = None,
    *,
    normalized: bool = True,
    dtype: Any = np.float64,
) -> Butterfly:
    """Return a Hadamard matrix with random signs: a random rotation that is fast.

    It spreads the entries of any vector, so that none of them stands out: used before
    a quantisation, and before rows or columns are sampled (sketching).

    Parameters
    ----------
    n, normalized, dtype
        The parameters of `hadamard`.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    Butterfly
        The operator H diag(s) with H of `hadamard` and independent signs s. Signs and
        scale are in the values of the factors, so that a product costs what one with H
        does.

    Raises
    ------
    TypeError, ValueError
        The errors of `hadamard`.

    See Also
    --------
    nbfact.transforms.hadamard : The transform without random signs.

    References
    ----------
    N. Ailon, B. Chazelle, The fast Johnson-Lindenstrauss transform, SIAM J. Comput.,
    2009. J. Tropp, Improved analysis of the subsampled randomized Hadamard transform,
    Adv. Adapt. Data Anal., 2011.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> R = nf.transforms.randomized_hadamard(3584, random_state=0)
    >>> outlier = np.zeros(3584)
    >>> outlier[5] = 1.0
    >>> y = R @ outlier
    >>> bool(np.allclose(abs(y), 3584**-0.5)), bool(np.allclose(R.T @ y, outlier))
    (True, True)
    """
    H = hadamard(n, normalized, dtype=dtype)
    rng = generator("random_state", random_state)
    return H._columns_weighted(rng.choice([-1.0, 1.0], H.shape[1]))


_SMALL = {1: np.ones((1, 1)), 2: np.array([[1.0, 1.0], [1.0, -1.0]])}
"""The matrices of the orders 1 and 2, which no construction gives."""
