"""Small cases of the verbs, and of adjoint products, that no other group has.

They are for the profile ``pr``: every verb that a user can call, and every product in
both directions, so that a change which makes one of them slower is seen.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import targets
from ..algorithms import butterfly_factorize, learn_butterfly, learn_transform, refine
from ..harness.case import Case
from ..operators import Chain, FactorProduct, FastOperator
from . import timed_operators
from .butterflies import FactorizeCase

OURS = "nbfact"
"""Implementation: the verb itself. There is no yardstick but it."""

SWEEPS = 3
"""Number of sweeps of `refine`."""

STEPS = 20
"""Number of steps of gradient descent of `learn_butterfly`."""


@dataclass(eq=False)
class AdjointInputs:
    """Inputs of a product with an adjoint.

    Attributes
    ----------
    operator : Operator
        The operator, whose adjoint multiplies.
    x : ndarray, (m,) or (m, batch)
        What to multiply.
    """

    operator: timed_operators.Operator
    x: np.ndarray


def verb_cases(n: int) -> Iterator[Case]:
    """Yield the cases of `refine`, `learn_transform` and models of `learn_butterfly`.

    `refine` starts from the butterfly that is nearest to a Gaussian matrix, and
    `learn_transform` has to search, within a budget, for factors of a planted matrix.
    The models are two butterflies, and one with a learned permutation; the case of one
    butterfly is in ``butterflies.py``.

    Parameters
    ----------
    n : int
        Order of the matrices, a power of two.

    Yields
    ------
    Case
    """
    made: dict[str, tuple[Callable, Callable]] = {
        "refine": (_gaussian, _refine),
        "learn_transform": (_planted, _learn),
        "two butterflies learned": (_gaussian, _two_butterflies),
        "permutation learned": (_gaussian, _permutation),
    }
    for verb, (make, prepare) in made.items():
        yield FactorizeCase(
            group=verb,
            impl=OURS,
            params={"n": n, "dtype": "float64"},
            make=functools.partial(make, n),
            prepare=prepare,
            reference=lambda target: target,
            bound=math.inf,
            size=8 * n * n,
            flops=0,
            nnz=None,
            yardstick=OURS,
            slack=math.inf,
        )


def adjoint_cases(
    kinds: Sequence[str], n: int, dtype: str, batch: int
) -> Iterator[Case]:
    """Yield the cases of products with adjoints.

    Parameters
    ----------
    kinds : sequence of {"butterfly", "planted"}
        What multiplies: a `Butterfly`, or the sparse factors of a `FactorProduct`.
    n : int
        Order of the operator, or its number of columns: a power of two.
    dtype : str
        Its dtype, and that of x.
    batch : int
        Number of columns of x; with one column, x is a vector.

    Yields
    ------
    Case
    """
    kind = np.dtype(dtype)
    for name in kinds:
        m = n // 4 if name == "planted" else n
        levels = timed_operators.PLANTED_FACTORS
        if name == "butterfly":
            levels = n.bit_length() - 1
        yield Case(
            group=f"{name} adjoint",
            impl=OURS,
            params={"m": m, "n": n, "batch": batch, "dtype": dtype},
            make=functools.partial(_adjoint_inputs, name, m, n, kind, batch),
            prepare=_adjoint,
            reference=_adjoint_reference,
            bound=4 * levels * float(np.finfo(kind).eps),
            size=(m + n) * batch * kind.itemsize,
            flops=0,
            nnz=None,
            yardstick=OURS,
        )


def _gaussian(n, rng):
    return rng.standard_normal((n, n)) / np.sqrt(n)


def _planted(n, rng):
    return np.asarray(targets.planted(n, 2, 2, random_state=rng))


def _refine(target):
    start = butterfly_factorize(target, Chain.square_dyadic(len(target))).operator
    return lambda: refine(start, target, n_iter=SWEEPS).operator


def _learn(target):
    options: dict[str, Any] = {"effort": "quick", "random_state": 0}
    return lambda: learn_transform(target, nnz=4 * len(target), **options).operator


def _two_butterflies(target):
    return _descent(target, model="BPBP")


def _permutation(target):
    return _descent(target, permutation="learned")


def _descent(target, **options):
    options |= {"n_iter": STEPS, "n_refine_iter": 2, "random_state": 0}
    return lambda: learn_butterfly(target, **options).operator


def _adjoint_inputs(name, m, n, dtype, batch, rng):
    shape = (m,) if batch == 1 else (m, batch)
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    operator = timed_operators.build(name, n, dtype.name)
    return AdjointInputs(operator, x.astype(dtype))


def _adjoint(inputs):
    operator: FastOperator
    if inputs.operator.values is None:
        operator = FactorProduct(list(inputs.operator.factors))
    else:
        operator = inputs.operator.butterfly
    adjoint, x = operator.H, inputs.x
    return lambda: adjoint @ x


def _adjoint_reference(inputs):
    y = inputs.x.astype(timed_operators.wider(inputs.x.dtype))
    for factor in inputs.operator.factors:
        y = factor.astype(y.dtype).conj().T @ y
    return y
