"""The factors of a product, packed for the kernels that read several at once."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...kernels import (
    chain_absorb,
    csr_add,
    csr_apply_columns,
    csr_compress,
    frobenius_norm,
    gram_norm,
)
from ...kernels.chain_absorb import NORM_STEPS, NORM_TOL
from .factors import CSR, DENSE, Dense, Factor, Sparse

_TILE_ROW, _TILE = 256, 1 << 18
"""Sizes in bytes of one row of a tile, and of a whole tile: of rows of 128, 256 and 512
bytes, these are the fastest at n = 512 (`nbfact bench -k "hierarchical n=512"`)."""


_ROOM = 1 << 12
"""Number of entries that there is room for at each place, unless a factor with more is
dense: 64 kB in float64, so that places of small factors need not grow."""


class PackedLayout(NamedTuple):
    """Where the factors of a chain are packed, as `nbfact.kernels.chain_steps` says.

    It is shared by the chains of all sweeps, and must not be written to.

    Attributes
    ----------
    shapes : tuple of (int, int)
        Shapes of the factors.
    rooms : tuple of int
        How many entries of each factor there is room for.
    lines : tuple of (int, int, int)
        For each factor, then for each adjoint: how many rows it has, and where it
        begins in the array of pointers and in that of entries. Behind the entries of a
        factor is a place for scratch.
    table : ndarray of int64, (2 J, 2)
        The first two numbers of each line: what kernels take as ``layout``.
    places : tuple of (int, int, int, int)
        For each factor, where it begins in the array of pointers and in that of
        entries, and where its adjoint does: what `csr_compress` takes.
    n_entries, n_pointers : int
        Sizes of the arrays of entries and of pointers.
    largest : int
        Largest number of rows or columns of a factor.
    """

    shapes: tuple[tuple[int, int], ...]
    rooms: tuple[int, ...]
    lines: tuple[tuple[int, int, int], ...]
    table: np.ndarray
    places: tuple[tuple[int, int, int, int], ...]
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
            lines.append((rows, pointer, entry))
            pointer += rows + 1
            entry += room + (number < len(rooms))  # and a place for scratch
        largest = max(n_rows)
        table = np.array([line[:2] for line in lines], np.int64)
        half = zip(lines[: len(rooms)], lines[len(rooms) :], strict=True)
        places = tuple([(*own[1:], *turned[1:]) for own, turned in half])
        return cls(shapes, rooms, tuple(lines), table, places, entry, pointer, largest)


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
    forms : list of pairs of three arrays
        The CSR forms of each sparse factor and of its adjoint, for kernels. They share
        the data and indices of all factors, which the pointers count from.
    """

    def __init__(self, layout: PackedLayout, dtype: np.dtype) -> None:
        self.layout, self.shapes, self._dtype = layout, layout.shapes, dtype
        self.counts = [-1] * len(layout.shapes)
        self._norms: list[float | None] = [None] * len(layout.shapes)
        self._factors: dict[int, Factor] = {}
        self._lent = False  # whether a factor over the packed arrays was handed out
        self._nothing, none = np.empty((0, 0), dtype), np.empty(0, np.uint32)
        self._no_support = none, none
        data = np.empty(layout.n_entries, dtype)
        indices = np.empty(layout.n_entries, np.uint32)
        indptr = np.empty(layout.n_pointers, np.uint32)
        self.chain = data, indices, indptr, layout.table
        views = [
            (data, indices, indptr[start : start + rows + 1])
            for rows, start, _ in layout.lines
        ]
        half = len(layout.shapes)
        self.forms: list[tuple[CSR, CSR]] = list(
            zip(views[:half], views[half:], strict=True)
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

    def successor(self, spare: "PackedFactors | None" = None) -> "PackedFactors":
        """Return the same without factors, for those of the next sweep.

        Its arrays are those of `spare` where that has the same layout and no factor of
        it was handed out; what `spare` holds is then lost.
        """
        if spare is None or spare._lent or spare.layout is not self.layout:
            return PackedFactors(self.layout, self._dtype)
        return spare._emptied()

    def _emptied(self):
        """Return self without factors."""
        self.counts = [-1] * len(self.shapes)
        self._norms = [None] * len(self.shapes)
        self._factors.clear()
        return self

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, j: int) -> Factor:
        self._lent = True
        return self._factor(j)

    def __iter__(self) -> Iterator[Factor]:
        return (self[j] for j in range(len(self)))

    def _factor(self, j):
        """Return the factor at a place, which may not be kept."""
        factor = self._factors.get(j)
        if factor is None:
            factor = Sparse(self.shapes[j], self._form(j), self._form(j + len(self)))
            self._factors[j] = factor
        return factor

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

    def put(self, j: int, factor: Factor) -> None:
        """Put a factor at a place that has room for its entries."""
        if isinstance(factor, Dense):
            self._put_dense(j, factor)
            return
        data, indices, indptr, _ = self.chain
        for form, line in zip(
            (factor.rows, factor.columns), (j, j + len(self)), strict=True
        ):
            rows, start, first = self.layout.lines[line]
            data[first : first + factor.nnz] = form[0]
            indices[first : first + factor.nnz] = form[1]
            pointers = indptr[start : start + rows + 1]
            pointers[:] = form[2]
            pointers += np.uint32(first)
        self.counts[j], self._norms[j] = factor.nnz, None

    def store(self, j: int, x: np.ndarray, old: "PackedFactors") -> int:
        """Put the entries of x at place j, sparse or dense as in `compressed`.

        Returns the number of entries that are zero in the factor of `old` at this
        place.
        """
        layout, (data, indices, indptr, _) = self.layout, self.chain
        room, places = layout.rooms[j], layout.places[j]
        before = old.forms[j][0][1:] if old.counts[j] >= 0 else self._no_support
        nnz, entered, norm = csr_compress(
            x, room, data, indices, indptr, places, *before
        )
        if nnz > room:
            if nnz > DENSE * x.size:
                self._put_dense(j, Dense(x.copy(), nnz))
                return self._factor(j).entered(old._factor(j))
            self._widen(j, min(nnz + nnz // 8, int(DENSE * x.size)))
            return self.store(j, x, old)
        self.counts[j], self._norms[j] = nnz, norm
        if old.counts[j] < 0:
            return self._factor(j).entered(old._factor(j))
        return entered

    def keep(self, j: int, old: "PackedFactors") -> None:
        """Put the factor of `old` at the same place."""
        self.put(j, old._factor(j))

    def toarray(self, j: int, out: np.ndarray) -> np.ndarray:
        """Write the factor at a place to a dense array, and return that."""
        if self.counts[j] < 0:
            return self._factor(j).toarray(out)
        out.fill(0)
        self.add_to(j, out)
        return out

    def apply(self, j: int, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write S x to out for the factor S at a place, and return out."""
        if self.counts[j] < 0:
            return self._factor(j).apply(x, out)
        csr_apply_columns(*self.forms[j][0], x, out)
        return out

    def apply_adjoint(self, j: int, x: np.ndarray) -> np.ndarray:
        """Return Sᴴ x for the factor S at a place."""
        if self.counts[j] < 0:
            return self._factor(j).apply_adjoint(x)
        out = np.empty((self.shapes[j][1], x.shape[1]), x.dtype)
        csr_apply_columns(*self.forms[j][1], x, out)
        return out

    def add_to(self, j: int, x: np.ndarray) -> None:
        """Add the factor at a place to a dense array, in place."""
        if self.counts[j] < 0:
            self._factor(j).add_to(x)
        else:
            csr_add(*self.forms[j][0], x)

    def absorb(
        self,
        j: int,
        gram: np.ndarray,
        cross: np.ndarray,
        scratch: np.ndarray,
        vector: np.ndarray,
        out: tuple[np.ndarray, np.ndarray],
    ) -> float:
        """Write S G Sᴴ and S X to the arrays of `out`, for the factor S at a place.

        `gram` is G, Hermitian, and stands for the identity where it has no entries;
        `cross` is X, and may have none. `scratch`, `vector` and what is returned are
        those of `chain_absorb`.
        """
        if self.counts[j] >= 0:
            return chain_absorb(self.chain, j, gram, cross, scratch, vector, *out)
        factor = self._factor(j)
        if cross.size:
            factor.apply(cross, out[1])
        if gram.size:
            factor.congruent(gram, out=out[0])
        else:
            factor.gram(out[0])
        return _gram_norm(out[0], vector)

    def absorb_columns(
        self,
        j: int,
        gram: np.ndarray,
        scratch: np.ndarray,
        vector: np.ndarray,
        out: np.ndarray,
    ) -> float:
        """Write Sᴴ G S to out for the factor S at a place; see `absorb`."""
        if self.counts[j] >= 0:
            line, none = j + len(self.shapes), self._nothing
            return chain_absorb(
                self.chain, line, gram, none, scratch, vector, out, none
            )
        factor = self._factor(j)
        if gram.size:
            factor.adjoint().congruent(gram, out)
        else:
            out[:] = factor.gram_of_columns()
        return _gram_norm(out, vector)

    def scale(self, j: int, number: float) -> None:
        """Multiply the factor at a place by a real number."""
        if self.counts[j] < 0:
            self._put_dense(j, self._factor(j).scaled(number))
            return
        data, count, norm = self.chain[0], self.counts[j], self._norms[j]
        self._norms[j] = None if norm is None else norm * abs(number)
        real = data.real.dtype.type(number)
        for _, _, first in self.layout.lines[j :: len(self)]:
            data[first : first + count] *= real

    def norm(self, j: int) -> float:
        """Return the Frobenius norm of the factor at a place."""
        norm = self._norms[j]
        if norm is None:
            count, first = self.counts[j], self.layout.lines[j][2]
            if count < 0:
                norm = self._factor(j).norm()
            else:
                norm = frobenius_norm(self.chain[0][first : first + count])
            self._norms[j] = norm
        return norm

    def _put_dense(self, j, factor):
        """Put a dense factor at a place, which kernels then see without entries."""
        self._factors[j], self.counts[j], self._norms[j] = factor, -1, None
        indptr = self.chain[2]
        for rows, start, _ in self.layout.lines[j :: len(self)]:
            indptr[start : start + rows + 1] = 0

    def _widen(self, j, room):
        """Make room for more entries at a place."""
        rooms = (*self.layout.rooms[:j], room, *self.layout.rooms[j + 1 :])
        wider = PackedFactors(PackedLayout.of(self.shapes, rooms), self._dtype)
        for k in range(len(self)):
            if self.counts[k] >= 0 or k in self._factors:
                wider.keep(k, self)
        self.__dict__.update(vars(wider))

    def _form(self, line):
        """Return the CSR form of a line of the layout, over the packed arrays."""
        data, indices, indptr, _ = self.chain
        rows, start, first = self.layout.lines[line]
        end = first + self.counts[line % len(self)]
        pointers = indptr[start : start + rows + 1] - np.uint32(first)
        return data[first:end], indices[first:end], pointers


def _gram_norm(gram: np.ndarray, vector: np.ndarray) -> float:
    """Return the root of the norm of a Gram matrix, as `chain_absorb` does."""
    if vector.size == 0:
        return 0.0
    return math.sqrt(gram_norm(gram, vector, NORM_STEPS, NORM_TOL))


def tile_scratch(rows: int, dtype: np.dtype) -> np.ndarray:
    """Return the scratch of `chain_step`: two tiles of `rows` rows.

    A tile is a block of columns that goes through all factors while it is in cache.
    """
    width = min(_TILE_ROW // dtype.itemsize, _TILE // (dtype.itemsize * rows))
    return np.empty((2, rows, max(8, width)), dtype)
