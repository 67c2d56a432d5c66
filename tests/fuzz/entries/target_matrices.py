"""The functions of ``nf.targets``; those that read files are in another module."""

import numpy as np
import scipy.fft
import scipy.linalg
from scipy.special import eval_legendre

import nbfact as nf

from ..cases import BAD, ODD, called, entry
from ..checks import near, true
from ..pools import (
    Pool,
    choice,
    count,
    fixed,
    flag,
    real,
    seed,
)
from .named_transforms import hadamard_matrix, hartley_matrix, order, power

ORDER = count(1, 12, huge=ODD)
FEW = count(1, 3, huge=None)
"""A number of factors or coordinates: 2**64 of them would take forever."""
GRAPHS = tuple("geometric,community,random,scale free,small world,grid,path".split(","))
KERNELS = ("gaussian", "exponential", "inverse")


def norm(call):
    return "ortho" if call.get("normalized", True) else "backward"


def plain(call, dtype="float64"):
    """Return the result, after a look at its type."""
    result = call.result
    true(type(result) is np.ndarray, type(result).__name__)
    true(result.dtype == dtype, f"dtype {result.dtype}")
    true(np.isfinite(result).all(), "the matrix is not finite")
    return result


def fourier_matrix(call):
    return scipy.fft.fft(np.eye(order(call)), norm=norm(call))


def cosine(function):
    return lambda call: function(np.eye(order(call)), axis=0, norm=norm(call))


def legendre_matrix(call):
    n = order(call)
    grid = -1 + 2 * np.arange(1, n + 1) / (n + 1)
    found = np.array([eval_legendre(k, grid) for k in range(n)])
    return found / np.sqrt(n) if call.get("normalized", True) else found


def hilbert_matrix(call):
    found = scipy.linalg.hilbert(order(call))
    return found / np.linalg.norm(found, 2) if call.get("normalized", True) else found


def same(matrix, dtype="float64"):
    def check(call):
        near(plain(call, dtype), matrix(call))

    return check


MATRICES = {
    "dct": (same(cosine(scipy.fft.dct)), ORDER),
    "dst": (same(cosine(scipy.fft.dst)), ORDER),
    "dft": (same(fourier_matrix, "complex128"), ORDER),
    "hartley": (same(hartley_matrix), ORDER),
    "hadamard": (same(hadamard_matrix), power()),
    "legendre": (same(legendre_matrix), ORDER),
    "hilbert": (same(hilbert_matrix), ORDER),
}
for _name, (_check, _pool) in MATRICES.items():

    @entry(f"targets.{_name}", _check)
    def _(draw, name=_name, pool=_pool):
        return called(f"nf.targets.{name}", {"n": pool, "normalized": flag()})


def orthonormal(call):
    result = plain(call)
    n = order(call)
    if call.get("normalized", True):
        near(result @ result.T, np.eye(n), what="A Aᵀ")
    else:
        gram = result @ result.T
        near(gram, np.diag(np.diag(gram)), what="A Aᵀ")


@entry("targets.haar", orthonormal)
def _(draw):
    return called("nf.targets.haar", {"n": power(), "normalized": flag()})


@entry("targets.slant", orthonormal)
def _(draw):
    return called("nf.targets.slant", {"n": power()})


def repeats(call):
    """Raise unless a seeded call gives the same matrix again, a finite one."""
    result = plain(call)
    n = order(call)
    true(result.shape == (n, n), f"shape {result.shape}")
    state = call.get("random_state")
    if isinstance(state, int | np.integer):
        again = call.again()
        true(np.array_equal(again, result), "another matrix with the same seed")


def circulant_matrix(call):
    repeats(call)
    near(call.result, scipy.linalg.circulant(call.result[:, 0]))


@entry("targets.convolution", circulant_matrix)
def _(draw):
    pools = {"n": ORDER, "random_state": seed()}
    return called("nf.targets.convolution", pools)


@entry("targets.randn", repeats)
def _(draw):
    return called("nf.targets.randn", {"n": ORDER, "random_state": seed()})


@entry("targets.spherical_harmonics", repeats)
def _(draw):
    pools = {"n": ORDER, "random_state": seed()}
    return called("nf.targets.spherical_harmonics", pools)


def toeplitz_matrix(call):
    repeats(call)
    near(call.result, scipy.linalg.toeplitz(call.result[:, 0], call.result[0]))


@entry("targets.toeplitz", toeplitz_matrix)
def _(draw):
    return called("nf.targets.toeplitz", {"n": ORDER, "random_state": seed()})


def kernel_check(call):
    repeats(call)
    true(np.array_equal(call.result, call.result.T), "it is not symmetric")


@entry("targets.kernel_matrix", kernel_check)
def _(draw):
    pools = {
        "n": ORDER,
        "kind": choice(*KERNELS),
        "dimensions": FEW,
        "random_state": seed(),
    }
    return called("nf.targets.kernel_matrix", pools)


@entry("targets.convolution_layer", repeats)
def _(draw):
    pools = {
        "n": fixed("8", "12", "24"),
        "channels": count(1, 2, huge=BAD, wrong=("7",)),
        "width": Pool(fixed("1", "3").good, count(1, 1, huge=ODD, wrong=("2",)).other),
        "random_state": seed(),
    }
    return called("nf.targets.convolution_layer", pools)


@entry("targets.sparse_plus_low_rank", repeats)
def _(draw):
    pools = {
        "n": fixed("4", "6"),
        "rank": count(1, 3, huge=BAD, wrong=("7",)),
        "density": real("0.1", "0.5", "1", bad=("0", "-0.1", "1.5"), odd=()),
        "random_state": seed(),
    }
    return called("nf.targets.sparse_plus_low_rank", pools)


@entry("targets.trained_weights", repeats)
def _(draw):
    pools = {"n": count(1, 3, huge=ODD), "random_state": seed()}
    return called("nf.targets.trained_weights", pools)


def packet_check(call):
    repeats(call)
    near(call.result @ call.result.T, np.eye(order(call)), what="A Aᵀ")


@entry("targets.wavelet_packet", packet_check)
def _(draw):
    pools = {
        "n": power(),
        "moments": count(1, 3, huge=BAD, wrong=("11",)),
        "random_state": seed(),
    }
    return called("nf.targets.wavelet_packet", pools)


def named_matrix(call):
    name, n = call["name"], order(call)
    result = call.result
    true(result.shape == (n, n) and np.isfinite(result).all(), f"shape {result.shape}")
    if name in ("dct", "dst"):
        expected = getattr(nf.targets, name)(n, normalized=False) / np.sqrt(n)
    elif name in ("convolution", "randn"):
        return
    else:
        expected = getattr(nf.targets, name)(n)
    near(result, expected)


@entry("targets.named", named_matrix)
def _(draw):
    names = (
        "dft",
        "dct",
        "dst",
        "convolution",
        "hadamard",
        "hartley",
        "legendre",
        "hilbert",
        "randn",
    )
    name = choice(*names)
    name = Pool(name.good.filter(lambda v: v.text != "<omitted>"), name.other)
    return called(
        "nf.targets.named", {"name": name, "n": power(), "random_state": seed()}
    )


def centroid_check(call):
    result = plain(call)
    true(result.shape == (call.get("n_clusters", 64), 64), f"shape {result.shape}")


@entry("targets.centroids", centroid_check)
def _(draw):
    pools = {"n_clusters": count(1, 4, wrong=("5000",)), "random_state": seed()}
    return called("nf.targets.centroids", pools)


def graph_check(call):
    result = plain(call)
    near(result @ result.T, np.eye(order(call)), what="A Aᵀ")
    repeats(call)


@entry("targets.graph_fourier", graph_check)
def _(draw):
    pools = {
        "n": count(2, 9, huge=ODD),
        "kind": choice(*GRAPHS),
        "random_state": seed(),
    }
    return called("nf.targets.graph_fourier", pools)


def field_check(call):
    result = plain(call)
    shape = (int(call["n_sensors"]), int(call["n_sources"]))
    true(result.shape == shape, f"shape {result.shape}")


@entry("targets.leadfield", field_check)
def _(draw):
    pools = {
        "n_sensors": count(1, 6, huge=ODD),
        "n_sources": count(1, 6, huge=ODD),
        "random_state": seed(),
    }
    return called("nf.targets.leadfield", pools)


def meg_check(call):
    result = call.result
    matrix = result[0] if call.get("return_positions") is True else result
    true(matrix.shape[0] == 204 and matrix.shape[1] % 3 == 0, f"{matrix.shape}")


@entry("targets.meg", meg_check, raises=(ImportError,))
def _(draw):
    pools = {
        "spacing": real("40", "30.0", "np.float32(50)", bad=("0", "-1.0", "3", "1e3")),
        "return_positions": flag(),
    }
    return called("nf.targets.meg", pools)
