"""The factors that a run of palm4MSA starts from, and the sets that they are in."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..._core.array_checks import dense_array
from ..._core.checks import choice, sequence, shown
from ..._core.dtypes import common_dtype
from ...constraints import Constraint
from ..common.as_factors import as_factors
from ..common.factors import Factor, compressed, diagonal
from ..common.problem import Problem
from ..common.result import FactorsLike
from .factor_projection import checked_projection, closed_under_scaling
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
    rng: np.random.Generator | None = None,
) -> SweepStart:
    """Return the start that the argument `init` of `palm4msa` asks for, or raise."""
    constraints = checked_constraints(constraints, problem.shape)
    if init is None:
        return default_start(problem, constraints, options)
    if isinstance(init, str):
        choice("init", init, ("random",))
        rng = np.random.default_rng() if rng is None else rng
        return SweepStart(constraints, _random_factors(constraints, problem.dtype, rng))
    given, scale = as_factors("init", init)
    factors = _given_factors(constraints, given, problem.dtype)
    return _tamed(problem, SweepStart(constraints, factors, scale), options)


def default_start(
    problem: Problem, constraints: Sequence[Constraint], options: SweepOptions
) -> SweepStart:
    """Return identities, and zero for the factor that is updated first.

    The shapes of the constraints have to chain to that of the problem.
    """
    last = len(constraints) - 1
    first = 0 if options.order == "left-to-right" else last
    factors = [
        diagonal(one.shape, problem.dtype, ones=j != first)
        for j, one in enumerate(constraints)
    ]
    return SweepStart(constraints, factors)


def _given_factors(
    constraints: Sequence[Constraint], own: Sequence[Any], dtype: np.dtype
) -> list[Factor]:
    """Return the factors that a user gave, in the dtype of the target, or raise."""
    shapes = [tuple(constraint.shape) for constraint in constraints]
    arrays = [dense_array(f"init[{j}]", one) for j, one in enumerate(own)]
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


def listed_constraints(name: str, constraints: Any) -> list[Constraint]:
    """Return an argument that is a sequence of constraints as a list, or raise.

    There must be at least one, each with the members of `Constraint`: a `shape` of two
    positive integers and a method `project`.
    """
    listed = sequence(name, constraints, "constraints", least=1)
    for j, constraint in enumerate(listed):
        shape: Any = getattr(constraint, "shape", None)
        fits = isinstance(shape, tuple | list) and len(shape) == 2
        fits = fits and all(isinstance(n, int | np.integer) and n > 0 for n in shape)
        fits = fits and callable(getattr(constraint, "project", None))
        if not fits or isinstance(constraint, type):
            raise TypeError(
                f"{name}[{j}] must be a constraint, with `shape` (m, n) and `project`, "
                f"got {shown(constraint)}"
            )
    return listed


def checked_constraints(
    constraints: Sequence[Constraint],
    shape: tuple[int, ...],
    *,
    name: str = "constraints",
    factored: str = "target",
) -> list[Constraint]:
    """Return the constraints as a list, or raise.

    Parameters
    ----------
    constraints : sequence of Constraint
        The set of each factor: see `listed_constraints`.
    shape : tuple of int
        What their shapes must chain to: that of the matrix that is factored.
    name, factored : str
        Names of the constraints and of that matrix, for messages.
    """
    constraints = listed_constraints(name, constraints)
    shapes = [tuple(constraint.shape) for constraint in constraints]
    inner = all(a[1] == b[0] for a, b in itertools.pairwise(shapes))
    if not inner or (shapes[0][0], shapes[-1][1]) != shape:
        raise ValueError(
            f"shapes of {name} do not chain to the {factored}'s {shape}: {shapes}"
        )
    return constraints


def _random_factors(
    constraints: Sequence[Constraint], dtype: np.dtype, rng: np.random.Generator
) -> list[Factor]:
    """Return Gaussian matrices, each projected onto its set."""
    factors = []
    for j, constraint in enumerate(constraints):
        x = rng.standard_normal(constraint.shape)
        if dtype.kind == "c":
            x = x + 1j * rng.standard_normal(constraint.shape)
        x = x.astype(dtype)
        projected = checked_projection(j, constraint.project(x), x)
        factors.append(compressed(projected))
    return factors
