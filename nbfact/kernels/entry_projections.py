"""Projections that set or keep each entry on its own, in place."""

import numpy as np

from ._jit import kernel


@kernel
def project_supp(x: np.ndarray, support: np.ndarray) -> None:
    """Set the entries outside a support to zero, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Overwritten with the nearest matrix of that support.
    support : ndarray of bool, shape (m, n)
        Where entries are kept; only read.

    See Also
    --------
    nbfact.constraints.Supp : The set, which checks its arguments.

    Notes
    -----
    The cost is one pass over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> nf.kernels.project_supp(x, np.array([[True, False], [True, True]]))
    >>> x
    array([[1., 0.],
           [3., 4.]])
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if not support[i, j]:
                x[i, j] = 0


@kernel
def project_const(x: np.ndarray, value: np.ndarray) -> None:
    """Replace a matrix by a constant one: the projection onto a set of one point.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Overwritten with value.
    value : ndarray, shape (m, n), of a dtype that x holds
        Only read.

    See Also
    --------
    nbfact.constraints.Const : The set, which checks its arguments.

    Notes
    -----
    The cost is one pass over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.zeros((2, 2))
    >>> nf.kernels.project_const(x, np.eye(2))
    >>> x
    array([[1., 0.],
           [0., 1.]])
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = value[i, j]


@kernel
def project_nonneg(x: np.ndarray) -> None:
    """Set the negative entries of a real matrix to zero, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real
        Overwritten with the nearest matrix without negative entries. NaN is left as it
        is.

    See Also
    --------
    nbfact.constraints.Sp : A set whose option ``nonneg`` uses this kernel.

    Notes
    -----
    The cost is one pass over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -2.0]])
    >>> nf.kernels.project_nonneg(x)
    >>> x
    array([[1., 0.]])
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] < 0:
                x[i, j] = 0
