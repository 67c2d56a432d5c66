"""Cases of approximate products: their speed and their error, a table for each target.

Each target is approximated in several ways, from coarse to fine, and each approximation
is timed against the dense product. An approximation is pointless when another one is
both faster and nearer; the others form the Pareto front. Where singular values decrease
fast, as those of a Hilbert matrix do, the truncated singular value decomposition (SVD)
is the whole front; a Gaussian matrix, the control, has no useful approximation. The
rows of butterflies are taken in bit-reversed order, because blocks of neighbouring rows
and columns then have a low rank, for example in matrices of cosines and of Legendre
polynomials. The approximations are made outside the clock, once in a process.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import constraints, targets
from ..algorithms import butterfly_factorize, hierarchical, palm4msa, rectmat
from ..harness.case import DENSE, Case
from ..harness.operands import built_once
from ..operators import Chain, FactorProduct, OperatorSum
from ..operators.reorderings import bit_reversal
from . import yardsticks
from .timed_operators import wider

TARGETS: dict[str, Callable[[int], np.ndarray]] = {
    "dct": targets.dct,
    "legendre": targets.legendre,
    "hilbert": targets.hilbert,
    "leadfield": lambda n: targets.leadfield(n // 8, n, random_state=0),
    "gaussian": lambda n: np.random.default_rng(0).standard_normal((n, n)),
}
"""Functions that return a target with n columns, by name. The lead field has n/8 rows,
the others are square."""

SVD_RANKS, BUTTERFLY_RANKS = (4, 16, 64), (1, 2, 4, 8)
"""Ranks of the truncated SVD, and of the blocks of the butterflies."""

CHAIN_K, LEADFIELD_K = (4, 16), (5, 20)
"""Entries in each row of the factors of `palm4msa`, and in each column of the last
factor of `hierarchical` for the lead field."""

SWEEPS = 30
"""Number of sweeps of `palm4msa`."""


class ApproximationRecipe(NamedTuple):
    """One way to approximate a target.

    Attributes
    ----------
    impl : str
        Name of the implementation.
    nnz : int
        Number of entries that the approximation stores.
    indices : int
        Bytes of the indices that it stores.
    build : callable or None
        Returns the approximation; None for the dense product.
    """

    impl: str
    nnz: int
    indices: int
    build: Callable[[], Any] | None


@dataclass(eq=False)
class ApproximationInputs:
    """Inputs of an approximate product.

    Attributes
    ----------
    target : ndarray of float64, (m, n)
        The target.
    dense : ndarray, (m, n)
        The target in the dtype of x.
    x : ndarray, (n,) or (n, batch)
        What to multiply.
    """

    target: np.ndarray
    dense: np.ndarray
    x: np.ndarray


def approximation_cases(
    problems: Sequence[tuple[str, int]],
    batches: Sequence[int],
    dtypes: Sequence[str] = ("float64",),
) -> Iterator[Case]:
    """Yield the cases of the dense product and of the approximations of some targets.

    Errors are those of the products, against the product with the target in a wider
    dtype. Only the error of the dense product is bounded.

    Parameters
    ----------
    problems : sequence of (str, int)
        Keys of :data:`TARGETS`, and numbers of columns n, powers of two.
    batches : sequence of int
        Numbers of columns of x; with one column, x is a vector.
    dtypes : sequence of {"float32", "float64"}
        Dtypes of the products. Approximations are found in float64 and then cast.

    Yields
    ------
    Case
    """
    for name, n in problems:
        m = n // 8 if name == "leadfield" else n
        recipes = list(_recipes(name, m, n))
        for dtype in dtypes:
            for batch in batches:
                yield _case(
                    name, m, n, batch, dtype, ApproximationRecipe(DENSE, m * n, 0, None)
                )
                for recipe in recipes:
                    yield _case(name, m, n, batch, dtype, recipe)


def _case(name, m, n, batch, dtype, recipe):
    exact = recipe.impl == DENSE
    width = np.dtype(dtype).itemsize
    return Case(
        group="approximation",
        impl=recipe.impl,
        params={
            **({} if m == n else {"m": m}),
            "n": n,
            "target": name,
            "batch": batch,
            "dtype": dtype,
        },
        make=functools.partial(_make, name, n, batch, dtype),
        prepare=_dense if exact else functools.partial(_product, recipe),
        reference=_reference,
        bound=2 * math.sqrt(n) * float(np.finfo(dtype).eps) if exact else math.inf,
        size=recipe.nnz * width + recipe.indices + (m + n) * batch * width,
        flops=2 * recipe.nnz * batch,
        nnz=recipe.nnz,
        slack=None if exact else math.inf,
    )


def _recipes(name, m, n):
    """Yield the approximations of a target that store fewer entries than it has."""
    for rank in SVD_RANKS:
        nnz = rank * (m + n)
        if nnz < m * n:
            build = functools.partial(_svd, name, n, rank)
            yield ApproximationRecipe(f"svd r={rank}", nnz, 0, build)
    if name == "leadfield":
        for k in LEADFIELD_K:
            preset = rectmat(3, k, 8)
            nnz = math.ceil(1.4 * 0.8 * m**2) + 8 * m + k * n
            yield ApproximationRecipe(
                f"nbfact hierarchical k={k}",
                nnz,
                4 * nnz,
                functools.partial(_hierarchical, name, n, preset),
            )
        return
    for rank in BUTTERFLY_RANKS:
        chain = butterfly_chain(n, rank)
        if chain.n_parameters < n * n:
            yield ApproximationRecipe(
                f"nbfact butterfly r={rank}",
                chain.n_parameters,
                0,
                functools.partial(_butterfly, name, n, chain),
            )
    chain = Chain.square_dyadic(n)
    build = functools.partial(_butterfly, name, n, chain, model="sum", n_terms=2)
    yield ApproximationRecipe("nbfact sum of 2", 2 * chain.n_parameters, 0, build)
    if name == "dct":
        chain = Chain.rank2(n)
        build = functools.partial(_butterfly, name, n, chain, permutation="makhoul")
        yield ApproximationRecipe("nbfact makhoul", chain.n_parameters, 0, build)
    for k in CHAIN_K:
        yield ApproximationRecipe(
            f"nbfact palm4msa k={k}",
            2 * k * n,
            4 * 2 * k * n,
            functools.partial(_palm, name, n, k),
        )


def butterfly_chain(n: int, rank: int) -> Chain:
    """Return a dyadic chain whose blocks between the factors have a given rank.

    Parameters
    ----------
    n : int
        Order, a power of two.
    rank : int
        Rank of the blocks, a power of two.

    Returns
    -------
    Chain
        The first factors, and the last ones, have blocks too small for that rank, and
        are multiplied out into one factor each. Where no factor would be left between
        these two, all factors are multiplied out into two halves.

    Examples
    --------
    >>> butterfly_chain(16, 1) == Chain.square_dyadic(16)
    True
    >>> butterfly_chain(64, 2).patterns
    ((1, 4, 8, 16), (4, 4, 4, 8), (8, 4, 4, 4), (16, 8, 4, 1))
    """
    if rank == 1:
        return Chain.square_dyadic(n)
    levels, ends, wide = n.bit_length() - 1, rank.bit_length(), 2 * rank
    inner = [(1 << i, wide, wide, n >> (i + 1)) for i in range(1, levels - 1)]
    chain = Chain([(1, 2, wide, n // 2), *inner, (n // 2, wide, 2, 1)])
    if 2 * ends > levels:
        return chain.fuse([levels // 2, levels - levels // 2])
    return chain.fuse([ends, *[1] * (levels - 2 * ends), ends])


@functools.cache
def _target(name, n):
    return TARGETS[name](n)


@functools.cache
def _decomposed(name, n):
    return np.linalg.svd(_target(name, n), full_matrices=False)


def _svd(name, n, rank):
    """Return the two dense factors of the truncated SVD."""
    left, values, right = _decomposed(name, n)
    factors = left[:, :rank] * values[:rank], right[:rank]
    return tuple(map(np.ascontiguousarray, factors))


def _butterfly(name, n, chain, permutation=None, **model):
    if permutation is None:
        permutation = bit_reversal(n), None
    target = _target(name, n)
    return butterfly_factorize(target, chain, permutation=permutation, **model).operator


def _hierarchical(name, n, preset):
    return hierarchical(_target(name, n), preset).operator


def _palm(name, n, k):
    sets = [constraints.SpLin((n, n), k)] * 2
    return palm4msa(_target(name, n), sets, n_iter=SWEEPS).operator


@functools.cache
def _built(recipe):
    return recipe.build()


def _cast(built, dtype):
    """Return an approximation, an operator or two dense factors, in another dtype."""
    if isinstance(built, tuple):
        return tuple(factor.astype(dtype) for factor in built)
    if isinstance(built, OperatorSum):
        return OperatorSum([_cast(term, dtype) for term in built.terms])
    if isinstance(built, FactorProduct):
        factors = [factor.astype(dtype) for factor in built.factors]
        return FactorProduct(factors, built.scale)
    return built.astype(dtype)


def _make(name, n, batch, dtype, rng):
    target = _target(name, n)
    x = rng.standard_normal((n,) if batch == 1 else (n, batch)).astype(dtype)
    return ApproximationInputs(target, target.astype(dtype, copy=False), x)


def _reference(inputs):
    wide = wider(inputs.x.dtype)
    return inputs.target.astype(wide) @ inputs.x.astype(wide)


def _dense(inputs):
    x = inputs.x
    A = built_once(inputs, lambda: yardsticks.fastest_layout(inputs.dense, x))
    return yardsticks.dense_product(A, x)


def _product(recipe, inputs):
    x = inputs.x
    built = built_once(inputs, lambda: _cast(_built(recipe), x.dtype))
    if not isinstance(built, tuple):
        return lambda: built @ x
    left, right = built
    inner = np.empty((len(right), *x.shape[1:]), x.dtype)
    out = np.empty((len(left), *x.shape[1:]), x.dtype)
    return lambda: np.matmul(left, np.matmul(right, x, out=inner), out=out)
