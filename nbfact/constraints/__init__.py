"""The sets that factors are constrained to: each has a shape and a projection.

A constraint is any object with an attribute ``shape`` and a method ``project(x)``; see
`Constraint`. The sets of this namespace are those of FAµST, under its names. They share
these parameters:

``shape`` : (int, int)
    Rows and columns of the matrices, each at least 1.
``k`` : int
    Number of entries to keep, at least 1. A number larger than the number of entries,
    however large, keeps them all.
``normalized`` : bool
    Whether the result is scaled to unit Frobenius norm, as PALM expects. When the set
    is closed under scaling, the scaled result is the projection onto the matrices of
    the set that have unit norm. A zero matrix stays zero. The default is ``True``,
    except for `Identity`. Sets that fix a norm or the values have no such option.
``nonneg`` : bool
    Whether negative entries are first set to zero; for real matrices only. The result
    is then the nearest non-negative matrix of the set, except where entries are
    averaged (`Circ`, `AntiCirc`, `Toeplitz`, `Hankel`, `Partition`), because the sets
    follow FAµST, which averages after the negative entries are set to zero.
``tie_tol`` : float
    Relative tolerance of ties, in [0, 1); 0 by default. `Sp`, `SpLin`, `SpCol`,
    `SpLinCol` and `SpBlock` have it. With t the k-th largest modulus, the moduli from
    ``t * (1 - tie_tol)`` to ``t * (1 + tie_tol)`` count as tied, so that noise does not
    decide between entries that differ by noise alone. `SkPerm` describes its own
    meaning of this parameter.

A wrong parameter raises a ``TypeError`` or ``ValueError`` that names it.

A projection costs a few passes over the matrix, O(m n) operations. That of `SkPerm`
solves an assignment problem, and its page says what this costs.

``project(x)`` takes a finite matrix of the right shape in float32, float64, complex64
or complex128 (integers become float64), in any memory order, and returns a new finite
C-contiguous matrix of that dtype, whatever the scale of ``x``. It raises ``TypeError``
for any other dtype and for masked arrays, and ``ValueError`` for another shape, for NaN
or infinity, for a complex matrix when ``nonneg`` is set, and where a norm or a value
that the set fixes does not fit the dtype. Entries are compared by modulus, and among
tied entries the one of lowest index wins. The sets of this namespace also have the
members that `FastConstraint` describes, such as ``project_in_place(x)``, which neither
checks nor copies its argument.

See Also
--------
nbfact.kernels : The projections as kernels for compiled code, such as `project_splin`.
"""

from .block_sets import SpBlock
from .fixed_sets import Const, Identity, NormCol, NormLin
from .partitions import Partition
from .protocol import Constraint, FastConstraint
from .sparse_sets import SkPerm, Sp, SpCol, SpLin, SpLinCol, SpSymm, SpTril, SpTriu
from .structured_sets import (
    AntiCirc,
    BlockDiag,
    Circ,
    Hankel,
    Supp,
    Toeplitz,
)

__all__ = [
    "AntiCirc",
    "BlockDiag",
    "Circ",
    "Const",
    "Constraint",
    "FastConstraint",
    "Hankel",
    "Identity",
    "NormCol",
    "NormLin",
    "Partition",
    "SkPerm",
    "Sp",
    "SpBlock",
    "SpCol",
    "SpLin",
    "SpLinCol",
    "SpSymm",
    "SpTril",
    "SpTriu",
    "Supp",
    "Toeplitz",
]
