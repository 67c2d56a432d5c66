"""The factors of a product, packed for the kernels that read several at once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...kernels import chain_store, frobenius_norm
from .factors import CSR, DENSE, Dense, Factor, Sparse

_TILE_ROW, _TILE = 256, 1 << 18
"""Sizes in bytes of one row of a tile, and of a whole tile: of rows of 128, 256 and 512
bytes, these are the fastest at n = 512 (`nbfact bench -k "hierarchical n=512"`)."""


_ROOM = 1 << 12
"""Number of entries that there is room for at each place, unless a factor with more is
dense: 64 kB in float64, so that places of small factors need not grow."""


class PackedLayout(NamedTuple):
    """Where the factors of a chain are packed, as `nbfact.kernels.chain_factors` says.

    It is shared by the chains of all sweeps, and must not be written to.

    Attributes
    ----------
    shapes : tuple of (int, int)
        Shapes of the factors.
    rooms : tuple of int
        How many entries of each factor there is room for.
    lines : tuple of (int, int, int, int)
        The rows of the table that kernels take as ``layout``.
    table : ndarray of int64, (2 J, 4)
        The same as an array.
    n_entries, n_pointers : int
        Sizes of the arrays of entries and of pointers.
    largest : int
        Largest number of rows or columns of a factor.
    """

    shapes: tuple[tuple[int, int], ...]
    rooms: tuple[int, ...]
    lines: tuple[tuple[int, int, int, int], ...]
    table: np.ndarray
    n_entries: int
    n_pointers: int
    largest: int

    @classmethod
    def of(
        cls, shapes: tuple[tuple[int, int], ...], rooms: tuple[int, ...]
    ) -> "PackedLayout":
        """Return the layout of factors of some shapes, each with room for entries."""
        n_rows = [m for m, _ in shapes] + [n for _, n in shapes]
        lines, pointer, entry = [], 0, 0
        for number, rows in enumerate(n_rows):
            room = rooms[number % len(rooms)]
            lines.append((rows, pointer, entry, room))
            pointer += rows + 1
            entry += room + (number < len(rooms))  # and a place for scratch
        largest, table = max(n_rows), np.array(lines, np.int64)
        return cls(shapes, rooms, tuple(lines), table, entry, pointer, largest)


class PackedFactors:
    """The factors of a product, of which the sparse ones are packed for kernels.

    It is a sequence of factors: each is made when it is read, over the packed arrays.
    Places are filled one by one, and not changed any more once all are filled.

    Parameters
    ----------
    layout : PackedLayout
        Where the sparse ones are.
    dtype : numpy.dtype

    Attributes
    ----------
    chain : tuple of four arrays
        The data, indices and indptr of the factors and of their adjoints, and the table
        of the layout, as `nbfact.kernels.chain_steps` says.
    counts : list of int
        Number of entries of each sparse factor; -1 at places of dense factors.
    """

    def __init__(self, layout: PackedLayout, dtype: np.dtype) -> None:
        self.layout, self.shapes, self._dtype = layout, layout.shapes, dtype
        self.counts = [-1] * len(layout.shapes)
        self._factors: dict[int, Factor] = {}
        entries, pointers = layout.n_entries, layout.n_pointers
        self.chain = (
            np.empty(entries, dtype),
            np.empty(entries, np.uint32),
            np.empty(pointers, np.uint32),
            layout.table,
        )

    @classmethod
    def of(cls, factors: Sequence[Factor], dtype: np.dtype) -> "PackedFactors":
        """Return factors packed, with room for others in their places."""
        shapes = tuple([factor.shape for factor in factors])
        rooms = [min(int(DENSE * m * n), _ROOM) for m, n in shapes]
        for j, factor in enumerate(factors):
            if isinstance(factor, Sparse):
                rooms[j] = max(rooms[j], factor.nnz)
        packed = cls(PackedLayout.of(shapes, tuple(rooms)), dtype)
        for j, factor in enumerate(factors):
            packed.put(j, factor)
        return packed

    def successor(self) -> "PackedFactors":
        """Return the same without factors, for those of the next sweep."""
        return PackedFactors(self.layout, self._dtype)

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, j: int) -> Factor:
        factor = self._factors.get(j)
        if factor is None:
            factor = Sparse(self.shapes[j], self._form(j), self._form(j + len(self)))
            self._factors[j] = factor
        return factor

    def __iter__(self) -> Iterator[Factor]:
        return (self[j] for j in range(len(self)))

    @property
    def length(self) -> int:
        """How many of the first factors are sparse, not counting the last one."""
        counts = self.counts[:-1]
        if min(counts, default=0) >= 0:
            return len(counts)
        return next(j for j, count in enumerate(counts) if count < 0)

    def is_sparse(self, j: int) -> bool:
        """Return whether the factor at a place is sparse."""
        return self.counts[j] >= 0

    def forms(self, j: int) -> tuple[CSR, CSR]:
        """Return the CSR forms of a sparse factor and of its adjoint, for kernels.

        They share the data and indices of all factors, which the pointers count from.
        """
        data, indices, indptr, _ = self.chain
        m, row, _, _ = self.layout.lines[j]
        n, turned, _, _ = self.layout.lines[j + len(self)]
        rows = data, indices, indptr[row : row + m + 1]
        return rows, (data, indices, indptr[turned : turned + n + 1])

    def put(self, j: int, factor: Factor) -> None:
        """Put a factor at a place that has room for its entries."""
        if isinstance(factor, Dense):
            self._put_dense(j, factor)
            return
        data, indices, indptr, table = self.chain
        for form, line in zip(
            (factor.rows, factor.columns), (j, j + len(self)), strict=True
        ):
            rows, start, first, _ = table[line].tolist()
            data[first : first + factor.nnz] = form[0]
            indices[first : first + factor.nnz] = form[1]
            pointers = indptr[start : start + rows + 1]
            pointers[:] = form[2]
            pointers += np.uint32(first)
        self.counts[j] = factor.nnz

    def store(self, j: int, x: np.ndarray, old: "PackedFactors") -> int:
        """Put the entries of x at place j, sparse or dense as in `compressed`.

        Returns the number of entries that are zero in the factor of `old` at this
        place.
        """
        nnz, entered = chain_store(x, old.chain, self.chain, j)
        if entered < 0:
            if nnz > DENSE * x.size:
                self._put_dense(j, Dense(x.copy()))
                return self[j].entered(old[j])
            self._widen(j, min(nnz + nnz // 8, int(DENSE * x.size)))
            nnz, entered = chain_store(x, old.chain, self.chain, j)
        self.counts[j] = nnz
        return entered if old.counts[j] >= 0 else self[j].entered(old[j])

    def scale(self, j: int, number: float) -> None:
        """Multiply the factor at a place by a real number."""
        if self.counts[j] < 0:
            self._put_dense(j, self[j].scaled(number))
            return
        data, count = self.chain[0], self.counts[j]
        real = data.real.dtype.type(number)
        for _, _, first, _ in self.layout.lines[j :: len(self)]:
            data[first : first + count] *= real

    def norm(self, j: int) -> float:
        """Return the Frobenius norm of the factor at a place."""
        count = self.counts[j]
        if count < 0:
            return self[j].norm()
        first = self.layout.lines[j][2]
        return frobenius_norm(self.chain[0][first : first + count])

    def _put_dense(self, j, factor):
        """Put a dense factor at a place, which kernels then see without entries."""
        self._factors[j], self.counts[j] = factor, -1
        indptr = self.chain[2]
        for rows, start, _, _ in self.layout.lines[j :: len(self)]:
            indptr[start : start + rows + 1] = 0

    def _widen(self, j, room):
        """Make room for more entries at a place."""
        rooms = (*self.layout.rooms[:j], room, *self.layout.rooms[j + 1 :])
        wider = PackedFactors(PackedLayout.of(self.shapes, rooms), self._dtype)
        for k in range(len(self)):
            if self.counts[k] >= 0 or k in self._factors:
                wider.put(k, self[k])
        self.__dict__.update(vars(wider))

    def _form(self, line):
        """Return the CSR form of a line of the layout, over the packed arrays."""
        data, indices, indptr, _ = self.chain
        rows, start, first, _ = self.layout.lines[line]
        end = first + self.counts[line % len(self)]
        pointers = indptr[start : start + rows + 1] - np.uint32(first)
        return data[first:end], indices[first:end], pointers


def tile_scratch(rows: int, dtype: np.dtype) -> np.ndarray:
    """Return the scratch of `chain_gradient`: two tiles of `rows` rows.

    A tile is a block of columns that goes through all factors while it is in cache.
    """
    width = min(_TILE_ROW // dtype.itemsize, _TILE // (dtype.itemsize * rows))
    return np.empty((2, rows, max(8, width)), dtype)
