"""Study of learned sparsity patterns: which are found, and how well others approximate.

It examines the claims of nbfact itself, against the algorithms of Le Magoarou and
Gribonval (IEEE JSTSP 10(4), 2016) and of Zheng, Puy, Riccietti, Pérez and Gribonval
(GRETSI 2023), and against the rule of the support exploration algorithm (Mohamed,
Malgouyres, Emiya and Chaux, ICML 2024). It does not compare yet with two other methods
that leave bad supports or learn permutations: the extension of that algorithm to the
permutations of Monarch matrices (Mohamed, Emiya and Chaux, ICASSP 2025), and structured
support exploration (Le and Gribonval, ICASSP 2021). Its three parts are
:mod:`nbfact.studies.patterns.recovery` of permuted butterflies,
:mod:`nbfact.studies.patterns.exploration` with a leak against palm4MSA, and
:mod:`nbfact.studies.patterns.approximation` at equal numbers of non-zeros.

``nbfact study patterns --n-jobs 2`` took 20 minutes on a two-core AMD EPYC;
``nbfact study patterns --quick --peers --n-jobs 2`` took 71 s there. They write
``patterns.csv``, ``patterns.md`` and ``patterns.png``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tools.choices import FIRST_SEED
from ..tools.rows import Row, failure_table, select, values
from ..tools.work import Job
from . import approximation, exploration, recovery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Learning patterns of sparsity"
PARALLEL = True
NOTES = f"""\
General:

- Parameters were tuned on seeds below {FIRST_SEED} only. All seeds here, of targets, of
  noise and of starts, are {FIRST_SEED} and above. Some of them were run while the study
  was written, but none to choose a parameter. The DCT, the Hartley transform and the
  centroids of digits are single matrices: defaults were tuned on these very operators.
- Errors are relative, in Frobenius norm, to the matrix without noise. A success is an
  error of at most 1e-3 or twice the noise. Rates are successes/trials with [Wilson's 95
  % interval]; an attempt that raises an exception counts as no success, and is listed
  under Failures.
- Where several jobs ran side by side, seconds are only an indication.

Recovery:

- The targets are butterflies of 2 x 2 blocks whose rows and columns are permuted at
  random, with J = log2(n) factors.
- "rank-one blocks" is the method of Zheng, Puy, Riccietti, Pérez and Gribonval (2023),
  implemented here from the paper, with 6 exponents, 2 guesses and 10 alternations for
  each (the paper has 5 guesses and 50 alternations). Where its partitions do not nest
  it gives up, which counts as an error of 1. It is not tried above n = 32.
- "palm4msa" makes 200 sweeps from the default start, and "hierarchical" uses the
  presets of the Hadamard matrix. Both have 5 seeds at n = 64 and are not tried above
  it.

Exploration:

- n = {exploration.N}. Projections onto k-regular supports are exact. All leaks have the
  same random start and make the same number of sweeps: 1000 for the tasks named
  "direct", and 300 for the others.
- "SEA's rule" is that of the support exploration algorithm (2024), which is for one
  sparse vector, carried to products here: X adds up the gradients of a factor, its
  projection gives the support alone, and the values are the least squares on it.
- "explore" is never worse than "palm4msa" by construction, because it runs palm4MSA too
  and returns the better result; the last table checks that. How often the exploration
  alone is better is seen from the rows "leak".
- "leak" is the exploration alone, with refined values; "palm4msa" is its best iterate.

Approximation:

- n = 64. `learn_transform` chooses the number of factors itself; the hierarchical runs
  have six factors; "palm4msa" has two or three, 1000 sweeps, and refined values.
- Errors are the median (least..largest) over instances. "best" is the least error among
  the runs on one instance that keep the budget of non-zeros.
- The names of the hierarchical runs give the sets of the factors, the side of the
  residual, and the iterations of each split and each refinement; `refine` then refines
  their values. Runs with splincol ignore the budget.
- "pyfaust" has the same sets and iterations, with the 2020 backend, and the same
  `refine`.
- "truncated SVD" stores as many values as the budget allows; "largest entries" keeps as
  many entries of the matrix itself, as a single factor."""


@dataclass(frozen=True)
class Settings:
    """What each part of the study varies.

    Attributes
    ----------
    grids : tuple of Grid
        Instances of the recovery.
    tasks : tuple of str
        Keys of `exploration.TASKS`.
    leaks : tuple of float or pairs
        Leaks of the exploration.
    seeds : int
        Number of seeds of the exploration.
    sizes : Sizes
        Instances and iterations of the approximation.
    """

    grids: tuple[recovery.Grid, ...]
    tasks: tuple[str, ...]
    leaks: tuple[exploration.Leak, ...]
    seeds: int
    sizes: approximation.Sizes


NOISES = (0.0, 1e-12, 1e-6, 1e-2, 1e-1)
FAST = (recovery.OURS, "fixed butterfly, permutation search")
"""Methods of the recovery that are affordable at every order."""
SLOW = tuple(
    name for name in recovery.METHODS if name not in (*FAST, recovery.RANK_ONE)
)
"""Slower methods of the recovery, tried on 5 seeds at n = 64, and not above."""

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
    """Return the jobs of the three parts."""
    tried = exploration.jobs(settings.tasks, settings.leaks, settings.seeds, peers)
    found = recovery.jobs(settings.grids, peers) + tried
    return found + approximation.jobs(settings.sizes, peers)


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the tables of the three parts, and a table of the attempts that raised."""
    found = recovery.tables(select(rows, part=recovery.PART))
    found |= exploration.tables(select(rows, part=exploration.PART))
    found |= approximation.tables(rows)
    return found | failure_table(rows)


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
