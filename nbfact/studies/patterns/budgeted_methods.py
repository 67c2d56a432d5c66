"""The methods that the approximation part of the study of patterns compares.

Each may spend a number of non-zeros on a square matrix. Those of :data:`RESTARTED`
restart until they have spent a number of CPU seconds; those of :data:`CLOSED` are
closed forms, which are the best of their kind at once.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np
import scipy.sparse

from ... import algorithms
from ...algorithms.learn.families.sparse_low_rank import alternate
from ...cases.rivals import faust
from ...constraints import Sp
from ...operators import Chain
from .equal_compute import Approximation, Restart, approximation_of, in_turn
from .hard_thresholding import PERIOD, pursued
from .monarch import random_monarch, steam

SWEEPS = 200
"""Number of sweeps of a run of palm4MSA, of SEA's rule and of pursuit: palm4MSA's
default."""

FEW = (2, 3, 4)
"""Numbers of factors that their runs have in turn."""

RANKS, ALTERNATIONS = (1, 2, 4, 8, 3, 6), 100
"""Ranks that runs of GoDec have in turn, and alternations of a run."""


def even(n: int, count: int, nnz: int) -> list[Sp]:
    """Return sets `Sp` of square factors that share a number of non-zeros evenly.

    Examples
    --------
    >>> [one.k for one in even(4, 2, 11)]
    [5, 6]
    """
    each = [min(nnz * (j + 1) // count - nnz * j // count, n * n) for j in range(count)]
    return [Sp((n, n), k) for k in each]


def _start(number, rng):
    """Return the options of a start: the default one first, then random ones."""
    if number < len(FEW):
        return {}
    return {"init": "random", "random_state": rng}


def _palm(target, nnz, number, rng, clock):
    sets = even(len(target), in_turn(FEW, number), nnz)
    found = algorithms.palm4msa(
        target,
        sets,
        n_iter=SWEEPS,
        keep="best",
        callback=clock,
        **_start(number, rng),
    )
    return approximation_of(algorithms.refine(found))


def _pursuit(target, nnz, number, rng, clock):
    sets = even(len(target), in_turn(FEW, number), nnz)
    found = pursued(target, sets, SWEEPS, callback=clock, **_start(number, rng))
    return approximation_of(algorithms.refine(found))


def _sea(target, nnz, number, rng, clock):
    sets = even(len(target), in_turn(FEW, number), nnz)
    found = algorithms.explore(
        target,
        sets,
        leak=1.0,
        values="least squares",
        n_iter=SWEEPS,
        safeguard=False,
        callback=clock,
        **_start(number, rng),
    )
    return approximation_of(found)


def levels(n: int, nnz: int, count: int, decay: float) -> tuple[list[Sp], list[Sp]]:
    """Return sets `Sp` for `hierarchical`, as in Le Magoarou and Gribonval (2016).

    Parameters
    ----------
    n, nnz : int
        Order of the matrix, and largest number of non-zeros.
    count : int
        Number of factors, at least 2, which share the non-zeros evenly.
    decay : float
        How many times as many non-zeros as the residual before it each residual may
        have; the first is n² decay.

    Returns
    -------
    factors, residuals : list of constraints
        One of each for every split, in the order in which factors are split off.

    Examples
    --------
    >>> [one.k for part in levels(8, 50, 3, 0.5) for one in part]
    [16, 17, 32, 17]
    """
    shares = [one.k for one in even(n, count, nnz)]
    rest = [
        max(round(n * n * decay ** (level + 1)), share)
        for level, share in enumerate(shares[:-2])
    ]
    factors = [Sp((n, n), k) for k in shares[:-1]]
    return factors, [Sp((n, n), k) for k in (*rest, shares[-1])]


def _drawn_levels(n, nnz, number, rng):
    """Return sets, sweeps and the side of a hierarchical run: usual ones, then drawn.

    The usual ones have log2(n) factors and residuals that halve.
    """
    deepest = max(n.bit_length() - 1, 2)
    usual = list(itertools.product((30, SWEEPS), ("right", "left")))
    if number < len(usual):
        sweeps, side = usual[number]
        return levels(n, nnz, deepest, 0.5), sweeps, side
    count = int(rng.integers(2, deepest + 1))
    sweeps, side = usual[int(rng.integers(len(usual)))]
    return levels(n, nnz, count, float(rng.uniform(0.4, 0.9))), sweeps, side


def _hierarchical(target, nnz, number, rng, clock):
    lists, sweeps, side = _drawn_levels(len(target), nnz, number, rng)
    found = algorithms.hierarchical(
        target,
        *lists,
        n_iter=(sweeps, sweeps),
        residual_side=side,
        callback=clock,
    )
    return approximation_of(algorithms.refine(found))


def _godec(target, nnz, number, rng, clock):
    """Return a sparse matrix plus one of low rank; the first starts are singular."""
    n = len(target)
    ranks = [rank for rank in RANKS if nnz > 2 * n * rank]
    if not ranks:
        return None
    rank = in_turn(ranks, number)
    kept = nnz - 2 * n * rank
    if number < len(ranks):
        left = np.linalg.svd(target)[0][:, :rank]
    else:
        left = np.linalg.qr(rng.standard_normal((n, rank)))[0]
    _, left, sparse = alternate(target, left, kept, ALTERNATIONS)
    low = left @ (left.T @ (target - sparse))
    return Approximation(sparse + low, nnz, 2, f"sparse + rank {rank}")


def _pyfaust_palm(pursuit, target, nnz, number, rng, clock):
    sets = even(len(target), in_turn(FEW, number), nnz)
    starts = None
    if number >= len(FEW):
        starts = [one.project(rng.standard_normal(one.shape)) for one in sets]
    call = faust.palm_factors(target, sets, SWEEPS, init=starts, pursuit=pursuit)
    return _refined(call(), target)


def _pyfaust_hierarchical(target, nnz, number, rng, clock):
    (factors, residuals), sweeps, side = _drawn_levels(len(target), nnz, number, rng)
    call = faust.levels(target, factors, residuals, sweeps, side, 2020)
    return _refined(call(), target)


def _refined(factors, target):
    sparse = [scipy.sparse.csr_array(factor) for factor in factors]
    return approximation_of(algorithms.refine(sparse, target))


PALM, HIERARCHICAL, SEA = "palm4msa", "hierarchical", "SEA's rule"
PURSUIT, GODEC = "palm4msa with pursuit (2021)", "sparse + low rank (GoDec)"
MONARCH, STEAM = "Monarch, exact, random permutations", "Monarch, STEAM (2025)"
RESTARTED: dict[str, Restart] = {
    PALM: _palm,
    HIERARCHICAL: _hierarchical,
    SEA: _sea,
    PURSUIT: _pursuit,
    GODEC: _godec,
    MONARCH: random_monarch,
    STEAM: steam,
}
"""The methods at equal compute. To try another method, add a line here."""

PEERS: dict[str, Restart] = {
    "pyfaust palm4msa": functools.partial(_pyfaust_palm, 0),
    "pyfaust palm4msa_mhtp": functools.partial(_pyfaust_palm, PERIOD),
    "pyfaust hierarchical": _pyfaust_hierarchical,
}
"""The methods of pyfaust at equal compute, which run with ``--peers`` only."""


def _svd(target, nnz):
    """Return the truncated SVD that stores at most the allowed number of values."""
    rank = max(nnz // sum(target.shape), 1)
    left, singular, right = np.linalg.svd(target, full_matrices=False)
    matrix = left[:, :rank] * singular[:rank] @ right[:rank]
    return Approximation(matrix, rank * sum(target.shape), 2, f"rank {rank}")


def _largest(target, nnz):
    """Return the largest entries of the target as one sparse factor."""
    kept = Sp(target.shape, nnz, normalized=False).project(target.copy())
    return Approximation(kept, int(np.count_nonzero(kept)))


def _chain(target, nnz):
    """Return the best chain of Kronecker-sparse factors, of all that are enumerated."""
    found = algorithms.butterfly_factorize(target, chain="search", nnz=nnz)
    return approximation_of(found)


CLOSED: dict[str, Callable[[np.ndarray, int], Approximation]] = {
    "largest entries": _largest,
    "truncated SVD": _svd,
    "best chain": _chain,
}
"""Closed forms, each the best of its kind: more time would not help them."""


def monarch_budget(n: int) -> int:
    """Return the number of non-zeros of a Monarch matrix of order n.

    It is the budget of the study, so that Monarch matrices can be compared with.

    Examples
    --------
    >>> [monarch_budget(n) for n in (32, 64, 128)]
    [384, 1024, 3072]
    """
    return sum(a * b * c * d for a, b, c, d in Chain.monarch(n).patterns)
