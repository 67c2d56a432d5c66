"""The costs of a new process: the import, and the first call of a kernel."""

_FRESH_CACHE = """
import os, tempfile
folder = tempfile.TemporaryDirectory()
os.environ["NUMBA_CACHE_DIR"] = folder.name
import numpy as np
from nbfact.kernels import fwht, project_splin
x = np.ones((8, 8), "float32")
"""


class ColdStart:
    version = "1"
    number, repeat, rounds, warmup_time = 1, 3, 1, 0.0

    def timeraw_import(self):
        return "import nbfact", "import numba, scipy.sparse.linalg"

    def timeraw_first_call(self):
        """Compile two kernels, with an empty cache of compiled code."""
        return "fwht(x[0]); project_splin(x, 2)", _FRESH_CACHE

    def timeraw_import_numba(self):
        """Import numba alone, which is part of every import of nbfact."""
        return "import numba", "import numpy"
