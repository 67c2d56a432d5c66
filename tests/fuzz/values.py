"""The arguments that cases are written with, so that a case is one line to copy.

Everything is deterministic: the same text is the same value in every process.
"""

import functools
import operator
import os
import tempfile
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import nbfact as nf
from nbfact.operators import block_diag, hstack, kronecker

__all__ = [
    "Subclass",
    "corrupt",
    "fitted",
    "fortran",
    "integers",
    "linear",
    "listed",
    "masked",
    "memmap",
    "nf",
    "normal",
    "np",
    "of_dtype",
    "operator",
    "os",
    "own",
    "path",
    "points",
    "readonly",
    "result",
    "reverse",
    "sample",
    "saved",
    "saved_matrix",
    "scaled",
    "sp",
    "sparse",
    "spla",
    "strided",
    "swapped",
    "with_entry",
]


class Subclass(np.ndarray):
    """An array of a subclass of its own."""


def normal(shape, dtype="float64", seed=0):
    """Return Gaussian entries, complex for a complex dtype."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return np.asarray(x).astype(dtype)


def integers(shape, seed=0, low=-3, high=4):
    """Return small integers, many of which are equal."""
    return np.random.default_rng(seed).integers(low, high, shape)


def of_dtype(x, dtype):
    """Return an array of another dtype."""
    return x.astype(dtype)


def scaled(x, factor):
    """Return an array at another scale, in its own dtype, without overflow."""
    with np.errstate(over="ignore", under="ignore"):
        x = x / np.abs(x).max()
        return (x * x.dtype.type(factor)).astype(x.dtype)


def fortran(x):
    """Return the array in column-major order."""
    return np.asfortranarray(x)


def strided(x):
    """Return the array with gaps between its entries."""
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    view = wide[(slice(None, None, 2),) * x.ndim]
    view[...] = x
    return view


def reverse(x):
    """Return the array with a negative stride in each direction."""
    turn = (slice(None, None, -1),) * x.ndim
    return x[turn].copy()[turn]


def readonly(x):
    """Return the array, read-only."""
    x = x.copy()
    x.flags.writeable = False
    return x


_FOLDER = tempfile.TemporaryDirectory()


def path(name):
    """Return a path in a folder that lasts as long as the process."""
    return os.path.join(_FOLDER.name, name)


def memmap(x):
    """Return the array, mapped from a file and read-only."""
    file = Path(path("mapped"))
    file.unlink(missing_ok=True)
    file.write_bytes(x.tobytes())
    return np.memmap(file, x.dtype, "r", shape=x.shape)


def masked(x):
    """Return a masked array, with one entry masked."""
    mask = np.zeros(x.shape, bool)
    mask.flat[0] = True
    return np.ma.masked_array(x, mask)


def swapped(x):
    """Return the array in the byte order that the machine has not."""
    return x.astype(x.dtype.newbyteorder())


def listed(x):
    """Return the array as lists."""
    return x.tolist()


def with_entry(x, value):
    """Return the array with one entry replaced."""
    x = x.copy()
    x.flat[x.size // 2] = value
    return x


def sparse(x, form="csr"):
    """Return a sparse array, or with ``form="csr_matrix"`` a sparse matrix."""
    x = np.where(np.abs(x) > 0.5, x, 0)
    if form.endswith("_matrix"):
        return getattr(sp, form)(x)
    return getattr(sp, f"{form}_array")(x)


def corrupt(x, how, form="csr"):
    """Return a sparse array whose index arrays are damaged."""
    found = sparse(x, form)
    if form == "lil":
        found.rows[0] = [10**9] if how == "beyond" else [-(10**6)]
        found.data[0] = [1.0]
        return found
    indices = found.coords[0] if form == "coo" else found.indices
    if how == "beyond":
        indices[-1] = 10**9
    elif how == "negative":
        indices[0] = -(10**6)
    elif how == "pointer":
        found.indptr[-1] = 10**8
    elif how == "decreasing":
        found.indptr[1] = found.indptr[-1] + 5
    else:
        found.data = found.data[:1]
    return found


def linear(x):
    """Return a matrix as SciPy's operator."""
    return spla.aslinearoperator(x)


class own(nf.FastOperator):
    """An operator class of a user: a diagonal matrix."""

    def __init__(self, weights):
        weights = np.asarray(weights)
        super().__init__(weights.dtype, (len(weights), len(weights)))
        self.weights = weights
        self.nnz = len(weights)

    def _run(self, dtype, x):
        return (self.weights * x.T).T.astype(dtype)

    def _transpose(self):
        return self

    def _adjoint(self):
        return own(self.weights.conj())


@functools.lru_cache(400)
def sample(kind, dtype="float64", seed=0):
    """Return an operator of a class, mostly of order 6."""

    def entries(shape, number):
        return normal(shape, dtype, [seed, number])

    F = nf.FactorProduct([entries((6, 4), 1), entries((4, 6), 2)], 0.5)
    C = nf.transforms.circulant(entries(6, 3))
    chain = nf.Chain.square_dyadic(8)
    made = {
        "factors": lambda: F,
        "wide": lambda: nf.FactorProduct([entries((3, 4), 4), entries((4, 7), 5)]),
        "tall": lambda: nf.FactorProduct([entries((5, 2), 6)]),
        "one": lambda: nf.FactorProduct([entries((1, 1), 7)]),
        "diagonal": lambda: nf.FactorProduct([np.diag(entries(6, 8))]),
        "butterfly": lambda: C,
        "dyadic": lambda: nf.Butterfly(chain, [entries(p, 9) for p in chain]),
        "dropped": lambda: C[[3, 1, 0, 5]],
        "sum": lambda: F + C,
        "product": lambda: F @ C,
        "blocks": lambda: block_diag([F[:3, :3], C[:3, :3]]),
        "row": lambda: hstack([F, C]),
        "selected": lambda: C[[1, 1, 2, 3, 0, 5], [5, 4, 4, 0, 0, 1]],
        "kronecker": lambda: kronecker(F[:2, :3], C[:3, :2]),
        "own": lambda: own(entries(6, 10)),
    }
    return made[kind]()


@functools.cache
def result(kind, seed=0):
    """Return what an algorithm returns, of a target of order 4."""
    target = normal((4, 4), "float64", seed)
    if kind == "hierarchical":
        return nf.hierarchical(nf.targets.hadamard(4) * (1 + seed), "hadamard")
    if kind == "butterfly":
        return nf.butterfly_factorize(target)
    sets = [nf.constraints.SpLin((4, 4), 2), nf.constraints.SpCol((4, 4), 2)]
    return nf.palm4msa(target, sets, n_iter=3)


def saved(kind, suffix=".npz", how="save"):
    """Return the path of a file that holds an operator of `sample`."""
    file = path(f"{kind}-{how}{suffix}")
    getattr(sample(kind), how)(file)
    return file


def points(n, d=3, dtype="float64", seed=0):
    """Return points in three groups."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 3, n)[:, None] * 10.0
    return (groups + rng.standard_normal((n, d))).astype(dtype)


@functools.cache
def fitted(name, dtype="float64"):
    """Return an estimator that is fitted to 24 points of three features."""
    from nbfact import estimators

    x = points(24, 3, dtype)
    made = {
        "QuicKMeans": lambda: estimators.QuicKMeans(3, random_state=0, max_iter=3),
        "ClusterNeighbors": lambda: estimators.ClusterNeighbors(
            2, n_clusters=3, n_probes=3, random_state=0
        ),
        "ClusterNeighborsClassifier": lambda: estimators.ClusterNeighborsClassifier(
            3, n_clusters=3, n_probes=3, random_state=0
        ),
        "FastDictionary": lambda: estimators.FastDictionary(
            5, nnz=20, max_iter=2, n_rounds=1, random_state=0
        ),
        "QuickNystroem": lambda: estimators.QuickNystroem(3, random_state=0),
    }
    if name == "ClusterNeighborsClassifier":
        return made[name]().fit(x, (x[:, 0] > 5).astype(int))
    return made[name]().fit(x)


def saved_matrix(suffix, seed=0):
    """Return the path of a file that holds a matrix."""
    file = path(f"matrix-{seed}{suffix}")
    x = normal((3, 4), "float64", seed)
    if suffix == ".npy":
        np.save(file, x)
    elif suffix == ".npz":
        np.savez(file, x)
    elif suffix == ".csv":
        np.savetxt(file, x, delimiter=",")
    else:
        scipy.io.savemat(file, {"x": x})
    return file
