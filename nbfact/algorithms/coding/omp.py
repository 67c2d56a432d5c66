"""omp: sparse codes by orthogonal matching pursuit, through any operator."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..._core.array_checks import array_of, plain_array
from ..._core.checks import real_number, size
from ..._core.dtypes import common_dtype, real_dtype
from ...kernels import add_atoms, largest_of_columns, solve_triangles
from ..common.problem import TargetLike
from ..common.result import Factorization
from .atoms import Atoms
from .batch import BATCH_TILE, UNKNOWN, batch_pursuit
from .scaling import rounding, shift_rows, shifted, write_codes

TILE = 1 << 18
"""Number of correlations that are held at a time, 2 MB in float64: as many signals are
coded together, at least `FEWEST`."""

FEWEST = 32
"""Least number of signals that are coded together, so that products with the dictionary
have many columns."""

FIRST_ATOMS = 8
"""Number of atoms of each signal for which memory is made at first; it doubles."""


def omp(
    A: TargetLike | Factorization[Any],
    Y: ArrayLike,
    *,
    n_nonzero: int | None = None,
    tol: float | None = None,
) -> np.ndarray:
    """Find sparse codes X with A X ≈ Y by orthogonal matching pursuit.

    Parameters
    ----------
    A : array_like, scipy sparse, LinearOperator or Factorization, (m, n)
        The dictionary, real or complex and finite. Its columns, the atoms, should have
        about the same norm, because the atom with the largest inner product is chosen.
        An operator is never made dense: it multiplies, and computes the atoms that
        were chosen.
    Y : array_like, (m,) or (m, p)
        A signal, or one in each column, real or complex and finite.
    n_nonzero : int, optional
        Maximum number of non-zeros of each code, from 1 to min(m, n).
    tol : float, optional
        A code ends when the squared norm of its residual is at most `tol`, as in
        scikit-learn. At least one of the two is needed; with both, a code ends when
        either is reached.

    Returns
    -------
    ndarray, (n,) or (n, p)
        The codes: the columns of X have few non-zeros. A code has fewer of them than
        `n_nonzero` when its residual is down to rounding, or orthogonal to all atoms.

    Raises
    ------
    TypeError
        A or Y does not hold numbers.
    ValueError
        NaN or infinity; shapes that do not fit; neither `n_nonzero` nor `tol`, or one
        that is out of range; an operator whose products are not finite; codes beyond
        the range of their dtype.

    Warns
    -----
    RuntimeWarning
        Where `tol` alone is given and a residual stays above it, because no atom lowers
        it any more.

    See Also
    --------
    palm4msa, learn_transform : Find fast operators near to a dictionary.

    Notes
    -----
    In each step the atom j with the largest modulus of the residual's inner product
    (Aᴴ r)_j joins the support, the first one among equals, and the code is the least
    squares solution on the support. All signals of a tile make a step together, by one
    product with Aᴴ. Atoms are made orthonormal one after the other (twice, for
    accuracy), which updates a Cholesky factor of their Gram matrix. The Gram matrix of
    the whole dictionary, n² entries, is made of a small dense dictionary alone, of at
    most 2²⁰ entries and 1024 atoms, where a count of costs says that it pays for so
    many signals. It then updates the inner products, and these are computed from the
    residual again where more than four bits of them could be lost. Supports are the
    same but where two inner products are equal to rounding.

    Cost of a step for p signals: one product of Aᴴ with p columns, and 8 t m p
    multiplications when each has t atoms. With the Gram matrix, whose cost is n² m, the
    product is replaced by t n p multiplications. Memory: the codes, for a tile of w
    signals w (n + m t + t²) numbers, and three times 2²⁰ ones for the Gram matrix and
    two copies of the dictionary.

    References
    ----------
    Y. C. Pati, R. Rezaiifar and P. S. Krishnaprasad, Orthogonal matching pursuit:
    recursive function approximation with applications to wavelet decomposition,
    Asilomar Conference on Signals, Systems and Computers, 1993 [pati1993].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.transforms.dct(64).H  # an operator: its columns are cosines
    >>> X = np.zeros((64, 2))
    >>> X[[3, 17], 0], X[40, 1] = [2.0, -1.0], 0.5
    >>> codes = nf.omp(A, A @ X, n_nonzero=2)
    >>> bool(np.allclose(codes, X))
    True
    """
    atoms = Atoms(A)
    m, n = atoms.shape
    Y = array_of("Y", Y, 2 if plain_array("Y", Y).ndim == 2 else 1)
    if len(Y) != m:
        raise ValueError(f"Y has {len(Y)} rows {Y.shape} but A is {(m, n)}")
    if n_nonzero is None and tol is None:
        raise ValueError("n_nonzero or tol is needed: when does a code end?")
    most = min(m, n)
    limit = most if n_nonzero is None else size("n_nonzero", n_nonzero, 1, most)
    bound = 0.0 if tol is None else math.sqrt(real_number("tol", tol, least=0))
    dtype = common_dtype(atoms.dtype, Y.dtype)
    signals = Y.reshape(m, -1)
    codes = np.zeros((n, signals.shape[1]), dtype)
    reached = True
    known = limit if tol is None else min(limit, UNKNOWN)
    batch = batch_pursuit(atoms.matrix, dtype, signals.shape[1], known)
    width = max(FEWEST, (BATCH_TILE if batch else TILE) // n)
    for start in range(0, signals.shape[1], width):
        part = slice(start, start + width)
        rows = np.array(signals[:, part].T, dtype, order="C")
        pursuit = batch(rows) if batch else _Pursuit(atoms, rows)
        pursuit.run(limit, bound)
        reached &= bool((pursuit.norms <= pursuit.floors).all())
        pursuit.write(codes[:, part])
    if n_nonzero is None and not reached:
        warnings.warn(
            "tol was not reached by all codes: no further atom lowers their residuals",
            RuntimeWarning,
            stacklevel=2,
        )
    return codes.reshape((n, *Y.shape[1:]))


class _Pursuit:
    """The codes of some signals, all of which take a step together.

    Parameters
    ----------
    atoms : Atoms
    residuals : ndarray, (w, m)
        The signals, one in each row; overwritten.

    Attributes
    ----------
    norms, floors : ndarray, (w,)
        Norms of the residuals, and the norms at which codes end, in the units of the
        signals divided by powers of two.
    """

    def __init__(self, atoms: Atoms, residuals: np.ndarray) -> None:
        self._atoms, self._residuals = atoms, residuals
        self._exponents = shift_rows(residuals)
        self.norms = np.linalg.norm(residuals, axis=1)
        self._tiny = rounding(residuals.dtype)
        self.floors = self._tiny * self.norms
        w, m = residuals.shape
        self._counts = np.zeros(w, np.intp)
        self._shifts = np.zeros((w, FIRST_ATOMS), np.intc)  # exponents of the atoms
        self._support = np.zeros((w, FIRST_ATOMS), np.intp)
        self._basis = np.empty((w, FIRST_ATOMS, m), residuals.dtype)
        self._triangle = np.zeros((w, FIRST_ATOMS, FIRST_ATOMS + 1), residuals.dtype)

    def run(self, limit: int, bound: float) -> None:
        """Add atoms until each code has `limit` ones or a residual of norm `bound`."""
        real = real_dtype(self._residuals.dtype)
        self.floors = np.maximum(shifted(bound, -self._exponents), self.floors)
        active = np.flatnonzero(self.norms > self.floors)
        for step in range(limit):
            if active.size == 0:
                break
            if step == self._support.shape[1]:
                self._grow(min(limit, 2 * step))
            left = np.ascontiguousarray(self._residuals[active].T)
            index, sizes = np.empty(active.size, np.intp), np.empty(active.size, real)
            largest_of_columns(self._atoms.correlations(left), index, sizes)
            if not np.isfinite(sizes).all():
                raise ValueError("A: its adjoint returns NaN or infinity")
            active, index = active[sizes > 0], index[sizes > 0]
            active = self._add(step, active, index)

    def _add(self, step, active, index):
        """Add an atom to each active signal; return those that go on."""
        new = np.ascontiguousarray(self._atoms.take(index), self._residuals.dtype)
        self._shifts[active, step] = shift_rows(new)
        add_atoms(
            new,
            active,
            step,
            self._tiny,
            self._basis,
            self._triangle,
            self._residuals,
        )
        added = self._triangle[active, step, step + 1] != 0
        active, index = active[added], index[added]
        self._support[active, step] = index
        self._counts[active] = step + 1
        self.norms[active] = np.linalg.norm(self._residuals[active], axis=1)
        return active[self.norms[active] > self.floors[active]]

    def _grow(self, count):
        """Make memory for `count` atoms of each signal."""
        more = count - self._support.shape[1]
        self._support = np.pad(self._support, ((0, 0), (0, more)))
        self._shifts = np.pad(self._shifts, ((0, 0), (0, more)))
        self._basis = np.pad(self._basis, ((0, 0), (0, more), (0, 0)))
        self._triangle = np.pad(self._triangle, ((0, 0), (0, more), (0, more)))

    def write(self, out: np.ndarray) -> None:
        """Write the codes to the columns of an array of zeros, (n, w)."""
        solve_triangles(self._triangle, self._counts)
        rows, places = np.nonzero(
            np.arange(self._support.shape[1]) < self._counts[:, None]
        )
        write_codes(
            out,
            rows,
            self._support[rows, places],
            self._triangle[rows, places, 0],
            self._exponents[rows] - self._shifts[rows, places],
        )
