"""Constraint lists of the literature, for `hierarchical`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..constraints import Constraint, Sp, SpCol, SpLinCol, Supp
from ..operators.permutations import bit_reversal

Levels = tuple[list[Constraint], list[Constraint]]


@dataclass(frozen=True)
class Preset:
    """Constraints of `hierarchical` for any target shape they fit.

    Attributes
    ----------
    name : str
    constraints : callable
        From the shape (m, n) of the target to (factor_constraints,
        residual_constraints); raises ValueError when the shape does not fit.
    residual_side : {"right", "left"}

    Notes
    -----
    Sweeps go from right to left, with ``scaling="early"``. FAµST's 2020 backend fits λ
    after the first factor of such sweeps: the same with two factors, no better here
    with more, and worse in `palm4msa` alone.
    Measured at 30 + 30 sweeps with "early", "sweep", "factor": Hadamard 128, error
    2e-14, 3e-8, 2e-15; the 48x512 lead field of FAµST's cases with j = 4, k = 10,
    s = 8, error 0.106, 0.119, 0.135 (tests/test_acceptance_palm.py).
    """

    name: str
    constraints: Callable[[tuple[int, ...]], Levels]
    residual_side: str = "right"


def rectmat(j: int, k: int, s: int, rho: float = 0.8, P: float = 1.4) -> Preset:
    """Preset of the MEG experiment: wide matrices (m, n), m <= n.

    Parameters
    ----------
    j : int
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
    >>> r = nf.hierarchical(A, nf.rectmat(3, 5, 4))
    >>> [factor.shape for factor in r.factors]
    [(16, 16), (16, 16), (16, 64)]
    """
    if j < 2 or k < 1 or s < 1:
        raise ValueError(f"expected j >= 2, k >= 1, s >= 1, got {j}, {k}, {s}")
    if not (0 < rho <= 1 and P > 0):
        raise ValueError(f"expected 0 < rho <= 1 and P > 0, got {rho!r}, {P!r}")

    def constraints(shape: tuple[int, ...]) -> Levels:
        if len(shape) != 2 or shape[0] > shape[1]:
            raise ValueError(
                f"rectmat needs a matrix with m <= n, got {shape}: transpose it"
            )
        m, n = shape
        factors = [SpCol((m, n), k)] + [Sp((m, m), s * m) for _ in range(j - 2)]
        budgets = [math.ceil(P * m**2 * rho**level) for level in range(j - 1)]
        return factors, [Sp((m, m), budget) for budget in budgets]

    return Preset("rectmat", constraints, residual_side="left")


def named_preset(name: str) -> Preset:
    """Return the preset "hadamard" or "dft"; ValueError for another name."""
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


def _hadamard(shape):
    """Factors with 2 entries per row and column, residuals with n / 2**level."""
    n_levels, n = max(_levels("hadamard", shape), 2), shape[0]
    factors = [SpLinCol((n, n), 2) for _ in range(n_levels - 1)]
    residuals = [SpLinCol((n, n), max(n >> level, 1)) for level in range(1, n_levels)]
    return factors, residuals


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
    "hadamard": Preset("hadamard", _hadamard),
    "dft": Preset("dft", _dft),
}
