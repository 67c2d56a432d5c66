"""nbfact: learn fast linear transforms as products of sparse factors.

The floors, from the ground up; each imports only those above it in this list:

==================  ===========================================================
``kernels``         compiled loops over plain arrays: `fwht`, `project_splin`, ...
``constraints``     the sets factors live in: `Sp`, `SpLin`, `SkPerm`, ...
``operators``       linear maps that multiply fast: `Butterfly`, `dft`, `hadamard`, ...
``metrics``         `relative_error`, `metrics.rcg`, ...
``targets``         matrices to factor: `targets.hadamard`, `targets.leadfield`, ...
``algorithms``      `palm4msa`, `hierarchical`, `butterfly_factorize`, `refine`
``estimators``      scikit-learn's: `QuicKMeans`, ... (extra ``estimators``)
``bench``, ``cli``  the harness and the ``nbfact`` command (extra ``bench``)
``studies``         tables and figures about factorizing (extra ``study``)
==================  ===========================================================
"""

from typing import Any

from . import metrics, targets
from .algorithms import (
    ButterflyFactorization,
    Factorization,
    History,
    LearnedButterfly,
    LearnedTransform,
    LearningHistory,
    LearningState,
    PermutedFactorization,
    Preset,
    State,
    Trial,
    butterfly_factorize,
    dictionary,
    explore,
    hierarchical,
    identify_permuted_butterfly,
    learn_butterfly,
    learn_transform,
    legendre,
    palm4msa,
    rectmat,
    rectmat_simple,
    refine,
    slant,
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
from .operators import (
    Butterfly,
    Chain,
    FactorProduct,
    FastOperator,
    circulant,
    dct,
    dft,
    dst,
    haar,
    hadamard,
    hankel,
    hartley,
    idft,
    kronecker,
    load,
    permutation,
    toeplitz,
)

__version__ = "0.1.0"

__all__ = [
    "AntiCirc",
    "BlockDiag",
    "Butterfly",
    "ButterflyFactorization",
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
    "LearnedTransform",
    "LearningHistory",
    "LearningState",
    "NormCol",
    "NormLin",
    "PermutedFactorization",
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
    "Trial",
    "butterfly_factorize",
    "circulant",
    "dct",
    "dft",
    "dictionary",
    "dst",
    "explore",
    "haar",
    "hadamard",
    "hankel",
    "hartley",
    "hierarchical",
    "identify_permuted_butterfly",
    "idft",
    "kronecker",
    "learn_butterfly",
    "learn_transform",
    "legendre",
    "load",
    "metrics",
    "palm4msa",
    "permutation",
    "rectmat",
    "rectmat_simple",
    "refine",
    "relative_error",
    "slant",
    "targets",
    "toeplitz",
]

_ESTIMATORS = (
    "ClusterNeighbors",
    "ClusterNeighborsClassifier",
    "QuicKMeans",
    "QuickNystroem",
)


def __getattr__(name: str) -> Any:
    """Return an estimator: scikit-learn is imported only where one is used."""
    if name not in _ESTIMATORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import estimators

    return getattr(estimators, name)
