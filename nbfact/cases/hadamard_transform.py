"""Cases of the Walsh-Hadamard transform alone: no matrix, hence any size.

Each implementation gets what it likes best: a fresh copy of x in its own layout, inside
the clock, that it transforms in place. With a batch, vectors lie along the last axis
(``rows``) or along the first (``columns``, for which rivals get Fortran order). The
yardstick is a transform in NumPy, level by level.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..harness import sample
from ..harness.case import Case
from ..kernels import fwht, fwht_columns, fwht_rows
from . import timed_operators
from .rivals import peers

NUMPY = "numpy levels"
LIMIT = 1 << 26
"""Bytes of the largest x."""


@dataclass(eq=False)
class TransformInputs:
    """What is transformed: x, (n,) or with vectors along an axis of two."""

    x: np.ndarray
    axis: int


def fwht_cases(
    sizes: Sequence[int],
    dtypes: Sequence[str],
    batches: Sequence[int],
    limit: int = LIMIT,
) -> Iterator[Case]:
    """Yield the cases of the transform of one vector, and of rows and columns.

    Parameters
    ----------
    sizes, dtypes, batches : sequences
        Lengths of vectors, powers of two; names of dtypes; numbers of vectors.
    limit : int
        Bytes of x beyond which a case is left out.

    Yields
    ------
    Case
    """
    for n in sizes:
        for dtype in dtypes:
            for batch in batches:
                if n * batch * np.dtype(dtype).itemsize <= limit:
                    for layout in ("rows", "columns") if batch > 1 else ("vector",):
                        yield from _cases(n, dtype, batch, layout)


def _cases(n, dtype, batch, layout):
    kernels = {"vector": fwht, "rows": fwht_rows, "columns": fwht_columns}
    impls: dict[str, Callable] = {
        "nbfact fwht": _in_place(kernels[layout]),
        NUMPY: _in_place(_levels, "axis"),
    }
    if peers.installed("fht-cpu"):
        impls["fht-cpu"] = _contiguous_vectors(peers.prepare("fht-cpu"))
    if peers.installed("pyfwht") and dtype == "float64" and layout != "columns":
        impls["pyfwht"] = peers.prepare("pyfwht")  # of reals, float64 alone
    levels = n.bit_length() - 1
    for impl, prepare in impls.items():
        yield Case(
            group="fwht",
            impl=impl,
            params={"n": n, "batch": batch, "layout": layout, "dtype": dtype},
            make=functools.partial(_make, n, dtype, batch, layout),
            prepare=prepare,
            reference=_reference,
            bound=2 * levels * float(np.finfo(dtype).eps),
            size=2 * n * batch * np.dtype(dtype).itemsize,
            flops=n * levels * batch,
            nnz=None,
            yardstick=NUMPY,
            rival=impl in peers.PACKAGES,
        )


def _make(n, dtype, batch, layout, rng):
    shape = {"vector": (n,), "rows": (batch, n), "columns": (n, batch)}[layout]
    x = rng.standard_normal(shape).astype(dtype)
    return TransformInputs(x, 1 if layout == "rows" else 0)


def _reference(inputs):
    wide = inputs.x.astype(timed_operators.wider(inputs.x.dtype))
    _levels(wide, inputs.axis)
    return wide


def _in_place(transform, *names):
    """Prepare what works in place; the copy is inside the clock."""

    def prepare(inputs):
        x, out = inputs.x, sample.aligned_like(inputs.x)
        arguments = [getattr(inputs, name) for name in names]

        def call():
            np.copyto(out, x)
            transform(out, *arguments)
            return out

        return call

    return prepare


def _contiguous_vectors(prepare):
    """Prepare a rival whose vectors are contiguous along either axis."""

    def prepared(inputs):
        order = "F" if inputs.axis == 0 else "C"
        return prepare(TransformInputs(np.asarray(inputs.x, order=order), inputs.axis))

    return prepared


def _levels(x, axis):
    """Transform x, in C order, along an axis in place: a few NumPy calls a level."""
    stride = x.size // x.shape[0] if axis == 0 else 1
    end = stride * x.shape[axis]
    while stride < end:
        pairs = x.reshape(-1, 2, stride)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
        stride *= 2
