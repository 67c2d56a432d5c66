"""Cases of projections onto sets of sparse matrices, which factorizing consists of.

There is no dense product to compare with. The yardstick is what one would write without
nbfact, in NumPy or SciPy.
"""

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.optimize
import scipy.sparse

from ..harness.case import Case
from ..kernels import (
    project_skperm,
    project_skperm_warm,
    project_sp,
    project_spcol,
    project_splin,
    project_splincol,
)
from .rivals import faust, peers

NUMPY = "numpy"
LINPROG = "scipy linprog"

K = 4
"""Number of entries kept of each row or column."""

SKPERM_MAX = 64
"""Largest order of the exact projection "skperm" in `projection_cases`, because of its
yardstick: the linear programme takes 0.3 s at n = 256 and k = 2, and seconds beyond."""


def projection_cases(sizes: Sequence[int], dtypes: Sequence[str]) -> Iterator[Case]:
    """Yield the cases of projections of an n × n Gaussian matrix onto sparse sets.

    Parameters
    ----------
    sizes, dtypes : sequences
        Orders n, and names of dtypes. k is 4 for sets that keep entries of each row or
        column, and 4 n for "sp", which keeps entries of the whole matrix. The exact
        projection "skperm" has n = 64 at most, because its yardstick is slow.

    Yields
    ------
    Case
    """
    for name, (kernel, twin, reference) in _PROJECTIONS.items():
        yardstick, orders = NUMPY, list(dict.fromkeys(sizes))
        if name == "skperm":
            yardstick = LINPROG
            orders = list(dict.fromkeys(min(n, SKPERM_MAX) for n in orders))
        for n in orders:
            for dtype in dtypes:
                k = K * n if name == "sp" else K
                impls = {
                    f"nbfact project_{name}": _ours(kernel, k),
                    yardstick: _twin(twin, k),
                }
                if peers.installed("pyfaust"):
                    impls["pyfaust"] = functools.partial(faust.projection, name, k)
                yield from _task(name, n, k, dtype, impls, reference, yardstick)


def skperm_cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Yield the cases of the exact projection with k = 2, from a cold and a warm start.

    The warm start has the potentials of a matrix that differs by 2 % in norm, as the
    gradient steps of one factor differ from sweep to sweep.

    Parameters
    ----------
    sizes : sequence of int
        Orders of the matrices, in float64.

    Yields
    ------
    Case
    """
    kernel, twin, reference = _PROJECTIONS["skperm"]
    for n in sizes:
        impls = {
            "nbfact project_skperm": _ours(kernel, 2),
            "nbfact project_skperm_warm": _warm(2),
            LINPROG: _twin(twin, 2),
        }
        if peers.installed("pyfaust"):
            impls["pyfaust"] = functools.partial(faust.projection, "skperm", 2)
        yield from _task("skperm", n, 2, "float64", impls, reference, LINPROG)


def _task(name, n, k, dtype, impls, reference, yardstick):
    """Yield the cases of one task."""
    for impl, prepare in impls.items():
        yield Case(
            group=f"project_{name}",
            impl=impl,
            params={"n": n, "k": k, "dtype": dtype},
            make=_gaussian(n, dtype),
            prepare=prepare,
            reference=_reference(reference, k),
            bound=0.0,  # entries are kept or cut, never computed
            size=2 * n * n * np.dtype(dtype).itemsize,
            flops=0,
            nnz=None,
            yardstick=yardstick,
            rival=peers.is_peer(impl),
        )


def _gaussian(n, dtype):
    def make(rng):
        x = rng.standard_normal((n, n))
        if dtype.startswith("complex"):
            x = x + 1j * rng.standard_normal((n, n))
        return x.astype(dtype)

    return make


def _ours(kernel, k):
    """Prepare a kernel, which works in place on a fresh copy; copying is timed too."""
    arguments = (k, k) if kernel is project_skperm else (k,)

    def prepare(x):
        out = np.empty_like(x)

        def call():
            np.copyto(out, x)
            kernel(out, *arguments)
            return out

        return call

    return prepare


def _warm(k):
    """Prepare the exact projection with the potentials of a matrix near this one."""

    def prepare(x):
        before = x + 0.02 * _gaussian(len(x), x.dtype.name)(np.random.default_rng(1))
        start = np.zeros(2 * len(x))
        project_skperm_warm(before, k, k, start)
        potential, out = np.empty_like(start), np.empty_like(x)

        def call():
            np.copyto(potential, start)
            np.copyto(out, x)
            project_skperm_warm(out, k, k, potential)
            return out

        return call

    return prepare


def _twin(twin, k):
    """Prepare the projection in NumPy or SciPy that a kernel is compared with."""
    return lambda x: lambda: twin(x, k)


def _reference(reference, k):
    return lambda x: reference(x, k)


def _partition_rows(x, k):
    """Keep the k largest entries of each row, in any order of equal ones."""
    kept = np.argpartition(np.abs(x), -k, axis=1)[:, -k:]
    out = np.zeros_like(x)
    np.put_along_axis(out, kept, np.take_along_axis(x, kept, 1), 1)
    return out


def _partition_all(x, k):
    return _partition_rows(x.reshape(1, -1), k).reshape(x.shape)


def _sorted_rows(x, k):
    """Keep the k largest entries of each row, and of equal ones the first."""
    kept = np.argsort(-np.abs(x), axis=1, kind="stable")[:, :k]
    out = np.zeros_like(x)
    np.put_along_axis(out, kept, np.take_along_axis(x, kept, 1), 1)
    return out


def _sorted_all(x, k):
    return _sorted_rows(x.T.reshape(1, -1), k).reshape(x.T.shape).T


def _columns(keep_rows):
    """Return the function that keeps entries of columns, from one for rows."""
    return lambda x, k: keep_rows(x.T, k).T


def _both(keep_rows):
    """Return the function that keeps the entries which rows or columns keep."""

    def keep(x, k):
        rows = keep_rows(x, k)
        return np.where(rows != 0, rows, keep_rows(x.T, k).T)

    return keep


def _linprog(x, k):
    """Keep the support of largest energy with k entries in each row and column."""
    m, n = x.shape
    rows = scipy.sparse.kron(scipy.sparse.eye_array(m), np.ones((1, n)))
    columns = scipy.sparse.kron(np.ones((1, m)), scipy.sparse.eye_array(n))
    energy = np.abs(x).astype(np.float64) ** 2
    found = scipy.optimize.linprog(
        -energy.ravel(),
        A_ub=scipy.sparse.vstack([rows, columns]).tocsr(),
        b_ub=np.full(m + n, float(k)),
        bounds=(0, 1),
    )
    return np.where(found.x.reshape(m, n) > 0.5, x, x.dtype.type(0))


_Projection = Callable[[np.ndarray, int], np.ndarray]
# The kernel, the projection in NumPy or SciPy that it is compared with, and the
# reference, which has the kernels' rule for ties.
_PROJECTIONS: dict[str, tuple[Callable[..., None], _Projection, _Projection]] = {
    "sp": (project_sp, _partition_all, _sorted_all),
    "splin": (project_splin, _partition_rows, _sorted_rows),
    "spcol": (project_spcol, _columns(_partition_rows), _columns(_sorted_rows)),
    "splincol": (project_splincol, _both(_partition_rows), _both(_sorted_rows)),
    "skperm": (project_skperm, _linprog, _linprog),
}
