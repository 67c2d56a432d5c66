"""Rivals, where they are installed: each called as its documentation says.

A rival is imported when a case of its own is prepared, never before; one that fails
to import, or is wrong, is shown so in the table and does not fail the run. Only what
computes the same product is here: FAµST and lazylinop multiply by the same factors,
fht-cpu and pyfwht transform the same vector.
"""

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np

from . import sample

INSTALL = 'pip install "nbfact[peers]"'

PACKAGES = {
    "fht-cpu": "fht_cpu",
    "pyfwht": "pyfwht",
    "pyfaust": "pyfaust",
    "lazylinop": "lazylinop",
}
"""Name of each implementation, and the module that it needs."""


def installed(name: str) -> bool:
    """Return whether a rival can be found; nothing is imported.

    Examples
    --------
    >>> isinstance(installed("pyfwht"), bool)
    True
    """
    return importlib.util.find_spec(PACKAGES[name]) is not None


def missing() -> list[str]:
    """Return the names of the rivals that are not installed.

    Examples
    --------
    >>> set(missing()) <= set(PACKAGES)
    True
    """
    return [name for name in PACKAGES if not installed(name)]


def prepare(name: str) -> Callable[[Any], Callable[[], np.ndarray]]:
    """Return the function that prepares a rival's product, importing it then.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGES`.

    Returns
    -------
    callable
        Takes inputs with ``operator`` and ``x``; returns a call without arguments.

    Examples
    --------
    >>> callable(prepare("pyfwht"))
    True
    """

    def prepared(inputs):
        with _quiet():
            return _PREPARE[name](inputs)

    return prepared


def _fht_cpu(inputs):
    from fht_cpu import fht

    # Its vectors must be contiguous; the copy of x, which it makes, is also that.
    x, axis = inputs.x, inputs.axis
    out = sample.aligned_like(x, order="F" if axis == 0 else "C")
    threads = numba.get_num_threads()  # its own default is all cores
    return lambda: fht(x, axis=axis, out=out, num_threads=threads)


def _pyfwht(inputs):
    import pyfwht

    x, out = inputs.x, sample.aligned_like(inputs.x)

    vectors = [out] if out.ndim == 1 else list(out)

    def call():
        np.copyto(out, x)
        for vector in vectors:
            pyfwht.transform(vector, backend=pyfwht.Backend.CPU)
        return out

    return call


def _pyfaust(inputs):
    import pyfaust
    import scipy.sparse

    pyfaust.WARNING_ON_C_CONTIGUOUS_MATMUL = False
    F = pyfaust.Faust([scipy.sparse.csr_matrix(f) for f in inputs.operator.factors])
    x = inputs.x
    return lambda: F @ x


def _lazylinop(inputs):
    from lazylinop.butterfly import ksm

    kronecker = []
    for level, blocks in reversed(list(enumerate(inputs.operator.values))):
        stride = 1 << level
        blocks = blocks.reshape(-1, stride, 2, 2).transpose(0, 2, 3, 1)
        kronecker.append(np.ascontiguousarray(blocks))
    L = ksm(kronecker)
    x = inputs.x
    return lambda: L @ x


_PREPARE = {
    "fht-cpu": _fht_cpu,
    "pyfwht": _pyfwht,
    "pyfaust": _pyfaust,
    "lazylinop": _lazylinop,
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what a rival says while it is imported and set up.

    Filters are not enough: lazylinop sets its own.
    """
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
