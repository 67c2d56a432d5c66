"""How nbfact compiles: one decorator, its options explained once.

Every compiled function of the package is decorated with :func:`kernel`; nothing
else calls ``numba.njit``. Importing the package compiles nothing: a kernel compiles
at its first call for a dtype and is read from disk in later processes.
"""

import functools
import hashlib
from pathlib import Path

import numba
from numba import prange
from numba.core import config

__all__ = ["REASSOC", "kernel", "prange"]

REASSOC = frozenset({"reassoc", "contract"})
"""Fast-math flags for reductions: sums may be reordered and fused, so that they
vectorise; NaN and infinity keep their meaning, unlike with ``fastmath=True``."""


def kernel(function=None, *, fastmath=False, parallel=False):
    """Compile a kernel: the only place of the package that calls ``numba.njit``.

    Options, the same for all kernels:

    * ``cache=True``: compiled code is kept on disk, stamped by :func:`_stamp`.
    * ``nogil=True``: threads of the caller run kernels side by side.
    * ``error_model="numpy"``: dividing by zero gives inf or NaN, without a branch
      that would keep loops from vectorising.
    * ``fastmath``: leave ``False``, or :data:`REASSOC` on reductions.
    * ``parallel``: loops over ``prange`` are shared among threads. Only in a twin of a
      serial kernel that a benchmark shows to pay, named ``<serial>_parallel``.
    """
    if function is None:
        return functools.partial(kernel, fastmath=fastmath, parallel=parallel)
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(fastmath) if fastmath else False,
        "parallel": parallel,
    }
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no directory is writable: compile in every process
        return numba.njit(**options)(function)
    if not config.DISABLE_JIT:
        dispatcher._cache._cache_file._source_stamp = _stamp(function, options)
    return dispatcher


def _stamp(function, options):
    """Return what makes a cached compilation of ``function`` stale when it changes.

    Numba stamps a cache file with the kernel's own source file alone, so a cached
    caller would keep its old callee, also across commits and reinstallations. The
    stamp holds instead everything that reaches the machine code: the sources of all
    kernels, the compile options, bounds checking, and the name the module was
    imported under (pickled into the cache: two versions imported side by side
    under other names must not read one another's files).
    """
    fastmath = sorted(options["fastmath"] or ())
    flags = (options["nogil"], options["error_model"], fastmath, options["parallel"])
    return _sources_hash(), function.__module__, (*flags, config.BOUNDSCHECK)


@functools.cache
def _sources_hash():
    """Hash the folder ``kernels/``: a kernel may import nothing else."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        name = path.relative_to(here).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
