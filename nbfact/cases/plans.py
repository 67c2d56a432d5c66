"""Cases of plans: what the cost model chooses, against every alternative.

A plan says by which kernels a chain is multiplied, and which factors are multiplied out
before (`nbfact.operators.plan`). The yardstick is the one that is chosen.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..harness.case import Case
from ..operators import Butterfly, Chain
from ..operators.plan import alternatives
from ..operators.program import Program
from .timed_operators import wider

CHOSEN = "nbfact plan"

CHAINS: dict[str, Callable[[int], Chain]] = {
    "dyadic": Chain.square_dyadic,
    "rank 2": Chain.rank2,
    "smallest": Chain.smallest,
    "monarch": Chain.monarch,
    "B B^T": lambda n: Chain.square_dyadic(n) @ Chain.square_dyadic(n).T,
}
"""Chains of an order, by name."""


@dataclass(eq=False)
class PlanInputs:
    """A butterfly with Gaussian values, of unit variance after each factor, and x."""

    butterfly: Butterfly
    x: np.ndarray


def plan_cases(
    chains: Sequence[tuple[str, int]], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the plan that is chosen and the alternatives, for products of some chains.

    Parameters
    ----------
    chains : sequence of (str, int)
        Name in :data:`CHAINS`, and order.
    dtypes, batches : sequences
        Names of dtypes, numbers of columns; with one column x is a vector.

    Yields
    ------
    Case
    """
    for name, n in chains:
        chain = CHAINS[name](n)
        for dtype in dtypes:
            for batch in batches:
                prepares = {CHOSEN: _chosen}
                for told, plan in alternatives(chain, batch).items():
                    prepares[f"nbfact {told}"] = functools.partial(_planned, plan)
                yield from _cases(name, chain, dtype, batch, prepares)


def _cases(name, chain, dtype, batch, prepares):
    kind = np.dtype(dtype)
    # Fused factors have longer sums than the chain's own.
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


def _make(chain, dtype, batch, rng):
    """Draw values and x; a row of a factor has c entries."""

    def gaussian(shape):
        values = rng.standard_normal(shape)
        if dtype.kind == "c":
            values = (values + 1j * rng.standard_normal(shape)) / np.sqrt(2)
        return values

    values = [(gaussian(p) / np.sqrt(p[2])).astype(dtype) for p in chain]
    shape = (chain.shape[1],) if batch == 1 else (chain.shape[1], batch)
    return PlanInputs(Butterfly(chain, values), gaussian(shape).astype(dtype))


def _reference(inputs):
    """Multiply factor by factor in a wider dtype, in NumPy."""
    x = inputs.x.reshape(len(inputs.x), -1).astype(wider(inputs.x.dtype))
    for value in reversed(inputs.butterfly.values):
        a, b, c, d = value.shape
        x = np.einsum("ijkl,iklz->ijlz", value, x.reshape(a, c, d, -1))
        x = x.reshape(a * b * d, -1)
    return x.reshape(-1, *inputs.x.shape[1:])


def _chosen(inputs):
    B, x = inputs.butterfly, inputs.x
    return lambda: B @ x


def _planned(plan, inputs):
    program = Program(inputs.butterfly.values, plan, inputs.x.dtype)
    x = inputs.x
    return lambda: program.run(x)
