"""Study of products with Kronecker-sparse factors whose blocks are large.

It takes the patterns of Gonon, Zheng, Carrivain and Le (*Fast inference with
Kronecker-sparse matrices*, ICML 2025), who timed them on GPUs, to one thread of a
processor: nbfact against what NumPy, SciPy and lazylinop offer. lazylinop takes part
where it is installed.

``nbfact study kronecker`` writes ``kronecker.csv``, ``kronecker.md`` and
``kronecker.png``, and resumes where it was interrupted.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ...cases.rivals.block_rivals import COLUMNS, ROWS, ways
from ...harness.clocks import CPU
from ...harness.sample import interleave_clocks
from ...operators import Butterfly, Chain
from ...operators.patterns import Pattern
from ..tools.legends import legend_below
from ..tools.rows import Row, select, values
from ..tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Products with Kronecker-sparse factors of large blocks, float32"
QUESTION = (
    "Sparse factors that consist of large dense blocks are multiplied well by "
    "general libraries too: is nbfact faster than the best of them on one thread?"
)
PICTURE = (
    "The picture shows the time of the best other way over that of nbfact, the "
    "products in rising order; above the line nbfact is faster."
)
PARALLEL = True  # each time is only compared with others of the same job
OURS = "nbfact"
ONE, CHAIN = "one factor", "chain"
"""Parts of the study: single factors, and chains of two and three."""

IN_WORDS = {ONE: "one factor", CHAIN: "a chain of two or three factors"}

NOTES = """\
- A pattern (a, b, c, d) has a d blocks of b x c values. Patterns and values are drawn
  at random, from fixed seeds.
- columns: x has one vector in each column, and the product is `B @ x`. rows: x has one
  in each row, and the product is `x @ B.T`. With one vector x is that vector, and rows
  are not timed.
- A time is the median of calls that take turns and allocate the product, by the CPU
  clock, which stands still while other processes run. A way that is timed once is timed
  by the clock on the wall. A ratio is the time of the best rival over ours: above 1,
  nbfact is faster.
- Each way has a copy of the values, and a call that is not timed comes before each
  one that is.
- The best rival is chosen from the same times that it is compared by, so that noise
  favours the rivals, of which there are about ten.
- Rivals: the dense product, where the matrix is small enough; batched `numpy.matmul`
  with permuted axes (on views, on copies, and written in place); `numpy.matvec`, where
  NumPy has it; `numpy.einsum`; CSR and, between permutations, BSR of SciPy; and
  lazylinop's `ksm`, where it is installed. A way whose first call takes more than five
  times as long as the fastest one is timed once.
- rows/columns is our time for rows over our time for columns, in the same process."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    patterns, chains : int
        Number of patterns, and of chains: of two factors and of three in turn.
    batches, chain_batches : tuple of int
        Numbers of vectors, for single factors and for chains.
    value_bytes, dense_bytes : int
        Limits of the values of an operator and of its dense matrix, in bytes.
    a, b, d : tuple of int
        What the entries of a pattern are drawn from; c is b, 4 b or b / 4.
    two, three : tuple of int
        What the sizes of the blocks of chains of two and of three are drawn from.
    budget : float
        Seconds for the timing of each product and number of vectors.
    """

    patterns: int = 200
    chains: int = 20
    batches: tuple[int, ...] = (1, 16, 128)
    chain_batches: tuple[int, ...] = (1, 16, 128, 512)
    value_bytes: int = 2**30
    dense_bytes: int = 2**31
    a: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
    b: tuple[int, ...] = (48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
    d: tuple[int, ...] = (1, 4, 16, 64)
    two: tuple[int, ...] = (48, 64, 96, 128, 192, 256)
    three: tuple[int, ...] = (16, 32, 48, 64)
    budget: float = 0.3


FULL = Settings()
QUICK = Settings(8, 2, value_bytes=2**24, dense_bytes=2**28, budget=0.05)

LARGEST_SIDE = 2**17
"""Largest number of rows or columns of a chain of three factors."""

SLOW = 5.0
"""A way is timed once when its first call takes this many times as long as the fastest
one."""

ERROR = 1e-4
"""Largest difference of two ways, relative to the largest entry of the product."""


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return one job for each pattern and chain; lazylinop needs no `peers`."""
    drawn: list[tuple[str, tuple[Pattern, ...], tuple[int, ...]]] = [
        (ONE, (one,), settings.batches) for one in _patterns(settings)
    ]
    chains = [(CHAIN, one, settings.chain_batches) for one in _chains(settings)]
    # Chains come between patterns, so that an interrupted run has some of both.
    step = max(1, len(drawn) // max(1, len(chains)))
    for number, chain in enumerate(chains):
        drawn.insert(number * (step + 1), chain)
    return [
        (
            f"{number}: {' '.join(map(str, patterns))}",
            functools.partial(_rows, settings, part, patterns, batches),
        )
        for number, (part, patterns, batches) in enumerate(drawn)
    ]


def _patterns(settings: Settings) -> Iterator[Pattern]:
    """Yield the patterns of single factors."""
    rng = np.random.default_rng(0)
    found = 0
    while found < settings.patterns:
        a, b, d = (
            int(rng.choice(some)) for some in (settings.a, settings.b, settings.d)
        )
        c = int(b * rng.choice((0.25, 1, 4)))
        fits = 4 * a * b * c * d <= settings.value_bytes
        if fits and min(settings.b) <= c <= max(settings.b):
            found += 1
            yield a, b, c, d


def _chains(settings: Settings) -> Iterator[tuple[Pattern, ...]]:
    """Yield chains: of two factors of any shapes, and of three square ones."""
    rng = np.random.default_rng(1)
    found = 0
    while found < settings.chains:
        sizes = settings.three if found % 2 else settings.two
        p, q, r, s = (int(one) for one in rng.choice(sizes, 4))
        chain: tuple[Pattern, ...]
        if found % 2:
            chain = ((1, p, p, q * r), (p, q, q, r), (p * q, r, r, 1))
        else:
            chain = ((1, p, s, q), (s, q, r, 1))
        side = max(max(a * b * d, a * c * d) for a, b, c, d in chain)
        fits = 4 * sum(map(math.prod, chain)) <= settings.value_bytes
        if fits and side <= LARGEST_SIDE:
            found += 1
            yield chain


def _rows(settings, part, patterns, batches):
    """Return the rows of one operator: a row for each way, layout and batch."""
    rng = np.random.default_rng(2)
    chain = Chain(patterns)
    values = [
        rng.standard_normal(pattern, np.float32) / np.float32(np.sqrt(pattern[2]))
        for pattern in chain
    ]
    butterfly = Butterfly(chain, values)
    found = []
    for batch in batches:
        for layout in (COLUMNS, ROWS) if batch > 1 else (COLUMNS,):
            times = _times(butterfly, layout, batch, rng, settings)
            found += [
                {
                    "part": part,
                    "patterns": " ".join(map(str, chain.patterns)),
                    "values": chain.n_parameters,
                    "batch": batch,
                    "layout": layout,
                    "implementation": name,
                    "seconds": median,
                    "least": least,
                }
                for name, (median, least) in times.items()
            ]
    return found


def _times(butterfly, layout, batch, rng, settings):
    """Return the median and the least time of each way, in seconds.

    Raises
    ------
    ValueError
        When two ways give different products.
    """
    n = butterfly.shape[1]
    shape = (n,) if batch == 1 else (n, batch) if layout == COLUMNS else (batch, n)
    x = rng.standard_normal(shape, np.float32)
    turned = butterfly.T
    ours = (lambda x: butterfly @ x) if layout == COLUMNS else (lambda x: x @ turned)
    calls = {OURS: functools.partial(ours, x)}
    rivals = ways(butterfly, layout, batch, settings.dense_bytes)
    for name, way in rivals.items():
        calls[name] = functools.partial(way, x)
    expected = calls[OURS]()
    first = {}
    for name, call in calls.items():
        start = perf_counter()
        product = call()
        first[name] = perf_counter() - start
        difference = np.abs(product - expected).max() / np.abs(expected).max()
        if not difference <= ERROR:
            raise ValueError(f"{butterfly!r}: {name} differs by {difference}")
    limit = SLOW * min(first.values())
    chosen = {k: v for k, v in calls.items() if k == OURS or first[k] <= limit}
    found = {name: (first[name], first[name]) for name in calls}
    for name, both in interleave_clocks(chosen, settings.budget, known=first).items():
        times = both[:, CPU]
        found[name] = float(np.median(times)), float(times.min())
    return found


def compared(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each product: our time, that of the best rival, their ratio.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the study: one for each way.

    Returns
    -------
    list of dict
        Times in microseconds.
    """
    cells: dict[tuple, dict[str, float]] = {}
    names = ("part", "patterns", "batch", "layout")
    for row in rows:
        key = tuple(row[name] for name in names)
        cells.setdefault(key, {})[row["implementation"]] = row["seconds"]
    lines = []
    for key, times in cells.items():
        rivals = {name: time for name, time in times.items() if name != OURS}
        best = min(rivals, key=lambda name: rivals[name])
        lines.append(
            {
                **dict(zip(names, key, strict=True)),
                "ours (µs)": times[OURS] * 1e6,
                "best rival (µs)": rivals[best] * 1e6,
                "best rival": best,
                "ratio": rivals[best] / times[OURS],
            }
        )
    return lines


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return tables of the ratios, of rows beside columns, and of the lost products."""
    lines = compared(rows)
    summary, beside = [], []
    for part in values(lines, "part"):
        for batch in values(select(lines, part=part), "batch"):
            for layout in values(lines, "layout"):
                some = select(lines, part=part, batch=batch, layout=layout)
                if some:
                    names = {"part": part, "batch": batch, "layout": layout}
                    summary.append(names | _summary(some))
            pair = _beside(select(lines, part=part, batch=batch))
            if pair:
                beside.append({"part": part, "batch": batch} | pair)
    lost = [line for line in lines if line["ratio"] < 0.95]
    found = {TITLE: summary, "Our time for rows over our time for columns": beside}
    counts = {
        f"Ratio below 0.95: {len(lost)} of {len(lines)} products": sorted(
            lost, key=lambda line: line["ratio"]
        )
    }
    return {k: v for k, v in (found | counts).items() if v}


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    lines = compared(rows)
    if not lines:
        return ""
    parts = []
    for part, some in ((one, select(lines, part=one)) for one in values(lines, "part")):
        found = _summary(some)
        parts.append(
            f"With {IN_WORDS[part]}, nbfact is faster in {found['above 1']} of "
            f"{found['products']} products; the best other way takes "
            f"{found['geometric mean']:.2f} times as long in the geometric mean, and "
            f"{found['least']:.2f} times where nbfact does worst."
        )
    by_batch = {
        batch: _summary(select(lines, batch=batch))["geometric mean"]
        for batch in values(lines, "batch")
    }
    worst = min(by_batch, key=lambda batch: by_batch[batch])
    best = max(by_batch, key=lambda batch: by_batch[batch])
    if best != worst:
        parts.append(
            f"This mean is largest with {best} vector{'s' * (best != 1)} "
            f"({by_batch[best]:.2f}) and smallest with {worst} ({by_batch[worst]:.2f})."
        )
    return " ".join(parts)


def _summary(lines):
    """Return the summary of the ratios of some products."""
    ratios = np.array([line["ratio"] for line in lines])
    rivals = [line["best rival"] for line in lines]
    return {
        "products": len(lines),
        "geometric mean": float(np.exp(np.log(ratios).mean())),
        "median": float(np.median(ratios)),
        "least": float(ratios.min()),
        "at least 0.95": int((ratios >= 0.95).sum()),
        "above 1": int((ratios > 1).sum()),
        "most frequent best rival": max(sorted(set(rivals)), key=rivals.count),
    }


def _beside(lines):
    """Return how our times for rows compare with those for columns."""
    columns = {x["patterns"]: x["ours (µs)"] for x in select(lines, layout=COLUMNS)}
    ratios = [
        line["ours (µs)"] / columns[line["patterns"]]
        for line in select(lines, layout=ROWS)
    ]
    if not ratios:
        return {}
    return {
        "products": len(ratios),
        "geometric mean": math.exp(sum(map(math.log, ratios)) / len(ratios)),
        "largest": max(ratios),
        "at most 1.1": sum(ratio <= 1.1 for ratio in ratios),
    }


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the ratios in rising order, a panel for each part and layout."""
    lines = compared(rows)
    parts, layouts = values(lines, "part"), values(lines, "layout")
    colors = {batch: f"C{i}" for i, batch in enumerate(values(lines, "batch"))}
    all_axes = figure.subplots(len(parts), len(layouts), squeeze=False, sharey=True)
    for part, some_axes in zip(parts, all_axes, strict=True):
        for layout, axes in zip(layouts, some_axes, strict=True):
            for batch in values(lines, "batch"):
                some = select(lines, part=part, layout=layout, batch=batch)
                ratios = sorted(line["ratio"] for line in some)
                if ratios:
                    places = (np.arange(len(ratios)) + 0.5) / len(ratios)
                    label = f"{batch} vector{'s' * (batch != 1)}"
                    style = {"color": colors[batch], "label": label}
                    axes.semilogy(places, ratios, ".-", **style)
            axes.axhline(1, color="black", linewidth=0.8)
            axes.set(title=f"{part}, {layout}", xlabel="share of the products")
            axes.set_yticks((0.5, 1, 2, 5, 10), minor=False)
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
        some_axes[0].set_ylabel("best rival's time / nbfact's")
    legend_below(figure, all_axes.flat)
