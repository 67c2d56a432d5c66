"""The one decorator that compiles: its options are explained here, once.

Every compiled function of the package is decorated with :func:`kernel`, and nothing
else calls ``numba.njit``. Importing the package compiles nothing: a kernel is compiled
at its first call with arguments of some types, and is read from disk in later
processes.
"""

import functools
import gc
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
from numba.core import caching, config, event

__all__ = ["NUMBA_SETTINGS", "REASSOC", "kernel"]

NUMBA_SETTINGS: Any = config
"""Numba's settings (``DISABLE_JIT``, ``BOUNDSCHECK``, ...). Their type is Any because
Numba creates them at run time, where no type checker sees them."""

REASSOC = frozenset({"reassoc", "contract"})
"""Fast-math flags for reductions. Sums may be reordered and fused, so that they
vectorise; NaN and infinity keep their meaning, unlike with ``fastmath=True``."""

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def kernel(function: Function) -> Function: ...


@overload
def kernel(*, fastmath: frozenset[str] = ...) -> Callable[[Function], Function]: ...


def kernel(
    function: Callable[..., Any] | None = None,
    *,
    fastmath: frozenset[str] = frozenset(),
) -> Any:
    """Compile a function with Numba, with the same options in the whole package.

    To a type checker the decorated function keeps its signature, so that an editor
    shows the arguments of a kernel.

    Parameters
    ----------
    function : callable
        The function to compile. ``@kernel`` and ``@kernel(...)`` both work.
    fastmath : frozenset of str, default empty
        Fast-math flags of LLVM. Reductions take :data:`REASSOC`, other kernels none.

    Returns
    -------
    numba.core.registry.CPUDispatcher
        The compiled function, which can be called from Python and from a user's own
        ``@njit`` functions. With ``NUMBA_DISABLE_JIT=1`` the function itself.

    Notes
    -----
    These options are the same for all kernels:

    * Compiled code is kept on disk, as by ``cache=True``, and :func:`_stamp` says when
      it is stale. Where no directory can be written, every process compiles for itself.
    * ``nogil=True``: several threads can run kernels at the same time, and a call with
      much work is shared among them so. No kernel is compiled with ``parallel=True``.
    * ``error_model="numpy"``: a division by zero gives infinity or NaN, without a
      branch that would keep loops from vectorising.
    * ``no_cfunc_wrapper=True``, and ``no_cpython_wrapper=True`` for a kernel whose name
      begins with an underscore, which only kernels call: a wrapper that nobody calls is
      not compiled. Together they are an eighth of the time that a first call takes.
    """
    if function is None:
        return functools.partial(kernel, fastmath=fastmath)
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(fastmath) if fastmath else False,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": function.__name__.startswith("_"),
    }
    dispatcher: Any = numba.njit(**options)(function)
    if not NUMBA_SETTINGS.DISABLE_JIT:
        dispatcher._cache = _LateCache(dispatcher, options)
    return dispatcher


class _CollectionPause(event.Listener):
    """Pauses Python's garbage collection while a kernel of this package is compiled.

    Numba allocates many small objects that live until the end, so each collection
    searches more of them, in vain: 2 to 10 percent of the time of a first call. Numba
    compiles, and notifies, one thread at a time.
    """

    depth = 0
    enabled = False

    def on_start(self, event: Any) -> None:
        """Pause where a compilation begins that is not part of another one."""
        if self.depth == 0:
            self.enabled = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        """Collect garbage again, if that was so, after the outermost compilation."""
        self.depth -= 1
        if self.depth == 0 and self.enabled:
            gc.enable()


if not NUMBA_SETTINGS.DISABLE_JIT:
    event.register("numba:compile", _CollectionPause())


class _LateCache(caching.NullCache):
    """The cache of a kernel, which looks for its folder when the kernel is compiled.

    ``cache=True`` looks for it when a kernel is decorated, and writes and removes a
    file to see whether it may: a third of the time that kernels take to import.
    """

    def __init__(self, dispatcher: Any, options: dict[str, Any]) -> None:
        self._dispatcher, self._options = dispatcher, options

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what is cached for a signature, or None."""
        return self._found().load_overload(sig, target_context)

    def flush(self) -> None:
        """Forget all that is cached."""
        self._found().flush()

    @property
    def cache_path(self) -> str:
        """Return the folder of the files, None where none can be written."""
        return self._found().cache_path

    def _found(self) -> Any:
        """Return Numba's cache, and let the kernel use it from now on."""
        function = self._dispatcher.py_func
        found: Any
        try:
            found = caching.FunctionCache(function)
        except RuntimeError:  # no cache directory can be written
            found = caching.NullCache()
        else:
            cache_file = found._cache_file
            cache_file._source_stamp = _stamp(function, self._options)
            cache_file._load_index = functools.partial(
                _readable_index, cache_file._load_index
            )
        self._dispatcher._cache = found
        return found


def _stamp(function: Callable[..., Any], options: dict[str, Any]) -> tuple:
    """Return what a cached compilation of ``function`` depends on.

    Numba stamps a cache file with the source file of the kernel alone, so that a cached
    caller would keep its old callee, also across commits and reinstallations. This
    stamp holds instead everything that reaches the machine code: the sources of all
    kernels, the compile options, bounds checking, and the name that the module was
    imported under. That name is pickled into the cache, so two versions that are
    imported side by side under different names must not read one another's files.
    """
    fastmath = sorted(options["fastmath"] or ())
    flags = (options["nogil"], options["error_model"], fastmath)
    return _sources_hash(), function.__module__, (*flags, NUMBA_SETTINGS.BOUNDSCHECK)


def _readable_index(load_index: Callable[[], dict]) -> dict:
    """Return the index of a cache file, empty where it names a class that is gone.

    Numba unpickles an index before it compares the stamp. Signatures in an index name
    the NamedTuples that a kernel takes, so an index that another version of the package
    wrote can name a class that this version does not have.
    """
    try:
        return load_index()
    except (AttributeError, ImportError):
        return {}


@functools.cache
def _sources_hash() -> str:
    """Return a hash of all sources in ``kernels/``, which import no other source."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        name = path.relative_to(here).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
