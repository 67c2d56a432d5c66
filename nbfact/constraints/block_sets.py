"""The set of matrices with few blocks of entries that are not zero."""

from dataclasses import field

import numpy as np

from .._core.checks import flag
from ..kernels.block_projections import project_spblock
from .sets import Tolerant, constraint, pair


@constraint
class SpBlock(Tolerant):
    """The matrices with at most ``k`` blocks of entries that are not zero.

    The blocks form a grid that begins at the first entry. Those at the end are smaller
    where the block does not divide the shape. `FactorProduct` multiplies factors whose
    blocks hold multiples of eight neighbours of a row, or of a column, in half the time
    of as many single entries.

    Parameters
    ----------
    shape : (int, int)
        Rows m and columns n.
    k : int
        Number of blocks to keep in the whole matrix.
    block : (int, int)
        Rows and columns of a block; (1, 8) by default.
    per_row : bool
        Whether k blocks are kept in each row of blocks, and not in the whole matrix;
        ``False`` by default.
    normalized, nonneg, tie_tol
        See `nbfact.constraints`; `tie_tol` applies to the norms of blocks.

    See Also
    --------
    Sp, SpLin : The same for single entries.
    BlockDiag : Blocks along the diagonal.
    nbfact.kernels.project_spblock : The kernel.

    Notes
    -----
    The blocks of largest Frobenius norm are kept: O(mn) operations. Among tied blocks
    the first in column-major order of blocks are kept, and with `per_row` those of the
    lowest columns. With blocks of one entry the sets are `Sp` and `SpLin`.

    Examples
    --------
    >>> import nbfact as nf
    >>> set_ = nf.constraints.SpBlock((2, 4), 1, block=(1, 2), normalized=False)
    >>> set_.project([[3.0, 3.0, 0.0, 4.0], [2.0, 2.0, 1.0, 1.0]])
    array([[3., 3., 0., 0.],
           [0., 0., 0., 0.]])
    """

    block: tuple[int, int] = field(default=(1, 8), kw_only=True)
    per_row: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "block", pair("block", self.block))
        object.__setattr__(self, "per_row", flag("per_row", self.per_row))

    def _nearest(self, x: np.ndarray) -> None:
        sizes = zip(self.block, self.shape, strict=True)
        height, width = (min(one, size) for one, size in sizes)
        project_spblock(x, self.kept, height, width, self.per_row, self.tie_tol)
