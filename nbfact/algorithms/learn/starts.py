"""What `learn_transform` starts from, and how it shares a budget among factors."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...constraints import Sp
from ...operators import Chain
from ..butterfly.butterfly_factorize import butterfly_factorize
from ..common.result import Factorization, History
from ..palm.hierarchical import hierarchical
from ..permutations.identify import identify_butterfly

# Orders up to which butterflies with unknown permutations are looked for.
_IDENTIFIED = 1024

# Sweeps of a split, and of a refinement, of `hierarchical`, at most.
_SWEEPS = 30


@dataclass(frozen=True)
class Start:
    """Factors to explore from, and the factorization that they are, if they are one."""

    method: str
    factors: list[Any]
    result: Factorization | None = None

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.factors)


def split_budget(shapes: list[tuple[int, int]], budget: int) -> list[Sp]:
    """Return sets whose non-zeros, in proportion to the longer sides, add up.

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
    matrix: np.ndarray, n_restarts: int | None, rng: np.random.Generator
) -> Iterator[Start]:
    """Yield butterflies, from the surest to the freest, up to an exact one."""
    m, n = matrix.shape
    fast = m == n and n > 1 and n & (n - 1) == 0
    if min(m, n) == 1:
        return
    chain = None if fast else Chain.smallest((m, n))
    found = butterfly_factorize(matrix, chain, permutation="search" if fast else None)
    product = found.operator.to_factors()
    result = Factorization(
        product, found.relative_error, History(), target=matrix
    )
    yield Start("fixed butterfly", product.factors, result)
    lightest = 2 * n * math.log2(n)  # what is exact may have more values than that
    done = _exact(result) and product.nnz <= lightest
    if not fast or n > _IDENTIFIED or done:
        return
    for tied, name in ((True, "identified butterfly"), (False, "bipartition matching")):
        options = {"tied": tied, "n_restarts": n_restarts, "random_state": rng}
        result = identify_butterfly(matrix, **options)
        yield Start(name, result.factors, result)
        if _exact(result):
            return


def starts(
    matrix: np.ndarray, budget: int, draws: int, most: int, rng: np.random.Generator
) -> Iterator[Start]:
    """Yield the starts that are no butterflies, for each number of factors.

    draws: random ones of each kind; most: sweeps that there is time for.
    """
    m, n = matrix.shape
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
            yield Start("singular vectors", _singular(matrix))
        sweeps = min(_SWEEPS, most)
        if count > 2:
            found = peeled(matrix, shapes, budget, sweeps)
            yield Start("hierarchical", found.factors, found)
        for _ in range(draws if count < 4 else 0):
            yield Start("random", [_gaussian(shape, matrix, rng) for shape in shapes])


def layer_shapes(m: int, n: int, count: int) -> list[tuple[int, int]]:
    """Return shapes of factors, all but one square of the smaller side."""
    if m <= n:
        return [(m, m)] * (count - 1) + [(m, n)]
    return [(m, n)] + [(n, n)] * (count - 1)


def _singular(matrix):
    """Return two factors of the size of one another, from the singular vectors."""
    u, sigma, v = np.linalg.svd(matrix, full_matrices=False)
    root = np.sqrt(sigma)
    return [u * root, root[:, None] * v]


def peeled(
    matrix: np.ndarray, shapes: list[tuple[int, int]], budget: int, n_iter: int
) -> Factorization:
    """Return two factors or more, peeled off one by one, residuals ever sparser."""
    sets = split_budget(shapes, budget)
    n = matrix.shape[1]
    first, last, levels = matrix.size, sets[-1].k, len(sets) - 1
    residuals = [
        Sp((one.shape[1], n), max(last, round(first * (last / first) ** (i / levels))))
        for i, one in enumerate(sets[:-1], start=1)
    ]
    return hierarchical(matrix, sets[:-1], residuals, n_iter=(n_iter, n_iter))


def _gaussian(shape, matrix, rng):
    """Return a random matrix of the dtype of another."""
    x = rng.standard_normal(shape)
    if matrix.dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(matrix.dtype)


def _exact(result):
    """Return whether an error is one of rounding."""
    return result.relative_error <= rounding(result.operator.dtype)


def rounding(dtype: np.dtype) -> float:
    """Return a relative error that counts as none."""
    return 100 * float(np.finfo(dtype).eps)
