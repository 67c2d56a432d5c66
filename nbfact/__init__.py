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

Nothing is imported before its first use, so that whoever needs the harness alone waits
for no algorithm.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `__getattr__` imports all of these at their first use
    from . import constraints, kernels, metrics, operators, targets, transforms
    from ._core.threads import threads
    from .algorithms import (
        Factorization,
        butterfly_factorize,
        chains,
        explore,
        hierarchical,
        identify_butterfly,
        learn_butterfly,
        learn_transform,
        omp,
        palm4msa,
        refine,
        tradeoff,
    )
    from .algorithms.palm import presets
    from .estimators import ClusterNeighbors as ClusterNeighbors
    from .estimators import ClusterNeighborsClassifier as ClusterNeighborsClassifier
    from .estimators import FastDictionary as FastDictionary
    from .estimators import QuicKMeans as QuicKMeans
    from .estimators import QuickNystroem as QuickNystroem
    from .metrics import relative_error
    from .operators import (
        Butterfly,
        Chain,
        FactorProduct,
        FastOperator,
        NearestRows,
        load,
    )

__version__ = "0.2.0.dev0"

__all__ = [
    "Butterfly",
    "Chain",
    "FactorProduct",
    "Factorization",
    "FastOperator",
    "NearestRows",
    "butterfly_factorize",
    "chains",
    "constraints",
    "explore",
    "hierarchical",
    "identify_butterfly",
    "kernels",
    "learn_butterfly",
    "learn_transform",
    "load",
    "metrics",
    "omp",
    "operators",
    "palm4msa",
    "presets",
    "refine",
    "relative_error",
    "targets",
    "threads",
    "tradeoff",
    "transforms",
]

_ROOMS = {
    "algorithms": "algorithms",
    "constraints": "constraints",
    "kernels": "kernels",
    "metrics": "metrics",
    "operators": "operators",
    "presets": "algorithms.palm.presets",
    "targets": "targets",
    "transforms": "transforms",
}
"""The modules that are public names, and where each is."""

_PLACES = {
    "_core.threads": ("threads",),
    "algorithms": (
        "Factorization",
        "butterfly_factorize",
        "chains",
        "explore",
        "hierarchical",
        "identify_butterfly",
        "learn_butterfly",
        "learn_transform",
        "omp",
        "palm4msa",
        "refine",
        "tradeoff",
    ),
    "metrics": ("relative_error",),
    "operators": (
        "Butterfly",
        "Chain",
        "FactorProduct",
        "FastOperator",
        "NearestRows",
        "load",
    ),
    # Not in __all__, so that `from nbfact import *` works without scikit-learn.
    "estimators": (
        "ClusterNeighbors",
        "ClusterNeighborsClassifier",
        "FastDictionary",
        "QuicKMeans",
        "QuickNystroem",
    ),
}
"""The public names of each module."""

_PLACE = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what has a public name, at its first use."""
    if name in _ROOMS:
        found = importlib.import_module(f".{_ROOMS[name]}", __name__)
    elif name in _PLACE:
        found = getattr(importlib.import_module(f".{_PLACE[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found  # the next use finds it at once
    return found


def __dir__() -> list[str]:
    """List every public name, those that are not imported yet included."""
    return sorted({*globals(), *__all__, *_PLACE})
