"""The Walsh-Hadamard transform as an exact butterfly."""

from typing import Any

import numpy as np

from .._core.checks import dtype_of, flag, power_of_two
from .._core.limits import check_memory
from .butterfly import Butterfly
from .chain import Chain


def hadamard(n: int, normalized: bool = True, *, dtype: Any = np.float64) -> Butterfly:
    """Return the Walsh-Hadamard transform, in natural order, as a butterfly.

    Parameters
    ----------
    n : int
        Order, a power of two.
    normalized : bool
        ``True``: the transform is orthonormal. ``False``: its entries are 1 and -1.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        The operator of shape (n, n), on the chain ``Chain.square_dyadic(n)``. Its dense
        matrix is `nbfact.targets.hadamard`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer or not a power of two, or the dtype is another.

    See Also
    --------
    nbfact.targets.hadamard : The dense matrix.
    nbfact.kernels.fwht : The transform in place, without values: additions alone.

    Notes
    -----
    A product costs 2 n log2(n) multiplications: the relative complexity gain ``rcg`` is
    n / (2 log2 n).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.transforms.hadamard(2, normalized=False).toarray()
    array([[ 1.,  1.],
           [ 1., -1.]])
    >>> nf.transforms.hadamard(1024).rcg
    51.2
    """
    n = power_of_two("n", n, "a Hadamard matrix")
    normalized = flag("normalized", normalized)
    check_memory(f"n={n}", 6 * n * n.bit_length())
    dtype = dtype_of(dtype, "f")
    block = np.array([[1.0, 1.0], [1.0, -1.0]] if n > 1 else [[1.0]])
    chain = Chain.square_dyadic(n)
    values = [np.broadcast_to(block[None, :, :, None], pattern) for pattern in chain]
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    return Butterfly(chain, values).astype(dtype)
