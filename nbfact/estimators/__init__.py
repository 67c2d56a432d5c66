"""scikit-learn estimators over the algorithms (extra ``estimators``)."""

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        'scikit-learn is missing; pip install "nbfact[estimators]" brings it'
    ) from None

from .neighbors import ClusterNeighbors, ClusterNeighborsClassifier
from .nystroem import QuickNystroem
from .quickmeans import QuicKMeans

__all__ = [
    "ClusterNeighbors",
    "ClusterNeighborsClassifier",
    "QuicKMeans",
    "QuickNystroem",
]
