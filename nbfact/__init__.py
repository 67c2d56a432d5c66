"""nbfact: learn fast linear transforms as products of sparse factors.

The rooms of the package; a room imports only rooms above it in this list:

==================  ===========================================================
``kernels``         compiled loops over plain arrays: `fwht`, `project_splin`, ...
``constraints``     the sets that factors live in: `Sp`, `SpLin`, `SkPerm`, ...
``operators``       linear maps that multiply fast: `Butterfly`, `FactorProduct`, ...
``targets``         dense matrices to factor: `targets.hadamard`, `targets.planted`
``metrics``         `relative_error`, `metrics.rcg`, ...
``algorithms``      `learn_transform`, `palm4msa`, `butterfly_factorize`, ...
``transforms``      exact fast operators by name: `transforms.dct`, ...
``estimators``      scikit-learn estimators: `QuicKMeans`, ... (extra ``estimators``)
``harness``         measures any case: time, error, versions (extra ``bench``)
``cases``           what nbfact measures of itself, and its rivals
``studies``         claims of the literature and of nbfact (extra ``study``)
``cli``             the ``nbfact`` command (extra ``bench``)
==================  ===========================================================
"""

from typing import TYPE_CHECKING, Any

from . import constraints, kernels, metrics, operators, targets, transforms
from ._core.threads import threads
from .algorithms import (
    Factorization,
    butterfly_factorize,
    explore,
    hierarchical,
    identify_butterfly,
    learn_butterfly,
    learn_transform,
    palm4msa,
    refine,
)
from .algorithms.palm import presets
from .metrics import relative_error
from .operators import (
    Butterfly,
    Chain,
    FactorProduct,
    FastOperator,
    NearestRows,
    load,
)

if TYPE_CHECKING:  # `__getattr__` imports these at their first use
    from .estimators import ClusterNeighbors as ClusterNeighbors
    from .estimators import ClusterNeighborsClassifier as ClusterNeighborsClassifier
    from .estimators import QuicKMeans as QuicKMeans
    from .estimators import QuickNystroem as QuickNystroem

__version__ = "0.2.0.dev0"

__all__ = [
    "Butterfly",
    "Chain",
    "FactorProduct",
    "Factorization",
    "FastOperator",
    "NearestRows",
    "butterfly_factorize",
    "constraints",
    "explore",
    "hierarchical",
    "identify_butterfly",
    "kernels",
    "learn_butterfly",
    "learn_transform",
    "load",
    "metrics",
    "operators",
    "palm4msa",
    "presets",
    "refine",
    "relative_error",
    "targets",
    "threads",
    "transforms",
]

# Not in __all__, so that `from nbfact import *` works without scikit-learn.
_ESTIMATORS = (
    "ClusterNeighbors",
    "ClusterNeighborsClassifier",
    "QuicKMeans",
    "QuickNystroem",
)


def __getattr__(name: str) -> Any:
    """Import an estimator at its first use, because it needs scikit-learn."""
    if name not in _ESTIMATORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import estimators

    return getattr(estimators, name)


def __dir__() -> list[str]:
    """List every public name, the estimators that are not imported yet included."""
    return sorted({*globals(), *_ESTIMATORS})
