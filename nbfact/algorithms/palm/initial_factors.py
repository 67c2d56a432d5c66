"""The factors that a run of palm4MSA starts from, and the sets that they are in."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..._core.checks import RandomState
from ..._core.dtypes import common_dtype
from ...constraints import Constraint
from ..common.as_factors import as_factors
from ..common.factors import Factor, compressed
from ..common.problem import Problem
from ..common.result import FactorsLike
from .factor_projection import closed_under_scaling
from .sweep_options import SweepOptions

_EXTREME = 24
"""Binary exponent, up or down, of the norm of a given factor beyond which the factor is
scaled to a norm near 1, so that products of a few keep their digits in float32."""

_LARGEST = {"d": 400, "f": 60}
"""Binary exponent of the largest scale to start from, by the character of the real
dtype (float64, float32): steps multiply by the square of the scale."""


Init: TypeAlias = FactorsLike | Literal["random"] | None
"""What the argument `init` of the public functions may be."""


@dataclass(frozen=True)
class SweepStart:
    """Factors to start from, left to right, their scale, and their sets.

    Attributes
    ----------
    constraints : list of Constraint
        The set of each factor.
    factors : list of Factor
        S[0], ..., S[J-1].
    scale : float
        λ, for the target as the sweeps see it: `Problem.shifted`.
    """

    constraints: Sequence[Constraint]
    factors: list[Factor]
    scale: float = 1.0


def checked_start(
    problem: Problem,
    constraints: Sequence[Constraint],
    init: Init,
    options: SweepOptions,
    random_state: RandomState = None,
) -> SweepStart:
    """Return the start that the argument `init` of `palm4msa` asks for, or raise."""
    constraints = checked_constraints(constraints, problem.shape)
    if init is None:
        return default_start(problem, constraints, options)
    if isinstance(init, str):
        if init != "random":
            raise ValueError(f'init must be "random" or factors, got {init!r}')
        return SweepStart(
            constraints, _random_factors(constraints, problem.dtype, random_state)
        )
    given, scale = as_factors("init", init)
    factors = _given_factors(constraints, given, problem.dtype)
    return _tamed(problem, SweepStart(constraints, factors, scale), options)


def default_start(
    problem: Problem, constraints: Sequence[Constraint], options: SweepOptions
) -> SweepStart:
    """Return identities, and zero for the factor that is updated first.

    The shapes of the constraints have to chain to that of the problem.
    """
    arrays = [np.eye(*one.shape, dtype=problem.dtype) for one in constraints]
    arrays[0 if options.order == "left-to-right" else -1][:] = 0
    return SweepStart(constraints, [compressed(array) for array in arrays])


def _given_factors(
    constraints: Sequence[Constraint], own: Sequence[Any], dtype: np.dtype
) -> list[Factor]:
    """Return the factors that a user gave, in the dtype of the target, or raise."""
    shapes = [tuple(constraint.shape) for constraint in constraints]
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
    return [compressed(np.array(array, dtype, order="C")) for array in arrays]


def _tamed(problem: Problem, start: SweepStart, options: SweepOptions) -> SweepStart:
    """Return the same product, whose scale was in the units of the target.

    Norms of the factors that are free to be scaled are brought near 1 where they are
    extreme, by powers of two; the scale makes up for it.
    """
    if problem.zero:
        return start
    factors, total = list(start.factors), -problem.exponent
    places = {j for j, one in enumerate(start.constraints) if closed_under_scaling(one)}
    for j in places - set(options.fixed):
        own = math.frexp(factors[j].norm())[1]
        if abs(own) > _EXTREME:
            half = own // 2  # in two steps, because 2**1030 is not a double
            factors[j] = factors[j].scaled(2.0**-half).scaled(2.0**-half)
            total += 2 * half
    mantissa, own = math.frexp(start.scale)
    small = abs(own + total) < _LARGEST[problem.real.char]
    scale = math.ldexp(mantissa, own + total) if small else 1.0
    return SweepStart(start.constraints, factors, scale)


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
