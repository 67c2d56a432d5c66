"""Cases of products: fast operators against their own dense matrices.

The error bounds are of the probabilistic kind (Higham and Mary, A new approach to
probabilistic rounding error analysis, 2019): roundings partly cancel, so that a sum of
n terms is wrong by √n units in the last place rather than by n. Measured errors are
about a tenth of these bounds; tests/test_bench.py checks both.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft

from ..harness import sample
from ..harness.case import DENSE, Case
from ..kernels import (
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
    fwht,
    fwht_columns,
)
from ..operators import Butterfly, Chain, FactorProduct, dct, dft
from . import timed_operators
from .rivals import peers

BUTTERFLY = "nbfact Butterfly @"
"""Implementation: a `Butterfly` and the operator ``@``."""

CHAIN, SCIPY_CHAIN = "nbfact chain", "scipy CSR chain"
"""Implementations: sparse factors one after the other, by nbfact and by SciPy."""


@dataclass(eq=False)
class ProductInputs:
    """Inputs of a product.

    Attributes
    ----------
    operator : Operator
        What to multiply by.
    x : ndarray, (n,) or (n, batch)
        What to multiply.
    axis : int
        Axis of x along which the vectors lie.
    """

    operator: timed_operators.Operator
    x: np.ndarray
    axis: int = 0


@dataclass(eq=False)
class _Product:
    """One product at one size, which makes the cases of its implementations.

    Attributes
    ----------
    group : str
        Group of the cases.
    shape : (int, int)
        Shape (m, n) of the operator.
    dtype : str
        Dtype of the operator and of x.
    batch : int
        Number of columns of x; with one column, x is a vector.
    operator : callable
        Returns the operator; called when inputs are made, not before.
    """

    group: str
    shape: tuple[int, int]
    dtype: str
    batch: int
    operator: Callable[[], timed_operators.Operator]

    def case(
        self,
        impl: str,
        prepare: Callable[[ProductInputs], Callable[[], np.ndarray]],
        bound: float,
        flops: float,
        stored: float = 0.0,
        nnz: int | None = None,
        rival: bool = False,
    ) -> Case:
        """Return the case of one implementation.

        Parameters
        ----------
        impl : str
            Name of the implementation.
        prepare : callable
            See :class:`nbfact.harness.case.Case`.
        bound : float
            Largest relative error allowed, in units of the machine epsilon.
        flops : float
            Number of real operations for each column of x.
        stored : float
            Bytes that the operator stores.
        nnz : int or None
            Number of entries that it stores, or None when it stores none.
        rival : bool
            Whether the implementation is somebody else's.

        Returns
        -------
        Case
        """
        m, n = self.shape
        dtype = np.dtype(self.dtype)
        return Case(
            group=self.group,
            impl=impl,
            params={
                **({} if m == n else {"m": m}),
                "n": n,
                "batch": self.batch,
                "dtype": self.dtype,
            },
            make=self.make,
            prepare=prepare,
            reference=lambda inputs: inputs.operator.exact(inputs.x),
            bound=bound * float(np.finfo(dtype).eps),
            size=int(stored + (m + n) * self.batch * dtype.itemsize),
            flops=int(flops * self.batch),
            nnz=nnz,
            rival=rival,
        )

    def make(self, rng: np.random.Generator) -> ProductInputs:
        """Return the operator and a Gaussian x."""
        n = self.shape[1]
        shape = (n,) if self.batch == 1 else (n, self.batch)
        x = rng.standard_normal(shape)
        if self.dtype.startswith("complex"):
            x = x + 1j * rng.standard_normal(shape)
        return ProductInputs(self.operator(), x.astype(self.dtype))

    @property
    def multiply_add(self) -> int:
        """The number of real operations of one multiply-add of the dtype."""
        return 8 if self.dtype.startswith("complex") else 2

    def dense(self) -> Case:
        """Return the case of the dense product, the yardstick."""
        m, n = self.shape
        stored = m * n * np.dtype(self.dtype).itemsize
        bound = 2 * math.sqrt(n)
        return self.case(DENSE, _dense, bound, self.multiply_add * m * n, stored, m * n)

    def chain(self, nnz: int, bound: float) -> Iterator[Case]:
        """Yield the cases that multiply by sparse factors, one after the other.

        A stored entry counts with its index of four bytes. The row pointers do not
        count, because factors with equally many entries in each row do not need them.
        """
        stored = nnz * (np.dtype(self.dtype).itemsize + 4)
        flops = self.multiply_add * nnz
        yield self.case(CHAIN, _chain, bound, flops, stored, nnz)
        yield self.case(SCIPY_CHAIN, _scipy_chain, bound, flops, stored, nnz)
        if self.dtype != "complex64":  # pyfaust would compute in complex128
            yield from self.peer("pyfaust", bound, flops, stored, nnz)

    def exact(
        self, transform: Callable[..., Butterfly], nnz: int, bound: float
    ) -> Case:
        """Return the case of an exact transform of nbfact, not normalised."""
        stored = nnz * np.dtype(self.dtype).itemsize
        name = f"nbfact {transform.__name__}"
        prepare = functools.partial(_exact, transform)
        return self.case(name, prepare, bound, self.multiply_add * nnz, stored, nnz)

    def peer(
        self, name: str, bound: float, flops: float, stored: float, nnz: int | None
    ) -> Iterator[Case]:
        """Yield the case of a peer where it is installed; arguments as in `case`."""
        if peers.installed(name):
            prepare = peers.prepare(name)
            yield self.case(name, prepare, bound, flops, stored, nnz, rival=True)


def product_cases(
    kind: str, sizes: Sequence[int], dtypes: Sequence[str], batches: Sequence[int]
) -> Iterator[Case]:
    """Yield the cases of products with a kind of operator.

    All batches of one operator come one after another, because its dense matrix is
    large and only the last one is kept.

    Parameters
    ----------
    kind : {"hadamard", "butterfly", "dft", "dct", "planted"}
        See :func:`nbfact.cases.timed_operators.build`.
    sizes, dtypes, batches : sequences
        Orders (powers of two), names of dtypes, and numbers of columns of x; with one
        column, x is a vector.

    Yields
    ------
    Case
    """
    for n in sizes:
        for dtype in dtypes:
            for batch in batches:
                yield from _KINDS[kind](kind, n, dtype, batch)


def matrix_cases(
    name: str, target: np.ndarray, learned: FactorProduct, with_peers: bool = False
) -> list[Case]:
    """Return the cases of products with a user's matrix and its learned approximation.

    Parameters
    ----------
    name : str
        Group of the cases, and title of the table.
    target : ndarray, shape (m, n)
        The matrix. Its product, in double precision, is the reference.
    learned : FactorProduct, shape (m, n)
        The approximation. Its error is shown, and has no bound.
    with_peers : bool
        Whether the peers multiply by the approximation too.

    Returns
    -------
    list of Case
    """
    dtype = target.dtype.name
    wide = target.astype(timed_operators.wider(dtype))
    factors = [factor.astype(dtype) for factor in learned.factors]
    factors[0] = factors[0] * target.dtype.type(learned.scale)
    operator = timed_operators.Operator(
        dtype, lambda x: wide @ x, lambda: target, tuple(factors)
    )
    found: list[Case] = []
    for batch in (1, 64):
        product = _Product(name, target.shape, dtype, batch, lambda: operator)
        found += product.chain(operator.nnz, math.inf)
        found.append(product.dense())
    return [case for case in found if with_peers or not peers.is_peer(case.impl)]


def _at(kind, n, dtype, batch, m=None):
    """Return the product with the operator of a kind, n × n unless m is given."""
    shape = (m or n, n)
    return _Product(
        kind, shape, dtype, batch, lambda: timed_operators.build(kind, n, dtype)
    )


def _hadamard(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound, nnz = 2 * levels, 2 * n * levels
    yield product.case("nbfact fwht", _fwht, bound, n * levels)
    yield from product.chain(nnz, bound)
    yield from product.peer("fht-cpu", bound, n * levels, 0, None)
    if dtype == "float64" and batch == 1:  # its batches are lists of vectors
        yield from product.peer("pyfwht", bound, n * levels, 0, None)
    yield product.dense()


def _butterfly(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound, nnz = 2 * levels, 2 * n * levels
    flops, stored = product.multiply_add * nnz, nnz * np.dtype(dtype).itemsize
    yield product.case(BUTTERFLY, _butterfly_operator, bound, flops, stored, nnz)
    yield product.case("nbfact butterfly", _apply, bound, flops, stored, nnz)
    yield from product.chain(nnz, bound)
    if dtype != "complex64":
        yield from product.peer(peers.OPTIMIZED, bound, flops, stored, nnz)
    for name in ("lazylinop", *peers.FUSED):
        yield from product.peer(name, bound, flops, stored, nnz)
    yield product.dense()


def _dft(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    bound = 2 * levels
    yield product.exact(dft, 2 * n * levels, bound)
    yield from product.chain(2 * n * levels, bound)
    yield product.case("scipy.fft", _fft, bound, 5 * n * levels, rival=True)
    yield product.dense()


def _dct(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch)
    levels = n.bit_length() - 1
    flops = 2.5 * n * levels
    yield product.exact(dct, Chain.rank2(n).n_parameters, 2 * levels)
    yield product.case("scipy.fft", _fast_dct, 2 * levels, flops, rival=True)
    yield product.dense()


def _planted(kind, n, dtype, batch):
    product = _at(kind, n, dtype, batch, n // 4)
    depth, k = timed_operators.PLANTED_FACTORS, timed_operators.PLANTED_K
    rows = (depth - 1) * n + n // 4
    yield from product.chain(k * rows, 2 * depth)
    yield product.dense()


_KINDS = {
    "hadamard": _hadamard,
    "butterfly": _butterfly,
    "dft": _dft,
    "dct": _dct,
    "planted": _planted,
}


def _dense(inputs):
    A, x = inputs.operator.dense, inputs.x
    out = np.empty((len(A), *x.shape[1:]), x.dtype)
    return lambda: np.matmul(A, x, out=out)


def _chain(inputs):
    F, x = FactorProduct(list(inputs.operator.factors)), inputs.x
    return lambda: F @ x


def _scipy_chain(inputs):
    factors, x = inputs.operator.factors[::-1], inputs.x

    def call():
        y = x
        for factor in factors:
            y = factor @ y
        return y

    return call


def _fwht(inputs):
    x, out = inputs.x, sample.aligned_like(inputs.x)
    transform = fwht if x.ndim == 1 else fwht_columns

    def call():
        np.copyto(out, x)
        transform(out)
        return out

    return call


def _apply(inputs):
    values, x, out = inputs.operator.values, inputs.x, np.empty_like(inputs.x)
    if x.ndim == 1:
        twiddle = np.empty((len(values), 2, 2, values.shape[1]), values.dtype)
        butterfly_pack(values, twiddle)
        scratch = np.empty_like(x)

        def call():
            butterfly_apply(twiddle, x, scratch, out)
            return out

    else:

        def call():
            butterfly_apply_columns(values, x, out)
            return out

    return call


def _butterfly_operator(inputs):
    B, x = inputs.operator.butterfly, inputs.x
    return lambda: B @ x


def _exact(transform, inputs):
    x = inputs.x
    B = transform(len(x), normalized=False, dtype=x.dtype)
    return lambda: B @ x


def _fft(inputs):
    x = inputs.x
    return lambda: scipy.fft.fft(x, axis=0)


def _fast_dct(inputs):
    x = inputs.x
    return lambda: scipy.fft.dct(x, axis=0)
