"""Presets: lists of constraints from the literature, and options, for `hierarchical`.

`rectmat`, `rectmat_simple` and `dictionary` make presets for wide matrices. Those for
the Hadamard matrix and the DFT need no parameters and go by name: ``"hadamard"``,
``"hadamard_skperm"``, ``"hadamard_simple"`` and ``"dft"``. The presets by name and
`rectmat_simple` are those of FAµST; the sets of `rectmat` and `dictionary` are those of
the paper. The paper's own sets for the Hadamard matrix are not a preset, because they
find it with one unusual rule for ties only: `nbfact study ties`.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np

from ..._core.checks import choice, function, real_number, sequence, shown, size
from ...constraints import Constraint, Identity, SkPerm, Sp, SpCol, SpLinCol, Supp
from ...operators.reorderings import bit_reversal
from .sweep_options import KEEPS, ORDERS, SCALINGS, Keep, Order, Scaling

__all__ = ["Preset", "dictionary", "rectmat", "rectmat_simple"]

Levels: TypeAlias = tuple[list[Constraint], list[Constraint]]
"""The sets of the factors that are peeled off, and of the residuals, level by level."""

Side: TypeAlias = Literal["left", "right"]
"""The side of the new factor on which the residual stands."""

SIDES: tuple[Side, ...] = get_args(Side)

MOST_FACTORS = 1000
"""Largest number of factors of a preset for wide matrices: each level sweeps over all
factors found so far, and with more of them the sweeps would take days."""

TIE_TOL = 0.05
"""Relative difference up to which moduli count as equal in the Hadamard presets.

All entries of the Hadamard matrix have one modulus, and so have those of every step:
the supports are a matter of ties, which neither rounding nor noise must decide. With
it, "hadamard" finds the transform up to a relative noise of 1e-2, the other presets up
to 1e-4 (n = 32, `nbfact study noise`); with 0 it is found without noise only."""

ROUNDING_TOL = 1e-6
"""Relative difference up to which moduli count as equal where a Hadamard preset is not
exact: so small that only rounding counts as a tie, on any machine the same ones."""

_MIRRORED: tuple[tuple[Side, Order], ...] = (
    ("right", "right-to-left"),
    ("left", "left-to-right"),
)
"""The side of the residual, and the order of updates that fits it."""


@dataclass(frozen=True)
class Preset:
    """Constraints and options for `hierarchical`, for all target shapes that they fit.

    Attributes
    ----------
    name : str
        The name, for messages.
    constraints : callable
        From the shape (m, n) of the target to the pair (factor_constraints,
        residual_constraints); raises ValueError when the shape does not fit.
    residual_side : {"right", "left"}
        The side of the new factor on which the residual stands.
    order, scaling, step, keep, n_iter
        What `hierarchical` uses where those arguments are None.
    fallbacks : tuple of Preset
        Presets that are tried too where this one leaves a relative error above 0.1,
        unless one of these options is given; the best result is returned.

    See Also
    --------
    nbfact.hierarchical : It takes presets, by name or as objects.

    Examples
    --------
    >>> import nbfact as nf
    >>> sets = [nf.constraints.SkPerm((4, 4), 2)]
    >>> pair = nf.presets.Preset("pair", lambda shape: (sets, sets))
    >>> len(nf.hierarchical(nf.targets.hadamard(4), pair).factors)
    2
    """

    name: str
    constraints: Callable[[tuple[int, ...]], Levels]
    residual_side: Side = field(default="right", kw_only=True)
    order: Order | Literal["both"] = field(default="right-to-left", kw_only=True)
    scaling: Scaling = field(default="balanced", kw_only=True)
    step: float = field(default=1.0, kw_only=True)
    keep: Keep = field(default="best", kw_only=True)
    n_iter: int | tuple[int, int] = field(default=30, kw_only=True)
    fallbacks: "tuple[Preset, ...]" = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name={shown(self.name)}: expected a string")
        if function("constraints", self.constraints) is None:
            raise TypeError("constraints=None: expected a function of 1 argument")
        choice("residual_side", self.residual_side, SIDES)
        choice("order", self.order, ("both", *ORDERS))
        choice("scaling", self.scaling, SCALINGS)
        real_number("step", self.step, above=0, below=2)
        choice("keep", self.keep, KEEPS)
        for j, one in enumerate(sequence("fallbacks", self.fallbacks, "presets")):
            if not isinstance(one, Preset):
                raise TypeError(f"fallbacks[{j}]={shown(one)}: expected a preset")


def rectmat(
    n_factors: int, k: int, s: int, *, rho: float = 0.8, P: float = 1.4
) -> Preset:
    """Return the preset for lead fields of MEG, wide matrices (m, n) with m <= n.

    Parameters
    ----------
    n_factors : int
        Number J of factors, from 2 to 1000.
    k : int
        Number of non-zeros in each column of the rightmost factor, (m, n).
    s : int
        Each other factor, (m, m), has s * m non-zeros.
    rho : float, default 0.8
        Share of the non-zeros of a residual that the next one has, 0 < rho <= 1.
    P : float, default 1.4
        The first residual has P * m² non-zeros.

    Returns
    -------
    Preset
        To be passed to `hierarchical` in place of lists of constraints.

    Raises
    ------
    TypeError
        A parameter that is no integer, or no real number.
    ValueError
        Parameters out of range. `hierarchical` raises it too, for a target with more
        rows than columns.

    See Also
    --------
    nbfact.hierarchical : It takes the preset.
    rectmat_simple : The same with fewer parameters.

    Notes
    -----
    The residual stands on the left. At level l = 1, ..., J - 1 the factor is in
    `SpCol` with k (l = 1) or in `Sp` with s m non-zeros, and the residual, (m, m), in
    `Sp` with P m² rho^(l - 1). The last residual is the leftmost factor. Sets, rho and
    P are those of the paper. Its count of sweeps is not stated there: 30 is FAµST's.
    The step of 1.9 is nbfact's; that of the paper is 1, and ``step=1.0`` gives it.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section V-A [lemagoarou2016].

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.leadfield(16, 64, random_state=0)
    >>> r = nf.hierarchical(A, nf.presets.rectmat(3, 5, 4))
    >>> [factor.shape for factor in r.factors]
    [(16, 16), (16, 16), (16, 64)]
    """
    return _rectmat("rectmat", n_factors, k, s, rho, P)


def rectmat_simple(
    n_factors: int, k: int, s: int, *, rho: float = 0.8, P: float = 1.4
) -> Preset:
    """Return a preset like `rectmat`, where only the last residual is constrained.

    Parameters
    ----------
    n_factors, k, s, rho, P
        As `rectmat`; rho and P only give the non-zeros of the leftmost factor.

    Returns
    -------
    Preset
        To be passed to `hierarchical` in place of lists of constraints.

    Raises
    ------
    TypeError, ValueError
        As `rectmat`.

    See Also
    --------
    nbfact.hierarchical : It takes the preset.
    rectmat : The preset of the paper.

    References
    ----------
    ``ParamsHierarchicalRectMatNoResCons`` of FAµST (pyfaust).

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.leadfield(16, 64, random_state=0)
    >>> len(nf.hierarchical(A, nf.presets.rectmat_simple(3, 5, 4)).factors)
    3
    """
    return _rectmat("rectmat_simple", n_factors, k, s, rho, P)


def dictionary(n_factors: int = 4, s: int = 6, *, rho: float = 0.7) -> Preset:
    """Return the preset of the paper for dictionaries that denoise, (m, n) with m <= n.

    Parameters
    ----------
    n_factors : int, default 4
        Number of factors, at least 2.
    s : int, default 6
        Number of non-zeros per column: of the rightmost factor, (m, n), in each column;
        of the others, (m, m), on average. The paper tries 2, 3, 6 and 12, on
        dictionaries of 64 rows.
    rho : float, default 0.7
        Share of the non-zeros of a residual that the next one has; the first residual
        has m². The paper tries 0.4, 0.5, 0.7 and 0.9.

    Returns
    -------
    Preset
        To be passed to `hierarchical` in place of lists of constraints.

    Raises
    ------
    TypeError, ValueError
        As `rectmat`.

    See Also
    --------
    nbfact.hierarchical : It takes the preset.
    rectmat : Another preset, for wide matrices.

    Notes
    -----
    It factors a dictionary D that is known, such as one that K-SVD has learned. To
    adapt the factors to the data Y ≈ D Γ, call `palm4msa` on Y with the coefficients Γ
    as one more factor and ``fixed=[n_factors]``. Each split and each refinement has 50
    sweeps, as in the paper; the step of 1.9 is nbfact's.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section VI [lemagoarou2016].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> D = np.random.default_rng(0).standard_normal((16, 32))
    >>> r = nf.hierarchical(D, nf.presets.dictionary(n_factors=3, s=4))
    >>> [factor.shape for factor in r.factors]
    [(16, 16), (16, 16), (16, 32)]
    """
    s = size("s", s, most=None)
    preset = _rectmat("dictionary", n_factors, s, s, rho, 1.0)
    return dataclasses.replace(preset, n_iter=50)


def _rectmat(name, n_factors, k, s, rho, P):
    """Return a preset with the constraints of `rectmat` under its own name."""
    n_factors = size("n_factors", n_factors, 2, MOST_FACTORS)
    k, s = size("k", k, most=None), size("s", s, most=None)
    rho = real_number("rho", rho, above=0, most=1)
    P = real_number("P", P, above=0)

    def constraints(shape: tuple[int, ...]) -> Levels:
        if len(shape) != 2 or shape[0] > shape[1]:
            raise ValueError(
                f"{name} needs a target (m, n) with m <= n, got {shape}: transpose it"
            )
        m, n = shape
        factors: list[Constraint] = [SpCol((m, n), k)]
        factors += [Sp((m, m), s * m) for _ in range(n_factors - 2)]
        budgets = [math.ceil(P * m**2 * rho**level) for level in range(n_factors - 1)]
        residuals: list[Constraint] = [Sp((m, m), budget) for budget in budgets]
        if name == "rectmat_simple":
            residuals[:-1] = [Identity((m, m))] * (n_factors - 2)
        return factors, residuals

    # Long steps end at a smaller error than step=1.0: `nbfact study tradeoff`.
    return Preset(name, constraints, residual_side="left", scaling="sweep", step=1.9)


def listed_preset(
    factor_constraints: Sequence[Constraint],
    residual_constraints: Sequence[Constraint],
    residual_side: Side = "right",
) -> Preset:
    """Return the preset of the lists of constraints that a user gave."""
    lists = (
        sequence("factor_constraints", factor_constraints, "constraints"),
        sequence("residual_constraints", residual_constraints, "constraints"),
    )
    return Preset(
        "", lambda _: lists, residual_side=residual_side, order="both", keep="last"
    )


def named_preset(name: str) -> Preset:
    """Return the preset of a name, or raise ValueError for an unknown one."""
    if name not in _PRESETS:
        raise ValueError(
            f"factor_constraints={shown(name)}: unknown preset, expected one of "
            f"{sorted(_PRESETS)}"
        )
    return _PRESETS[name]


def _levels(name: str, shape: tuple[int, ...]) -> int:
    """Return L for a square shape of order 2**L with L >= 1, or raise ValueError."""
    square = len(shape) == 2 and shape[0] == shape[1]
    if not square or shape[0] < 2 or shape[0] & (shape[0] - 1):
        raise ValueError(
            f'preset "{name}" needs a square target with a power of two, at least 2, '
            f"of rows, got shape {shape}"
        )
    return shape[0].bit_length() - 1


def _hadamard(
    name: str, kind: type[SpLinCol] | type[SkPerm], constrained: bool = True
) -> Preset:
    """Return a preset for the Hadamard matrix, with sets of one kind.

    Factors have 2 entries in each row and column, residuals n / 2**level. Unless they
    are `constrained`, all residuals but the last one are free.
    """

    def constraints_with(tie_tol: float) -> Callable[[tuple[int, ...]], Levels]:
        def constraints(shape: tuple[int, ...]) -> Levels:
            n_levels, n = max(_levels(name, shape), 2), shape[0]
            entries = [max(n >> level, 1) for level in range(1, n_levels)]
            factors: list[Constraint] = [
                kind((n, n), 2, tie_tol=tie_tol) for _ in entries
            ]
            residuals: list[Constraint] = [
                kind((n, n), k, tie_tol=tie_tol) for k in entries
            ]
            if not constrained:
                residuals[:-1] = [Identity((n, n))] * (n_levels - 2)
            return factors, residuals

        return constraints

    # Where the ties of the Hadamard matrix do not hold, as where its rows are permuted,
    # longer steps end at a smaller error, and so does often the mirrored factorization
    # (`nbfact study noise`).
    fallbacks = tuple(
        Preset(
            name,
            constraints_with(ROUNDING_TOL),
            residual_side=side,
            order=order,
            scaling="factor",
            step=step,
        )
        for side, order in _MIRRORED
        for step in (1.9, 1.6)
    )
    return Preset(name, constraints_with(TIE_TOL), fallbacks=fallbacks)


def _dft(shape: tuple[int, ...]) -> Levels:
    """Return the supports of the radix-2 FFT as sets.

    The last factor is the bit-reversal permutation.
    """
    n_levels, n = _levels("dft", shape), shape[0]
    rows = np.arange(n)
    # The support of the product of all factors on the right of the one being added.
    residual = rows[:, None] == bit_reversal(n)
    factors: list[Constraint] = []
    residuals: list[Constraint] = []
    for level in range(n_levels):  # the stride is 2**level, from right to left
        residuals.insert(0, Supp(residual))
        butterfly = (rows[:, None] ^ rows) & ~(1 << level) == 0
        factors.insert(0, Supp(butterfly))
        residual = (butterfly.astype(int) @ residual.astype(int)) > 0
    return factors, residuals


_PRESETS = {
    preset.name: preset
    for preset in (
        _hadamard("hadamard", SpLinCol),
        _hadamard("hadamard_skperm", SkPerm),
        _hadamard("hadamard_simple", SkPerm, constrained=False),
        Preset("dft", _dft),
    )
}
