"""The projection onto sets of matrices with few blocks of entries, in place."""

import numpy as np

from ._jit import kernel
from .select import modulus
from .sparse_projections import project_sp, project_splin


@kernel
def project_spblock(
    x: np.ndarray,
    k: int,
    height: int,
    width: int,
    by_rows: bool = False,
    tie_tol: float = 0.0,
) -> None:
    """Keep the k blocks of largest norm of a matrix, and set the others to zero.

    Blocks form a grid that begins at the first entry. Those at the end are smaller
    where the block does not divide the shape.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest matrix of at most k blocks.
    k : int
        At least 1.
    height, width : int
        Rows and columns of a block, at least 1.
    by_rows : bool, default False
        Whether k blocks are kept in each row of blocks, not in the whole matrix.
    tie_tol : float, default 0.0
        Norms within ``tie_tol`` of the k-th largest, relatively, compare as equal to
        it: below 1.

    See Also
    --------
    project_sp : Single entries in place of blocks.
    nbfact.constraints.SpBlock : The set, which checks its arguments.

    Notes
    -----
    Norms are computed in double precision, as multiples of the largest modulus of a
    block, so that no scale of x makes one overflow or vanish. Of blocks that tie, the
    first in column-major order of blocks are kept, or in each row the first ones. The
    cost is a few passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 1.0, 2.0, 0.0], [0.0, 1.0, 2.0, 2.0]])
    >>> nf.kernels.project_spblock(x, 1, 2, 2)  # one block of 2 x 2
    >>> x
    array([[0., 0., 2., 0.],
           [0., 0., 2., 2.]])
    """
    m, n = x.shape
    rows, columns = (m + height - 1) // height, (n + width - 1) // width
    if k >= rows * columns:
        return
    norms = np.empty((rows, columns))
    for a in range(rows):
        for b in range(columns):
            part = x[a * height : (a + 1) * height, b * width : (b + 1) * width]
            norms[a, b] = _norm(part)
    if by_rows:
        project_splin(norms, k, tie_tol)
    else:
        project_sp(norms, k, tie_tol)
    for a in range(rows):
        for b in range(columns):
            if norms[a, b] == 0:
                x[a * height : (a + 1) * height, b * width : (b + 1) * width] = 0


@kernel
def _norm(x):
    """Return the Frobenius norm of a small matrix, in double precision."""
    m, n = x.shape
    largest, total = 0.0, 0.0
    for i in range(m):
        for j in range(n):
            largest = max(largest, np.float64(modulus(x[i, j])))
    if largest == 0 or largest == np.inf:
        return largest
    for i in range(m):
        for j in range(n):
            ratio = np.float64(modulus(x[i, j])) / largest
            total += ratio * ratio
    return largest * np.sqrt(total)
