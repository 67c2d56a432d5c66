"""Hierarchical factorization: one factor peeled off at a time, by palm4MSA."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from ...constraints import Constraint
from ..common.factors import Factor
from ..common.result import Factorization, SweepCallback
from ..common.target import Matrix, TargetLike, checked_target, shift, shift_exponent
from .initial_factors import checked_constraints, default_factors
from .iterations import SweepRecord, iterate, product
from .palm4msa import palm4msa
from .presets import SIDES, Preset, Side, named_preset
from .sweep_options import ORDERS, Keep, Order, Scaling, SweepOptions
from .sweeps import Sweeps

HOPELESS = 0.1
"""Relative error above which the fallbacks of a preset are tried too: what a preset is
made for is factored to rounding, so that a larger error means wrong supports."""

_Item = TypeVar("_Item")


def hierarchical(
    target: TargetLike,
    factor_constraints: Sequence[Constraint] | str | Preset,
    residual_constraints: Sequence[Constraint] | None = None,
    *,
    n_iter: int | tuple[int, int] = 30,
    residual_side: Side = "right",
    order: Order | Literal["both"] | None = None,
    scaling: Scaling | None = None,
    callback: SweepCallback | None = None,
    step: float | None = None,
    tol: float = 0.0,
    keep: Keep | None = None,
) -> Factorization:
    """Factor a matrix into many sparse factors, one split at a time.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite: see `palm4msa`.
    factor_constraints : sequence of J - 1 constraints, str or preset
        The set of the factor that is peeled off at each level; or a preset, by name
        (``"hadamard"``, ``"hadamard_skperm"``, ``"hadamard_simple"``, ``"dft"``) or as
        `nbfact.presets.rectmat`, `rectmat_simple` and `dictionary` return it. A preset
        brings its residual constraints and residual side, and also the order, scaling,
        step and keep that are used where those arguments are None.
    residual_constraints : sequence of J - 1 constraints
        The set of the residual at each level, that is, of what is left to factor. The
        last residual is a factor of the result.
    n_iter : int or (int, int), default 30
        Maximum number of sweeps at each level: of the split and of the global
        refinement, as one number for both or as a pair.
    residual_side : {"right", "left"}
        The side of the new factor on which the residual stands.
    order : {"both", "left-to-right", "right-to-left"}, optional
        The order in which sweeps update the factors. "both", the default without a
        preset, factors twice and returns the better result, because neither order wins
        everywhere: from left to right the Hadamard matrix is not found, and from right
        to left FAµST's 500x32 matrix is left at an error of 0.32 instead of 0.27.
    scaling : {"balanced", "factor", "sweep"}, optional
        How the scale is treated, by default "balanced": see `palm4msa`.
    callback : callable, optional
        Called with a `SweepState` after each sweep of the global refinements, numbered
        from 1 in each; returning True ends the refinement that it is called from.
    step : float, optional
        Length of the gradient steps, by default 1: see `palm4msa`.
    tol : float, default 0.0
        Relative change of the error that ends a split or a refinement: see `palm4msa`.
    keep : {"last", "best"}, optional
        Which iterate a split and a refinement hand on, by default "last": see
        `palm4msa`.

    Returns
    -------
    Factorization
        J factors. The history is that of the global refinements, one after the other.

    Raises
    ------
    TypeError
        As `palm4msa`.
    ValueError
        As `palm4msa`; also lists of different lengths, an unknown preset or side, a
        target whose shape a preset does not fit.

    See Also
    --------
    palm4msa : Factors at once, from the default start.
    nbfact.presets : Lists of constraints of the literature.

    Notes
    -----
    Level l splits the residual T, at first A, into a new factor and a new residual, by
    palm4MSA with two factors and the default start; then it refines all factors found
    so far together on A, by palm4MSA from where they are. With the residual on the
    right A ≈ λ S[0] ... S[l-1] T; on the left, A ≈ λ T S[J-l] ... S[J-1].

    Cost: that of the 2 (J - 1) runs of palm4MSA, and twice that with order "both".

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 5 (hierarchical
    factorization; there the residual is on the left).

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    >>> len(r.factors), r.operator.nnz, bool(r.relative_error < 1e-12)
    (3, 48, True)
    """
    matrix = checked_target(target, 2)
    given: dict[str, Any] = {
        "order": order, "scaling": scaling, "step": step, "keep": keep
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    preset = _preset_of(factor_constraints, residual_constraints, residual_side)
    preset = dataclasses.replace(preset, **given)
    result = _factored(matrix, preset, n_iter, tol, callback)
    for fallback in () if given else preset.fallbacks:
        if result.relative_error > HOPELESS:
            other = _factored(matrix, fallback, n_iter, tol, callback)
            result = min(result, other, key=lambda result: result.relative_error)
    return result


def _preset_of(
    factor_constraints: Sequence[Constraint] | str | Preset,
    residual_constraints: Sequence[Constraint] | None,
    residual_side: Side,
) -> Preset:
    """Return the preset of a name, or one that holds the given lists."""
    if isinstance(factor_constraints, str | Preset):
        preset = factor_constraints
        if isinstance(preset, str):
            preset = named_preset(preset)
        if residual_constraints is not None:
            raise ValueError("a preset brings its own residual_constraints")
        return preset
    if residual_side not in SIDES:
        raise ValueError(f"residual_side must be one of {SIDES}, got {residual_side!r}")
    lists = list(factor_constraints), list(residual_constraints or [])
    return Preset(
        "", lambda _: lists, residual_side=residual_side, order="both", keep="last"
    )


def _factored(
    matrix: Matrix,
    preset: Preset,
    n_iter: int | Sequence[int],
    tol: float,
    callback: SweepCallback | None,
) -> Factorization:
    """Factor as a preset says, in one order or in both."""
    levels = _checked_levels(*preset.constraints(matrix.shape))
    orders = ORDERS if preset.order == "both" else (preset.order,)
    if not set(orders) <= set(ORDERS):
        raise ValueError(
            f'order must be "both" or one of {ORDERS}, got {preset.order!r}'
        )
    n_split, n_refine = _checked_pair(n_iter)
    split = SweepOptions(
        n_iter=n_split,
        tol=tol,
        scaling=preset.scaling,
        step=preset.step,
        keep=preset.keep,
    )
    refinement = dataclasses.replace(split, n_iter=n_refine, callback=callback)
    right = preset.residual_side == "right"
    results = [
        _peel(
            matrix,
            levels,
            right,
            dataclasses.replace(split, order=order),
            dataclasses.replace(refinement, order=order),
        )
        for order in orders
    ]
    return min(results, key=lambda result: result.relative_error)


def _checked_pair(n_iter: int | Sequence[int]) -> tuple[int, int]:
    """Return the numbers of sweeps of a split and of a refinement, or raise."""
    if not isinstance(n_iter, Sequence):
        return n_iter, n_iter
    if len(n_iter) != 2:
        raise ValueError(
            "n_iter must be an integer or a pair (split, refinement) of integers, got "
            f"{n_iter!r}"
        )
    return n_iter[0], n_iter[1]


def _checked_levels(
    factor_constraints: list[Constraint], residual_constraints: list[Constraint]
) -> list[tuple[Constraint, Constraint]]:
    """Return the two sets of each level: that of the factor, and of the residual."""
    if len(factor_constraints) != len(residual_constraints) or not factor_constraints:
        raise ValueError(
            "factor_constraints and residual_constraints must have the same length, "
            f"at least 1, got {len(factor_constraints)} and {len(residual_constraints)}"
        )
    return list(zip(factor_constraints, residual_constraints, strict=True))


def _peel(
    target: Matrix,
    levels: list[tuple[Constraint, Constraint]],
    right: bool,
    split: SweepOptions,
    refinement: SweepOptions,
) -> Factorization:
    """Split the residual and refine all factors, level by level, in one order."""
    began = time.perf_counter()
    exponent = shift_exponent(target)
    if exponent is None:
        return _zero(target, levels, right)
    shifted = shift(target, -exponent)
    residual, scale, error = shifted, 1.0, 1.0
    factors: list[Factor] = []
    constraints: list[Constraint] = []
    record = SweepRecord(began, exponent)
    for level in levels:
        pair = level if right else level[::-1]
        checked_constraints(pair, residual.shape)
        start = default_factors(pair, split.order, target.dtype)
        sweeps = Sweeps(residual, pair, start, 1.0, split)
        parts, ratio, _ = iterate(sweeps, split, SweepRecord(began))
        del sweeps  # and the arrays that it works in
        # The two new factors, and their sets, take the place of the residual.
        factors = _replaced(factors, parts, right)
        constraints = _replaced(constraints, pair, right)
        whole = Sweeps(shifted, constraints, factors, scale * ratio, refinement)
        factors, scale, error = iterate(whole, refinement, record)
        residual = factors[-1 if right else 0].toarray()
    operator = product(factors, scale, exponent)
    dense = target if isinstance(target, np.ndarray) else None
    return Factorization(operator, error, record.history, target=dense)


def _zero(
    target: Matrix, levels: list[tuple[Constraint, Constraint]], right: bool
) -> Factorization:
    """Return the factorization of a zero target."""
    constraints: list[Constraint] = []
    for level in levels:
        constraints = _replaced(constraints, level if right else level[::-1], right)
    return palm4msa(target, constraints)


def _replaced(items: list[_Item], pair: Sequence[_Item], right: bool) -> list[_Item]:
    """Return the items with the two of `pair` in place of the last one, or the first.

    It is the last that is replaced where the residual is on the right.
    """
    return [*items[:-1], *pair] if right else [*pair, *items[1:]]
