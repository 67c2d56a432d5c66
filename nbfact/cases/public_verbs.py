"""Small cases of the verbs, and of ways to multiply, that no other group has.

They are for the profile ``pr``: every verb that a user can call, and every product in
both directions, from both sides and into an array of the user, so that a change which
makes one of them slower is seen.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .. import targets
from ..algorithms import (
    butterfly_factorize,
    chains,
    learn_butterfly,
    learn_transform,
    refine,
)
from ..harness.case import Case
from ..operators import Chain, FactorProduct, dct
from . import timed_operators
from .butterflies import FactorizeCase

OURS = "nbfact"
"""Implementation: the verb itself. There is no yardstick but it."""

SWEEPS = 3
"""Number of sweeps of `refine`."""

CHAINS = 300
"""Number of chains that are listed."""

STEPS = 20
"""Number of steps of gradient descent of `learn_butterfly`."""


@dataclass(eq=False)
class ProductWay:
    """Inputs of a product that is not plain ``A @ x``.

    Attributes
    ----------
    operator : Operator
        The operator that multiplies, or whose adjoint does.
    x : ndarray, (n,) or (n, batch), or of m rows, or (batch, m)
        What to multiply.
    """

    operator: timed_operators.Operator
    x: np.ndarray


def verb_cases(n: int) -> Iterator[Case]:
    """Yield the cases of `refine`, `learn_transform`, `chains`, and of learned models.

    `refine` starts from the butterfly that is nearest to a Gaussian matrix, and
    `learn_transform` has to search, within a budget, for factors of a planted matrix,
    and for a sparse dictionary and sparse codes of a Gaussian one of n / 2 rows.
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
        "sparse codes learned": (_wide_gaussian, _codes),
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
    # Which chains there are is known by listing them: a change of the list shows.
    yield Case(
        group="chains",
        impl=OURS,
        params={"n": n, "dtype": "float64"},
        make=lambda rng: n,
        prepare=lambda n: lambda: _listed(n),
        reference=_listed,
        bound=0.0,
        yardstick=OURS,
    )


def adjoint_cases(
    kinds: Sequence[str], n: int, dtype: str, batch: int
) -> Iterator[Case]:
    """Yield the cases of products with adjoints.

    Parameters
    ----------
    kinds : sequence of {"butterfly", "planted", "dct"}
        What multiplies: a `Butterfly`, the sparse factors of a `FactorProduct`, or the
        orthonormal DCT, of a real dtype.
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
        if name != "planted":
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


def way_cases(n: int, dtype: str, batch: int) -> Iterator[Case]:
    """Yield the cases of ``x @ A``, and of ``B.apply(x, out)`` with a `Butterfly` B.

    Parameters
    ----------
    n : int
        Number of columns of the operators: a power of two.
    dtype : str
        Their dtype, and that of x.
    batch : int
        Number of columns of x, or of rows for ``x @ A``; one is a vector.

    Yields
    ------
    Case
    """
    kind = np.dtype(dtype)
    for name, way in (("butterfly", "rows"), ("planted", "rows"), ("butterfly", "out")):
        m = n // 4 if name == "planted" else n
        levels = n.bit_length() - 1
        if name == "planted":
            levels = timed_operators.PLANTED_FACTORS
        yield Case(
            group=f"{name} {way}",
            impl=OURS,
            params={"m": m, "n": n, "batch": batch, "dtype": dtype},
            make=functools.partial(_way_inputs, name, way, (m, n), kind, batch),
            prepare=_rows if way == "rows" else _out,
            reference=_rows_reference if way == "rows" else _out_reference,
            bound=4 * levels * float(np.finfo(kind).eps),
            size=(m + n) * batch * kind.itemsize,
            yardstick=OURS,
        )


def _listed(n):
    """Return the numbers of values of the first chains of an order."""
    first = itertools.islice(chains(n), CHAINS)
    return np.array([chain.n_parameters for chain in first], np.float64)


def _gaussian(n, rng):
    return rng.standard_normal((n, n)) / np.sqrt(n)


def _planted(n, rng):
    return np.asarray(targets.planted(n, 2, 2, random_state=rng))


def _wide_gaussian(n, rng):
    return _gaussian(n, rng)[: n // 2]


def _refine(target):
    start = butterfly_factorize(target, Chain.square_dyadic(len(target))).operator
    return lambda: refine(start, target, n_iter=SWEEPS).operator


def _learn(target, **options):
    options |= {"effort": "quick", "random_state": 0}
    return lambda: learn_transform(target, nnz=4 * len(target), **options).operator


def _codes(target):
    return _learn(target, families=["sparse codes"])


def _two_butterflies(target):
    return _descent(target, model="BPBP")


def _permutation(target):
    return _descent(target, permutation="learned")


def _descent(target, **options):
    options |= {"n_iter": STEPS, "n_refine_iter": 2, "random_state": 0}
    return lambda: learn_butterfly(target, **options).operator


def _adjoint_inputs(name, m, n, dtype, batch, rng):
    x = _numbers((m,) if batch == 1 else (m, batch), dtype, rng)
    return ProductWay(timed_operators.build(name, n, dtype.name), x)


def _way_inputs(name, way, shape, dtype, batch, rng):
    m, n = shape
    several = (batch, m) if way == "rows" else (n, batch)
    single = (m,) if way == "rows" else (n,)
    x = _numbers(single if batch == 1 else several, dtype, rng)
    return ProductWay(timed_operators.build(name, n, dtype.name), x)


def _numbers(shape, dtype, rng):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def _operator(inputs):
    if not inputs.operator.factors:
        return dct(len(inputs.x), dtype=inputs.x.dtype)
    if inputs.operator.values is None:
        return FactorProduct(list(inputs.operator.factors))
    return inputs.operator.butterfly


def _adjoint(inputs):
    adjoint, x = _operator(inputs).H, inputs.x
    return lambda: adjoint @ x


def _rows(inputs):
    A, x = _operator(inputs), inputs.x
    return lambda: x @ A


def _out(inputs):
    B, x = inputs.operator.butterfly, inputs.x
    out = B @ x
    return lambda: B.apply(x, out)


def _adjoint_reference(inputs):
    y = _wide(inputs.x)
    if not inputs.operator.factors:
        return targets.dct(len(y)).T @ y
    for factor in inputs.operator.factors:
        y = factor.astype(y.dtype).conj().T @ y
    return y


def _rows_reference(inputs):
    y = _wide(inputs.x)
    for factor in inputs.operator.factors:
        y = y @ factor.astype(y.dtype)
    return y


def _out_reference(inputs):
    y = _wide(inputs.x)
    for factor in reversed(inputs.operator.factors):
        y = factor.astype(y.dtype) @ y
    return y


def _wide(x):
    return x.astype(timed_operators.wider(x.dtype))
