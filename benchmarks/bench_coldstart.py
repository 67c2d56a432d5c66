"""The costs of a new process: the import, and first calls with nothing compiled yet."""

_FRESH_CACHE = """
import os, tempfile
folder = tempfile.TemporaryDirectory()
os.environ["NUMBA_CACHE_DIR"] = folder.name
import numpy as np
from nbfact.kernels import fwht, project_splin
x = np.ones((8, 8), "float32")
"""

_MATRIX = """
import nbfact as nf
matrix = np.random.default_rng(0).standard_normal((16, 16))
"""
_BUTTERFLY = """
import nbfact as nf
chain = nf.Chain.square_dyadic(64)
butterfly = nf.Butterfly(chain, [np.ones(pattern) for pattern in chain])
"""
_ESTIMATOR = """
from nbfact.estimators import QuicKMeans
points = np.random.default_rng(0).standard_normal((256, 16))
"""


class ColdStart:
    """Costs of a new process, most of them the time that Numba compiles.

    Each first call runs in a process of its own whose cache of compiled code is a new
    temporary folder. Its imports are not measured.
    """

    version = "2"
    number, repeat, rounds, warmup_time = 1, 3, 1, 0.0

    def timeraw_import(self):
        return "import nbfact; nbfact.palm4msa", "import numba, scipy.sparse.linalg"

    def timeraw_first_call(self):
        """Compile two kernels, with an empty cache of compiled code."""
        return "fwht(x[0]); project_splin(x, 2)", _FRESH_CACHE

    def timeraw_import_numba(self):
        """Import numba alone, which is part of every import of nbfact."""
        return "import numba", "import numpy"

    def timeraw_palm4msa(self):
        """Factor a 16 x 16 matrix into four sparse factors."""
        return (
            "nf.palm4msa(matrix, [nf.constraints.SpLin((16, 16), 2)] * 4)",
            _FRESH_CACHE + _MATRIX,
        )

    def timeraw_hierarchical(self):
        """Factor the 16 x 16 Hadamard matrix by its preset."""
        return (
            "nf.hierarchical(nf.targets.hadamard(16), 'hadamard')",
            _FRESH_CACHE + _MATRIX,
        )

    def timeraw_learn_transform(self):
        """Search for a fast form of the 16-point DCT, with the least effort."""
        return (
            "nf.learn_transform(nf.targets.dct(16), effort='quick')",
            _FRESH_CACHE + _MATRIX,
        )

    def timeraw_quick_kmeans(self):
        """Cluster 256 points into 16 clusters whose centres multiply fast."""
        return (
            "QuicKMeans(n_clusters=16, random_state=0).fit(points)",
            _FRESH_CACHE + _ESTIMATOR,
        )

    def timeraw_butterfly_columns(self):
        """Multiply a butterfly of size 64 by a matrix of 8 columns."""
        return "butterfly @ np.ones((64, 8))", _FRESH_CACHE + _BUTTERFLY

    def timeraw_dct(self):
        """Apply the 360-point DCT, whose length is no power of two, to a vector."""
        return "nf.transforms.dct(360) @ np.ones(360)", _FRESH_CACHE + _MATRIX
