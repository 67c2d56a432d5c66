"""The asv suite: every benchmark is a case of ``nbfact.cases.registry``.

``asv run``, ``asv compare`` and ``asv publish`` follow times and errors from commit to
commit; ``nbfact bench`` measures more cases, once. Values are all "lower is better",
the only direction asv knows: times, errors, and ratios of our time to the dense one.

No kernel runs while these modules are imported: asv forks its workers after that, and
a process forked from one with OpenMP threads dies at its first parallel kernel.
"""

import os
from importlib import metadata
from pathlib import Path

if {"ASV_ENV_DIR", "ASV_COMMIT"} <= os.environ.keys():
    # One cache of compiled kernels for each commit; read when numba is imported.
    os.environ["NUMBA_CACHE_DIR"] = str(
        Path(os.environ["ASV_ENV_DIR"], "numba-cache", os.environ["ASV_COMMIT"])
    )

if tuple(map(int, metadata.version("asv_runner").split(".")[:2])) >= (0, 3):
    # From 0.3 a benchmark with a setup is timed one single call at a time.
    raise ImportError('asv_runner must be below 0.3: pip install "asv_runner<0.3"')
