"""Products with random sparse factors, forward and adjoint.

Such factors are what learning returns: equally many entries in each row, at random
places. Their adjoints have rows of uneven lengths.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse

from ..harness.case import DENSE, Case
from ..kernels.block_entries import BLOCK
from . import product_calls
from .product_calls import ProductInputs
from .products import CHAIN, MATVEC, SCIPY_CHAIN
from .timed_operators import Operator, wider

SIDES = ("forward", "adjoint")
"""What multiplies: the product of the factors, or its adjoint."""

NEW = "nbfact new product"
"""Implementation: an operator that is made, planned, packed, and used once."""

_PREPARE = {
    CHAIN: product_calls.chain,
    SCIPY_CHAIN: product_calls.scipy_chain,
    MATVEC: product_calls.scipy_matvec,
    DENSE: product_calls.dense,
}


def sparse_factor_cases(
    sizes: Sequence[int],
    depths: Sequence[tuple[int, int]],
    dtypes: Sequence[str],
    batches: Sequence[int],
    sides: Sequence[str] = SIDES,
) -> Iterator[Case]:
    """Yield the cases of products with random sparse factors and their adjoints.

    Parameters
    ----------
    sizes : sequence of int
        Orders of the square factors.
    depths : sequence of (int, int)
        Numbers of factors, and of entries in each of their rows.
    dtypes, batches : sequences
        Names of dtypes, and numbers of columns of x; with one column, x is a vector.
    sides : sequence of {"forward", "adjoint"}
        What multiplies: the product of the factors, or its adjoint.

    Yields
    ------
    Case
    """
    for n, (depth, k), dtype, batch, side, impl in itertools.product(
        sizes, depths, dtypes, batches, sides, _PREPARE
    ):
        yield _case(n, depth, k, dtype, batch, side, impl)


def new_product_cases(
    sizes: Sequence[int], depths: Sequence[tuple[int, int]], dtypes: Sequence[str]
) -> Iterator[Case]:
    """Yield the cases of an operator that is made of factors and multiplies one vector.

    That is what the result of a factorization costs that is used once. The arguments
    are those of `sparse_factor_cases`.

    Yields
    ------
    Case
    """
    for n, (depth, k), dtype in itertools.product(sizes, depths, dtypes):
        yield _case(n, depth, k, dtype, 1, "forward", NEW)


def block_factor_cases(
    sizes: Sequence[int], depths: Sequence[tuple[int, int]], dtypes: Sequence[str]
) -> Iterator[Case]:
    """Yield the cases of products of one vector with factors in blocks of eight rows.

    The arguments are those of `sparse_factor_cases`.

    Yields
    ------
    Case
    """
    for n, (depth, k), dtype, impl in itertools.product(
        sizes, depths, dtypes, _PREPARE
    ):
        yield _case(n, depth, k, dtype, 1, "forward", impl, BLOCK)


def _case(n, depth, k, dtype, batch, side, impl, height=1):
    """Return a case of a product with random factors, in blocks of some rows."""
    kind, entries = np.dtype(dtype), n * n if impl == DENSE else depth * k * n
    stored = entries * (kind.itemsize + (0 if impl == DENSE else 4))
    flops = (8 if kind.kind == "c" else 2) * entries * batch
    group = "sparse factors" if height == 1 else "factors in blocks"
    bound = 2 * (math.sqrt(n) if impl == DENSE else depth * math.sqrt(k) + 2)
    return Case(
        group=f"new {group}" if impl == NEW else group,
        impl=impl,
        params={
            **{"n": n, "factors": depth, "k": k, "side": side},
            **{"batch": batch, "dtype": dtype},
        },
        make=functools.partial(_inputs, n, depth, k, side, batch, kind, height),
        prepare=product_calls.new_chain if impl == NEW else _PREPARE[impl],
        reference=lambda inputs: inputs.operator.exact(inputs.x),
        bound=bound * float(np.finfo(kind).eps),
        size=stored + 2 * n * batch * kind.itemsize,
        flops=flops,
        nnz=entries,
        yardstick=NEW if impl == NEW else DENSE,
    )


def _inputs(n, depth, k, side, batch, dtype, height, rng):
    factors = [_factor(n, k, dtype, height, rng) for _ in range(depth)]
    if side == "adjoint":
        factors = [factor.T.conj().tocsr() for factor in factors[::-1]]

    def exact(x):
        for factor in reversed(factors):
            x = factor.astype(wider(dtype)) @ x
        return x

    operator = Operator(dtype.name, exact, lambda: exact(np.eye(n)), tuple(factors))
    shape = (n,) if batch == 1 else (n, batch)
    return ProductInputs(operator, _gaussian(shape, dtype, rng))


def _factor(n, k, dtype, height, rng):
    """Return a random factor with k entries a row, which keeps norms on average.

    As many rows as the height says have the same columns.
    """
    order = np.argsort(rng.random((n // height, n)), axis=1)
    columns = np.repeat(np.sort(order[:, :k]), height, axis=0).astype(np.int32)
    ends = np.arange(0, n * k + 1, k, dtype=np.int32)
    data = _gaussian(n * k, dtype, rng) / dtype.type(math.sqrt(k))
    return scipy.sparse.csr_array((data, columns.ravel(), ends), shape=(n, n))


def _gaussian(shape, dtype, rng):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)
