"""Constraint lists of the literature, for `hierarchical`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...constraints import Constraint, Identity, SkPerm, Sp, SpCol, SpLinCol, Supp
from ...operators.reorderings import bit_reversal

__all__ = ["Preset", "dictionary", "rectmat", "rectmat_simple"]

Levels = tuple[list[Constraint], list[Constraint]]

# Entries of the Hadamard matrix have one modulus, and so have those of every step: the
# supports are a matter of ties, which must not be decided by rounding, nor by noise.
# So "hadamard" finds the transform up to a relative noise of 1e-2, the others up to
# 1e-4 (n = 32, `nbfact study noise`); with 0, without noise only.
TIE_TOL = 0.05


@dataclass(frozen=True)
class Preset:
    """Constraints of `hierarchical` for any target shape they fit, and options.

    Attributes
    ----------
    name : str
    constraints : callable
        From the shape (m, n) of the target to (factor_constraints,
        residual_constraints); raises ValueError when the shape does not fit.
    residual_side : {"right", "left"}
    order, scaling, step, keep
        What `hierarchical` uses unless told otherwise.
    fallbacks : tuple of Preset
        Tried too where this one leaves an error above 0.1, unless an option is given;
        the best result is returned.
    """

    name: str
    constraints: Callable[[tuple[int, ...]], Levels]
    residual_side: str = "right"
    order: str = "right-to-left"
    scaling: str = "balanced"
    step: float = 1.0
    keep: str = "best"
    fallbacks: "tuple[Preset, ...]" = ()


def rectmat(
    n_factors: int, k: int, s: int, *, rho: float = 0.8, P: float = 1.4
) -> Preset:
    """Preset of the MEG experiment: wide matrices (m, n), m <= n.

    Parameters
    ----------
    n_factors : int
        Number of factors, at least 2.
    k : int
        Non-zeros per column of the rightmost factor, (m, n).
    s : int
        Each other factor, (m, m), has s * m non-zeros.
    rho : float, default 0.8
        Each residual has rho times the non-zeros of the one before, 0 < rho <= 1.
    P : float, default 1.4
        The first residual has P * m² non-zeros.

    Returns
    -------
    Preset
        To give to `hierarchical` in place of constraints.

    Raises
    ------
    ValueError
        Parameters out of range; later, a target with more rows than columns.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section V-A.

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
    """Preset like `rectmat`, without constraints on residuals but the last one.

    Parameters
    ----------
    n_factors, k, s, rho, P
        As `rectmat`; rho and P give the non-zeros of the leftmost factor.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        As `rectmat`.

    References
    ----------
    FAµST's ``ParamsHierarchicalRectMatNoResCons``.

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.leadfield(16, 64, random_state=0)
    >>> len(nf.hierarchical(A, nf.presets.rectmat_simple(3, 5, 4)).factors)
    3
    """
    return _rectmat("rectmat_simple", n_factors, k, s, rho, P)


def dictionary(n_factors: int = 4, s: int = 6, *, rho: float = 0.7) -> Preset:
    """Preset of the dictionaries for denoising: (m, n), m <= n.

    Parameters
    ----------
    n_factors : int, default 4
        Number of factors, at least 2.
    s : int, default 6
        Non-zeros per column: of the rightmost factor, (m, n), in each; of the others,
        (m, m), on average. The paper tries 2, 3, 6 and 12, on dictionaries of 64 rows.
    rho : float, default 0.7
        Each residual has rho times the non-zeros of the one before, of m² at first.
        The paper tries 0.4, 0.5, 0.7 and 0.9.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        As `rectmat`.

    Notes
    -----
    It factors a dictionary that is known, such as one of K-SVD. To go on with the data
    Y ≈ D Γ, call `palm4msa` on Y with Γ as one more factor and ``fixed=[n_factors]``.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section VI.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> D = np.random.default_rng(0).standard_normal((16, 32))
    >>> r = nf.hierarchical(D, nf.presets.dictionary(n_factors=3, s=4))
    >>> [factor.shape for factor in r.factors]
    [(16, 16), (16, 16), (16, 32)]
    """
    return _rectmat("dictionary", n_factors, s, s, rho, 1.0)


def _rectmat(name, n_factors, k, s, rho, P):
    """Return a preset with the constraints of `rectmat`, by its name."""
    if n_factors < 2 or k < 1 or s < 1:
        raise ValueError(
            f"expected n_factors >= 2, k >= 1, s >= 1, got {n_factors}, {k}, {s}"
        )
    if not (0 < rho <= 1 and P > 0):
        raise ValueError(f"expected 0 < rho <= 1 and P > 0, got {rho!r}, {P!r}")

    def constraints(shape: tuple[int, ...]) -> Levels:
        if len(shape) != 2 or shape[0] > shape[1]:
            raise ValueError(
                f"{name} needs a matrix with m <= n, got {shape}: transpose it"
            )
        m, n = shape
        factors = [SpCol((m, n), k)] + [Sp((m, m), s * m) for _ in range(n_factors - 2)]
        budgets = [math.ceil(P * m**2 * rho**level) for level in range(n_factors - 1)]
        residuals = [Sp((m, m), budget) for budget in budgets]
        if name == "rectmat_simple":
            residuals[:-1] = [Identity((m, m))] * (n_factors - 2)
        return factors, residuals

    # Long steps end lower: `nbfact study tradeoff` against the same with step=1.0.
    return Preset(name, constraints, "left", scaling="sweep", step=1.9)


def named_preset(name: str) -> Preset:
    """Return a preset by its name; ValueError for an unknown one."""
    if name not in _PRESETS:
        raise ValueError(f"unknown preset {name!r}: expected one of {sorted(_PRESETS)}")
    return _PRESETS[name]


def _levels(name, shape):
    """Return log2(n) for a square shape n = 2**L, L >= 1; ValueError otherwise."""
    square = len(shape) == 2 and shape[0] == shape[1]
    if not square or shape[0] < 2 or shape[0] & (shape[0] - 1):
        raise ValueError(
            f'preset "{name}" needs a square matrix with a power of two, at least 2, '
            f"of rows, got shape {shape}"
        )
    return shape[0].bit_length() - 1


def _hadamard(name, kind, constrained=True):
    """Factors with 2 entries per row and column, residuals with n / 2**level."""

    def constraints_with(tie_tol):
        def constraints(shape):
            n_levels, n = max(_levels(name, shape), 2), shape[0]
            entries = [max(n >> level, 1) for level in range(1, n_levels)]
            factors = [kind((n, n), 2, tie_tol=tie_tol) for _ in entries]
            residuals = [kind((n, n), k, tie_tol=tie_tol) for k in entries]
            if not constrained:
                residuals[:-1] = [Identity((n, n))] * (n_levels - 2)
            return factors, residuals

        return constraints

    # Where there are no ties to rely on, longer steps end lower (`nbfact study noise`,
    # rows permuted).
    fallbacks = tuple(
        Preset(name, constraints_with(0.0), scaling="factor", step=step)
        for step in (1.9, 1.6)
    )
    return Preset(name, constraints_with(TIE_TOL), fallbacks=fallbacks)


def _dft(shape):
    """Supports of the radix-2 FFT; the last factor is the bit-reversal permutation."""
    n_levels, n = _levels("dft", shape), shape[0]
    rows = np.arange(n)
    # Support of the product of all that stands right of the factor being added.
    residual = rows[:, None] == bit_reversal(n)
    factors, residuals = [], []
    for level in range(n_levels):  # stride 2**level, from right to left
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
