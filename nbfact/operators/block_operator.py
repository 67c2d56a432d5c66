"""BlockOperator: fast operators stacked, side by side, or along the diagonal."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.checks import sequence, size
from .._core.dtypes import common_dtype
from .butterfly import Butterfly
from .chain import Chain
from .factor_product import FactorProduct, stacked
from .fast_operator import FastOperator, operators_of
from .operator_files import BLOCKS, Saved
from .planned_operator import PlannedOperator
from .radices import order_or_shape

CALL = 2500.0
"""Time of a block and its addition, beside its product, in nanoseconds."""


class BlockOperator(PlannedOperator):
    """A matrix of blocks, some of which are fast operators and the others zero.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies block by block.

    Parameters
    ----------
    blocks : sequence of FastOperator
        The blocks that are not zero, at least one.
    row_starts, column_starts : sequence of int
        First row, and first column, of each block. Where blocks overlap, they are
        added.
    shape : (int, int)
        Shape (m, n) of the whole matrix.

    Attributes
    ----------
    blocks : tuple of FastOperator
    row_starts, column_starts : tuple of int
    shape, dtype, nnz, rcg, density
        See `FastOperator`; `nnz` is the sum over the blocks.

    Raises
    ------
    TypeError, ValueError
        When there is no block, when a block does not lie in the matrix, or when the
        numbers of starts and blocks differ.

    See Also
    --------
    hstack, vstack, block_diag : The usual ways to make one.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators import vstack
    >>> frame = vstack([nf.transforms.haar(4), nf.transforms.dct(4)])
    >>> frame.shape, (frame @ np.ones(4)).round(12) + 0.0
    ((8, 4), array([2., 0., 0., 0., 2., 0., 0., 0.]))
    """

    def __init__(
        self,
        blocks: Sequence[FastOperator],
        row_starts: Sequence[int],
        column_starts: Sequence[int],
        shape: tuple[int, int],
    ) -> None:
        self.blocks = tuple(operators_of("blocks", blocks))
        self.row_starts = _starts("row_starts", row_starts, len(self.blocks))
        self.column_starts = _starts("column_starts", column_starts, len(self.blocks))
        shape = order_or_shape("shape", shape)
        for block, top, left in self._placed():
            m, n = block.shape
            if top + m > shape[0] or left + n > shape[1]:
                raise ValueError(
                    f"a block of shape {block.shape} at {(top, left)} does not lie in "
                    f"the shape {shape}"
                )
        dtype = common_dtype(*(block.dtype for block in self.blocks))
        super().__init__(dtype, shape)
        self.nnz = sum(block.nnz for block in self.blocks)

    def _placed(self):
        """Return the triples of a block, its first row and its first column."""
        return zip(self.blocks, self.row_starts, self.column_starts, strict=True)

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that the parts are expected to take, in nanoseconds."""
        return sum(
            CALL + block._cost(dtype, batch, False) for block, _, _ in self._placed()
        )

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        out = np.zeros((self.shape[0], *x.shape[1:]), dtype)
        for block, top, left in self._placed():
            m, n = block.shape
            out[top : top + m] += block @ x[left : left + n]
        return out

    def _with(self, blocks):
        """Return other blocks at the same places."""
        return BlockOperator(blocks, self.row_starts, self.column_starts, self.shape)

    def _reversed(self, name: str) -> "BlockOperator":
        blocks, (m, n) = [getattr(block, name) for block in self.blocks], self.shape
        return BlockOperator(blocks, self.column_starts, self.row_starts, (n, m))

    def _conjugate(self) -> "BlockOperator":
        return self._with([block.conj() for block in self.blocks])

    def _scaled(self, number: Any) -> "BlockOperator":
        return self._with([block * number for block in self.blocks])

    def _inverted(self) -> "BlockOperator":
        shapes = [block.shape for block in self.blocks]
        tops, lefts, shape = _diagonal(shapes)
        order = np.argsort(self.row_starts, kind="stable")
        places = [(self.row_starts[k], self.column_starts[k]) for k in order]
        if (*zip(tops, lefts, strict=True),) != (*places,) or shape != self.shape:
            raise ValueError("the blocks are not along the diagonal")
        return self._with([block.inverse() for block in self.blocks])

    def to_factors(self) -> FactorProduct:
        """Return the matrix as one product of sparse factors, made of the blocks'."""
        products = [block.to_factors() for block in self.blocks]
        return stacked(
            products, self.row_starts, self.column_starts, self.shape, least=2
        )

    def _saved(self) -> Saved:
        arrays = {
            "row_starts": np.array(self.row_starts),
            "column_starts": np.array(self.column_starts),
            "shape": np.array(self.shape),
        }
        return Saved(BLOCKS, arrays, [block._saved() for block in self.blocks])

    def __repr__(self) -> str:
        (m, n), who = self.shape, self._who_multiplies()
        lines = [f"BlockOperator {m}x{n}, {self.dtype}, nnz {self.nnz}{who}"]
        for block, top, left in self._placed():
            lines.append(f"at row {top}, column {left}: {block!r}")
        return "\n".join(lines)


def hstack(operators: Sequence[FastOperator]) -> FastOperator:
    """Return operators side by side, as one operator.

    Parameters
    ----------
    operators : sequence of FastOperator, shapes (m, n[i])
        At least one.

    Returns
    -------
    FastOperator
        The operator of shape (m, ∑ n[i]) with the `nnz` of all together: a
        `FactorProduct` when all are products of equally many factors, and a
        `BlockOperator` otherwise.

    Raises
    ------
    TypeError
        When one is not a FastOperator.
    ValueError
        When there is none, or the numbers of rows differ.

    See Also
    --------
    vstack, block_diag, nbfact.transforms.kronecker : Other arrangements.

    Examples
    --------
    >>> import nbfact as nf
    >>> from nbfact.operators import hstack
    >>> H = nf.transforms.hadamard(2, normalized=False)
    >>> hstack([H, 3 * H]).toarray()
    array([[ 1.,  1.,  3.,  3.],
           [ 1., -1.,  3., -3.]])
    """
    operators = operators_of("operators", operators)
    if len({one.shape[0] for one in operators}) > 1:
        shapes = ", ".join(str(one.shape) for one in operators)
        raise ValueError(f"operators: numbers of rows differ: {shapes}")
    tops, lefts, (_, n) = _diagonal([one.shape for one in operators])
    return _arranged(operators, [0] * len(tops), lefts, (operators[0].shape[0], n))


def vstack(operators: Sequence[FastOperator]) -> FastOperator:
    """Return operators on top of one another, as one operator.

    Parameters
    ----------
    operators : sequence of FastOperator, shapes (m[i], n)
        At least one.

    Returns
    -------
    FastOperator
        The operator of shape (∑ m[i], n); its class and `nnz` are those of `hstack`.

    Raises
    ------
    TypeError
        When one is not a FastOperator.
    ValueError
        When there is none, or the numbers of columns differ.

    See Also
    --------
    hstack, block_diag, nbfact.transforms.kronecker : Other arrangements.

    Examples
    --------
    >>> import nbfact as nf
    >>> from nbfact.operators import vstack
    >>> H = nf.transforms.hadamard(2, normalized=False)
    >>> vstack([H, 3 * H]).toarray()
    array([[ 1.,  1.],
           [ 1., -1.],
           [ 3.,  3.],
           [ 3., -3.]])
    """
    operators = operators_of("operators", operators)
    if len({one.shape[1] for one in operators}) > 1:
        shapes = ", ".join(str(one.shape) for one in operators)
        raise ValueError(f"operators: numbers of columns differ: {shapes}")
    tops, lefts, (m, _) = _diagonal([one.shape for one in operators])
    return _arranged(operators, tops, [0] * len(lefts), (m, operators[0].shape[1]))


def block_diag(operators: Sequence[FastOperator]) -> FastOperator:
    """Return operators along the diagonal of a matrix that is zero elsewhere.

    Parameters
    ----------
    operators : sequence of FastOperator, shapes (m[i], n[i])
        At least one.

    Returns
    -------
    FastOperator
        The operator of shape (∑ m[i], ∑ n[i]) with the `nnz` of all together: a
        `Butterfly` when all are butterflies on one chain, and otherwise of the class
        that `hstack` returns.

    Raises
    ------
    TypeError
        When one is not a FastOperator.
    ValueError
        When there is none.

    See Also
    --------
    hstack, vstack, nbfact.transforms.kronecker : Other arrangements.

    Examples
    --------
    >>> import nbfact as nf
    >>> from nbfact.operators import block_diag
    >>> H = nf.transforms.hadamard(2, normalized=False)
    >>> block_diag([H, 3 * H]).toarray()
    array([[ 1.,  1.,  0.,  0.],
           [ 1., -1.,  0.,  0.],
           [ 0.,  0.,  3.,  3.],
           [ 0.,  0.,  3., -3.]])
    """
    operators = operators_of("operators", operators)
    butterflies = [one for one in operators if isinstance(one, Butterfly)]
    if len({one.chain for one in butterflies}) == 1 and butterflies == operators:
        return _block_butterfly(butterflies)
    return _arranged(operators, *_diagonal([one.shape for one in operators]))


def _starts(name, value, count):
    """Return an argument that holds the first rows or columns of blocks, checked."""
    starts = tuple(size(name, one, 0) for one in sequence(name, value, "integers"))
    if len(starts) != count:
        raise ValueError(f"{name} holds {len(starts)} integers for {count} blocks")
    return starts


def _diagonal(shapes):
    """Return the first rows and columns of blocks along a diagonal, and the shape."""
    ends = np.cumsum([(0, 0), *shapes], axis=0).tolist()
    tops, lefts = (list(start) for start in zip(*ends[:-1], strict=True))
    return tops, lefts, tuple(ends[-1])


def _arranged(operators, tops, lefts, shape):
    """Return blocks at places that do not overlap, in the fastest form."""
    if len(operators) == 1:
        return operators[0]
    lengths = {len(one.factors) for one in operators if one._by_factors}
    products = all(one._by_factors for one in operators)
    if products and len(lengths) == 1:
        return stacked(operators, tops, lefts, shape)
    return BlockOperator(operators, tops, lefts, shape)


def _block_butterfly(butterflies):
    """Return butterflies on one chain along a diagonal, as one butterfly."""
    dtype = common_dtype(*(one.dtype for one in butterflies))
    groups = zip(*(one.values for one in butterflies), strict=True)
    values = [np.concatenate(group).astype(dtype, copy=False) for group in groups]
    ends = []
    for axis, name in enumerate(("rows", "columns")):
        first, parts = 0, []
        for one in butterflies:
            index = getattr(one, name)
            index = np.arange(one.chain.shape[axis]) if index is None else index
            parts.append(np.where(index < 0, -1, index + first))
            first += one.shape[axis]
        ends.append(np.concatenate(parts))
    chain = Chain([value.shape for value in values])
    return Butterfly(chain, values, rows=ends[0], columns=ends[1])
