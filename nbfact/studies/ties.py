"""Study of the sets with which the Hadamard matrix was first factored, and of ties.

L. Le Magoarou and R. Gribonval (Flexible multi-layer sparse approximations of matrices
and applications, IEEE JSTSP 10(4), 2016, section IV-C) factor the Hadamard matrix of
order n with 2 n non-zeros in each factor and n² / 2^l in the residual of level l,
wherever they stand, and report exact factors up to n = 1024. All entries of this matrix
have the same modulus, so the rule of the projection for ties decides which of them are
kept. The study runs their arrangement with several such rules, then with all options of
`hierarchical`, and last the first split alone from random starts.

``nbfact study ties`` took 51 s on one core of an AMD EPYC, and 272 s with ``--peers``,
beside other work. It writes ``ties.csv``, ``ties.md`` and ``ties.png``.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..algorithms import explore, hierarchical, palm4msa
from ..cases.rivals import faust
from ..constraints import Constraint, SkPerm, Sp, SpLinCol
from ..metrics import relative_error
from ..targets import hadamard
from .tools.choices import FIRST_SEED, SCALINGS
from .tools.intervals import rate_text
from .tools.legends import legend_below
from .tools.rows import Row, select, values
from .tools.work import Job

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "The Hadamard matrix with the sets of its first publication, and ties"
QUESTION = (
    "All entries of a Hadamard matrix have the same modulus, so that a projection "
    "has to choose among ties: which rules of choice lead to the exact factors?"
)
PICTURE = (
    "The picture shows the relative error of each kind of sets against the order n "
    "of the matrix; lower is better."
)
PARALLEL = True
NOTES = """\
- The sets are `Sp`: 2 n non-zeros in each factor, n² / 2^l in the residual of level l.
  The arrangement of the paper has the residual on the left, the rightmost factor
  updated first, the scale fitted after each sweep, and here 30 sweeps for each split
  and each refinement; the paper gives no number.
- "Sp" keeps the tied entries that come first in column-major order. The other rules
  count moduli as tied that are equal within 1e-9 of the largest, and keep those first
  whose key is least: "row by row" i n + j, "last" the largest column-major index,
  "random" a permutation drawn anew in each projection, "diagonals" (j - i) mod n, and
  "i xor j" the number whose binary digits are those in which the row i and the column
  j differ. "Sp, tie_tol" is the option of nbfact's sets.
- "SpLinCol" and "SkPerm" are other sets: 2 entries in each row and column of a factor,
  n / 2^l in those of a residual. The presets "hadamard" and "hadamard_skperm" use them.
- "pyfaust 2016" and "pyfaust 2020" are its two backends in the same arrangement, with
  its own set sp.
- "best of all options" is the least error over both sides of the residual, both orders
  of updates, the three ways to treat the scale, steps of 1 and 1.9, and 30 or 300
  sweeps, with "Sp"; the best iterate is kept.
- "first split" starts from random factors of n² / 2 and 2 n non-zeros. A success is an
  error of at most 1e-6; rates have [Wilson's 95 % interval]."""

SUCCESS = 1e-6
"""Largest relative error that counts as an exact first split."""

EQUAL = 1e-9
"""Difference of moduli, relative to the largest, up to which the rules see a tie."""

PUBLISHED, ALL, SPLIT = "arrangement of the paper", "best of all options", "first split"
"""The three parts of the study, as they stand in the column ``part``."""

SWEEPS = 30
"""Sweeps of each split and of each refinement in the arrangement of the paper."""

MOST_ORDER = 32
"""Largest order at which all options, and random starts, are tried: they take long."""


@dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    n : tuple of int
        Orders of the Hadamard matrix, powers of two.
    starts : int
        Number of random starts of the first split.
    sweeps : tuple of int
        Numbers of sweeps of the options and of the first split.
    """

    n: tuple[int, ...] = (8, 16, 32, 64)
    starts: int = 30
    sweeps: tuple[int, ...] = (30, 300)


FULL = Settings()
QUICK = Settings((8, 16), 5, (30,))


class TiedSparse:
    """The matrices with at most k non-zeros, with a given order among tied entries.

    Parameters
    ----------
    n : int
        Order of the matrices.
    k : int
        Number of entries to keep.
    keys : callable
        ``keys(i, j)`` returns, for arrays of row and column indices, an array of the
        same shape; among tied entries those with the least key are kept.

    Examples
    --------
    >>> kept = TiedSparse(2, 1, RULES["last"]).project(np.ones((2, 2)))
    >>> kept.tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, n: int, k: int, keys: Callable[..., np.ndarray]) -> None:
        self.shape, self.k, self.keys = (n, n), k, keys

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return the k largest entries, divided by their Frobenius norm."""
        moduli = np.abs(x)
        levels = np.round(moduli / (EQUAL * max(moduli.max(), np.finfo(float).tiny)))
        keys = self.keys(*np.indices(self.shape))
        kept = np.lexsort((keys.ravel(), -levels.ravel()))[: self.k]
        out = np.zeros(self.shape)
        out.ravel()[kept] = np.ravel(x)[kept]
        norm = np.linalg.norm(out)
        return out / norm if norm else out


def _random_keys() -> Callable[..., np.ndarray]:
    """Return keys that are a new permutation at each call, from one stream."""
    rng = np.random.default_rng(FIRST_SEED)
    return lambda i, j: rng.permutation(i.size).reshape(i.shape)


RULES: dict[str, Callable[..., np.ndarray]] = {
    "row by row": lambda i, j: i * len(i) + j,
    "last": lambda i, j: -(j * len(i) + i),
    "diagonals": lambda i, j: (j - i) % len(i) * len(i) + i,
    "i xor j": lambda i, j: (i ^ j) * len(i) + i,
}
"""Keys of the entries (i, j), by the name of the rule for ties."""


def _made(name: str, n: int, k: int, keys: Callable[..., np.ndarray]) -> Any:
    """Return the set of one name with k n entries in an n × n matrix."""
    shape = n, n
    if name in ("SpLinCol", "SkPerm"):
        return (SpLinCol if name == "SpLinCol" else SkPerm)(shape, k)
    if name.startswith("Sp"):
        return Sp(shape, k * n, tie_tol=0.05 if "tie_tol" in name else 0.0)
    return TiedSparse(n, k * n, keys)


SETS = ("Sp", "Sp, tie_tol=0.05", *RULES, "random", "SpLinCol", "SkPerm")
"""The kinds of sets, and the rules for ties, that the arrangement is tried with."""


def lists(name: str, n: int) -> tuple[list[Constraint], list[Constraint]]:
    """Return the sets of the factors, and those of the residuals, level by level.

    Parameters
    ----------
    name : str
        One of :data:`SETS`.
    n : int
        Order of the matrix, a power of two, at least 4.

    Returns
    -------
    factors, residuals : list of constraints
        log2(n) - 1 each.

    Examples
    --------
    >>> factors, residuals = lists("Sp", 16)
    >>> [one.k for one in factors], [one.k for one in residuals]
    ([32, 32, 32], [128, 64, 32])
    """
    keys = _random_keys() if name == "random" else RULES.get(name, RULES["last"])
    levels = range(1, n.bit_length() - 1)
    factors = [_made(name, n, 2, keys) for _ in levels]
    return factors, [_made(name, n, n >> level, keys) for level in levels]


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return a job for each set and order, then those of all options and first splits.

    With `peers`, pyfaust runs the arrangement of the paper with its own ``sp``.
    """
    found: list[Job] = []
    for n in settings.n:
        for name in SETS:
            job = functools.partial(_published, name, n)
            found.append((f"{PUBLISHED}, {name}, {n}", job))
        for backend in faust.BACKENDS if peers else ():
            job = functools.partial(_pyfaust, backend, n)
            found.append((f"{PUBLISHED}, pyfaust {backend}, {n}", job))
        if n <= MOST_ORDER:
            job = functools.partial(_best, n, settings.sweeps)
            found.append((f"{ALL}, {n}", job))
            for n_iter in settings.sweeps:
                job = functools.partial(_split, n, n_iter, settings.starts)
                found.append((f"{SPLIT}, {n}, {n_iter}", job))
    return found


def _row(part, method, n, error, successes=None, trials=None) -> Row:
    """Return a row of the study."""
    return {
        "part": part, "method": method, "n": n, "error": float(error),
        "successes": successes, "trials": trials,
    }  # fmt: skip


def _published(name, n):
    """Return the row of the arrangement of the paper, with one kind of sets."""
    found = hierarchical(
        hadamard(n),
        *lists(name, n),
        n_iter=SWEEPS,
        residual_side="left",
        order="right-to-left",
        scaling="sweep",
    )
    return [_row(PUBLISHED, name, n, found.relative_error)]


def _pyfaust(backend, n):
    """Return the row of pyfaust with its own set ``sp`` in the same arrangement."""
    target = hadamard(n)
    found = faust.levels(target, *lists("Sp", n), SWEEPS, "left", backend)()
    product = functools.reduce(np.matmul, map(np.asarray, found))
    error = relative_error(target, product)
    return [_row(PUBLISHED, f"pyfaust {backend}", n, error)]


def _best(n, sweeps):
    """Return a row with the least error over all options of `hierarchical`."""
    target, least = hadamard(n), np.inf
    for side, order, scaling, step, n_iter in itertools.product(
        ("left", "right"),
        ("right-to-left", "left-to-right"),
        SCALINGS,
        (1.0, 1.9),
        sweeps,
    ):
        options: dict[str, Any] = {
            "residual_side": side, "order": order, "scaling": scaling, "step": step,
        }  # fmt: skip
        found = hierarchical(
            target, *lists("Sp", n), n_iter=n_iter, keep="best", **options
        )
        least = min(least, found.relative_error)
    return [_row(ALL, "Sp", n, least)]


def _split(n, n_iter, starts):
    """Return the rows of the first split from random starts, by PALM and explored."""
    target, sets = hadamard(n), [Sp((n, n), n * n // 2), Sp((n, n), 2 * n)]
    options: dict[str, Any] = {"n_iter": n_iter, "init": "random"}
    solvers: dict[str, Callable] = {
        "palm4msa": functools.partial(palm4msa, scaling="sweep", keep="best"),
        "explore": explore,
    }
    rows = []
    for name, solve in solvers.items():
        errors = [
            solve(target, sets, random_state=seed, **options).relative_error
            for seed in range(FIRST_SEED, FIRST_SEED + starts)
        ]
        good = sum(error <= SUCCESS for error in errors)
        method = f"{name}, {n_iter} sweeps"
        rows.append(_row(SPLIT, method, n, np.median(errors), good, starts))
    return rows


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the error of each kind of sets, and the successes of the first split."""
    found: dict[str, list[Row]] = {"Relative error": [], "First split": []}
    for part, method in dict.fromkeys((row["part"], row["method"]) for row in rows):
        line: Row = {"arrangement": part, "sets": method}
        if part == SPLIT:
            line = {"method": method}
        for row in select(rows, part=part, method=method):
            cell = f"{row['error']:.2g}"
            if part == SPLIT:
                cell = f"{rate_text(row['successes'], row['trials'])}, median {cell}"
            line[f"n = {row['n']}"] = cell
        found["First split" if part == SPLIT else "Relative error"].append(line)
    return {caption: lines for caption, lines in found.items() if lines}


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw the error of each kind of sets against n."""
    axes = figure.subplots()
    chosen = select(rows, part=PUBLISHED)
    for method in values(chosen, "method"):
        points = [
            (row["n"], max(row["error"], 1e-17))
            for row in select(chosen, method=method)
        ]
        axes.plot(*zip(*points, strict=True), ".-", label=method)
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="n", ylabel="relative error", title=TITLE)
    legend_below(figure, [axes], 2)
