"""Cases of what factorizing is made of: projections.

There is no dense product to compare with: the yardstick is what one would write
without us, in NumPy or SciPy.
"""

import functools
import math
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
SKPERM_MAX = 64  # the linear programme takes 0.3 s at 256, k = 2, seconds beyond


def projection_cases(sizes: Sequence[int], dtypes: Sequence[str]) -> Iterator[Case]:
    """Yield the cases of projections of an n × n Gaussian matrix on sparse sets.

    Parameters
    ----------
    sizes, dtypes : sequences
        Orders, names of dtypes. ``k`` is 4 for a row or a column, 4 n for a matrix;
        the exact ``skperm`` is made at 64 at most, for the sake of its yardstick.

    Yields
    ------
    Case
    """
    for name, (kernel, twin, reference) in _PROJECTIONS.items():
        yardstick, largest = NUMPY, math.inf
        if name == "skperm":
            yardstick, largest = LINPROG, SKPERM_MAX
        orders = dict.fromkeys(min(n, largest) for n in sizes)
        for n in orders:
            for dtype in dtypes:
                k = K * n if name == "sp" else K
                impls = {
                    f"nbfact project_{name}": _ours(kernel, k),
                    yardstick: _theirs(twin, k),
                }
                if peers.installed("pyfaust"):
                    impls["pyfaust"] = functools.partial(faust.projection, name, k)
                yield from _task(name, n, k, dtype, impls, reference, yardstick)


def skperm_cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Yield the cases of the exact projection, k = 2, cold and warm.

    Warm starts from the potentials of a matrix that differs by 2 % in norm, as the
    gradient steps of one factor from sweep to sweep do.

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
            LINPROG: _theirs(twin, 2),
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
            reference=_theirs_once(reference, k),
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
    """Prepare a kernel, which works in place: it gets a fresh copy, in the clock."""
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
    """Prepare the exact projection, given what it left for a matrix near this one."""

    def prepare(x):
        before = x + 0.02 * _gaussian(len(x), x.dtype.name)(np.random.default_rng(1))
        given = np.zeros(2 * len(x))
        project_skperm_warm(before, k, k, given)
        potential, out = np.empty_like(given), np.empty_like(x)

        def call():
            np.copyto(potential, given)
            np.copyto(out, x)
            project_skperm_warm(out, k, k, potential)
            return out

        return call

    return prepare


def _theirs(twin, k):
    return lambda x: lambda: twin(x, k)


def _theirs_once(reference, k):
    return lambda x: reference(x, k)


def _partition_rows(x, k):
    kept = np.argpartition(np.abs(x), -k, axis=1)[:, -k:]
    out = np.zeros_like(x)
    np.put_along_axis(out, kept, np.take_along_axis(x, kept, 1), 1)
    return out


def _partition_all(x, k):
    return _partition_rows(x.reshape(1, -1), k).reshape(x.shape)


def _sorted_rows(x, k):
    """Keep the k largest of each row, the first of equal ones."""
    kept = np.argsort(-np.abs(x), axis=1, kind="stable")[:, :k]
    out = np.zeros_like(x)
    np.put_along_axis(out, kept, np.take_along_axis(x, kept, 1), 1)
    return out


def _sorted_all(x, k):
    return _sorted_rows(x.T.reshape(1, -1), k).reshape(x.T.shape).T


def _columns(keep_rows):
    return lambda x, k: keep_rows(x.T, k).T


def _both(keep_rows):
    """Return the union of what is kept of rows and of columns."""

    def keep(x, k):
        rows = keep_rows(x, k)
        return np.where(rows != 0, rows, keep_rows(x.T, k).T)

    return keep


def _linprog(x, k):
    """Keep the support of largest energy with k entries a row, k a column."""
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
_PROJECTIONS: dict[str, tuple[Callable[..., None], _Projection, _Projection]] = {
    "sp": (project_sp, _partition_all, _sorted_all),
    "splin": (project_splin, _partition_rows, _sorted_rows),
    "spcol": (project_spcol, _columns(_partition_rows), _columns(_sorted_rows)),
    "splincol": (project_splincol, _both(_partition_rows), _both(_sorted_rows)),
    "skperm": (project_skperm, _linprog, _linprog),
}
