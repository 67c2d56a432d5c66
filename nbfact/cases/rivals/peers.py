"""The peers: rivals that the extra ``peers`` installs, and how each is called.

A peer is imported when a case of its own is prepared, never before. One that fails to
import, or whose result is wrong, is shown so in the table and does not fail the run.
Only implementations of the same computation are here: FAµST (the package pyfaust) and
lazylinop multiply by the same factors, fht-cpu and pyfwht transform the same vector,
and scikit-learn finds the nearest of the same centres.
"""

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._core import threads
from ...harness import sample
from ...harness.operands import built_once
from .faust import muted

INSTALL = 'pip install "nbfact[peers]"'
"""Command that installs the peers, for messages."""

PACKAGES = {
    "fht-cpu": "fht_cpu",
    "pyfwht": "pyfwht",
    "pyfaust": "pyfaust",
    "lazylinop": "lazylinop",
    "pyfftw": "pyfftw",
    "mkl_fft": "mkl_fft",
    "scikit-learn": "sklearn",
    "dictlearn": "dictlearn",
}
"""The peers, by name, and the module that each of them imports. The first word of the
name of an implementation says which peer it is of."""

FUSED = {
    f"lazylinop {name}": name for name in ("radix-4", "radix-8", "radix-16", "monarch")
}
"""Products of lazylinop with consecutive factors multiplied out: two, three or four of
them, or each half of all for "monarch". Its documentation advises this, and its
function `optimize` searches for the best choice."""

OPTIMIZED = "pyfaust optimized"
"""Product of pyfaust after `optimize_time`, which chooses the order of products that
its own benchmark finds fastest."""

KMEANS = "scikit-learn KMeans"
"""`KMeans.predict` of scikit-learn, with centres that are set beforehand."""


def installed(name: str) -> bool:
    """Return whether the package of a peer is installed, without importing it.

    Parameters
    ----------
    name : str
        Name of an implementation, whose first word is a key of :data:`PACKAGES`.

    Returns
    -------
    bool

    Examples
    --------
    >>> isinstance(installed("pyfwht"), bool)
    True
    """
    return importlib.util.find_spec(PACKAGES[name.split()[0]]) is not None


def is_peer(impl: str) -> bool:
    """Return whether an implementation is a peer, by the first word of its name.

    Parameters
    ----------
    impl : str
        Name of an implementation.

    Returns
    -------
    bool
        False for nbfact, and for rivals that need no extra.

    Examples
    --------
    >>> is_peer("pyfaust 2020"), is_peer("scipy.fft")
    (True, False)
    """
    return impl.split()[0] in PACKAGES


def missing() -> list[str]:
    """Return the names of the peers that are not installed.

    Examples
    --------
    >>> set(missing()) <= set(PACKAGES)
    True
    """
    return [name for name in PACKAGES if not installed(name)]


def prepare(name: str) -> Callable[[Any], Callable[[], np.ndarray]]:
    """Return a function that imports a peer and prepares a call of it.

    Parameters
    ----------
    name : str
        A key of :data:`PACKAGES` or of :data:`FUSED`, or :data:`OPTIMIZED`, or
        :data:`KMEANS`.

    Returns
    -------
    callable
        ``prepare(inputs)`` of a :class:`nbfact.harness.case.Case`: the inputs have the
        attributes ``operator`` and ``x`` (``dense`` and ``x`` for centres), and a call
        without arguments is returned.

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

    # Its vectors must be contiguous. The transform copies x into `out` itself.
    x, axis = inputs.x, inputs.axis
    out = sample.aligned_like(x, order="F" if axis == 0 else "C")
    count = threads.current()  # by default it uses all cores
    return lambda: fht(x, axis=axis, out=out, num_threads=count)


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
    x = inputs.x

    def build():
        factors = [scipy.sparse.csr_matrix(f) for f in inputs.operator.factors]
        F = pyfaust.Faust(factors)
        return F.optimize_time(mat=x.reshape(len(x), -1)) if optimized else F

    F = built_once(inputs, build)
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
    L = built_once(inputs, lambda: ksm(butterfly.ks_values))
    x = inputs.x
    return lambda: L @ x


def _pyfftw(inputs):
    import pyfftw

    name, x = inputs.name, inputs.x
    options: dict[str, Any] = {"axis": 0, "threads": threads.current()}
    options["planner_effort"] = "FFTW_MEASURE"
    if name.startswith(("dct", "dst")):
        kind, _, type = name.partition(" ")
        build = getattr(pyfftw.builders, kind)
        plan = build(x.copy(), type=int(type or 2), **options)
        return lambda: plan(x)
    plan = pyfftw.builders.fft(x.copy(), **options)
    if name == "dft":
        return lambda: plan(x)

    def hartley():
        found = plan(x)
        return found.real - found.imag

    return hartley


def _mkl_fft(inputs):
    import mkl_fft

    x = inputs.x
    return lambda: mkl_fft.fft(x, axis=0)


def _kmeans(inputs):
    from sklearn.cluster import KMeans

    centres, x = inputs.dense, inputs.x
    # These are the attributes that `fit` sets: no public method sets the centres.
    estimator = KMeans(n_clusters=len(centres))
    estimator.cluster_centers_, estimator.n_features_in_ = centres, centres.shape[1]
    estimator._n_threads = threads.current()
    return lambda: estimator.predict(x)


_PREPARE: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "fht-cpu": _fht_cpu,
    "pyfwht": _pyfwht,
    "pyfaust": _pyfaust,
    "lazylinop": _lazylinop,
    "pyfftw": _pyfftw,
    "mkl_fft": _mkl_fft,
    KMEANS: _kmeans,
    OPTIMIZED: functools.partial(_pyfaust, optimized=True),
    **{name: functools.partial(_lazylinop, fused=kind) for name, kind in FUSED.items()},
}
