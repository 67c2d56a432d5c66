"""The operators of the grid, each in all the forms that implementations need."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse as sp

from .. import transforms
from ..operators import Butterfly, Chain, FactorProduct, FastOperator
from ..operators.patterns import csr_factor
from . import timed_operators
from .hadamard_transform import numpy_levels

FORWARD, ADJOINT = "forward", "adjoint"
"""What multiplies: the operator, or its adjoint."""

REALS, COMPLEXES = ("float32", "float64"), ("complex64", "complex128")
ALL = (*REALS, *COMPLEXES)

Transform = Callable[[np.ndarray, int], np.ndarray]
"""A function (x, axis) that transforms along an axis by scipy.fft."""


@dataclass(eq=False)
class GridOperator:
    """An operator, or its adjoint, in the forms that implementations need.

    Attributes
    ----------
    operator : FastOperator
        The operator of nbfact.
    exact : callable
        ``exact(columns)`` returns the product with columns in a wider dtype.
    factors : tuple of csr_array
        Sparse factors from left to right, which SciPy multiplies by; possibly none.
    butterfly : Butterfly or None
        The operator as dense blocks, which batched `numpy.matmul` multiplies by.
    kronecker : tuple of ndarray or None
        The two matrices whose Kronecker product the operator is.
    fft : callable or None
        Function (x, axis) that multiplies along an axis by scipy.fft.
    levels : callable or None
        Function (x, axis) of a few NumPy calls a level.
    """

    operator: FastOperator
    exact: Callable[[np.ndarray], np.ndarray]
    factors: tuple[Any, ...] = ()
    butterfly: Butterfly | None = None
    kronecker: tuple[np.ndarray, np.ndarray] | None = None
    fft: Transform | None = None
    levels: Transform | None = None

    @functools.cached_property
    def dense(self) -> np.ndarray:
        """The matrix in C order; built when first read, then kept."""
        return np.ascontiguousarray(self.operator.toarray())


@functools.lru_cache(maxsize=2)  # the two sides; a dense matrix may be large
def build(name: str, n: int, dtype: str, side: str) -> GridOperator:
    """Return an operator of the grid; the last ones that were built are kept.

    Parameters
    ----------
    name : str
        A key of :data:`KINDS`.
    n : int
        Order, a power of four.
    dtype : str
        One of the dtypes of that kind.
    side : {"forward", "adjoint"}
        What multiplies.

    Examples
    --------
    >>> build("haar", 16, "float32", "adjoint").operator.shape
    (16, 16)
    """
    return KINDS[name].build(n, np.dtype(dtype), side)


def _gaussian(rng, shape, dtype):
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = (x + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    return x


def _by_factors(operator, factors, side, dtype, **more):
    """Return the operator of some sparse factors, or its adjoint."""
    if side == ADJOINT:
        operator = operator.H
        factors = [factor.conj().T for factor in factors[::-1]]
    listed = tuple(map(_csr, factors))
    wide = timed_operators.wider(dtype)

    def exact(x):
        x = x.astype(wide)
        for factor in reversed(listed):
            x = factor.astype(wide) @ x
        return x

    return GridOperator(operator, exact, listed, **more)


def _csr(matrix):
    """Return a CSR array with sorted 32-bit indices."""
    found = sp.csr_array(matrix)
    found.sort_indices()
    indices = found.indices.astype(np.int32), found.indptr.astype(np.int32)
    return sp.csr_array((found.data, *indices), shape=found.shape)


def _chain(chain: Callable[[int], Chain], n, dtype, side):
    """Return a Gaussian butterfly, whose products keep the variance of x."""
    rng, patterns = np.random.default_rng(n), chain(n)
    values = [
        (_gaussian(rng, one, dtype) / np.sqrt(one[2])).astype(dtype) for one in patterns
    ]
    return _of_blocks(Butterfly(patterns, values), side, dtype)


def _of_blocks(butterfly, side, dtype, **more):
    factors = [csr_factor(value) for value in butterfly.values]
    blocks = butterfly if side == FORWARD else butterfly.H
    return _by_factors(butterfly, factors, side, dtype, butterfly=blocks, **more)


def _radix_8(n):
    """Return a chain of radix 8, and of one smaller radix where 8 does not suffice."""
    levels = n.bit_length() - 1
    rest = [1 << levels % 3] if levels % 3 else []
    return Chain.mixed_radix([*[8] * (levels // 3), *rest])


def _kronecker(n, dtype, side):
    rng, order = np.random.default_rng(n), math.isqrt(n)
    pair = [
        (_gaussian(rng, (order, order), dtype) / np.sqrt(order)).astype(dtype)
        for _ in range(2)
    ]
    turned = [one if side == FORWARD else one.conj().T.copy() for one in pair]
    both = turned[0], turned[1]
    return _of_blocks(transforms.kronecker(*pair), side, dtype, kronecker=both)


def _sparse(depth, k, n, dtype, side):
    """Return the product of random factors with k entries in each row."""
    rng, factors = np.random.default_rng(n), []
    for _ in range(depth):
        columns = np.sort(np.argsort(rng.random((n, n)), axis=1)[:, :k])
        data = (_gaussian(rng, n * k, dtype) / np.sqrt(k)).astype(dtype)
        ends = np.arange(0, n * k + 1, k)
        factors.append(sp.csr_array((data, columns.ravel(), ends), shape=(n, n)))
    return _by_factors(FactorProduct(list(factors)), factors, side, dtype)


def _hadamard(n, dtype, side):
    operator = transforms.hadamard(n, dtype=dtype)
    factors = [csr_factor(value) for value in operator.values]
    return _by_factors(operator, factors, side, dtype, levels=_hadamard_levels)


def _hadamard_levels(x, axis):
    """Return the orthonormal transform of x, in C order, by a few calls a level."""
    out = x * x.dtype.type(1 / math.sqrt(x.shape[axis]))
    numpy_levels(out, axis)
    return out


def _haar(n, dtype, side):
    operator = transforms.haar(n, dtype)
    levels = _haar_levels if side == FORWARD else _haar_adjoint_levels
    return _by_factors(operator, operator.factors, side, dtype, levels=levels)


def _haar_levels(x, axis):
    """Return the Haar transform along an axis by a few NumPy calls a level."""
    out, root = np.empty_like(x), x.dtype.type(math.sqrt(0.5))
    to, x = out.swapaxes(0, axis), x.swapaxes(0, axis)
    while len(x) > 1:
        half = len(x) // 2
        np.subtract(x[::2], x[1::2], out=to[half : 2 * half])
        to[half : 2 * half] *= root
        x = (x[::2] + x[1::2]) * root
    to[:1] = x
    return out


def _haar_adjoint_levels(x, axis):
    """Return the inverse of `_haar_levels`."""
    out, root = np.empty_like(x), x.dtype.type(math.sqrt(0.5))
    to, x = out.swapaxes(0, axis), x.swapaxes(0, axis)
    mean, half = x[:1], 1
    while half < len(x):
        both = np.empty((2 * half, *x.shape[1:]), x.dtype)
        np.add(mean, x[half : 2 * half], out=both[::2])
        np.subtract(mean, x[half : 2 * half], out=both[1::2])
        both *= root
        mean, half = both, 2 * half
    to[...] = mean
    return out


def _named(name, n, dtype, side):
    """Return a named transform, orthonormal, and scipy.fft as its rival."""
    operator = getattr(transforms, name)(n, dtype=dtype)
    call = _CALLS[name, side]
    return GridOperator(
        operator if side == FORWARD else operator.H,
        lambda x: call(x.astype(timed_operators.wider(dtype)), 0),
        fft=call,
    )


def _scipy(function):
    return lambda x, axis: function(x, axis=axis, norm="ortho")


def _hartley(x, axis):
    """Return the Hartley transform by a real Fourier transform of half the cost."""
    half = scipy.fft.rfft(x, axis=axis, norm="ortho").swapaxes(0, axis)
    found = np.empty_like(x)
    to, end = found.swapaxes(0, axis), len(half)
    np.subtract(half.real, half.imag, out=to[:end])
    rest = half[1 : x.shape[axis] - end + 1][::-1]
    np.add(rest.real, rest.imag, out=to[end:])
    return found


_CALLS: dict[tuple[str, str], Transform] = {
    ("dft", FORWARD): _scipy(scipy.fft.fft),
    ("dft", ADJOINT): _scipy(scipy.fft.ifft),
    ("dct", FORWARD): _scipy(scipy.fft.dct),
    ("dct", ADJOINT): _scipy(scipy.fft.idct),
    ("dst", FORWARD): _scipy(scipy.fft.dst),
    ("dst", ADJOINT): _scipy(scipy.fft.idst),
    ("hartley", FORWARD): _hartley,
    ("hartley", ADJOINT): _hartley,
}


def _circulant(n, dtype, side):
    """Return a circulant matrix, and products by scipy.fft with a known spectrum."""
    rng = np.random.default_rng(n)
    c = (_gaussian(rng, n, dtype) / math.sqrt(n)).astype(dtype)
    operator = transforms.circulant(c)
    wide = scipy.fft.fft(c.astype(timed_operators.wider(dtype)))
    wide = wide if side == FORWARD else wide.conj()
    spectrum = wide.astype(np.result_type(dtype, np.complex64))
    half = spectrum[: n // 2 + 1]

    def weights(values, x, axis):
        return values if axis == x.ndim - 1 else values[:, None]

    def exact(x):
        found = scipy.fft.fft(x.astype(timed_operators.wider(dtype)), axis=0)
        found = found * (wide if x.ndim == 1 else wide[:, None])
        found = scipy.fft.ifft(found, axis=0)
        return found.real if dtype.kind != "c" else found

    def complex_ways(x, axis):
        found = scipy.fft.fft(x, axis=axis)
        found *= weights(spectrum, x, axis)
        return scipy.fft.ifft(found, axis=axis, overwrite_x=True)

    def real_ways(x, axis):
        found = scipy.fft.rfft(x, axis=axis)
        found *= weights(half, x, axis)
        return scipy.fft.irfft(found, n, axis=axis, overwrite_x=True)

    return GridOperator(
        operator if side == FORWARD else operator.H,
        exact,
        fft=complex_ways if dtype.kind == "c" else real_ways,
    )


@dataclass(frozen=True)
class Kind:
    """A kind of operators of the grid.

    Attributes
    ----------
    build : callable
        ``build(n, dtype, side)`` returns a :class:`GridOperator`.
    multiplications : callable
        Number of multiplications of a product with one vector, by order.
    stored : callable
        Number of entries that a product has to read, by order.
    rivals : tuple of str
        Which rivals it has besides the dense product, see `grid_cases`.
    dtypes : tuple of str
    applies : bool
        Whether its class has the method `apply`.
    additions : bool
        Whether each of the multiplications is an addition alone.
    """

    build: Callable[..., GridOperator]
    multiplications: Callable[[int], float]
    stored: Callable[[int], float]
    rivals: tuple[str, ...]
    dtypes: tuple[str, ...] = ALL
    applies: bool = hasattr(Butterfly, "apply")
    additions: bool = False

    def flops(self, n: int, dtype: str) -> int:
        """Return the number of real operations of a product with one vector."""
        complex_ = dtype.startswith("complex")
        each = (2 if complex_ else 1) if self.additions else 8 if complex_ else 2
        return int(each * self.multiplications(n))


def _log2(n):
    return n.bit_length() - 1


def _chain_kind(chain, *rivals):
    entries = functools.partial(_entries, chain)
    build = functools.partial(_chain, chain)
    return Kind(build, entries, entries, ("factors", *rivals))


def _entries(chain, n):
    return chain(n).n_parameters


def _sparse_kind(depth, k):
    def entries(n):
        return depth * k * n

    build = functools.partial(_sparse, depth, k)
    applies = hasattr(FactorProduct, "apply")
    return Kind(build, entries, entries, ("factors",), applies=applies)


def _named_kind(name, dtypes):
    # A complex operation in ten is a multiplication: 5 n log2 n real operations.
    share = 0.625 if dtypes == COMPLEXES else 1.25
    return Kind(
        functools.partial(_named, name),
        lambda n: share * n * _log2(n),
        lambda n: 0,
        ("fft",),
        dtypes,
    )


KINDS: dict[str, Kind] = {
    "butterfly": _chain_kind(Chain.square_dyadic, "pairs"),
    "rank 2": _chain_kind(Chain.rank2, "pairs"),
    "radix 8": _chain_kind(_radix_8, "blocks"),
    "dense blocks": _chain_kind(Chain.monarch, "blocks"),
    "kronecker": Kind(
        _kronecker,
        lambda n: 2 * n * math.isqrt(n),
        lambda n: 2 * n,
        ("factors", "blocks", "kronecker"),
    ),
    "sparse 4 x 4": _sparse_kind(4, 4),
    "sparse 2 x 16": _sparse_kind(2, 16),
    "hadamard": Kind(
        _hadamard,
        lambda n: n * _log2(n),
        lambda n: 0,
        ("factors", "pairs", "levels"),
        REALS,
        additions=True,
    ),
    "haar": Kind(
        _haar,
        lambda n: 2 * n,
        lambda n: 0,
        ("factors", "levels"),
        REALS,
        hasattr(FactorProduct, "apply"),
    ),
    "circulant": Kind(_circulant, lambda n: 1.25 * n * _log2(n), lambda n: n, ("fft",)),
    "dft": _named_kind("dft", COMPLEXES),
    "dct": _named_kind("dct", REALS),
    "dst": _named_kind("dst", REALS),
    "hartley": _named_kind("hartley", REALS),
}
"""The kinds of operators of the grid, by name."""
