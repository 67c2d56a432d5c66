"""Fast approximations of a gain matrix, by several methods, kept for the next study.

An approximation is kept as a file that `nbfact.load` reads, in the directory
``nbfact/meg/approximations`` of the user's cache. Its name holds a digest of the
sources of the package and of the versions that it depends on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..._core.files import user_cache
from ...algorithms import hierarchical, learn_transform, omp, rectmat, refine
from ...algorithms.coding.sparse_dictionary import (
    Coding,
    CodingTask,
    learn_coding,
    sampled,
)
from ...algorithms.common.result import CallbackState, never
from ...metrics import relative_error
from ...operators import FactorProduct
from ...operators.loading import load
from ..tools import work
from ..tools.choices import FIRST_SEED
from .gain_matrices import gain_matrix

HIERARCHICAL = "hierarchical"
"""Method: `hierarchical` with the sets of the paper."""

RECODED = "recoded"
"""Method: the result of `hierarchical`, whose values `refine` fits by least squares,
and whose last factor `omp` finds anew, by turns."""

LEARNED = "learn_transform"
"""Method: `learn_transform` at the complexity gain."""

WEIGHTED = "weighted"
"""Method: a sparse dictionary and sparse codes, as `learn_transform` finds them, at
last under errors that are weighted by `column_weights`."""

POWER = 0.4
"""Power of A Aᴴ that is the square of the weights: with 0 all directions of the signals
count alike, and with 1 as much as the columns of A have of them."""

TURNS = (40, 25, 20)
"""Numbers of turns on a sample of the columns, on all columns, and with weights, where
entries of the codes are exchanged."""

ROUNDS = 2
"""Number of times that the last factor is found anew."""

FLOOR = 1e-12
"""Least eigenvalue of A Aᴴ over the largest one that weights are made of."""

TILT = 2.0
"""How many times as large as that of a code the marginal error of an entry of the
dictionary counts, as `learn_transform` has it for lead fields."""

SWEEPS = 4
"""Maximum number of sweeps of `refine` after each time."""


@dataclass(frozen=True)
class Setting:
    """A relative complexity gain (RCG), and the preset with the least error there.

    Attributes
    ----------
    gain : int
        The nominal RCG.
    n_factors, k, s : int
        The arguments of `rectmat`.
    """

    gain: int
    n_factors: int
    k: int
    s: int


class Level(NamedTuple):
    """What a run of `hierarchical` has after a level.

    Attributes
    ----------
    operator : FactorProduct
        The product of the factors.
    error : float
        The relative error in Frobenius norm.
    seconds : float
        CPU seconds from the start of the run.
    """

    operator: FactorProduct
    error: float
    seconds: float


def levels(target: np.ndarray, n_factors: int, k: int, s: int) -> list[Level]:
    """Return the products with 2, ..., J factors that one run of `hierarchical` makes.

    The sets of `rectmat` for fewer factors are the first ones of those for J factors,
    so that the product after a level is the result of a run with as many factors.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix, with m at most n.
    n_factors, k, s : int
        The arguments of `rectmat`.

    Returns
    -------
    list of Level
        J - 1 of them.
    """
    found: list[Level] = []
    start = time.process_time()

    def keep(state: CallbackState) -> None:
        seconds = time.process_time() - start
        if state.iteration == 1 or state.error < found[-1].error:
            factors = [sp.csr_array(factor) for factor in state.factors]
            level = Level(FactorProduct(factors, state.scale), state.error, seconds)
            found[len(found) - (state.iteration > 1) :] = [level]
        else:
            found[-1] = found[-1]._replace(seconds=seconds)

    hierarchical(target, rectmat(n_factors, k, s), callback=keep)
    return found


def recoded(target: np.ndarray, start: FactorProduct) -> FactorProduct:
    """Return a better approximation with as many non-zeros, or `start` itself.

    By turns `refine` fits the values of all factors, and `omp` finds the last factor
    anew: each column of the target as a combination of as many columns of the product
    of the others as it has now.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix.
    start : FactorProduct
        The product to start from, whose last factor has equally many entries in each
        column.

    Returns
    -------
    FactorProduct
        The one with the least error in Frobenius norm.
    """
    k = int(np.diff(start.factors[-1].tocsc().indptr).max())
    best, error = start, float(relative_error(target, start))
    product = start
    for turn in range(ROUNDS + 1):
        if turn:
            product = _coded(target, product, k)
        product = refine(product, target, n_iter=SWEEPS).operator
        now = float(relative_error(target, product))
        if now < error and product.nnz <= start.nnz:
            best, error = product, now
    return best


def _coded(target, product, k):
    """Return a product whose last factor has the codes of the target's columns."""
    left = FactorProduct(list(product.factors[:-1]))
    norms = np.linalg.norm(left.toarray(), axis=0)
    norms[norms == 0] = 1.0
    codes = omp(left.toarray() / norms, target, n_nonzero=k)
    last = sp.csr_array(codes / norms[:, None])
    return FactorProduct([*product.factors[:-1], last])


def column_weights(matrix: np.ndarray) -> np.ndarray:
    """Return weights W of errors, (A Aᴴ)^(`POWER` / 2), for a real matrix A.

    Algorithms that look for columns of A in a signal compare inner products with its
    columns. An error in a direction that hardly any column has changes none of them.

    Examples
    --------
    >>> column_weights(np.diag([32.0, 1.0])).round(9)
    array([[4., 0.],
           [0., 1.]])
    """
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    values = np.maximum(values, FLOOR * values[-1])
    return (vectors * values ** (POWER / 2)) @ vectors.T


def weighted(target: np.ndarray, gain: float) -> FactorProduct:
    """Return a product of two sparse factors with a small weighted error.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix, with m below n.
    gain : float
        The relative complexity gain that it has at least.

    Returns
    -------
    FactorProduct
        A dictionary and codes.
    """
    budget = int(target.size / gain)
    sample = sampled(target, np.random.default_rng(FIRST_SEED))
    portion = sample.shape[1] / target.shape[1]
    looked, full, last = TURNS
    coding = Coding.first(sample, budget)
    task = CodingTask(sample, budget, portion)
    coding, _ = learn_coding(task, coding, TILT, looked, never)
    task = CodingTask(target, budget)
    coding, _ = learn_coding(task, coding.of_columns(target), TILT, full, never)
    task = task._replace(weights=column_weights(target), exchanged=True)
    start = coding._replace(error=np.inf, price=0.0)
    coding, _ = learn_coding(task, start, TILT, last, never)
    return FactorProduct([sp.csr_array(coding.dictionary), sp.csr_array(coding.codes)])


def unit_columns(operator: FactorProduct) -> FactorProduct:
    """Return an operator with its columns scaled to norm 1; columns of zeros stay.

    Examples
    --------
    >>> unit_columns(FactorProduct([np.array([[3.0, 0.0], [4.0, 2.0]])])).toarray()
    array([[0.6, 0. ],
           [0.8, 1. ]])
    """
    norms = np.linalg.norm(operator.toarray(), axis=0)
    norms[norms == 0] = 1.0
    last = sp.csr_array(operator.factors[-1] @ sp.diags_array(operator.scale / norms))
    return FactorProduct([*operator.factors[:-1], last])


def approximation(
    matrix: str, method: str, setting: Setting, seconds: float, *, unit: bool = False
) -> FactorProduct:
    """Return an approximation of a gain matrix, computed once and kept in a file.

    Parameters
    ----------
    matrix : str
        Name of the matrix.
    method : str
        `HIERARCHICAL`, `RECODED`, `LEARNED` or `WEIGHTED`.
    setting : Setting
        The complexity gain and the preset.
    seconds : float
        Time limit of `learn_transform`.
    unit : bool
        Whether the matrix is the one with columns of norm 1.

    Returns
    -------
    FactorProduct
    """

    def compute() -> FactorProduct:
        gain = gain_matrix(matrix)
        target = gain.unit if unit else gain.matrix
        if method == LEARNED:
            result = learn_transform(
                target,
                rcg=setting.gain,
                effort="quick",
                families=("sparse codes", "sparse products"),
                time_limit=seconds,
                random_state=0,
            )
            return result.operator.to_factors()
        if method == RECODED:
            start = approximation(matrix, HIERARCHICAL, setting, seconds)
            return recoded(target, start)
        if method == WEIGHTED:
            return weighted(target, setting.gain)
        preset = rectmat(setting.n_factors, setting.k, setting.s)
        return hierarchical(target, preset).operator

    return _kept((matrix, method, setting, seconds, unit), compute)


def _kept(parts: tuple, compute: Callable[[], FactorProduct]) -> FactorProduct:
    """Return what a file holds, or compute it and write the file."""
    matrix, method, setting, *_ = parts
    digest = work.key(repr(parts), None, False)
    folder = user_cache("meg", "approximations")
    path = (
        folder / f"{matrix.replace(' ', '-')}-{method}-rcg-{setting.gain}-{digest}.npz"
    )
    if path.exists():
        return load(path).to_factors()
    found = compute()
    found.save(path)
    return found
