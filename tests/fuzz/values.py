"""The arguments that cases are written with, so that a case is one line to copy.

Everything is deterministic: the same text is the same value in every process.
"""

import functools
import operator
import os
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import nbfact as nf
from nbfact.operators import OperatorSum, block_diag, hstack, kronecker

__all__ = [
    "Subclass",
    "corrupt",
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
    "readonly",
    "reverse",
    "sample",
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
    if how == "beyond":
        found.indices[-1] = 10**9
    elif how == "negative":
        found.indices[0] = -(10**6)
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


@functools.cache
def sample(kind, dtype="float64"):
    """Return an operator of a class, mostly of order 6."""
    F = nf.FactorProduct([normal((6, 4), dtype, 1), normal((4, 6), dtype, 2)], 0.5)
    C = nf.transforms.circulant(normal(6, dtype, 3))
    made = {
        "factors": lambda: F,
        "wide": lambda: nf.FactorProduct([normal((3, 4), dtype), normal((4, 7), dtype)]),
        "tall": lambda: nf.FactorProduct([normal((5, 2), dtype)]),
        "one": lambda: nf.FactorProduct([[[2.0]]]),
        "diagonal": lambda: nf.FactorProduct([np.diag(normal(6, dtype, 4))]),
        "butterfly": lambda: C,
        "dyadic": lambda: nf.Butterfly(
            nf.Chain.square_dyadic(8),
            [normal(p, dtype, 5) for p in nf.Chain.square_dyadic(8)],
        ),
        "dropped": lambda: C[[3, 1, 0, 5]],
        "sum": lambda: F + C,
        "product": lambda: F @ C,
        "blocks": lambda: block_diag([F[:3, :3], C[:3, :3]]),
        "row": lambda: hstack([F, C]),
        "selected": lambda: C[[1, 1, 2, 3, 0, 5], [5, 4, 4, 0, 0, 1]],
        "kronecker": lambda: kronecker(F[:2, :3], C[:3, :2]),
        "own": lambda: own(normal(6, dtype, 7)),
    }
    found = made[kind]()
    assert kind != "sum" or isinstance(found, OperatorSum)
    return found
