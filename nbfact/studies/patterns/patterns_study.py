"""Learning patterns of sparsity: what is found, and what is approximated how well.

Three parts, each in a module of its own: :mod:`nbfact.studies.patterns.recovery` of permuted
butterflies, :mod:`nbfact.studies.patterns.exploration` with a leak against PALM, and
:mod:`nbfact.studies.patterns.approximation` at equal non-zeros.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tools.result_files import Row
from ..tools.work import Job
from . import approximation, exploration, recovery
from .instances import JUDGED, select, values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Learning patterns of sparsity"
PARALLEL = True
NOTES = f"""\
Seeds: what was tuned was tuned on seeds below {JUDGED}; all seeds here, of targets, of
noise, of starts, are {JUDGED} and above. Some were run while the study was written,
none to choose a parameter. DCT, Hartley and the centroids are single matrices: defaults
were tuned on these very operators.
Errors are relative, in Frobenius norm, to the matrix without noise. A success is an
error of at most 1e-3 or twice the noise. Rates: successes/trials [Wilson's 95 %
interval]; a failure counts as no success. failures: attempts that raised.
Recovery: butterflies of 2 x 2 blocks, rows and columns permuted at random; J = log2(n).
rank-one blocks: the method of Zheng, Puy, Riccietti, Pérez and Gribonval (2023),
written anew, 6 exponents, 2 guesses and 10 alternations for each (theirs: 5 and 50);
where its partitions do not nest it gives up, an error of 1. palm4msa: 200 sweeps, from
the default start. hierarchical: with the presets of the Hadamard matrix; both have 5
seeds at n = 64 and are not tried above, rank-one blocks not above 32.
Exploration: n = {exploration.N}, exact k-regular projections, the same random start and
the same number of sweeps for all leaks: 300, of "direct" 1000. "leak": the exploration
alone, polished; palm4msa: its best iterate.
Approximation: n = 64; learn_transform chooses the number of factors, the hierarchical
ones have six, palm4msa two or three (1000 sweeps, polished). Errors:
median (least..largest) over instances; "best": the least of the runs of one instance
that keep the budget of non-zeros. hierarchical: sets, side of the residual, iterations
of each split and each refinement; polished by `refine`. splincol spends what it spends.
pyfaust: the same sets and iterations, backend 2020, polished by the same `refine`.
quoted: the best of nine FAµST runs of the prototypes, on instances of their own.
truncated SVD: as many values. largest entries: as many, of the matrix: one factor.
seconds: where several jobs ran side by side, an indication only."""


@dataclass(frozen=True)
class Settings:
    """What each part tries."""

    grids: tuple[recovery.Grid, ...]
    tasks: tuple[str, ...]
    leaks: tuple
    seeds: int
    sizes: approximation.Sizes


NOISES = (0.0, 1e-12, 1e-6, 1e-2, 1e-1)
FAST = (recovery.OURS, "fixed butterfly, permutation search")
SLOW = tuple(
    name for name in recovery.METHODS if name not in (*FAST, recovery.RANK_ONE)
)
FULL = Settings(
    (
        recovery.Grid((32,), NOISES, 50, FAST),
        recovery.Grid((16, 32), (0.0, 1e-2), 50, (*SLOW, recovery.RANK_ONE)),
        recovery.Grid((32,), (1e-12, 1e-6), 50, SLOW),
        recovery.Grid((16, 64, 128), (0.0, 1e-2), 50, FAST),
        recovery.Grid((256,), (0.0, 1e-2), 20, FAST),
        recovery.Grid((64,), (0.0,), 5, SLOW),
    ),
    tuple(exploration.TASKS),
    exploration.LEAKS,
    50,
    approximation.Sizes(),
)
QUICK = Settings(
    (recovery.Grid((16,), (0.0, 1e-2), 5), recovery.Grid((32,), (0.0,), 5)),
    ("Hadamard 8 x 2", "pair rotations, J = 2"),
    (0.0, 0.95, (0.99, 0.9)),
    5,
    approximation.Sizes(("DCT", "lead field"), 1, (30,), ("DCT",), (4.0, 6.0), 30),
)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return the jobs of all parts."""
    tried = exploration.jobs(settings.tasks, settings.leaks, settings.seeds, peers)
    found = recovery.jobs(settings.grids, peers) + tried
    return found + approximation.jobs(settings.sizes, peers)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the tables of all parts, then what failed."""
    found = recovery.tables(select(rows, part=recovery.PART))
    found |= exploration.tables(select(rows, part=exploration.PART))
    found |= approximation.tables(rows)
    failed = [row for row in rows if row["failure"]]
    if failed:
        found["Failures"] = [
            {"method": method, "failures": len(some), "first": some[0]["failure"]}
            for method in values(failed, "method")
            if (some := select(failed, method=method))
        ]
    return found


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw success against noise and against n, and error against complexity gain."""
    targets = values(select(rows, part=recovery.PART), "target")
    curves = values(select(rows, part=approximation.CURVE), "target")
    across = max(len(targets), len(curves), 1)
    figure.set_size_inches(5 * across, 12)
    panels = figure.subplots(3, across, squeeze=False)
    drawings = (recovery.draw_noise, recovery.draw_order, approximation.draw_curve)
    for line, drawing, names in zip(
        panels, drawings, (targets, targets, curves), strict=True
    ):
        for axes, name in zip(line, names, strict=False):
            drawing(axes, rows, name)
        for axes in line[len(names) :]:
            axes.set_visible(False)
    for line, label in zip(panels, ("success", "success", "error"), strict=True):
        line[0].set_ylabel(label)
    if targets:
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
