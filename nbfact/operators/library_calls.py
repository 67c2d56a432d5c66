"""The calls of SciPy that transform along an axis, with the least work in Python.

Functions of scipy.fft dispatch to other libraries (``scipy.fft.set_backend``), which
takes as long as the transform of a hundred numbers. Those of scipy.fftpack compute the
same bits without that, and with fewer options; small products call them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._core import threads

FOLDED = 1 << 13
"""Numbers of a Hartley transform from which on half of a Fourier transform is taken,
and folded: before, the calls for it take longer than the other half."""
SCALED = 1 << 11
"""Numbers of an orthonormal Fourier transform up to which another pass that scales it
takes less time than the dispatch of scipy.fft, which would scale as it transforms."""
_POWERS = {"backward": 0.0, "ortho": 0.5, "forward": 1.0}
"""Powers of 1 / n by which ``norm`` scales a Fourier transform."""


class TransformKind(NamedTuple):
    """Which transform of SciPy is called.

    Attributes
    ----------
    function : str
        One of ``"fft"``, ``"ifft"``, ``"hartley"``, ``"dct"`` and ``"dst"``.
    type : int
        Type of a cosine or sine transform, 1 to 4, and 0 for the others.
    orthogonal : bool
        The argument ``orthogonalize`` of a cosine or sine transform.
    norm : str
        The argument ``norm``.
    n : int
        Order.
    """

    function: str
    type: int
    orthogonal: bool
    norm: str
    n: int


def library_calls(kind: TransformKind, work: float) -> tuple[Callable, Callable, float]:
    """Return the calls for many numbers and for few, and from where the first counts.

    Parameters
    ----------
    kind : TransformKind
    work : float
        What `nbfact.operators.formulas.transform_work` returns for the order.

    Returns
    -------
    (callable, callable, float)
        A function (x, axis, overwrite) that uses threads, a faster one (x, axis) for
        one thread, and the size of x from which the first one is called.
    """
    import scipy.fft  # not at the top: it takes longer to import than nbfact

    function, number, orthogonal, norm, n = kind
    wide = threads.shared_from(8 * work) * n

    def workers(x):
        return threads.team(8 * work, x.size // n) if x.size >= wide else None

    if function == "hartley":
        rfft = scipy.fft.rfft

        def hartley(x, axis, overwrite):
            half = rfft(x, None, axis, norm, False, workers(x))
            found = x if overwrite else np.empty_like(x)
            _fold(half.swapaxes(0, axis), found.swapaxes(0, axis))
            return found

        return hartley, _small_hartley(norm, n), min(wide, FOLDED)
    call = getattr(scipy.fft, function)
    if number:
        # The variant is that of the norm by default, and to say so takes time.
        other = {} if orthogonal == (norm == "ortho") else {"orthogonalize": orthogonal}

        def real(x, axis, overwrite):
            team = workers(x)
            return call(x, number, None, axis, norm, overwrite, team, **other)

        return real, _small_real(kind, other), wide

    def fourier(x, axis, overwrite):
        return call(x, None, axis, norm, overwrite, workers(x))

    return fourier, _small_fourier(kind), wide


def _small_real(kind, other):
    """Return the function (x, axis) of a cosine or sine transform of few numbers.

    `other` holds further arguments for scipy.fft.
    """
    import scipy.fft
    import scipy.fftpack

    function, number, _, norm, _ = kind
    if other or norm == "forward":  # which scipy.fftpack does not have
        call = getattr(scipy.fft, function)
        return lambda x, axis: call(x, number, None, axis, norm, **other)
    call, known = getattr(scipy.fftpack, function), "ortho" if norm == "ortho" else None
    return lambda x, axis: call(x, number, None, axis, known)


def _small_fourier(kind):
    """Return the function (x, axis) of a Fourier transform of few numbers."""
    import scipy.fft
    import scipy.fftpack

    function, norm = kind.function, kind.norm
    if norm == "backward":  # which scipy.fftpack computes, and no other
        call = getattr(scipy.fftpack, function)
        return lambda x, axis: call(x, None, axis)
    call, plain = getattr(scipy.fft, function), getattr(scipy.fftpack, function)
    if norm != "ortho":
        return lambda x, axis: call(x, None, axis, norm)
    weight = kind.n ** (-0.5 if function == "fft" else 0.5)

    def small(x, axis):
        if x.size > SCALED:
            return call(x, None, axis, norm)
        found = plain(x, None, axis)
        found *= weight
        return found

    return small


def _small_hartley(norm, n):
    """Return the function (x, axis) of a Hartley transform of few numbers."""
    import scipy.fftpack

    fft, weight = scipy.fftpack.fft, n ** -_POWERS[norm]

    def small(x, axis):
        full = fft(x, None, axis)
        found = full.real - full.imag
        if weight != 1.0:
            found *= weight
        return found

    return small


def _fold(half, out):
    """Write Re y - Im y to out, for a Fourier transform y of real columns.

    `half` has its first rows; row n - k is the conjugate of row k.
    """
    n, middle = len(out), len(half)
    np.subtract(half.real, half.imag, out=out[:middle])
    rest = slice(n - middle, 0, -1)
    np.add(half.real[rest], half.imag[rest], out=out[middle:])


def of_parts(transform: Callable, kind: np.dtype) -> Callable:
    """Return a real transform of complex arrays, part by part.

    `transform` is the first one of `library_calls`, and `kind` the real dtype.
    """

    def multiply(x, axis, overwrite):
        x = np.ascontiguousarray(x)  # the library takes rows in Fortran order, too
        parts = x.view(kind).reshape(*x.shape, 2)
        found = transform(parts, axis, overwrite)
        return found.reshape(-1).view(x.dtype).reshape(x.shape)

    return multiply
