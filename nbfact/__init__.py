"""nbfact: learn fast linear transforms as products of sparse factors.

The floors, from the ground up; each imports only those above it in this list:

==================  ===========================================================
``kernels``         compiled loops over plain arrays: `fwht`, `project_splin`, ...
``constraints``     the sets factors live in: `Sp`, `SpLin`, `SkPerm`, ...
``operators``       linear maps that multiply fast: `FactorProduct`, `Butterfly`, ...
``metrics``         `relative_error`, `metrics.rcg`, ...
``targets``         matrices to factor: `targets.hadamard`, `targets.leadfield`, ...
``algorithms``      `palm4msa`, `hierarchical`, `refine`, `learn_butterfly`, ...
``bench``, ``cli``  the harness and the ``nbfact`` command (extra ``bench``)
``studies``         tables and figures about factorizing (extra ``study``)
==================  ===========================================================
"""

from . import metrics, targets
from .algorithms import (
    Factorization,
    History,
    LearnedButterfly,
    LearningHistory,
    LearningState,
    Preset,
    State,
    dictionary,
    hierarchical,
    learn_butterfly,
    palm4msa,
    rectmat,
    rectmat_simple,
    refine,
)
from .constraints import (
    AntiCirc,
    BlockDiag,
    Circ,
    Const,
    Constraint,
    Hankel,
    Identity,
    NormCol,
    NormLin,
    SkPerm,
    Sp,
    SpCol,
    SpLin,
    SpLinCol,
    SpSymm,
    SpTril,
    SpTriu,
    Supp,
    Toeplitz,
)
from .metrics import relative_error
from .operators import Butterfly, Chain, FactorProduct, FastOperator, load

__version__ = "0.1.0"

__all__ = [
    "AntiCirc",
    "BlockDiag",
    "Butterfly",
    "Chain",
    "Circ",
    "Const",
    "Constraint",
    "FactorProduct",
    "Factorization",
    "FastOperator",
    "Hankel",
    "History",
    "Identity",
    "LearnedButterfly",
    "LearningHistory",
    "LearningState",
    "NormCol",
    "NormLin",
    "Preset",
    "SkPerm",
    "Sp",
    "SpCol",
    "SpLin",
    "SpLinCol",
    "SpSymm",
    "SpTril",
    "SpTriu",
    "State",
    "Supp",
    "Toeplitz",
    "dictionary",
    "hierarchical",
    "learn_butterfly",
    "load",
    "metrics",
    "palm4msa",
    "rectmat",
    "rectmat_simple",
    "refine",
    "relative_error",
    "targets",
]
