"""Rivals of the extra ``peers``: each called as its documentation says.

A rival is imported when a case of its own is prepared, never before; one that fails
to import, or is wrong, is shown so in the table and does not fail the run. Only what
computes the same is here: FAµST and lazylinop multiply by the same factors, fht-cpu
and pyfwht transform the same vector, scikit-learn finds the nearest of the same
centres.
"""

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from ...harness import sample
from .faust import muted

INSTALL = 'pip install "nbfact[peers]"'

PACKAGES = {
    "fht-cpu": "fht_cpu",
    "pyfwht": "pyfwht",
    "pyfaust": "pyfaust",
    "lazylinop": "lazylinop",
    "scikit-learn": "sklearn",
}
"""Name of each implementation, and the module that it needs."""


FUSED = {
    f"lazylinop {name}": name for name in ("radix-4", "radix-8", "radix-16", "monarch")
}
"""Its products with consecutive factors multiplied out, two to four or half of them:
what its documentation advises, and its own `optimize` looks for."""

OPTIMIZED = "pyfaust optimized"
"""With the order of products that its own benchmark finds quickest."""

KMEANS = "scikit-learn KMeans"
"""Its `predict`, with given centres."""


def installed(name: str) -> bool:
    """Return whether a rival can be found; nothing is imported.

    Examples
    --------
    >>> isinstance(installed("pyfwht"), bool)
    True
    """
    return importlib.util.find_spec(PACKAGES[name.split()[0]]) is not None


def is_peer(impl: str) -> bool:
    """Return whether an implementation is one of :data:`PACKAGES`, by its first word.

    Examples
    --------
    >>> is_peer("pyfaust 2020"), is_peer("scipy.fft")
    (True, False)
    """
    return impl.split()[0] in PACKAGES


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
        One of :data:`PACKAGES`, or of :data:`FUSED`, :data:`OPTIMIZED`, :data:`KMEANS`.

    Returns
    -------
    callable
        Takes inputs with ``operator`` and ``x`` (``dense`` and ``x`` for centres);
        returns a call without arguments.

    Examples
    --------
    >>> callable(prepare("pyfwht"))
    True
    """

    def prepared(inputs):
        with muted():
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


def _pyfaust(inputs, optimized=False):
    import pyfaust
    import scipy.sparse

    pyfaust.WARNING_ON_C_CONTIGUOUS_MATMUL = False
    F = pyfaust.Faust([scipy.sparse.csr_matrix(f) for f in inputs.operator.factors])
    x = inputs.x
    if optimized:
        F = F.optimize_time(mat=x.reshape(len(x), -1))
    return lambda: F @ x


def _lazylinop(inputs, fused=None):
    from lazylinop.butterfly import ksm

    butterfly = inputs.operator.butterfly
    levels = len(butterfly.chain)
    if fused == "monarch":
        butterfly = butterfly.fuse([levels // 2, levels - levels // 2])
    elif fused is not None:
        size = int(fused.removeprefix("radix-")).bit_length() - 1
        rest = [levels % size] if levels % size else []
        butterfly = butterfly.fuse([size] * (levels // size) + rest)
    L = ksm(butterfly.ks_values)
    x = inputs.x
    return lambda: L @ x


def _kmeans(inputs):
    from sklearn.cluster import KMeans

    centres, x = inputs.dense, inputs.x
    # What `fit` would leave: there is no public way to give centres.
    estimator = KMeans(n_clusters=len(centres))
    estimator.cluster_centers_, estimator.n_features_in_ = centres, centres.shape[1]
    estimator._n_threads = numba.get_num_threads()
    return lambda: estimator.predict(x)


_PREPARE = {
    "fht-cpu": _fht_cpu,
    "pyfwht": _pyfwht,
    "pyfaust": _pyfaust,
    "lazylinop": _lazylinop,
    KMEANS: _kmeans,
    OPTIMIZED: functools.partial(_pyfaust, optimized=True),
    **{name: functools.partial(_lazylinop, fused=kind) for name, kind in FUSED.items()},
}
