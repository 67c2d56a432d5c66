"""What `learn_transform` starts from, and how it shares a budget among factors."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...constraints import Sp, SpBlock
from ...operators import FactorProduct, FastOperator
from ..common.as_factors import butterfly_of
from ..common.problem import Problem, shift
from ..common.result import Callback, Factorization, History
from ..palm.peeling import PeelOptions, hierarchical_problem
from ..palm.presets import listed_preset

_SWEEPS = 30
"""Maximum number of sweeps of a split, and of a refinement, of `hierarchical`: its own
default."""


@dataclass(frozen=True)
class Start:
    """Factors to explore from, or a factorization that was found.

    Attributes
    ----------
    method : str
        The name of the start.
    factors : list of ndarray or csr_array
        The factors, left to right.
    result : Factorization or None
        The factorization that they are, where they are one.
    form : FastOperator or None
        The same product in a form that multiplies faster, but whose `nnz` may count
        zeros among its values too.
    structure : str
        What the factorization is, in words; empty for a product of sparse factors.
    keeps_shares : bool
        Whether explorations leave each factor the number of non-zeros that it has.
    blocks : tuple of SpBlock
        The sets of its explorations, where its factors are in blocks.
    """

    method: str
    factors: list[Any]
    result: Factorization | None = None
    form: FastOperator | None = None
    structure: str = ""
    keeps_shares: bool = False
    blocks: tuple[SpBlock, ...] = ()

    @classmethod
    def of(
        cls,
        method: str,
        found: Factorization[Any],
        structure: str = "",
        *,
        form: FastOperator | None = None,
        keeps_shares: bool = False,
        blocks: tuple[SpBlock, ...] = (),
    ) -> "Start":
        """Return the start from what an algorithm found."""
        product = found.operator.to_factors()
        result = Factorization(
            product, found.relative_error, found.history, target=found.target
        )
        form = butterfly_of(found) if form is None else form
        factors = list(product.factors)
        return cls(method, factors, result, form, structure, keeps_shares, blocks)

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.factors)

    @property
    def error(self) -> float:
        """The relative error of the factorization; infinite where there is none."""
        return math.inf if self.result is None else self.result.relative_error

    @property
    def nnz(self) -> int:
        """Number of non-zeros of the factorization; 0 where there is none."""
        return 0 if self.result is None else self.result.operator.nnz

    @property
    def named(self) -> bool:
        """Whether it is a transform that has a name."""
        return self.method in ("named transform", "convolution")

    @property
    def words(self) -> str:
        """What the factorization is, in words."""
        if self.structure:
            return self.structure
        if self.n_factors == 1:
            full = self.nnz == math.prod(self.factors[0].shape)
            return "dense matrix" if full else "sparse matrix"
        if self.blocks:
            height, width = self.blocks[0].block
            return f"product of {self.n_factors} factors in blocks {height} x {width}"
        return f"product of {self.n_factors} sparse factors"

    def sets(self, budget: int) -> list[Sp] | list[SpBlock]:
        """Return the sets of an exploration under a budget of non-zeros."""
        if self.blocks:
            return list(self.blocks)
        shapes = [factor.shape for factor in self.factors]
        if not self.keeps_shares or self.nnz > budget:
            return split_budget(shapes, budget)
        shares = [max(1, factor.nnz) for factor in self.factors]
        shares[int(np.argmax(shares))] += budget - sum(shares)
        return [
            Sp(shape, min(share, math.prod(shape)))
            for shape, share in zip(shapes, shares, strict=True)
        ]


def measured(problem: Problem, product: FactorProduct) -> Factorization:
    """Return the factorization that a product is, its error in double precision."""
    wide = problem.wide
    dense = shift(product.toarray().astype(wide.array.dtype), -wide.exponent)
    error = float(np.linalg.norm(wide.array - dense) / wide.norm)
    return Factorization(product, error, History(), target=problem.array)


def split_budget(shapes: Sequence[tuple[int, int]], budget: int) -> list[Sp]:
    """Return a set `Sp` for each factor, whose non-zeros add up to the budget.

    They are in proportion to the longer sides of the factors, at least 1 and at most
    all entries each. Only a budget below the number of factors is exceeded.

    Examples
    --------
    >>> [one.k for one in split_budget([(4, 4), (4, 8)], 30)]
    [10, 20]
    """
    shares = [
        min(max(k, 1), math.prod(shape))
        for shape, k in zip(shapes, shared(shapes, budget), strict=True)
    ]
    while sum(shares) > max(budget, len(shares)):  # shares of none were raised to one
        shares[shares.index(max(shares))] -= 1
    return [Sp(shape, k) for shape, k in zip(shapes, shares, strict=True)]


def shared(shapes: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Return shares of a number, in proportion to the longer sides of factors."""
    ends = np.cumsum([max(shape) for shape in shapes])
    shares = np.diff(np.round(ends * (count / ends[-1])), prepend=0)
    return [int(share) for share in shares]


def starts(
    problem: Problem,
    budget: int,
    count: int,
    draws: int,
    most_sweeps: int,
    rng: np.random.Generator,
    callback: Callback | None = None,
) -> Iterator[Start]:
    """Yield the starts with `count` factors that need no structure.

    `draws` is the number of random starts, for fewer than 4 factors, and `most_sweeps`
    the number of sweeps that there is time for: without any, `hierarchical` makes none.
    The callback ends its sweeps.
    """
    matrix = problem.array
    m, n = problem.shape
    shapes = layer_shapes(m, n, count)
    eyes = [np.eye(*shape, dtype=matrix.dtype) for shape in shapes]
    yield Start("identities", eyes)
    if m <= n:
        yield Start("target last", [*eyes[:-1], matrix])
    if m >= n:
        yield Start("target first", [matrix, *eyes[1:]])
    if count == 2:
        yield Start("singular vectors", _singular_vectors(problem))
    if count > 2 and most_sweeps:
        n_iter = min(_SWEEPS, most_sweeps)
        found = peeled(problem, shapes, budget, n_iter, callback)
        yield Start("hierarchical", found.factors, found)
    for _ in range(draws if count < 4 else 0):
        yield Start("random", [_gaussian(shape, matrix, rng) for shape in shapes])


def numbers_of_factors(shape: tuple[int, int]) -> list[int]:
    """Return the numbers of factors that are tried: 2, 3, 4 and log2 of the side."""
    side = min(shape)
    deepest = min(max(2, round(math.log2(side))), 12) if side > 1 else 2
    return sorted({2, 3, 4, deepest})


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
    problem: Problem,
    shapes: Sequence[tuple[int, int]],
    budget: int,
    n_iter: int,
    callback: Callback | None = None,
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
    options = PeelOptions(
        preset=preset, n_iter=n_iter, callback=callback, split_callback=callback
    )
    return hierarchical_problem(problem, options)


def _gaussian(shape, matrix, rng):
    """Return a Gaussian matrix of the dtype of the target."""
    x = rng.standard_normal(shape)
    if matrix.dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(matrix.dtype)


def rounding(dtype: np.dtype) -> float:
    """Return the relative error up to which a factorization counts as exact."""
    return 100 * float(np.finfo(dtype).eps)
