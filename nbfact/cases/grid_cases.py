"""The cases of one cell of the grid: nbfact, and every rival in its best form."""

import copy
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..harness.case import DENSE, Case
from . import yardsticks
from .grid_operators import KINDS, GridOperator, build
from .products import MATVEC, MERGED
from .rivals.block_rivals import COLUMNS, ROWS, ways

Call = Callable[[], np.ndarray]

AT, OUT = "nbfact @", "nbfact apply(out=)"
"""Implementations of nbfact: ``A @ x`` (``x @ A.T`` for rows), which allocates the
product, and ``A.apply(x, out=)``, for the operators that have it."""

FORMS = ("nbfact matvec", "nbfact one column", "nbfact mixed dtypes")
"""Other calls of nbfact for one vector: the method `matvec`; a matrix of one column
after a product with two; and an x of half the precision."""

VECTOR = "vector"
LAYOUTS = ("columns C", "columns F", "rows C", "rows F")
"""How x holds several vectors, in columns or in rows, and its order in memory."""

HALVES = {"float64": "float32", "complex128": "complex64"}
"""The dtypes of half the precision."""

GROUP = "grid"
SCIPY, LEVELS = "scipy.fft", "numpy levels"


@dataclass(frozen=True)
class Cell:
    """One product of the grid.

    Attributes
    ----------
    operator, side : str
        See :func:`nbfact.cases.grid_operators.build`.
    n, batch : int
        Order of the operator, and number of vectors.
    layout : str
        :data:`VECTOR`, or one of :data:`LAYOUTS`.
    dtype : str
    """

    operator: str
    side: str
    n: int
    batch: int
    layout: str
    dtype: str


@dataclass(eq=False)
class CellInputs:
    """Inputs of a product of the grid.

    Attributes
    ----------
    source : GridOperator
        What multiplies.
    array : ndarray
        What it multiplies, in the layout of the cell.
    rows : bool
        Whether the vectors are the rows of the array.
    """

    source: GridOperator
    array: np.ndarray
    rows: bool

    @property
    def columns(self) -> np.ndarray:
        """The operand with one vector in each column, (n, batch), or (n,)."""
        return self.array.T if self.rows else self.array

    @property
    def flat(self) -> bool:
        """Whether each vector is contiguous, and there are several."""
        return self.array.ndim == 2 and not self.columns.flags.c_contiguous

    def result(self) -> np.ndarray:
        """Return an array for the product, laid out as the operand."""
        return yardsticks.laid_out_as(self.array)

    def laid_out(self, product: np.ndarray) -> np.ndarray:
        """Return a product of columns in the layout of the cell."""
        return product.T if self.rows else product


def cell_cases(
    cell: Cell, dense_bytes: int = 2**26, with_rivals: bool = True
) -> Iterator[Case]:
    """Yield the cases of one product: those of nbfact, and the rivals.

    Parameters
    ----------
    cell : Cell
        The product.
    dense_bytes : int
        Limit of the dense matrix; above it the dense product is no rival.
    with_rivals : bool
        Whether there are rivals besides the dense product. Without them, the calls of
        :data:`FORMS` are there instead.

    Yields
    ------
    Case
    """
    kind, itemsize = KINDS[cell.operator], np.dtype(cell.dtype).itemsize
    prepares: dict[str, Callable[[CellInputs], Call]] = {AT: _at}
    if kind.applies:
        prepares[OUT] = _out
    if cell.n**2 * itemsize <= dense_bytes:
        prepares[DENSE] = _dense
    if with_rivals:
        prepares |= _rivals(cell, kind.rivals)
    elif cell.layout == VECTOR:
        forms = dict(zip(FORMS, (_matvec, _one_column, _mixed), strict=True))
        if cell.dtype not in HALVES:
            del forms[FORMS[2]]
        prepares |= forms
    units = 2 * cell.n**0.5 + 16 * np.log2(cell.n)
    for impl, prepare in prepares.items():
        yield Case(
            group=GROUP,
            impl=impl,
            params=dict(vars(cell)),
            make=functools.partial(_make, cell),
            prepare=prepare,
            reference=_reference,
            bound=float(units * np.finfo(cell.dtype).eps),
            size=int((kind.stored(cell.n) + 2 * cell.n * cell.batch) * itemsize),
            flops=kind.flops(cell.n, cell.dtype) * cell.batch,
            yardstick=AT if with_rivals else DENSE,
            rival=not impl.startswith("nbfact"),
        )


def own_cells(cells: Iterable[tuple], dtype: str) -> Iterator[Case]:
    """Yield the cases of nbfact, and the dense product, of some products.

    Parameters
    ----------
    cells : iterable of tuple
        The attributes of cells without their dtype, as :data:`CALLED`.
    dtype : str
        The dtype. Operators that do not have it are left out.

    Yields
    ------
    Case
    """
    for operator, side, n, batch, layout in cells:
        if dtype in KINDS[operator].dtypes:
            cell = Cell(operator, side, n, batch, layout, dtype)
            yield from cell_cases(cell, with_rivals=False)


def _make(cell, rng):
    shape = (cell.n,) if cell.batch == 1 else (cell.n, cell.batch)
    x = rng.standard_normal(shape)
    if cell.dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    half = HALVES.get(cell.dtype, cell.dtype)  # the same numbers in both precisions
    x, rows = x.astype(half).astype(cell.dtype), cell.layout.startswith("rows")
    x = np.array(x.T if rows else x, order="F" if cell.layout.endswith("F") else "C")
    found = CellInputs(_built(cell), yardsticks.laid_out_as(x), rows)
    found.array[...] = x
    return found


def _reference(inputs):
    return inputs.laid_out(inputs.source.exact(inputs.columns))


def _at(inputs):
    A, x = inputs.source.operator, inputs.array
    if not inputs.rows:
        return lambda: A @ x
    turned = A.T
    return lambda: x @ turned


def _out(inputs):
    A = copy.deepcopy(inputs.source.operator)  # values of its own, as all ways have
    x, out = inputs.columns, inputs.result()
    to = inputs.laid_out(out)

    def call_apply():
        A.apply(x, to)
        return out

    return call_apply


def _matvec(inputs):
    A, x = inputs.source.operator, inputs.array
    return lambda: A.matvec(x)


def _one_column(inputs):
    """Prepare a product with one column, after one with two columns."""
    A, column = inputs.source.operator, inputs.array[:, None]
    A @ np.repeat(column, 2, axis=1)
    return lambda: (A @ column)[:, 0]


def _mixed(inputs):
    A, x = inputs.source.operator, inputs.array
    x = x.astype(HALVES[x.dtype.name])
    return lambda: A @ x


def _rivals(cell, kinds):
    """Return how each rival of a product is prepared, by name."""
    flat = cell.layout in ("columns F", "rows C")
    simple = {"fft": (SCIPY, _fft), "levels": (LEVELS, _levels)}
    simple["kronecker"] = "numpy two products", _two_products
    found: dict[str, Callable[[CellInputs], Call]] = {
        name: prepare for kind, (name, prepare) in simple.items() if kind in kinds
    }
    for kind, name in (("factors", MATVEC), ("pairs", MERGED)):
        if kind in kinds and flat:
            found[f"{name}, turned"] = functools.partial(_turned, kind)
            found[f"{name}, one by one"] = functools.partial(_one_by_one, kind)
        elif kind in kinds:
            found[name] = functools.partial(_looped, kind)
    if "blocks" in kinds:
        layout, source = ROWS if flat else COLUMNS, _built(cell)
        for name, way in ways(source.butterfly, layout, cell.batch, 0).items():
            if name not in ("CSR", "einsum"):  # slower forms of what is here already
                found[name] = functools.partial(_way, way, layout)
    return found


def _built(cell):
    return build(cell.operator, cell.n, cell.dtype, cell.side)


def _factors(source, kind):
    """Return the sparse factors, or the products of two of them each."""
    factors = list(source.factors)
    return factors if kind == "factors" else yardsticks.merged_pairs(factors)


def _dense(inputs):
    """Prepare the dense product in the layout of the matrix that is faster."""
    matrix, x = inputs.source.dense, inputs.columns
    if not inputs.flat:
        call = yardsticks.dense_product(yardsticks.fastest_layout(matrix, x), x)
        return lambda: inputs.laid_out(call())
    lines, out = x.T, yardsticks.laid_out_as(x.T)  # all operators are square
    turned = yardsticks.fastest_factor(matrix.T, lines)
    to = inputs.laid_out(out.T)

    def call_flat():
        np.matmul(lines, turned, out=out)
        return to

    return call_flat


def _looped(kind, inputs):
    factors = _factors(inputs.source, kind)
    call = yardsticks.csr_product(factors, inputs.columns)
    return lambda: inputs.laid_out(call())


def _turned(kind, inputs):
    """Prepare copies to contiguous columns, the loop, and copies back."""
    factors, x = _factors(inputs.source, kind), inputs.columns
    columns, out = np.empty(x.shape, x.dtype), inputs.result()
    call, to = yardsticks.csr_product(factors, columns), inputs.laid_out(out)

    def turned():
        np.copyto(columns, x)
        np.copyto(to, call())
        return out

    return turned


def _one_by_one(kind, inputs):
    """Prepare the loop for one vector after the other."""
    factors = _factors(inputs.source, kind)
    x, out = inputs.columns, inputs.result()
    calls = [yardsticks.csr_product(factors, one) for one in x.T]
    pairs = list(zip(calls, inputs.laid_out(out).T, strict=True))

    def looped():
        for call, to in pairs:
            to[...] = call()
        return out

    return looped


def _fft(inputs):
    x, fft, axis = inputs.array, inputs.source.fft, 1 if inputs.rows else 0
    return lambda: fft(x, axis)


def _levels(inputs):
    lines, levels = inputs.columns, inputs.source.levels
    if inputs.flat:
        rows = lines.T
        return lambda: inputs.laid_out(levels(rows, 1).T)
    return lambda: inputs.laid_out(levels(lines, 0))


def _two_products(inputs):
    """Prepare the two matrix products that a Kronecker product of matrices is."""
    (left, right), n = inputs.source.kronecker, len(inputs.columns)
    order = len(left)
    if inputs.flat or inputs.array.ndim == 1:
        x, turned = np.atleast_2d(inputs.columns.T), right.T.copy()

        def lines():
            found = left @ (x.reshape(-1, order, order) @ turned)
            return inputs.laid_out(found.reshape(inputs.columns.T.shape).T)

        return lines
    x = inputs.columns

    def columns():
        found = (left @ x.reshape(order, -1)).reshape(order, order, -1)
        return inputs.laid_out((right @ found).reshape(n, -1))

    return columns


def _way(way, layout, inputs):
    """Prepare a way of `block_rivals` to multiply by dense blocks."""
    x = inputs.columns
    if layout == COLUMNS:
        return lambda: inputs.laid_out(way(x))
    rows = x.T
    return lambda: inputs.laid_out(way(rows).T)
