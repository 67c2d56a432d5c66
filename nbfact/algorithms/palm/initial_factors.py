"""The factors that a run of palm4MSA starts from."""

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..._core.checks import RandomState
from ..._core.dtypes import common_dtype, real_dtype
from ...constraints import Constraint
from ..common.as_factors import as_factors
from ..common.factors import Factor, compressed
from ..common.result import FactorsLike
from .sweep_options import Order

_EXTREME = 24
"""Binary exponent, up or down, of the norm of a given factor beyond which the factor is
scaled to a norm near 1, so that products of a few keep their digits in float32."""

_LARGEST = {"d": 400, "f": 60}
"""Binary exponent of the largest scale to start from, by the character of the real
dtype (float64, float32): steps multiply by the square of the scale."""


@dataclass(frozen=True)
class InitialFactors:
    """Factors to start from, left to right, and their scale.

    Attributes
    ----------
    factors : list of Factor
        S[0], ..., S[J-1].
    scale : float
        λ, in the units of the target.
    given : bool
        Whether the caller gave them, so that their scale has a meaning.
    """

    factors: list[Factor]
    scale: float = 1.0
    given: bool = False

    def tamed(
        self, free: Collection[int], exponent: int, dtype: np.dtype
    ) -> "InitialFactors":
        """Return the same product, for a target divided by 2**exponent.

        Norms of the factors whose places are in `free` are brought near 1 where they
        are extreme, by powers of two; the scale makes up for it.
        """
        factors, total = list(self.factors), -exponent
        for j in free:
            own = math.frexp(factors[j].norm())[1]
            if abs(own) > _EXTREME:
                half = own // 2  # in two steps, because 2**1030 is not a double
                factors[j] = factors[j].scaled(2.0**-half).scaled(2.0**-half)
                total += 2 * half
        mantissa, own = math.frexp(self.scale)
        small = abs(own + total) < _LARGEST[real_dtype(dtype).char]
        scale = math.ldexp(mantissa, own + total) if small else 1.0
        return InitialFactors(factors, scale, self.given)


def initial_factors(
    constraints: Sequence[Constraint],
    init: FactorsLike | Literal["random"] | None,
    order: Order,
    dtype: np.dtype,
    random_state: RandomState,
) -> InitialFactors:
    """Return the factors to start from, as the argument `init` of `palm4msa` says."""
    if init is None:
        return InitialFactors(default_factors(constraints, order, dtype))
    if isinstance(init, str):
        if init != "random":
            raise ValueError(f'init must be "random" or factors, got {init!r}')
        return InitialFactors(_random_factors(constraints, dtype, random_state))
    shapes = [tuple(constraint.shape) for constraint in constraints]
    own, scale = as_factors("init", init)
    arrays = [f.toarray() if hasattr(f, "toarray") else np.asarray(f) for f in own]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"shapes of init {[array.shape for array in arrays]} are not those of "
            f"constraints {shapes}"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("init contains NaN or infinity")
    for array in arrays:
        if common_dtype(array.dtype, dtype) != dtype and array.dtype.kind == "c":
            raise TypeError(f"init is complex but target is {dtype}")
    factors = [compressed(np.array(a, dtype, order="C")) for a in arrays]
    return InitialFactors(factors, scale, given=True)


def default_factors(
    constraints: Sequence[Constraint], order: Order, dtype: np.dtype
) -> list[Factor]:
    """Return identities, and zero for the factor that is updated first."""
    factors = [np.eye(*constraint.shape, dtype=dtype) for constraint in constraints]
    factors[0 if order == "left-to-right" else -1][:] = 0
    return [compressed(factor) for factor in factors]


def checked_constraints(
    constraints: Sequence[Constraint], shape: tuple[int, ...]
) -> list[Constraint]:
    """Return the constraints as a list, or raise.

    There must be at least one, each with `shape` and `project`, and their shapes must
    chain to the shape of the target.
    """
    constraints = list(constraints)
    if not constraints:
        raise ValueError("constraints is empty: expected one constraint per factor")
    for j, constraint in enumerate(constraints):
        if not (hasattr(constraint, "shape") and hasattr(constraint, "project")):
            raise TypeError(
                f"constraints[{j}] must have `shape` and `project`, got {constraint!r}"
            )
    shapes = [tuple(constraint.shape) for constraint in constraints]
    inner = all(a[1] == b[0] for a, b in itertools.pairwise(shapes))
    if not inner or (shapes[0][0], shapes[-1][1]) != shape:
        raise ValueError(
            f"shapes of constraints do not chain to the target's {shape}: {shapes}"
        )
    return constraints


def _random_factors(constraints: Sequence[Constraint], dtype: np.dtype, seed: Any):
    """Return Gaussian matrices, each projected onto its set."""
    rng = np.random.default_rng(seed)
    factors = []
    for constraint in constraints:
        x = rng.standard_normal(constraint.shape)
        if dtype.kind == "c":
            x = x + 1j * rng.standard_normal(constraint.shape)
        projected = constraint.project(x.astype(dtype))
        factors.append(compressed(np.array(projected, dtype, order="C")))
    return factors
