"""Entry points: kernels called from Python without a look at the types of arguments."""

from collections.abc import Callable
from typing import Any

from numba import typeof

from ._jit import NUMBA_SETTINGS


def entry_point(kernel: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return the compiled function of a kernel for the types of some arguments.

    A call of it takes about 130 ns less than a call of the kernel, which looks for the
    function by the types of its arguments (``python benchmarks/dispatch_cost.py``).

    Parameters
    ----------
    kernel : callable
        A kernel, which is compiled if it was not.
    *arguments : ndarray or number
        Values of the types of all its arguments, which are not read.

    Returns
    -------
    callable
        It takes positional arguments of exactly these types, which nothing checks: an
        array of another dtype or layout would be read as if it were of this one. With
        ``NUMBA_DISABLE_JIT=1`` it is the kernel itself.
    """
    if NUMBA_SETTINGS.DISABLE_JIT:
        return kernel
    compiled: Any = kernel
    return compiled.compile(tuple(typeof(one) for one in arguments))
