"""Cases of plans: the plan that the cost model chooses, against every alternative.

A plan says by which kernels a chain is multiplied, and which of its factors are
multiplied out beforehand (`nbfact.operators.plan`). The chosen plan is the yardstick.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..harness.case import Case
from ..harness.operands import built_once
from ..operators import Butterfly, Chain
from ..operators.plan import alternatives
from ..operators.program import Program
from .timed_operators import wider

CHOSEN = "nbfact plan"
"""Implementation: the plan that the cost model chooses."""

CHAINS: dict[str, Callable[[int], Chain]] = {
    "dyadic": Chain.square_dyadic,
    "rank 2": Chain.rank2,
    "smallest": Chain.smallest,
    "monarch": Chain.monarch,
    "four blocks": lambda n: Chain([(4, n // 4, n // 4, 1)]),
    "strided blocks": lambda n: Chain([(1, n // 4, n // 4, 4)]),
    "far blocks": lambda n: Chain([(1, n // 32, n // 32, 32)]),
    "B B^T": lambda n: Chain.square_dyadic(n) @ Chain.square_dyadic(n).T,
}
"""Functions that return a chain of a given order, by name."""


@dataclass(eq=False)
class PlanInputs:
    """Inputs of a product by a plan.

    Attributes
    ----------
    butterfly : Butterfly
        The operator. Its values are Gaussian, scaled so that the entries of x keep unit
        variance after each factor.
    x : ndarray, (n,) or (n, batch)
        What to multiply.
    """

    butterfly: Butterfly
    x: np.ndarray


def plan_cases(
    chains: Sequence[tuple[str, int]], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the cases of the chosen plan and of its alternatives.

    Parameters
    ----------
    chains : sequence of (str, int)
        Keys of :data:`CHAINS`, and orders.
    dtypes, batches : sequences
        Names of dtypes, and numbers of columns of x; with one column, x is a vector.

    Yields
    ------
    Case
    """
    for name, n in chains:
        chain = CHAINS[name](n)
        for dtype in dtypes:
            for batch in batches:
                prepares: dict[str, Callable] = {CHOSEN: _chosen}
                for kind, plan in alternatives(chain, batch).items():
                    prepares[f"nbfact {kind}"] = functools.partial(_planned, plan)
                yield from _cases(name, chain, dtype, batch, prepares)


def _cases(name, chain, dtype, batch, prepares):
    kind = np.dtype(dtype)
    # Fused factors have longer sums than those of the chain.
    terms = max(pattern[2] for pattern in chain) ** len(chain)
    for impl, prepare in prepares.items():
        yield Case(
            group="butterfly plans",
            impl=impl,
            params={"chain": name, "n": chain.shape[1], "batch": batch, "dtype": dtype},
            make=functools.partial(_make, chain, kind, batch),
            prepare=prepare,
            reference=_reference,
            bound=4
            * len(chain)
            * min(terms, chain.shape[1]) ** 0.5
            * float(np.finfo(kind).eps),
            size=(chain.n_parameters + sum(chain.shape) * batch) * kind.itemsize,
            flops=(8 if kind.kind == "c" else 2) * chain.n_parameters * batch,
            nnz=chain.n_parameters,
            yardstick=CHOSEN,
        )


def adjoint_plan_cases(
    chains: Sequence[tuple[str, int]], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the cases of products of the adjoint and columns in Fortran order.

    Parameters
    ----------
    chains, dtypes, batches : sequences
        As those of :func:`plan_cases`, for chains of square matrices.

    Yields
    ------
    Case
    """
    adjoint: dict[str, Any] = {
        "group": "butterfly plans adjoint",
        "prepare": _chosen_adjoint,
        "reference": _adjoint_reference,
    }
    for case in plan_cases(chains, dtypes, batches):
        if case.impl == CHOSEN:
            make = functools.partial(_in_columns, case.make)
            yield replace(case, **adjoint, make=make)


def permuted_cases(
    chains: Sequence[tuple[str, int]], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the cases of products with butterflies whose rows and columns are permuted.

    Parameters
    ----------
    chains, dtypes, batches : sequences
        As those of :func:`plan_cases`, for chains of square matrices.

    Yields
    ------
    Case
    """
    for case in plan_cases(chains, dtypes, batches):
        if case.impl == CHOSEN:
            yield replace(
                case,
                group="butterfly permuted",
                make=functools.partial(_permuted, case.make),
                reference=_permuted_reference,
            )


def _make(chain, dtype, batch, rng):
    """Draw the inputs. Values are divided by √c, because a row of a factor has c."""

    def gaussian(shape):
        values = rng.standard_normal(shape)
        if dtype.kind == "c":
            values = (values + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        return values

    values = [(gaussian(p) / np.sqrt(p[2])).astype(dtype) for p in chain]
    shape = (chain.shape[1],) if batch == 1 else (chain.shape[1], batch)
    return PlanInputs(Butterfly(chain, values), gaussian(shape).astype(dtype))


def _reference(inputs):
    """Return the product, factor by factor in NumPy, in a wider dtype."""
    x = inputs.x.reshape(len(inputs.x), -1).astype(wider(inputs.x.dtype))
    for value in reversed(inputs.butterfly.values):
        a, b, c, d = value.shape
        x = np.einsum("ijkl,iklz->ijlz", value, x.reshape(a, c, d, -1))
        x = x.reshape(a * b * d, -1)
    return x.reshape(-1, *inputs.x.shape[1:])


def _chosen(inputs):
    B, x = inputs.butterfly, inputs.x
    return lambda: B @ x


def _chosen_adjoint(inputs):
    adjoint, x = inputs.butterfly.H, inputs.x
    return lambda: adjoint @ x


def _in_columns(make, rng):
    inputs = make(rng)
    return PlanInputs(inputs.butterfly, np.asfortranarray(inputs.x))


def _permuted(make, rng):
    inputs = make(rng)
    chain, values = inputs.butterfly.chain, inputs.butterfly.values
    rows, columns = (rng.permutation(len(inputs.x)) for _ in range(2))
    return PlanInputs(Butterfly(chain, values, rows=rows, columns=columns), inputs.x)


def _permuted_reference(inputs):
    butterfly = inputs.butterfly
    moved = PlanInputs(butterfly, inputs.x[butterfly.columns])
    return _reference(moved)[np.argsort(butterfly.rows)]


def _adjoint_reference(inputs):
    """Return the product with the adjoint, as `_reference` does."""
    x = inputs.x.reshape(len(inputs.x), -1).astype(wider(inputs.x.dtype))
    for value in inputs.butterfly.values:
        a, b, c, d = value.shape
        x = np.einsum("ijkl,ijlz->iklz", value.conj(), x.reshape(a, b, d, -1))
        x = x.reshape(a * c * d, -1)
    return x.reshape(-1, *inputs.x.shape[1:])


def _planned(plan, inputs):
    x, values = inputs.x, inputs.butterfly.values
    program = built_once(inputs, lambda: Program(values, plan, x.dtype))
    return lambda: program.run(x)
