"""Cases of the Walsh-Hadamard transform alone, of any size: there is no dense matrix.

Each implementation transforms in place a fresh copy of x in the memory layout that
suits it best; the copying is timed too. The vectors of a batch lie along the last axis
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
"""Implementation: a few calls of NumPy for each level."""

LIMIT = 1 << 26
"""Largest x in bytes: larger ones would take too much memory and time."""


@dataclass(eq=False)
class TransformInputs:
    """Inputs of the transform.

    Attributes
    ----------
    x : ndarray, (n,), (n, batch) or (batch, n)
        What to transform.
    axis : int
        Axis along which the vectors lie.
    """

    x: np.ndarray
    axis: int


def fwht_cases(
    sizes: Sequence[int],
    dtypes: Sequence[str],
    batches: Sequence[int],
    limit: int = LIMIT,
) -> Iterator[Case]:
    """Yield the cases of the transform of one vector, of rows, and of columns.

    Parameters
    ----------
    sizes, dtypes, batches : sequences
        Lengths of the vectors (powers of two), names of dtypes, and numbers of vectors.
    limit : int
        Largest x in bytes: cases beyond it are left out.

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
        NUMPY: _in_place(numpy_levels, "axis"),
    }
    if peers.installed("fht-cpu"):
        impls["fht-cpu"] = _contiguous_vectors(peers.prepare("fht-cpu"))
    # The only real dtype of pyfwht is float64.
    if peers.installed("pyfwht") and dtype == "float64" and layout != "columns":
        impls["pyfwht"] = peers.prepare("pyfwht")
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
    numpy_levels(wide, inputs.axis)
    return wide


def _in_place(transform, *names):
    """Prepare a transform that works in place on a fresh copy; copying is timed too.

    Parameters
    ----------
    transform : callable
        Called with the copy, and with the attributes of the inputs that `names` lists.
    *names : str
        Names of attributes of the inputs.
    """

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
    """Prepare a rival with contiguous vectors, along whichever axis they lie."""

    def prepared(inputs):
        vectors = np.asfortranarray if inputs.axis == 0 else np.ascontiguousarray
        return prepare(TransformInputs(vectors(inputs.x), inputs.axis))

    return prepared


def numpy_levels(x: np.ndarray, axis: int) -> None:
    """Transform x, in C order, in place along an axis, by a few NumPy calls a level.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> numpy_levels(x, 0)
    >>> x
    array([ 3., -1.])
    """
    stride = x.size // x.shape[0] if axis == 0 else 1
    end = stride * x.shape[axis]
    while stride < end:
        pairs = x.reshape(-1, 2, stride)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
        stride *= 2
