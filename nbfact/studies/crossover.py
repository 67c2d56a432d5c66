"""Study of the density from which on BLAS is faster than the sparse kernels.

It examines no claim of a paper. The densities above which `palm4msa` holds a factor as
a dense array (`nbfact/algorithms/common/factors.py`) are from this study.

``nbfact study crossover`` took 5 minutes on one core of a busy AMD EPYC, and 9 s with
``--quick``. It writes ``crossover.csv``, ``crossover.md`` and ``crossover.png``.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithms.common.factors import Dense, Sparse, compressed
from ..algorithms.common.packed_factors import PackedFactors
from ..algorithms.palm.side_norms import dense_norm, product_norm
from ..harness.sample import interleave, paired_ratio, summary
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Sparse kernels against dense products"
QUESTION = (
    "From which density on is a dense product faster than the sparse kernels of nbfact?"
)
PICTURE = (
    "The picture shows the time of the sparse kernel over that of the dense product "
    "against the density, with a panel for each operation; below 1 the sparse "
    "kernel is faster."
)
NOTES = """\
- A random p x q factor S of each density is held sparse and dense.
- The operation "S x" is the product with `columns` columns; "S S^H" is the Gram matrix;
  "norm" is a step of power iteration, on the chain of five such factors when they are
  sparse, and on the Gram matrix of their product when it is dense.
- sparse and dense are the seconds of one call, timed in turn. ratio is sparse over
  dense.
- crossing is the density where the ratio is 1, interpolated on logarithmic axes between
  the two points around it."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    shapes : tuple of (int, int, int)
        Shapes p x q of the factor, and numbers of columns of x.
    densities : tuple of float
        Shares of the entries of the factor that are not zero, in rising order.
    dtypes : tuple of str
        Dtypes of the factor and of x.
    budget : float
        Seconds for the timing of each operation at each point.
    """

    shapes: tuple[tuple[int, int, int], ...] = (
        (64, 64, 64), (204, 204, 204), (512, 512, 512), (204, 8193, 204),
        (64, 512, 64), (1024, 1024, 1024),
    )  # fmt: skip
    densities: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
    dtypes: tuple[str, ...] = ("float64", "float32", "complex128")
    budget: float = 0.2


FULL = Settings()
QUICK = Settings(((64, 64, 64), (512, 512, 512)), dtypes=("float64",), budget=0.05)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each dtype, shape and density."""
    return [
        (
            f"{dtype} {shape[0]}x{shape[1]} {density}",
            functools.partial(_rows, dtype, shape, density, settings.budget),
        )
        for dtype in settings.dtypes
        for shape in settings.shapes
        for density in settings.densities
    ]


def _rows(dtype, shape, density, budget):
    """Return the rows of all operations with one factor, sparse and dense."""
    p, q, columns = shape
    rng = np.random.default_rng(0)
    draw = functools.partial(_random, rng, np.dtype(dtype))
    array = np.where(rng.random((p, q)) < density, draw((p, q)), 0).astype(dtype)
    sparse, dense, x = compressed(array, 1.0), Dense(array), draw((q, columns))
    assert isinstance(sparse, Sparse)  # no density is above the limit of 1
    out, gram = np.empty((p, columns), dtype), np.empty((p, p), dtype)
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "S x": (lambda: sparse.apply(x, out), lambda: dense.apply(x, out)),
        "S S^H": (
            lambda: sparse.gram(gram, limit=np.inf),
            lambda: dense.gram(gram),
        ),
    }
    if p == q:
        chain, square = PackedFactors.of([sparse] * 5, np.dtype(dtype)), dense.gram()
        start = draw((p,))
        pairs["norm"] = (
            lambda: product_norm(chain, 0, 5, start.copy(), 1),
            lambda: dense_norm(square, start.copy(), 1),
        )
    return [
        _row(name, dtype, shape, density, pair, budget) for name, pair in pairs.items()
    ]


def _row(name, dtype, shape, density, pair, budget):
    """Time a pair of calls, sparse and dense, and return their row."""
    times = interleave(dict(zip(("sparse", "dense"), pair, strict=True)), budget)
    return {
        "operation": name,
        "dtype": dtype,
        **dict(zip(("p", "q", "columns"), shape, strict=True)),
        "density": density,
        **{impl: summary(times[impl])["median"] for impl in times},
        "ratio": paired_ratio(times["sparse"], times["dense"]),
    }


def _random(rng, dtype, shape):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return a table of where the ratio crosses 1, and one of all points."""
    keys = ("operation", "dtype", "p", "q", "columns")
    crossings = []
    for key in dict.fromkeys(tuple(row[name] for name in keys) for row in rows):
        wanted = dict(zip(keys, key, strict=True))
        chosen = select(rows, **wanted)
        crossings.append(
            {
                **wanted,
                "crossing": crossing(
                    [row["density"] for row in chosen],
                    [row["ratio"] for row in chosen],
                ),
            }
        )
    return {f"{TITLE}: crossings": crossings, "Points": list(rows)}


def crossing(densities: Sequence[float], ratios: Sequence[float]) -> str:
    """Return the density where the ratio crosses 1, as text.

    Parameters
    ----------
    densities : sequence of float
        Densities, in rising order.
    ratios : sequence of float
        Times of the sparse kernel over those of BLAS.

    Returns
    -------
    str
        The density in two digits, or "< " the first or "> " the last density when the
        ratios do not cross 1 between them.

    Examples
    --------
    >>> crossing([0.1, 0.4], [0.5, 2.0]), crossing([0.1, 0.4], [0.2, 0.9])
    ('0.2', '> 0.4')
    """
    if ratios[0] > 1:
        return f"< {densities[0]:g}"
    for i in range(1, len(ratios)):
        if ratios[i] > 1:
            x, y = np.log(densities[i - 1 : i + 1]), np.log(ratios[i - 1 : i + 1])
            return f"{np.exp(np.interp(0.0, y, x)):.2g}"
    return f"> {densities[-1]:g}"


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the ratio against the density, in a panel for each operation."""
    operations = values(rows, "operation")
    panels = figure.subplots(1, len(operations), squeeze=False, sharey=True)[0]
    for axes, operation in zip(panels, operations, strict=True):
        chosen = select(rows, operation=operation)
        for dtype, p, q in dict.fromkeys(
            (row["dtype"], row["p"], row["q"]) for row in chosen
        ):
            some = select(chosen, dtype=dtype, p=p, q=q)
            points = [(row["density"], row["ratio"]) for row in some]
            axes.loglog(*zip(*points, strict=True), ".-", label=f"{p}x{q} {dtype}")
        axes.axhline(1, color="0.5", linewidth=1)
        axes.set(title=operation, xlabel="density")
    panels[0].set_ylabel("sparse time / dense time")
    legend_below(figure, panels)
    figure.suptitle(TITLE)
