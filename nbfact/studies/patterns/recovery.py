"""Recovery, a part of the study of patterns: finding the permutations of a butterfly.

The rows and columns of a butterfly are permuted at random, noise is added, and each
method factors the result. The table counts on how many instances it succeeds.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ... import algorithms
from ...cases.rivals import faust
from ...constraints import SkPerm
from ...operators import Chain
from ..tools.choices import PRESETS
from ..tools.intervals import wilson
from ..tools.rows import Row, select, values
from ..tools.work import Job
from .instances import FIRST_SEED, RADICES, Instance, Solve, attempt, radix_name
from .rank_one_blocks import rank_one_blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PART = "recovery"
TARGETS = (
    "Hadamard, permuted",
    "orthogonal butterfly, permuted",
    "Gaussian butterfly, permuted",
)

RADICES_OF = {
    radix_name(kind, radices): radices
    for kind in ("orthogonal", "Gaussian")
    for radices in RADICES
}
"""The radices of the targets that have others than 2, by their name."""

ORDER_OF = {name: math.prod(radices) for name, radices in RADICES_OF.items()}
"""The order of these targets."""

OF_RADICES = tuple(ORDER_OF)


@dataclass(frozen=True)
class Grid:
    """The instances that some methods are tried on.

    Attributes
    ----------
    n : tuple of int
        Orders, powers of two.
    noises : tuple of float
        Relative noises.
    seeds : int
        Number of seeds for each order and noise.
    methods : tuple of str
        Names of methods; an empty tuple means all of them.
    targets : tuple of str
        Names of targets. Those of :data:`ORDER_OF` have one order, whatever `n` is.
    """

    n: tuple[int, ...]
    noises: tuple[float, ...]
    seeds: int
    methods: tuple[str, ...] = ()
    targets: tuple[str, ...] = TARGETS


def _identify(target, instance, rng):
    radices = RADICES_OF.get(instance.target)
    chain = Chain.mixed_radix(radices) if radices else None
    return algorithms.identify_butterfly(target, chain, random_state=rng)


def _rank_one(target, instance, rng):
    return rank_one_blocks(target, n_guesses=2, n_iter=10, random_state=rng)


def _fixed(target, instance, rng):
    return algorithms.butterfly_factorize(target, permutation="search")


def _sets(n):
    """Return the sets of log2(n) factors with two entries in each row and column."""
    return [SkPerm((n, n), 2)] * max(n.bit_length() - 1, 1)


def _palm(target, instance, rng):
    return algorithms.palm4msa(target, _sets(instance.n), n_iter=200, keep="best")


def _hierarchical(preset, target, instance, rng):
    return algorithms.hierarchical(target, preset)


def _pyfaust_palm(backend, target, instance, rng):
    return faust.palm(target, _sets(instance.n), 200, backend)()


def _pyfaust_hierarchical(preset, backend, target, instance, rng):
    return faust.hierarchical(target, preset, backend)()


OURS, RANK_ONE = "identify_butterfly", "rank-one blocks (2023)"
METHODS: dict[str, Solve] = {
    OURS: _identify,
    RANK_ONE: _rank_one,
    "fixed butterfly, permutation search": _fixed,
    "palm4msa SkPerm": _palm,
    **{
        f"hierarchical {preset}": functools.partial(_hierarchical, preset)
        for preset in PRESETS[:2]
    },
}
"""The methods to compare, by name. To try another method, add a line here."""

PEERS: dict[str, Solve] = {
    f"pyfaust {backend} {name}": solve
    for backend in faust.BACKENDS
    for name, solve in (
        ("palm4msa skperm", functools.partial(_pyfaust_palm, backend)),
        *(
            (f"hierarchical {p}", functools.partial(_pyfaust_hierarchical, p, backend))
            for p in PRESETS[:2]
        ),
    )
}
"""The methods of pyfaust, which run with ``--peers`` only."""


def jobs(grids: Sequence[Grid], peers: bool) -> list[Job]:
    """Return one job for each method and instance, without repetition."""
    found: dict[str, Job] = {}
    for grid in grids:
        for method, solve in {**METHODS, **(PEERS if peers else {})}.items():
            if grid.methods and method not in grid.methods:
                continue
            for target in grid.targets:
                for n in (ORDER_OF[target],) if target in ORDER_OF else grid.n:
                    for noise in grid.noises:
                        for seed in range(FIRST_SEED, FIRST_SEED + grid.seeds):
                            one = Instance(target, n, seed, noise)
                            label = f"{PART}, {method}, {target}, {n}, {noise}, {seed}"
                            job = functools.partial(attempt, PART, method, solve, one)
                            found[label] = (label, job)
    return list(found.values())


def draw_noise(axes: "Axes", rows: Sequence[Row], target: str) -> None:
    """Draw the success rate against the noise, at the order tried with most noises."""
    chosen = select(rows, part=PART, target=target)
    if not chosen:
        return
    counts = {
        n: len(values(select(chosen, n=n), "noise")) for n in _sorted(chosen, "n")
    }
    n = max(counts, key=lambda n: counts[n])
    chosen = select(chosen, n=n)
    noises = _sorted(chosen, "noise")
    _draw_rates(axes, chosen, "noise", noises)
    axes.set_xticks(range(len(noises)), [f"{noise:g}" for noise in noises])
    axes.set(title=f"{target}, n = {n}", xlabel="relative noise")


def draw_order(axes: "Axes", rows: Sequence[Row], target: str) -> None:
    """Draw the success rate without noise against the order n."""
    chosen = select(rows, part=PART, target=target, noise=0.0)
    orders = _sorted(chosen, "n")
    _draw_rates(axes, chosen, "n", orders)
    axes.set_xticks(range(len(orders)), list(map(str, orders)))
    axes.set(title=f"{target}, no noise", xlabel="n")


def of_radices(rows: Sequence[Row], kind: str) -> list[str]:
    """Return the targets of one kind with radices in their names, smallest first."""
    found = [one for one in OF_RADICES if one.startswith(kind)]
    tried = values(select(rows, part=PART), "target")
    return sorted((one for one in found if one in tried), key=lambda one: ORDER_OF[one])


def draw_radices(axes: "Axes", rows: Sequence[Row], kind: str) -> None:
    """Draw the success rate against the radices, at the largest noise tried."""
    names = of_radices(rows, kind)
    chosen = [row for row in select(rows, part=PART) if row["target"] in names]
    noise = max(values(chosen, "noise"))
    _draw_rates(axes, select(chosen, noise=noise), "target", names)
    short = [name.split()[2].rstrip(",") for name in names]
    axes.set_xticks(range(len(names)), short, fontsize=8)
    axes.set(title=f"{kind} butterfly, noise {noise:g}", xlabel="radices")


def _sorted(rows, name):
    return sorted(values(rows, name))


def _draw_rates(axes, rows, name, ticks):
    """Draw a line for each method, with Wilson's intervals, slightly side by side."""
    methods = values(rows, "method")
    for index, method in enumerate(methods):
        x, y, below, above = [], [], [], []
        for place, value in enumerate(ticks):
            tried = select(rows, method=method, **{name: value})
            if not tried:
                continue
            good = sum(bool(row["success"]) for row in tried)
            low, high = wilson(good, len(tried))
            rate = good / len(tried)
            x.append(place + 0.04 * (index - len(methods) / 2))
            y.append(rate)
            below.append(rate - low)
            above.append(high - rate)
        line = "x--" if method in PEERS else ".-"  # there are more lines than colours
        axes.errorbar(x, y, (below, above), fmt=line, capsize=2, lw=1, label=method)
    axes.set_ylim(-0.05, 1.05)
