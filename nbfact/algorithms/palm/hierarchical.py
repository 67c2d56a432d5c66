"""Hierarchical factorization: one factor peeled off at a time, by palm4MSA."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from ..._core.checks import choice
from ...constraints import Constraint
from ..common.problem import TargetLike, problem_of
from ..common.result import Callback, Factorization
from .peeling import PeelOptions, hierarchical_problem
from .presets import SIDES, Preset, Side, listed_preset, named_preset
from .sweep_options import Keep, Order, Scaling


def hierarchical(
    target: TargetLike,
    factor_constraints: Sequence[Constraint] | str | Preset,
    residual_constraints: Sequence[Constraint] | None = None,
    *,
    n_iter: int | tuple[int, int] | None = None,
    residual_side: Side = "right",
    order: Order | Literal["both"] | None = None,
    scaling: Scaling | None = None,
    callback: Callback | None = None,
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
        step, keep and n_iter that are used where those arguments are None.
    residual_constraints : sequence of J - 1 constraints
        The set of the residual at each level, that is, of what is left to factor. The
        last residual is a factor of the result.
    n_iter : int or (int, int), optional
        Maximum number of sweeps at each level: of the split and of the global
        refinement, as one number for both or as a pair; by default 30, and 50 for
        `nbfact.presets.dictionary`.
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
        Called with a `CallbackState` after each sweep of the global refinements,
        numbered from 1 in each; returning True ends the refinement that it is called
        from.
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
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 5 (hierarchical
    factorization; there the residual is on the left) [lemagoarou2016].

    Examples
    --------
    >>> import nbfact as nf
    >>> r = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    >>> len(r.factors), r.operator.nnz, bool(r.relative_error < 1e-12)
    (3, 48, True)
    """
    given: dict[str, Any] = {
        "order": order, "scaling": scaling, "step": step, "keep": keep
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    preset = _preset_of(factor_constraints, residual_constraints, residual_side)
    if given:
        preset = dataclasses.replace(preset, **given, fallbacks=())
    if n_iter is None:
        n_iter = preset.n_iter
    options = PeelOptions(preset=preset, n_iter=n_iter, tol=tol, callback=callback)
    problem = problem_of(target, 2)
    return hierarchical_problem(problem, options)


def _preset_of(
    factor_constraints: Sequence[Constraint] | str | Preset,
    residual_constraints: Sequence[Constraint] | None,
    residual_side: Side,
) -> Preset:
    """Return the preset of a name, or one that holds the given lists."""
    choice("residual_side", residual_side, SIDES)
    if isinstance(factor_constraints, str | Preset):
        preset = factor_constraints
        if isinstance(preset, str):
            preset = named_preset(preset)
        if residual_constraints is not None:
            raise ValueError("a preset brings its own residual_constraints")
        return preset
    residuals = () if residual_constraints is None else residual_constraints
    return listed_preset(factor_constraints, residuals, residual_side)
