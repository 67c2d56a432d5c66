"""From which density on BLAS multiplies a factor faster than our sparse kernels."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithms.common.factors import Dense, PackedFactors, compressed, dense_norm
from ..harness.sample import interleave, paired_ratio, summary
from .tools.result_files import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Sparse kernels against dense products"
NOTES = """\
A random factor S, p x q, of each density. operation: "S x", x of `columns` columns;
"S S^H"; "norm", a step of power iteration on the chain of five such factors, and on the
Gram matrix of their product. sparse, dense: seconds of one call, interleaved; ratio:
sparse over dense. crossing: the density where the ratio is 1, between the two points
around it, on logarithmic axes."""


@dataclass(frozen=True)
class Settings:
    """Shapes (p, q, columns of x), densities, dtypes, seconds for each point."""

    shapes: tuple[tuple[int, int, int], ...] = (
        (64, 64, 64), (204, 204, 204), (512, 512, 512), (204, 8193, 204),
        (64, 512, 64), (1024, 1024, 1024),
    )  # fmt: skip
    densities: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
    dtypes: tuple[str, ...] = ("float64", "float32", "complex128")
    budget: float = 0.2


FULL = Settings()
QUICK = Settings(((64, 64, 64), (512, 512, 512)), dtypes=("float64",), budget=0.05)


def jobs(settings: Settings, peers: bool) -> list[tuple[str, Callable[[], list[Row]]]]:
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
    p, q, columns = shape
    rng = np.random.default_rng(0)
    draw = functools.partial(_random, rng, np.dtype(dtype))
    array = np.where(rng.random((p, q)) < density, draw((p, q)), 0).astype(dtype)
    sparse, dense, x = compressed(array, 1.0), Dense(array), draw((q, columns))
    out, gram = np.empty((p, columns), dtype), np.empty((p, p), dtype)
    sparse_gram = functools.partial(sparse.gram, gram, limit=np.inf)
    pairs = {
        "S x": (lambda: sparse.apply(x, out), lambda: dense.apply(x, out)),
        "S S^H": (sparse_gram, lambda: dense.gram(gram)),
    }
    if p == q:
        chain, square = PackedFactors([sparse] * 5, np.dtype(dtype)), dense.gram()
        start = draw((p,))
        pairs["norm"] = (
            lambda: chain.norm(0, 5, start.copy(), 1),
            lambda: dense_norm(square, start.copy(), 1),
        )
    return [
        _row(name, dtype, shape, density, pair, budget) for name, pair in pairs.items()
    ]


def _row(name, dtype, shape, density, pair, budget):
    times = interleave(dict(zip(("sparse", "dense"), pair, strict=True)), budget)
    return {
        "operation": name,
        "dtype": dtype,
        **dict(zip(("p", "q", "columns"), shape, strict=True)),
        "density": density,
        **{impl: summary(times[impl])["median"] for impl in times},
        "ratio": paired_ratio(times["sparse"], times["dense"])["median"],
    }


def _random(rng, dtype, shape):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return where the ratio crosses 1, then all points."""
    keys = ("operation", "dtype", "p", "q", "columns")
    crossings = []
    for key in dict.fromkeys(tuple(row[name] for name in keys) for row in rows):
        chosen = [row for row in rows if tuple(row[name] for name in keys) == key]
        crossings.append(
            {
                **dict(zip(keys, key, strict=True)),
                "crossing": crossing(
                    [row["density"] for row in chosen],
                    [row["ratio"] for row in chosen],
                ),
            }
        )
    return {f"{TITLE}: crossings": crossings, "Points": list(rows)}


def crossing(densities: Sequence[float], ratios: Sequence[float]) -> str:
    """Return the density where ratios, rising, cross 1; or on which side of all it is.

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
    """Draw the ratio against the density, a panel for each operation."""
    operations = list(dict.fromkeys(row["operation"] for row in rows))
    panels = figure.subplots(1, len(operations), squeeze=False, sharey=True)[0]
    for axes, operation in zip(panels, operations, strict=True):
        chosen = [row for row in rows if row["operation"] == operation]
        for dtype, p, q in dict.fromkeys(
            (row["dtype"], row["p"], row["q"]) for row in chosen
        ):
            points = [
                (row["density"], row["ratio"])
                for row in chosen
                if (row["dtype"], row["p"], row["q"]) == (dtype, p, q)
            ]
            axes.loglog(*zip(*points, strict=True), ".-", label=f"{p}x{q} {dtype}")
        axes.axhline(1, color="0.5", linewidth=1)
        axes.set(title=operation, xlabel="density")
    panels[0].set_ylabel("sparse time / dense time")
    panels[0].legend(fontsize="x-small")
    figure.suptitle(TITLE)
