"""Study of learned sparsity patterns: which are found, and how well others approximate.

It examines the claims of nbfact itself, against the algorithms of Le Magoarou and
Gribonval (IEEE JSTSP 10(4), 2016) and of Zheng, Puy, Riccietti, Pérez and Gribonval
(GRETSI 2023), against the rule of the support exploration algorithm (Mohamed,
Malgouyres, Emiya and Chaux, ICML 2024), its extension to the permutations of Monarch
matrices (Mohamed, Emiya and Chaux, ICASSP 2025) and structured support exploration (Le
and Gribonval, ICASSP 2021). Its three parts are
:mod:`nbfact.studies.patterns.recovery` of permuted butterflies,
:mod:`nbfact.studies.patterns.exploration` with a leak against palm4MSA, and
:mod:`nbfact.studies.patterns.approximation` at equal non-zeros and equal compute.

``nbfact study patterns`` takes days on one core, and resumes; ``--so-far`` writes the
files from the jobs that are done. ``nbfact study patterns --quick`` takes two minutes.
They write ``patterns.csv``, ``patterns.md`` and ``patterns.png``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..tools.rows import Row, failure_table, select
from ..tools.work import Job
from . import (
    approximation,
    approximation_tables,
    exploration,
    patterns_page,
    patterns_pictures,
    recovery,
)
from .instances import FIRST_SEED

TITLE = "Learning patterns of sparsity"
QUESTION = (
    "How much is gained by learning *where* the non-zeros of the factors are, when "
    "every method has the same number of non-zeros and the same computing time?"
)
PICTURE = (
    "The picture shows, for each target matrix, the relative error of "
    "`learn_transform` and that of the best of the other methods; further left is "
    "better. A missing bar is an exact result."
)
PARALLEL = True
_TIES = "algorithms.md#the-sets-of-the-paper-for-the-hadamard-matrix"
NOTES = f"""\
General:

- No parameter was chosen by a run on the seeds of this study, of targets, of noise and
  of starts, which are {FIRST_SEED} and above. A target and a method of the same seed
  draw from different streams.
- Errors are relative, in Frobenius norm, to the matrix without noise. A success is an
  error of at most 1e-3 or twice the noise. Rates are successes/trials with
  [Wilson's interval of 95 percent]; an attempt that raises an exception counts as no
  success, and is listed under Failures.
- Seconds are those of the CPU clock of one process with one thread, so that other work
  on the machine disturbs them little.
- The full study was not run whole: the first table says how much of it was, and which
  version and commit of nbfact made the rows. `nbfact study patterns` goes on with it,
  `-k` chooses jobs by their labels, and `--so-far` writes the page.

Recovery:

- The targets are butterflies whose rows and columns are permuted at random: of 2 x 2
  blocks, with J = log2(n) factors, or of the radices in their name, which
  `identify_butterfly` gets as its chain; it does not know the permutations.
- "rank-one blocks" is the method of Zheng, Puy, Riccietti, Pérez and Gribonval (2023),
  implemented here from the paper, with 6 exponents, 2 guesses and 10 alternations for
  each (the paper has 5 guesses and 50 alternations). Where its partitions do not nest
  it gives up, which counts as an error of 1. It is not tried above n = 32.
- "closer" counts errors of at most 1e-10 without noise, and of at most 1.2 times the
  noise from 0.01 on.
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
- "leak" is the exploration alone, with refined values; "palm4msa" is its best iterate.
  `explore` as it is called runs palm4MSA too and returns the better result, which
  says nothing of the leak, and is no row here.

Approximation:

- Every method may spend as many non-zeros as a Monarch matrix has, and as many CPU
  seconds as one call of `learn_transform` took, all of whose families and explorations
  count. It restarts until then: first with its usual settings, then from random starts,
  and the best run counts. Compilation is not counted, because each method has run once
  in the process before. Runs that a callback can end are ended in time.
- "palm4msa", "SEA's rule" and "palm4msa with pursuit" have 2, 3 and 4 factors in turn,
  which share the non-zeros evenly, and 200 sweeps; values are refined by `refine`.
- "hierarchical" has log2(n) factors, residuals that halve, both sides, 30 and 200
  sweeps; then all four are drawn at random. Values are refined by `refine`.
- "palm4msa with pursuit" is structured support exploration (Le and Gribonval, 2021),
  "SEA's rule" is as above, "Monarch, STEAM" learns the two permutations of a Monarch
  matrix (Mohamed, Emiya and Chaux, 2025). All are written anew here.
- "Monarch, exact" is the projection of Dao et al. (2022), first with the order of rows
  and columns as it is, then with random ones. Permutations count as no non-zeros.
- "sparse + low rank (GoDec)" has the ranks 1, 2, 4, 8, 3, 6 in turn. Its sparse matrix
  grows over the first half of 100 alternations.
- "largest entries", "truncated SVD" and "best chain" (all Kronecker-sparse chains that
  `nbfact.chains` lists) are closed forms, which more time does not help.
- Numbers of a table with several instances are the median (least..largest). Errors are
  equal up to 1e-9 of their size, and where both are at most 1e-9.
- Few instances of a target are no distribution. Fewer factors than log2(n) are a part
  of what learn_transform gains: see the ablations with fixed numbers of factors.
- A run that `learn_transform` ends early, because its result is exact, leaves less time
  than one run of some methods takes, which favours them: see the shares above 1.
- A sparse product of free supports saves non-zeros; a Monarch matrix of as many
  multiplies faster. The study counts non-zeros.
- Ablations are explorations alone, of the same starts and trials: "leak 0" is palm4MSA
  in all of them, "constant leak" is not annealed, and "factors" fixes their number.
  "worse" and "better" compare with "explorations" on the same instance.

Beside this study:

- pyfaust 3.42.2, `nbfact study patterns --quick --peers`, five seeds, at commit
  3b3d5beaaf: palm4msa with skperm and its hierarchical presets for the Hadamard matrix
  recover 0/5 of the permuted Hadamard matrices and butterflies, n = 16 and 32.
- The sets of the first publication fail on the Hadamard matrix, here and in pyfaust:
  all of its entries are tied, so that the rule for ties chooses the support. See
  [algorithms.md]({_TIES})."""


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
        Instances of the approximation.
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

_RADICES = (recovery.Grid((), (0.0, 1e-2), 20, FAST, recovery.OF_RADICES),)
FULL = Settings(
    (
        recovery.Grid((32,), NOISES, 50, FAST),
        recovery.Grid((16, 32), (0.0, 1e-2), 50, (*SLOW, recovery.RANK_ONE)),
        recovery.Grid((32,), (1e-12, 1e-6), 50, SLOW),
        recovery.Grid((16, 64, 128), (0.0, 1e-2), 50, FAST),
        recovery.Grid((256,), (0.0, 1e-2), 20, FAST),
        recovery.Grid((64,), (0.0,), 5, SLOW),
        *_RADICES,
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
    approximation.Sizes(
        ("inverse kernel", "sparse + rank 2"),
        *((32,), 1, 1, "quick"),
    ),
)


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return the jobs of the three parts."""
    tried = exploration.jobs(settings.tasks, settings.leaks, settings.seeds, peers)
    found = recovery.jobs(settings.grids, peers) + tried
    return found + approximation.jobs(settings.sizes, peers)


SAME_ROW = ("part", "target", "task", "n", "noise", "method", "seed")
"""Columns by which rows of several runs are the same attempt."""

opening = patterns_page.opening
draw, draw_details = patterns_pictures.draw, patterns_pictures.draw_details


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return what was measured, what failed, and the tables of the three parts."""
    planned = [label for label, _ in jobs(FULL, False)]
    planned += [label for label, _ in jobs(FULL, True) if label.startswith("pyfaust, ")]
    found: dict[str, list[Row]] = {}
    if tried := select(rows, part=approximation.PART):
        found |= {
            "Approximation: each other method": patterns_page.against_methods(tried),
            "Approximation: learn_transform and the best other method, medians": (
                patterns_page.against_targets(tried)
            ),
        }
    lost = patterns_page.failures_of_ours(rows)
    found["Failures of ours"] = lost or [{"part": "none"}]
    found["What was measured"] = patterns_page.measured(rows, planned)
    found |= approximation_tables.tables(rows)
    found |= patterns_page.recovered(rows)
    found |= exploration.tables(select(rows, part=exploration.PART))
    return found | failure_table(rows)
