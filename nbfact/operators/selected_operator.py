"""SelectedOperator: some rows and columns of an operator, and what selects them."""

import operator
from typing import Any

import numpy as np

from .._core.array_checks import plain_array
from .algebra import maker
from .factor_product import FactorProduct
from .fast_operator import FastOperator, check_operator
from .operator_files import SELECTED, Saved, given
from .planned_operator import PlannedOperator

CALL = 2000.0
"""Time of a selection, beside its product, in nanoseconds."""


class SelectedOperator(PlannedOperator):
    """Some rows and columns of an operator, in any order and repeated, as an operator.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies by the whole operator,
    so that selected rows and columns cost what all of them do.

    Parameters
    ----------
    whole : FastOperator
        The operator to select from.
    rows, columns : ndarray of int, optional
        Indices from 0 on, at least one; by default all in order.

    Attributes
    ----------
    whole : FastOperator
    rows, columns : ndarray of intp, or None
        They are read-only.
    shape, dtype, nnz, rcg, density
        See `FastOperator`; `nnz` is that of the whole operator.

    Raises
    ------
    TypeError, ValueError
        When `whole` is no operator, an index is outside of it, or none is given.

    See Also
    --------
    nbfact.FastOperator : What ``A[rows, columns]`` accepts.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> twice = nf.transforms.hadamard(4, normalized=False)[[1, 1]]
    >>> twice @ np.arange(4.0)
    array([-2., -2.])
    """

    _owned = ("rows", "columns")

    def __init__(
        self, whole: FastOperator, rows: Any = None, columns: Any = None
    ) -> None:
        check_operator("whole", whole)
        self.whole = whole
        self.rows = _checked("rows", rows, whole.shape[0])
        self.columns = _checked("columns", columns, whole.shape[1])
        m = whole.shape[0] if self.rows is None else len(self.rows)
        n = whole.shape[1] if self.columns is None else len(self.columns)
        super().__init__(whole.dtype, (m, n))
        self.nnz = whole.nnz

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that the parts are expected to take, in nanoseconds."""
        return CALL + self.whole._cost(dtype, batch, False)

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        if self.columns is not None:
            spread = np.zeros((self.whole.shape[1], *x.shape[1:]), dtype)
            with np.errstate(all="ignore"):  # infinity travels, as in a kernel
                np.add.at(spread, self.columns, x)
            x = spread
        result = self.whole @ x
        return result if self.rows is None else result[self.rows]

    def _reversed(self, name: str) -> "SelectedOperator":
        return SelectedOperator(getattr(self.whole, name), self.columns, self.rows)

    def _conjugate(self) -> "SelectedOperator":
        return SelectedOperator(self.whole.conj(), self.rows, self.columns)

    def _scaled(self, number: Any) -> "SelectedOperator":
        return SelectedOperator(self.whole * number, self.rows, self.columns)

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "SelectedOperator":
        if rows is None or self.rows is None:
            rows = self.rows if rows is None else rows
        else:
            rows = self.rows[rows]
        if columns is None or self.columns is None:
            columns = self.columns if columns is None else columns
        else:
            columns = self.columns[columns]
        return SelectedOperator(self.whole, rows, columns)

    def _inverted(self) -> FastOperator:
        places = []
        for index, size in zip(
            (self.rows, self.columns), self.whole.shape, strict=True
        ):
            if index is not None and not np.array_equal(
                np.sort(index), np.arange(size)
            ):
                raise ValueError("rows or columns are left out or repeated")
            places.append(index)
        # Row i of B is row rows[i] of A: the inverse has the columns of A⁻¹ in that
        # order, and its rows in the order of the columns of B.
        return part(self.whole.inverse(), places[1], places[0])

    def to_factors(self) -> FactorProduct:
        """Return the rows and columns of the sparse factors of the whole operator."""
        return self.whole.to_factors()._selected(self.rows, self.columns)

    def _saved(self) -> Saved:
        arrays = given(rows=self.rows, columns=self.columns)
        return Saved(SELECTED, arrays, [self.whole._saved()])

    def __repr__(self) -> str:
        m, n = self.shape
        return (
            f"SelectedOperator {m}x{n}, {self.dtype}, nnz {self.nnz} of {self.whole!r}"
            f"{self._who_multiplies()}"
        )


def part(
    whole: FastOperator, rows: np.ndarray | None, columns: np.ndarray | None
) -> FastOperator:
    """Return some rows and columns of an operator in the fastest form.

    The indices are checked, and None stands for all of them in order.
    """
    if rows is None and columns is None:
        return whole
    found = whole._selected(rows, columns)
    return SelectedOperator(whole, rows, columns) if found is None else found


@maker("selection")
def selected(whole: FastOperator, index: Any) -> Any:
    """Return ``whole[index]``: an operator, a vector for one integer, or a number."""
    index = index if isinstance(index, tuple) else (index,)
    if len(index) > 2:
        raise IndexError(f"{len(index)} indices for an operator: it has two dimensions")
    rows, columns = (
        _indices(one, size, axis)
        for one, size, axis in zip(
            (*index, slice(None))[:2], whole.shape, ("row", "column"), strict=True
        )
    )
    if isinstance(rows, int):
        chosen = np.zeros(whole.shape[0], whole.dtype)
        chosen[rows] = 1
        line = whole.T @ chosen
        return line if columns is None else line[columns]
    if isinstance(columns, int):
        chosen = np.zeros(whole.shape[1], whole.dtype)
        chosen[columns] = 1
        line = whole @ chosen
        return line if rows is None else line[rows]
    return part(whole, rows, columns)


def _indices(index, size, axis):
    """Return an index as an int, an array of indices from 0 on, or None for all."""
    if isinstance(index, slice):
        found = np.arange(size)[index]
        if len(found) == size and (size == 1 or found[0] == 0):
            return None
    else:
        try:
            if isinstance(index, bool | np.bool_):
                raise TypeError
            return _within(np.array(operator.index(index)), size, axis).item()
        except TypeError:
            found = _listed(index, size, axis)
    if not len(found):
        raise IndexError(f"no {axis} is selected: an operator has at least one")
    return found


def _listed(index, size, axis):
    """Return a mask or a sequence of integers as an array of indices from 0 on."""
    if isinstance(index, np.ma.MaskedArray):
        raise TypeError(f"index: the {axis}s are a masked array, whose mask has no use")
    found = np.asarray(index)
    if found.dtype == bool and found.ndim == 1:
        if len(found) != size:
            raise IndexError(f"a mask of {len(found)} {axis}s: there are {size}")
        return np.flatnonzero(found)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise IndexError(
            f"{axis} index {index!r}: expected an integer, a slice, or a sequence of "
            "integers or of booleans"
        )
    return _within(found.astype(np.intp), size, axis)


def _within(index, size, axis):
    """Return indices with the negative ones counted from the end, or an IndexError."""
    if index.size and (index.min() < -size or index.max() >= size):
        raise IndexError(f"{axis} index {index} is outside of {size} {axis}s")
    return np.where(index < 0, index + size, index)


def _checked(name, index, size):
    """Return an argument `rows` or `columns` of `SelectedOperator`, checked."""
    if index is None:
        return None
    index = plain_array(name, index)
    fits = index.ndim == 1 and index.size and index.dtype.kind in "iu"
    if not fits or index.min() < 0 or index.max() >= size:
        raise ValueError(f"{name} must be integers from 0 to {size - 1}, at least one")
    return index.astype(np.intp)
