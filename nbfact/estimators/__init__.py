"""scikit-learn estimators over the algorithms (extra ``estimators``).

Start reading in ``quick_kmeans``; then read ``training``, then ``recipes``.

=====================  ============================================================
``quick_kmeans``       `QuicKMeans`: k-means whose centers are a product of factors
``training``           its training: dense centers, then factors, then both together
``dense_training``     dense k-means from one start
``value_search``       the fewest values that are nearly as good as dense centers
``lloyd``              the iterations: assign the points, fit the centers, keep what is
                       better
``recipes``            how centers are factored: "explore", "palm4msa", "butterfly", and
                       one sparse factor, a low rank, a dense one
``factored_centers``   centers as factors, and the sums over the points of each cluster
``points``             the points, in memory or in dask blocks, and passes over them
``assigned``           labels and distances of points, wherever they are
``seeds``              the points that the centers of a run begin at
``units``              the power of two that points are divided by
``inputs``             checks of points, weights and parameters
``cluster_neighbors``  `ClusterNeighbors` and `ClusterNeighborsClassifier`
``cell_search``        the search in the cells of a clustering, which both share
``exact_neighbors``    the nearest points of queries within one cell
``nystroem``           `QuickNystroem`: features of the RBF kernel
``fast_dictionary``    `FastDictionary`: dictionary learning with fast atoms
``dictionary_training``  its training: dense atoms, then factors of fewest values
``clusterers``         fits the clusterer of the last two, and gives its distances
``closed_forms``       numbers of values that one sparse factor, or a low rank, needs
``row_tiles``          long arrays, some rows at a time
``on_threads``         the decorator for methods that use the parameter `threads`
=====================  ============================================================
"""

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError:
    message = 'nbfact.estimators needs scikit-learn: pip install "nbfact[estimators]"'
    raise ModuleNotFoundError(message) from None

from .cluster_neighbors import ClusterNeighbors, ClusterNeighborsClassifier
from .fast_dictionary import FastDictionary
from .nystroem import QuickNystroem
from .quick_kmeans import QuicKMeans

__all__ = [
    "ClusterNeighbors",
    "ClusterNeighborsClassifier",
    "FastDictionary",
    "QuicKMeans",
    "QuickNystroem",
]
