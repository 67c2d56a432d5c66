"""scikit-learn estimators over the algorithms (extra ``estimators``)."""

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError:
    message = 'nbfact.estimators needs scikit-learn: pip install "nbfact[estimators]"'
    raise ModuleNotFoundError(message) from None

from .cluster_neighbors import ClusterNeighbors, ClusterNeighborsClassifier
from .nystroem import QuickNystroem
from .quick_kmeans import QuicKMeans

__all__ = [
    "ClusterNeighbors",
    "ClusterNeighborsClassifier",
    "QuicKMeans",
    "QuickNystroem",
]
