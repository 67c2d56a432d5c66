"""Hierarchical factorization: one factor peeled off at a time, by palm4MSA."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...constraints import Constraint
from ..common.result import Factorization, History, SweepState
from ..common.target import checked_target, shift, shift_exponent
from .palm4msa import (
    ORDERS,
    check_options,
    checked_constraints,
    default_start,
    iterate,
    palm4msa,
    product,
)
from .presets import Preset, named_preset
from .sweeps import Sweeps

SIDES = ("left", "right")
HOPELESS = 0.1  # the error above which the fallbacks of a preset are tried


def hierarchical(
    target: Any,
    factor_constraints: Sequence[Constraint] | str | Preset,
    residual_constraints: Sequence[Constraint] | None = None,
    *,
    n_iter: int | tuple[int, int] = 30,
    residual_side: str = "right",
    order: str | None = None,
    scaling: str | None = None,
    callback: Callable[[SweepState], Any] | None = None,
    step: float | None = None,
    tol: float = 0.0,
    keep: str | None = None,
) -> Factorization:
    """Factor a matrix into many sparse factors, one split at a time.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite: see `palm4msa`.
    factor_constraints : sequence of J - 1 constraints, str or preset
        The set of the factor peeled off at each level; or a preset: ``"hadamard"``,
        ``"hadamard_skperm"``, ``"hadamard_simple"``, ``"dft"``, or what
        `nbfact.presets.rectmat`, `rectmat_simple` and `dictionary` return. A preset brings its
        residual constraints and residual side, and order, scaling, step and keep
        unless they are given.
    residual_constraints : sequence of J - 1 constraints
        The set of the residual at each level; the last one is a factor of the result.
    n_iter : int or (int, int), default 30
        Number of sweeps of the split, and of the global refinement, at each level: one
        number for both, or a pair.
    residual_side : {"right", "left"}
        On which side of the new factor the residual stands.
    order : {"both", "left-to-right", "right-to-left"}, default "both"
        In which order sweeps update the factors; "both" factors twice and returns the
        better, as neither wins everywhere: from left to right the Hadamard matrix is
        not found, and from right to left FAµST's 500x32 matrix is left at an error of
        0.32 instead of 0.27.
    scaling : {"balanced", "factor", "sweep"}, default "balanced"
        How the scale is treated: see `palm4msa`.
    callback : callable, optional
        Called with a `SweepState` after each sweep of the global refinements, numbered
        from 1 in each; returning True ends the refinement it is called from.
    step : float, default 1.0
        Length of the gradient steps: see `palm4msa`.
    tol : float, default 0.0
        Ends a split or a refinement: see `palm4msa`.
    keep : {"last", "best"}, default "last"
        What a split and a refinement hand on: see `palm4msa`.

    Returns
    -------
    Factorization
        J factors; `history` is that of the global refinements, one after the other.

    Raises
    ------
    TypeError
        As `palm4msa`.
    ValueError
        As `palm4msa`; also lists of different lengths, an unknown preset or side, a
        target whose shape a preset does not fit.

    Notes
    -----
    Level l splits the residual T into a factor and a new residual (palm4MSA with two
    factors, default init), then refines all factors found so far together on A
    (palm4MSA from the current ones). Cost: that of the 2 (J - 1) calls, twice that
    with order "both".

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 5.

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    >>> len(r.factors), r.operator.nnz, bool(r.relative_error < 1e-12)
    (3, 48, True)
    """
    matrix = checked_target(target, 2)
    given = {"order": order, "scaling": scaling, "step": step, "keep": keep}
    given = {name: value for name, value in given.items() if value is not None}
    preset = factor_constraints
    if isinstance(preset, str):
        preset = named_preset(preset)
    if not isinstance(preset, Preset):
        if residual_side not in SIDES:
            raise ValueError(
                f"residual_side must be one of {SIDES}, got {residual_side!r}"
            )
        lists = factor_constraints, residual_constraints
        preset = Preset("", lambda _: lists, residual_side, "both", keep="last")
    elif residual_constraints is not None:
        raise ValueError("a preset brings its own residual_constraints")
    result = _factored(matrix, preset, given, n_iter, tol, callback)
    for fallback in () if given else preset.fallbacks:
        if result.relative_error > HOPELESS:
            other = _factored(matrix, fallback, given, n_iter, tol, callback)
            result = min(result, other, key=lambda result: result.relative_error)
    return result


def _factored(matrix, preset, given, n_iter, tol, callback):
    """Factor as a preset says, but for the options that are given."""
    options = {name: getattr(preset, name) for name in ("scaling", "step", "keep")}
    options = {**options, "tol": tol, **given}
    order = options.pop("order", preset.order)
    levels = _checked_levels(*preset.constraints(matrix.shape))
    if order not in ("both", *ORDERS):
        raise ValueError(f'order must be "both" or one of {ORDERS}, got {order!r}')
    if not isinstance(n_iter, Sequence):
        n_iter = (n_iter, n_iter)
    if len(n_iter) != 2:
        raise ValueError(
            "n_iter must be an integer or a pair (split, refinement) of integers, got "
            f"{n_iter!r}"
        )
    for n in n_iter:
        check_options(n, order=ORDERS[0], **options)
    right = preset.residual_side == "right"
    results = [
        _peel(matrix, levels, n_iter, right, callback, one, **options)
        for one in (ORDERS if order == "both" else [order])
    ]
    return min(results, key=lambda result: result.relative_error)


def _checked_levels(factor_constraints, residual_constraints):
    """Return the pairs of sets, one a level."""
    factor_constraints = list(factor_constraints)
    residual_constraints = list(residual_constraints or [])
    if len(factor_constraints) != len(residual_constraints) or not factor_constraints:
        raise ValueError(
            "factor_constraints and residual_constraints must have the same length, "
            f"at least 1, got {len(factor_constraints)} and {len(residual_constraints)}"
        )
    return list(zip(factor_constraints, residual_constraints, strict=True))


def _peel(target, levels, n_iter, right, callback, order, scaling, step, tol, keep):
    """Split and refine, level by level, with sweeps in one order."""
    start = time.perf_counter()
    exponent = shift_exponent(target)
    if exponent is None:
        return _zero(target, levels, right)
    shifted = shift(target, -exponent)
    residual, factors, constraints, scale = shifted, [], [], 1.0
    history = History()
    for pair in levels:
        pair = pair if right else pair[::-1]
        checked_constraints(pair, residual.shape)
        split = Sweeps(
            residual, pair, default_start(pair, order, target.dtype), 1.0, order,
            scaling, step,
        )  # fmt: skip
        parts, ratio, _ = iterate(split, n_iter[0], tol, keep, start=start)
        del split  # and the arrays it works in
        # The two new factors, and their sets, take the place of the residual.
        factors = _replaced(factors, parts, right)
        constraints = _replaced(constraints, pair, right)
        whole = Sweeps(
            shifted, constraints, factors, scale * ratio, order, scaling, step
        )
        factors, scale, error = iterate(
            whole, n_iter[1], tol, keep, callback, history, exponent, start
        )
        residual = factors[-1 if right else 0].toarray()
    dense = target if isinstance(target, np.ndarray) else None
    return Factorization(product(factors, scale, exponent), error, history, dense)


def _zero(target, levels, right):
    """Factor a zero target."""
    constraints = []
    for pair in levels:
        constraints = _replaced(constraints, pair if right else pair[::-1], right)
    return palm4msa(target, constraints)


def _replaced(items, pair, right):
    """Replace the last (right) or the first (left) item by the two of pair."""
    return [*items[:-1], *pair] if right else [*pair, *items[1:]]
