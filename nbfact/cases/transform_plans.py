"""Cases of named transforms: who is chosen to multiply, beside the ways not chosen.

A `NamedTransform` is multiplied by the kernels of its chain, by kernels that know its
values, or by scipy.fft (`nbfact.operators.named_transform`). The yardstick is scipy.fft
itself, called as its users do.
"""

import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.fft

from .._core.dtypes import real_dtype
from ..harness.case import Case
from ..operators import Butterfly, dct, dft, dst, hartley
from . import timed_operators
from .rivals import peers

SCIPY, CHOSEN, CHAIN = "scipy.fft", "nbfact transform", "nbfact chain plan"
"""Implementations: the library, the operator, and the plan of its chain."""

REALS = COLUMNS, ROWS = "dft of reals", "dft of real rows"
"""Names of the Fourier transform of real columns, and of real rows."""

TRANSFORMS: dict[str, Callable[..., Butterfly]] = {
    "dft": dft,
    **dict.fromkeys(REALS, dft),
    "dct": dct,
    "dct 3": functools.partial(dct, type=3),
    "dst": dst,
    "hartley": hartley,
}
"""The transforms, not normalised, by name."""


def transform_plan_cases(
    names: Sequence[str],
    sizes: Sequence[int],
    precisions: Sequence[str],
    batches: Sequence[int],
) -> Iterator[Case]:
    """Yield the cases of each way to multiply by a transform.

    Parameters
    ----------
    names : sequence of str
        Keys of :data:`TRANSFORMS`.
    sizes : sequence of int
        Orders, of any kind.
    precisions : sequence of str
        "float32" or "float64"; results of "dft" and of :data:`REALS` are of the complex
        dtypes of the precision.
    batches : sequence of int
        Numbers of columns of x; with one, x is a vector.

    Yields
    ------
    Case
    """
    for name in names:
        for n in sizes:
            for precision in precisions:
                dtype = np.dtype(precision)
                if TRANSFORMS[name] is dft:
                    dtype = np.result_type(dtype, np.complex64)
                for batch in batches:
                    yield from _cases(name, n, dtype, batch)


def _cases(name, n, dtype, batch):
    prepares: dict[str, Callable] = {
        SCIPY: _scipy,
        CHOSEN: _chosen,
        CHAIN: _chain,
    }
    for peer in ("pyfftw", "mkl_fft"):
        takes = name not in REALS if peer == "pyfftw" else name == "dft"
        if peers.installed(peer) and takes:
            prepares[peer] = peers.prepare(peer)
    levels = max(float(np.log2(n)), 1.0)
    for impl, prepare in prepares.items():
        yield Case(
            group="transform plans",
            impl=impl,
            params={"transform": name, "n": n, "batch": batch, "dtype": dtype.name},
            make=functools.partial(_make, name, n, dtype, batch),
            prepare=prepare,
            reference=_reference,
            bound=4 * levels * n**0.25 * float(np.finfo(dtype).eps),
            size=2 * n * batch * dtype.itemsize,
            flops=int((5 if name == "dft" else 2.5) * n * levels * batch),
            nnz=None,
            yardstick=SCIPY,
            rival=impl not in (CHOSEN, CHAIN),
        )


class TransformOperand:
    """Inputs of a transform: its name, the operator, and a Gaussian x."""

    def __init__(self, name: str, operator: Butterfly, x: np.ndarray) -> None:
        self.name, self.operator, self.x = name, operator, x


def _make(name, n, dtype, batch, rng):
    shape = (n,) if batch == 1 else (n, batch)
    x = rng.standard_normal(shape)
    if dtype.kind == "c" and name not in REALS:
        x = x + 1j * rng.standard_normal(shape)
    operator = TRANSFORMS[name](n, normalized=False, dtype=dtype)
    x = x.astype(real_dtype(dtype) if name in REALS else dtype)
    return TransformOperand(name, operator, x.T.copy() if name == ROWS else x)


def _transformed(name, x):
    """Return the transform of the columns, or rows, of x by scipy.fft."""
    if name == "hartley":
        found = scipy.fft.fft(x, axis=0)
        return found.real - found.imag
    if TRANSFORMS[name] is dft:
        return scipy.fft.fft(x, axis=-1 if name == ROWS else 0)
    kind, _, type = name.partition(" ")
    return getattr(scipy.fft, kind)(x, int(type or 2), axis=0)


def _reference(inputs):
    wide = inputs.x.astype(timed_operators.wider(inputs.x.dtype))
    return _transformed(inputs.name, wide)


def _scipy(inputs):
    name, x = inputs.name, inputs.x
    return lambda: _transformed(name, x)


def _chosen(inputs):
    return _product(inputs, inputs.operator)


def _chain(inputs):
    A = inputs.operator
    return _product(
        inputs, Butterfly(A.chain, A.values, rows=A.rows, columns=A.columns)
    )


def _product(inputs, A):
    x = inputs.x
    if inputs.name != ROWS:
        return lambda: A @ x
    T = A.T
    return lambda: x @ T
