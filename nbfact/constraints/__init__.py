"""The sets that factors live in: a shape, and the projection onto the set.

A constraint is any object with ``shape`` and ``project(x)``; here are FAµST's sets,
under its names. They share these parameters:

``shape`` : (int, int)
    Rows and columns, at least 1.
``k`` : int
    Entries kept, at least 1; more than there are keeps them all.
``normalized`` : bool
    Scale the result to unit Frobenius norm, as PALM expects: for sets closed under
    scaling this is the projection onto their matrices of unit norm. A zero matrix
    stays zero. ``False`` by default for `Identity`; fixed norms have no such option.
``nonneg`` : bool
    Set negative entries to zero first. Real matrices only. The result is then the
    nearest non-negative point, but not where entries are averaged (`Circ`,
    `AntiCirc`, `Toeplitz`, `Hankel`): FAµST's order, kept.

``tie_tol`` : float
    For `Sp`, `SpLin`, `SpCol`, `SpLinCol`; 0 by default, less than 1. With t the k-th
    largest modulus, those from ``t * (1 - tie_tol)`` to ``t * (1 + tie_tol)`` count as
    ties, so that noise does not choose between entries equal but for it. `SkPerm` has
    its own reading.

A bad parameter raises ``TypeError`` or ``ValueError`` naming it.

``project(x)`` takes a finite float32, float64, complex64 or complex128 matrix of the
right shape, in any memory order (integers become float64), and returns a new
C-contiguous matrix of its dtype. It raises ``TypeError`` for any other dtype and
``ValueError`` for another shape, a NaN, an infinity, or a complex matrix where
``nonneg`` is asked. Moduli are compared; on ties the lowest index wins. The sets here
also have ``project_in_place(x)``, which checks and copies nothing.
"""

from .sets import Constraint
from .sparse_sets import SkPerm, Sp, SpCol, SpLin, SpLinCol, SpSymm, SpTril, SpTriu
from .structured_sets import (
    AntiCirc,
    BlockDiag,
    Circ,
    Const,
    Hankel,
    Identity,
    NormCol,
    NormLin,
    Supp,
    Toeplitz,
)

__all__ = [
    "AntiCirc",
    "BlockDiag",
    "Circ",
    "Const",
    "Constraint",
    "Hankel",
    "Identity",
    "NormCol",
    "NormLin",
    "SkPerm",
    "Sp",
    "SpCol",
    "SpLin",
    "SpLinCol",
    "SpSymm",
    "SpTril",
    "SpTriu",
    "Supp",
    "Toeplitz",
]
