"""What `learn_transform` starts from, and how it shares a budget among factors."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...constraints import Sp
from ...operators import Butterfly, Chain
from ..butterfly.butterfly_factorize import ButterflyOptions, butterfly_problem
from ..common.as_factors import butterfly_of
from ..common.problem import Problem, shift
from ..common.result import Factorization
from ..palm.peeling import PeelOptions, hierarchical_problem
from ..palm.presets import listed_preset
from ..permutations.identify import IdentifyOptions, identify_problem

_IDENTIFIED = 1024
"""Largest order of a target for which butterflies with unknown permutations are looked
for, because a pass of `identify_butterfly` costs O(n³)."""

_SWEEPS = 30
"""Maximum number of sweeps of a split, and of a refinement, of `hierarchical`: its own
default."""


@dataclass(frozen=True)
class Start:
    """Factors to explore from.

    Attributes
    ----------
    method : str
        The name of the start.
    factors : list of ndarray or csr_array
        The factors, left to right.
    result : Factorization or None
        The factorization that they are, where they are one.
    butterfly : Butterfly or None
        The operator of `result` as a Butterfly, where it is one. It multiplies faster,
        but its `nnz` counts the zeros among its values too.
    """

    method: str
    factors: list[Any]
    result: Factorization | None = None
    butterfly: Butterfly | None = None

    @classmethod
    def of(cls, method: str, found: Factorization[Any]) -> "Start":
        """Return the start from what an algorithm found."""
        product = found.operator.to_factors()
        result = Factorization(
            product, found.relative_error, found.history, target=found.target
        )
        return cls(method, list(product.factors), result, butterfly_of(found))

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.factors)


def split_budget(shapes: Sequence[tuple[int, int]], budget: int) -> list[Sp]:
    """Return a set `Sp` for each factor, whose non-zeros add up to the budget.

    They are in proportion to the longer sides of the factors, at least 1 and at most
    all entries each.

    Examples
    --------
    >>> [one.k for one in split_budget([(4, 4), (4, 8)], 30)]
    [10, 20]
    """
    ends = np.cumsum([max(shape) for shape in shapes])
    shares = np.diff(np.round(ends * (budget / ends[-1])), prepend=0).astype(int)
    sizes = [math.prod(shape) for shape in shapes]
    return [
        Sp(shape, int(min(max(k, 1), size)))
        for shape, k, size in zip(shapes, shares, sizes, strict=True)
    ]


def butterflies(
    problem: Problem, n_restarts: int | None, rng: np.random.Generator
) -> Iterator[Start]:
    """Yield butterflies near a matrix, until one is exact.

    The first has a fixed permutation. For orders that are a power of two the next ones
    have permutations that are not known, first the same in all blocks of a level
    (tied), then not.
    """
    m, n = problem.shape
    fast = m == n and n > 1 and n & (n - 1) == 0
    if min(m, n) == 1:
        return
    chain = None if fast else Chain.smallest((m, n))
    search = ButterflyOptions(permutation="search" if fast else None)
    found = butterfly_problem(problem, chain, search)
    fixed = Start.of("fixed butterfly", found)
    yield fixed
    # An exact one may have more non-zeros than one with other permutations would have.
    lightest = 2 * n * math.log2(n)
    done = _exact(found) and sum(one.nnz for one in fixed.factors) <= lightest
    if not fast or n > _IDENTIFIED or done:
        return
    for tied, name in ((True, "identified butterfly"), (False, "bipartition matching")):
        options = IdentifyOptions(tied=tied, n_restarts=n_restarts)
        result = identify_problem(problem, options, rng)
        yield Start.of(name, result)
        if _exact(result):
            return


def starts(
    problem: Problem,
    budget: int,
    draws: int,
    most_sweeps: int,
    rng: np.random.Generator,
) -> Iterator[Start]:
    """Yield the starts that are no butterflies, for each number of factors.

    `draws` is the number of random starts for each number of factors below 4, and
    `most_sweeps` the number of sweeps that there is time for.
    """
    matrix = problem.array
    m, n = problem.shape
    deepest = min(max(2, round(math.log2(min(m, n)))), 12) if min(m, n) > 1 else 2
    for count in sorted({2, 3, 4, deepest}):
        shapes = layer_shapes(m, n, count)
        eyes = [np.eye(*shape, dtype=matrix.dtype) for shape in shapes]
        yield Start("identities", eyes)
        if m <= n:
            yield Start("target last", [*eyes[:-1], matrix])
        if m >= n:
            yield Start("target first", [matrix, *eyes[1:]])
        if count == 2:
            yield Start("singular vectors", _singular_vectors(problem))
        if count > 2:
            found = peeled(problem, shapes, budget, min(_SWEEPS, most_sweeps))
            yield Start("hierarchical", found.factors, found)
        for _ in range(draws if count < 4 else 0):
            yield Start("random", [_gaussian(shape, matrix, rng) for shape in shapes])


def layer_shapes(m: int, n: int, count: int) -> list[tuple[int, int]]:
    """Return the shapes of `count` factors of an (m, n) matrix.

    All but one are square, of the smaller side.
    """
    if m <= n:
        return [(m, m)] * (count - 1) + [(m, n)]
    return [(m, n)] + [(n, n)] * (count - 1)


def _singular_vectors(problem):
    """Return the two factors U √Σ and √Σ Vᴴ of the singular value decomposition.

    It is that of the shifted matrix, because Σ may overflow where the matrix does not.
    """
    u, sigma, v = np.linalg.svd(problem.shifted, full_matrices=False)
    root, half = np.sqrt(sigma), problem.exponent // 2
    left, right = u * root, root[:, None] * v
    return [shift(left, half), shift(right, problem.exponent - half)]


def peeled(
    problem: Problem, shapes: Sequence[tuple[int, int]], budget: int, n_iter: int
) -> Factorization:
    """Return at least two factors, which `hierarchical` peels off one by one.

    The budget is shared as `split_budget` says; the non-zeros of the residuals fall
    geometrically from all entries of the matrix to those of the last factor.
    """
    sets = split_budget(shapes, budget)
    m, n = problem.shape
    first, last, levels = m * n, sets[-1].k, len(sets) - 1
    residuals = [
        Sp((one.shape[1], n), max(last, round(first * (last / first) ** (i / levels))))
        for i, one in enumerate(sets[:-1], start=1)
    ]
    preset = listed_preset(sets[:-1], residuals)
    return hierarchical_problem(problem, PeelOptions(preset=preset, n_iter=n_iter))


def _gaussian(shape, matrix, rng):
    """Return a Gaussian matrix of the dtype of the target."""
    x = rng.standard_normal(shape)
    if matrix.dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(matrix.dtype)


def _exact(result):
    """Return whether the error of a factorization is nothing but rounding."""
    return result.relative_error <= rounding(result.operator.dtype)


def rounding(dtype: np.dtype) -> float:
    """Return the relative error up to which a factorization counts as exact."""
    return 100 * float(np.finfo(dtype).eps)
