"""The asv suite: every benchmark is a case of ``nbfact.cases.registry``.

``nbfact history`` (or ``asv run``, ``asv compare`` and ``asv publish``) follows times
and errors from commit to commit; ``nbfact bench`` measures more cases, once. Less is
better for all values, which is the only direction asv knows: times, errors, and ratios
of the time of nbfact to that of the dense product.

No kernel runs while these modules are imported, because asv forks its workers after
that. A forked process uses one thread, so ``nbfact history --threads 2`` has asv start
new processes instead.
"""

import os
from importlib import metadata
from pathlib import Path

if {"ASV_ENV_DIR", "ASV_COMMIT"} <= os.environ.keys():
    # Each commit has its own cache of compiled kernels; numba reads this on import.
    os.environ["NUMBA_CACHE_DIR"] = str(
        Path(os.environ["ASV_ENV_DIR"], "numba-cache", os.environ["ASV_COMMIT"])
    )

if tuple(map(int, metadata.version("asv_runner").split(".")[:2])) >= (0, 3):
    # From version 0.3, a benchmark with a setup is timed a single call at a time.
    raise ImportError('asv_runner must be below 0.3: pip install "asv_runner<0.3"')
