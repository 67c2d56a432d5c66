"""Study of the rates of the product kernels: nanoseconds for each value of a factor.

It examines no paper. The model by which `nbfact/operators/plan.py` chooses how to
multiply by a butterfly has its constants from this study.

``nbfact study rates`` took 2 minutes on one core of a busy AMD EPYC. It writes
``rates.csv``, ``rates.md`` and ``rates.png``.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..harness.sample import interleave
from ..operators import Chain
from ..operators.convolution_formula import Convolution, convolution_work
from ..operators.formulas import Formula, transform_work
from ..operators.plan import (
    BLOCKS,
    DECREASING,
    INCREASING,
    KRONECKER,
    SHUFFLED,
    TURNED,
    Plan,
    Step,
)
from ..operators.program import Program
from ..operators.small_matrices import LARGEST, SmallMatrix
from ..operators.tied_convolutions import (
    is_tied_convolution,
    tied_convolution_multiplier,
)
from ..operators.tied_transforms import (
    is_tied,
    smallest_order,
    tied_columns,
    tied_multiplier,
    tied_vector,
    tile_of,
)
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Nanoseconds a value and column, by kernel and pattern"
QUESTION = (
    "How many nanoseconds does each kernel need for one value of a factor and one "
    "column?"
)
PICTURE = (
    "The picture shows nanoseconds for each value and column against the size of "
    "the blocks, with a panel for each number of columns; lower is better."
)
NOTES = """\
- Products of order n are timed with one factor of pattern (a, b, b, d) taken twice, or
  with a whole chain: the dyadic one, the one of rank 2 between its factors, or one of
  radix 4. Values are Gaussian.
- A cell is the least time of many calls, in nanoseconds, over the number of values and
  of columns of x.
- radix is b, and stride is d. The constants of `nbfact/operators/plan.py` are from this
  table, and those of `nbfact/operators/block_prices.py` are fitted to the rows of kind
  blocks, where each of the two factors is a step of its own.
- Whole transforms are calls of scipy.fft, or of the kernels that know the values of a
  transform, by the name of the kernel. Their radix is the order. Two orders are timed.
  The cell of the larger one is the slope between them: nanoseconds for a unit of
  `transform_work` and a column. That of the smaller one is the time of its call that
  the slope does not explain, in nanoseconds. The constants of
  `nbfact/operators/formulas.py` and `nbfact/operators/tied_transforms.py` are from
  these rows. Kernels for columns are timed with whole tiles alone. The rows named
  matrix are of its dense matrix: their unit is an entry, and the constants are in
  `nbfact/operators/small_matrices.py`. The rows named convolution are of a
  circulant matrix by scipy.fft: their unit is that of `convolution_work`, and the
  constants are in `nbfact/operators/convolution_formula.py`. Those named
  convolve_columns and convolve_vector are of the same matrix by the kernels, and the
  constants are in `nbfact/operators/tied_convolutions.py`."""
MATRIX = "matrix"
"""Name of the rows of the dense matrix of a transform."""
CONVOLUTION = "convolution"
"""Name of the rows of a circulant matrix by two transforms of scipy.fft."""
CONVOLVE = "convolve_columns", "convolve_vector"
"""Names of the rows of a circulant matrix by the kernels for columns, and a vector."""
SMALL_CONVOLUTION = 4
"""Order of the circulant matrix whose time is subtracted from that of a large one, for
several columns."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    n : int
        Order of the products, a power of two.
    dtypes : tuple of str
        Dtypes of values and x.
    batches : tuple of int
        Numbers of columns of x.
    radices, strides : tuple of int
        Values of b and of d in the pattern (a, b, b, d).
    budget : float
        Seconds for the timing of each row.
    """

    n: int = 1024
    dtypes: tuple[str, ...] = ("float32", "float64", "complex64", "complex128")
    batches: tuple[int, ...] = (1, 16, 256)
    radices: tuple[int, ...] = (2, 4, 8, 16, 32)
    strides: tuple[int, ...] = (1, 4, 32)
    budget: float = 0.02


FULL = Settings()
QUICK = Settings(256, ("float32",), (1, 16), (2, 4), (1, 32), 0.005)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each dtype and number of columns; pyfaust has no part."""
    return [
        (f"{dtype}, {batch} columns", functools.partial(_rows, settings, dtype, batch))
        for dtype in settings.dtypes
        for batch in settings.batches
    ]


def _rows(settings, dtype, batch):
    """Return the rows of all kernels for one dtype and number of columns."""
    dyadic = Chain.square_dyadic(settings.n)
    whole = [(INCREASING, dyadic), (DECREASING, dyadic.T)]
    if batch == 1:
        twice = Chain.rank2(settings.n)
        whole += [(SHUFFLED, twice), (TURNED, twice.T)]
        if len(dyadic) % 2 == 0:  # the kernel has no loops of its own for radix 4
            whole.append((SHUFFLED, dyadic.fuse([2] * (len(dyadic) // 2))))
    found = [
        _row(chain, (Step(kind, 0, len(chain)),), dtype, batch, settings.budget)
        for kind, chain in whole
    ]
    for radix in settings.radices:
        for stride in settings.strides:
            if settings.n % (radix * stride) == 0:
                factor = (settings.n // (radix * stride), radix, radix, stride)
                chain = Chain([factor] * 2)
                loops: Plan = (Step(KRONECKER, 0, 2, (1, 1)),)
                blocks: Plan = (Step(BLOCKS, 0, 1), Step(BLOCKS, 1, 2))
                found += [
                    _row(chain, plan, dtype, batch, settings.budget)
                    for plan in (loops, blocks)
                ]
    return found + _transform_rows(settings, np.dtype(dtype), batch)


def _transform_rows(settings, dtype, batch):
    """Return the rows of the library and of the kernel for a whole transform."""
    formula = Formula("fft") if dtype.kind == "c" else Formula("dct", 2)
    n, budget, found = settings.n, settings.budget, []
    calls = {order: formula.multiplier(order, dtype) for order in (2, n)}
    name = f"scipy.fft.{formula.function}"
    found += _rates_of_calls(name, calls, dtype, batch, budget)
    found += _convolution_rows(n, dtype, batch, budget)
    matrices = {
        order: SmallMatrix(formula.matrix(order, dtype)).multipliers(batch)[0]
        for order in (2, min(n, math.isqrt(LARGEST // dtype.itemsize)))
    }
    found += _rates_of_calls(MATRIX, matrices, dtype, batch, budget)
    least, whole = (
        smallest_order(dtype, batch),
        batch == 1 or not batch % tile_of(dtype),
    )
    if not whole or n <= least or not is_tied(formula, n, dtype, batch):
        return found
    calls = {
        order: tied_multiplier(formula, order, dtype, batch) for order in (least, n)
    }
    make = tied_columns if batch > 1 else tied_vector
    name = make(formula, n, dtype).kernel.__name__
    return found + _rates_of_calls(name, calls, dtype, batch, budget)


def _convolution_rows(n, dtype, batch, budget):
    """Return the rows of the library and of the kernel for convolutions."""
    least = SMALL_CONVOLUTION if batch > 1 else smallest_order(dtype, batch)
    if n <= least:
        return []
    convolutions = {
        order: Convolution(np.ones(order, dtype), (order, order))
        for order in (least, n)
    }
    calls = {order: one.multiplier(order, dtype) for order, one in convolutions.items()}
    found = _rates_of_calls(CONVOLUTION, calls, dtype, batch, budget)
    if all(is_tied_convolution(one, dtype, batch) for one in convolutions.values()):
        calls = {
            order: tied_convolution_multiplier(one, dtype, batch)
            for order, one in convolutions.items()
        }
        name = CONVOLVE[batch == 1]
        found += _rates_of_calls(name, calls, dtype, batch, budget)
    return found


_WORK = {
    MATRIX: lambda order: order**2,
    CONVOLUTION: convolution_work,
    **dict.fromkeys(CONVOLVE, convolution_work),
}
"""The units of the rows that are not those of `transform_work`, by kernel."""


def _rates_of_calls(name, transforms, dtype, batch, budget):
    """Time transforms of a small and a large order; return the rows of both.

    ``transforms`` maps the orders to functions. See `NOTES` for what the rows hold.
    """
    calls = {}
    for order, multiply in transforms.items():
        shape = (order,) if batch == 1 else (order, batch)
        x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
        calls[f"{order}"] = functools.partial(multiply, x)
    times = interleave(calls, budget)
    small, large = transforms
    least = {order: float(times[f"{order}"].min()) * 1e9 for order in transforms}
    work = {
        order: batch * _WORK.get(name, transform_work)(order) for order in transforms
    }
    slope = (least[large] - least[small]) / (work[large] - work[small])
    cells = {small: least[small] - slope * work[small], large: slope}
    given = {"kernel": name, "dtype": dtype.name, "batch": batch, "stride": None}
    return [{**given, "radix": order, "ns": cells[order]} for order in transforms]


def _row(chain, plan, dtype, batch, budget):
    """Time a plan whose steps are of one kind, and return its row."""
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(pattern).astype(dtype) for pattern in chain]
    program = Program(values, plan, np.dtype(dtype))
    shape = (chain.shape[1],) if batch == 1 else (chain.shape[1], batch)
    x = rng.standard_normal(shape).astype(dtype)
    out = np.empty_like(x)
    times = interleave({"run": lambda: program.run(x, out)}, budget)["run"]
    _, radix, _, stride = chain[0]
    kind = plan[0].kind
    return {
        "kernel": kind,
        "dtype": dtype,
        "batch": batch,
        "radix": radix,
        "stride": stride if kind in (KRONECKER, BLOCKS) else None,
        "ns": float(times.min()) * 1e9 / (chain.n_parameters * batch),
    }


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return one table: a line for each kernel and pattern, a column for each dtype."""
    lines: dict[tuple, Row] = {}
    for row in rows:
        key = row["kernel"], row["radix"], row["stride"]
        names = ("kernel", "radix", "stride")
        line = lines.setdefault(key, dict(zip(names, key, strict=True)))
        line[f"{row['dtype']} x {row['batch']}"] = row["ns"]
    return {TITLE: list(lines.values())}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw nanoseconds against the radix, one panel for each number of columns."""
    batches = values(rows, "batch")
    all_axes = np.ravel(figure.subplots(1, len(batches), sharey=True))
    for axes, batch in zip(all_axes, batches, strict=True):
        chosen = select(rows, batch=batch, kernel=KRONECKER)
        for dtype in values(chosen, "dtype"):
            for stride in values(chosen, "stride"):
                some = select(chosen, dtype=dtype, stride=stride)
                line = [(row["radix"], row["ns"]) for row in some]
                label = f"{dtype}, d = {stride}"
                axes.loglog(*zip(*line, strict=True), "o-", label=label)
        axes.set(title=f"{batch} columns", xlabel="b = c")
    all_axes[0].set(ylabel="ns a value")
    legend_below(figure, all_axes)
