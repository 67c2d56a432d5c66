"""Problems of the cases of palm4MSA: their targets, their sets, and their sizes.

The functions that make targets take the rows, the columns and a random generator; those
that make sets take the rows and the columns.
"""

from collections.abc import Callable

import numpy as np

from .. import constraints, targets

K = 4
"""Entries in each row of a factor in the cases that do not say otherwise."""


def planted(n: int, n_factors: int, rng: np.random.Generator) -> np.ndarray:
    """Return the product of n × n factors with min(4, n) entries in each row."""
    # `planted` returns an array here, and a tuple only with `return_factors`.
    return np.asarray(targets.planted(n, n_factors, min(K, n), random_state=rng))


def gaussian(m: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return an m × n matrix of independent standard normal entries."""
    return rng.standard_normal((m, n))


def _uniform(m, n, rng):
    return rng.random((m, n))


def _hadamard(m, n, rng):
    return targets.hadamard(n)


def splin_sets(n: int, n_factors: int) -> list[constraints.Constraint]:
    """Return the sets of n × n factors with 4 entries in each row."""
    return [constraints.SpLin((n, n), K)] * n_factors


def _splin_normcol(m, n):
    return [constraints.SpLin((m, n), 5), constraints.NormCol((n, n), 1.0)]


def _normcol_spcol(m, n):
    return [constraints.NormCol((m, m), 1.0), constraints.SpCol((m, n), 5)]


def _three_sp(m, n):
    return [constraints.Sp((n, n), 10 * n)] * 3


def _three_splin(m, n):
    return splin_sets(n, 3)


def _first_split(m, n):
    """Return the sets of the first split of a Hadamard matrix."""
    return [constraints.SkPerm((n, n), k) for k in (2, n // 2)]


def _butterflies(m, n):
    """Return the sets of the supports of the fast Hadamard transform, one a stride."""
    rows = np.arange(n)
    strides = [1 << level for level in range(n.bit_length() - 1)]
    return [constraints.Supp((rows[:, None] ^ rows) & ~s == 0) for s in strides]


MakeTarget = Callable[[int, int, np.random.Generator], np.ndarray]
MakeSets = Callable[[int, int], list[constraints.Constraint]]

Shape = tuple[str, int, int, MakeSets, int]
"""Name of the sets, rows, columns, function that makes the sets, number of sweeps."""

SHAPES: tuple[Shape, ...] = (
    ("normcol*spcol5", 64, 1024, _normcol_spcol, 5),
    ("normcol*spcol5", 64, 8192, _normcol_spcol, 5),
    ("splin5*normcol", 500, 32, _splin_normcol, 200),
    ("3 x sp640", 64, 64, _three_sp, 200),
    ("splin5*normcol", 320, 256, _splin_normcol, 5),
)
"""Sizes that the literature and FAµST's tests time, and one with a wide dense factor;
both the first one and the last one are quick."""

REACHES: dict[str, tuple[int, int, MakeTarget, MakeSets, float, int]] = {
    "butterflies 32": (32, 32, _hadamard, _butterflies, 1e-8, 50),
    "butterflies 128": (128, 128, _hadamard, _butterflies, 1e-8, 50),
    "splin5*normcol": (500, 32, _uniform, _splin_normcol, 0.372, 200),
}
"""Problems with a relative error to reach, by name: rows, columns, functions that make
the target and the sets, the error, and the number of sweeps after which to give up. The
third is the documented example of FAµST, where 200 sweeps end at an error of 0.367."""

CURVES: dict[str, tuple[MakeTarget, MakeSets, int | None]] = {
    "planted splin4": (lambda m, n, rng: planted(n, 3, rng), _three_splin, None),
    "splin5*normcol": (_uniform, _splin_normcol, 500),
    "hadamard split": (_hadamard, _first_split, None),
}
"""Problems whose error is measured after more and more sweeps, by name: functions that
make the target and the sets, and the number of rows, None for a square target."""
