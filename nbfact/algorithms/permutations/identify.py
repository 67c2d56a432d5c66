"""identify_butterfly: butterflies whose permutations are not known."""

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..._core.checks import RandomState, size
from ...kernels import frobenius_norm
from ...metrics import relative_error
from ...operators import Butterfly, Chain, FactorProduct
from ..butterfly.butterfly_factorize import butterfly_factorize
from ..common.factors import Dense
from ..common.result import Factorization, History, SweepState
from ..common.target import checked_target, shift
from ..palm.refine import refine
from .nests import Nest, fresh, near

# What agreeing with the best split so far is worth, in variances of the noise; passes
# take turns. 0 follows the data alone; with 9 little changes but what is sure.
_LOYALTIES = (0.0, 1.0, 3.0, 9.0)

# Noise added before the third start and later ones, at most, relative to the residual.
_SHAKE = 0.5

# The error that noise explains, to this share and 1 / n: it varies.
_LIKELY = 0.02

# Entries of all targets that the starts may see together, by default.
_ENTRIES = 1 << 21


@dataclass(frozen=True)
class PermutedFactorization(Factorization):
    """A ≈ scale * factors[0] @ ... @ factors[-1], rows and columns permuted.

    Attributes
    ----------
    operator, relative_error, history, target
        See `Factorization`; permutations are merged into the factors. `history` holds
        the error after each pass.
    row_permutation, column_permutation : ndarray of intp, (n,)
        ``A[np.ix_(row_permutation, column_permutation)]`` is nearly a butterfly
        without permutations: a product in `Chain.square_dyadic`. With ``tied=False``
        no single order fits all blocks: rows are in the order of the nested halves,
        columns in that of the pairs of the first block of each level (when
        `transposed`, the other way round).
    butterfly : Butterfly or None
        The operator as a Butterfly, which multiplies faster; None with ``tied=False``.
    transposed : bool
        Whether the best was found in the transpose. Only with ``tied=False`` it
        matters: rows are then paired differently in different blocks of columns.
    """

    row_permutation: np.ndarray = field(default=None, repr=False)
    column_permutation: np.ndarray = field(default=None, repr=False)
    butterfly: Butterfly | None = field(default=None, repr=False)
    transposed: bool = False


def identify_butterfly(
    target: Any,
    *,
    tied: bool = True,
    n_iter: int = 20,
    n_restarts: int | None = None,
    refine_values: bool = True,
    callback: Callable[[SweepState], Any] | None = None,
    random_state: RandomState = None,
) -> PermutedFactorization:
    """Find the permutations that make a matrix a butterfly, and its factors.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (n, n)
        The matrix A, n a power of two, real or complex, finite. Made dense.
    tied : bool
        Whether all blocks of a level pair their columns alike: A is then one butterfly
        with one permutation of the rows and one of the columns. Without, each block
        pairs its own: as many non-zeros, more freedom, to approximate a matrix that is
        no butterfly; supports that `explore` and `refine` start well from.
    n_iter : int, default 20
        Passes from each start, at most: from the right and from the left in turns,
        each near the best split so far. Only with ``tied=True``.
    n_restarts : int, optional
        Starts beyond the first, in A and in its transpose in turns. They end early:
        see Notes. By default 15 up to n = 256, 7 for n = 512, 1 from 1024 on.
    refine_values : bool
        Whether to end with `refine` where the error is above rounding.
    callback : callable, optional
        Called with a `SweepState` after each pass, of the best so far; returning True ends
        the search.
    random_state : None, int or numpy.random.Generator
        For the columns that searches begin with, and for the noise of later starts.

    Returns
    -------
    PermutedFactorization
        With log2(n) factors (one for n = 1), two non-zeros in each row and column.
        Zero factors and an error of 0 for a zero target.

    Raises
    ------
    TypeError
        A target that is not numeric.
    ValueError
        A target that is not square, or not a power of two; NaN or infinity; n_iter < 1
        or n_restarts < 0. The message names the argument and the sizes.

    Notes
    -----
    The last factor of a butterfly leaves the rows in two halves, and the columns in
    pairs (a, b), so that each pair has rank one in each half. With P the Gram matrix
    of the columns over a half, a split loses

        Σ_halves Σ_pairs λ_min [[P_aa, P_ab], [P_ba, P_bb]],

    which is the exact error of the best values. It is lowered by turns over the pairs
    (the surest first, then chains of exchanges) and over the halves (each row by what
    it loses in either), from two lines through the points (A_ia, A_ib) of likely pairs
    (a, b): those whose moments of order four have a nearly singular 3 × 3 matrix. The
    coordinates on the best lines are two matrices of half the size, which are split in
    turn; blocks of at most 8 rows in the best of all ways.

    Splits are nested by construction, but greedy. Further passes, in the transpose and
    back, so that what was last is first, stay near the best splits found; how near is
    varied. From the third start on, noise is added to the target, not to its errors:
    near ties fall otherwise. Values are those of `butterfly_factorize`, with its
    guarantees, then of `refine`. The search ends at an error of rounding, or once the
    error is what noise explains, of the variance that is left by the first level.

    A pass costs O(n³), of products of matrices; one is enough without noise.

    References
    ----------
    L. Zheng, G. Puy, E. Riccietti, P. Pérez, R. Gribonval, Butterfly factorization by
    algorithmic identification of rank-one blocks, GRETSI 2023: each level by itself.
    Q.-T. Le, L. Zheng, E. Riccietti, R. Gribonval, Butterfly factorization with error
    guarantees, SIAM J. Matrix Anal. Appl. 46(4), 2025: the values.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> F = np.fft.fft(np.eye(32))[rng.permutation(32)][:, rng.permutation(32)]
    >>> r = nf.identify_butterfly(F, random_state=0)
    >>> r.operator.nnz, bool(r.relative_error < 1e-14)
    (320, True)
    >>> straight = F[np.ix_(r.row_permutation, r.column_permutation)]
    >>> bool(nf.butterfly_factorize(straight).relative_error < 1e-14)
    True
    """
    began = time.perf_counter()
    matrix = checked_target(target, 1)
    _check_shape(matrix.shape)
    n_iter = size("n_iter", n_iter)
    if n_restarts is None:
        n_restarts = max(2, min(16, _ENTRIES // matrix.size)) - 1
    n_restarts = 0 if n_restarts == 0 else size("n_restarts", n_restarts)
    search = _LevelSearch(matrix, tied, callback, began)
    search.run(np.random.default_rng(random_state), n_restarts, n_iter)
    return search.result(matrix, refine_values)


def _check_shape(shape):
    m, n = shape
    if m != n or n & (n - 1):
        raise ValueError(f"target {shape}: expected (n, n), n a power of two")


@dataclass(frozen=True)
class _Found:
    """A nest of the target, or of its transpose when turned, and its error."""

    nest: Nest
    turned: bool
    error: float

    def straight(self) -> Nest:
        """Return the nest of the target."""
        return self.nest.turned() if self.turned else self.nest


class _LevelSearch:
    """The search for permutations, and the best found so far."""

    def __init__(self, matrix, tied, callback, began) -> None:
        self._dtype = matrix.dtype
        norm = frobenius_norm(matrix)
        self._exponent = math.frexp(norm)[1] if math.isfinite(norm) else 1024
        exact = matrix.astype(np.result_type(matrix, np.float64))
        exact = shift(exact, -self._exponent)
        self._views = exact, np.ascontiguousarray(exact.T)
        self._square = float(np.vdot(exact, exact).real)
        self._tied = tied
        self._best: _Found | None = None
        self._history = History()
        self._callback, self._began = callback, began
        self._stopped = False
        self._noise = math.inf  # as the first level that loses least tells it

    def run(self, rng, n_restarts, n_iter) -> None:
        """Start again and again, from the target and its transpose in turns."""
        for number in range(n_restarts + 1):
            turned = bool(number % 2)
            view = self._views[turned]
            if self._tied and number > 1:
                view = self._shaken(view, rng)
            share = 1.0 if not self._tied and number % 4 > 1 else 0.5
            found = self._noted(fresh(view, self._tied, rng, share), turned)
            if self._tied:
                self._improve(found, n_iter)
            if self._stopped or self._explained():
                return

    def _shaken(self, view, rng):
        """Return a view with noise added: what is nearly a tie falls otherwise."""
        noise = rng.standard_normal((*view.shape, 2))
        noise = noise.view(np.complex128)[..., 0]
        noise = noise if view.dtype.kind == "c" else noise.real
        noise = np.ascontiguousarray(noise)
        norm = _SHAKE * rng.random() * self._best.error * math.sqrt(self._square)
        return view + norm / frobenius_norm(noise) * noise

    def _improve(self, found, n_iter):
        """Make passes near the best of this start, until they no longer help."""
        stale = 0
        for _ in range(n_iter):
            if self._stopped or stale == 2 * len(_LOYALTIES):
                return
            other = stale % 2 == 0
            nest = found.nest.turned() if other else found.nest
            turned = found.turned ^ other
            worth = _LOYALTIES[stale // 2] * found.error**2 * self._square
            view = self._views[turned]
            passed = self._noted(near(view, nest, worth / view.size), turned)
            better = passed.error < found.error * (1 - 1e-9)
            found, stale = (passed, 0) if better else (found, stale + 1)

    def _noted(self, nest, turned):
        """Return a nest with its error, and tell the callback of it."""
        error = math.sqrt(nest.lost / (self._square or 1.0))
        if self._tied:
            error = self._values(nest, self._views[turned]).relative_error
        found = _Found(nest, turned, error)
        if self._best is None or error < self._best.error:
            self._best = found
        n = len(nest.rows)
        if n > 2:
            # This level fits n (n / 2 + 1) numbers to n² entries.
            left = nest.first_lost / (self._square or 1.0) / (0.5 - 1 / n)
            self._noise = min(self._noise, math.sqrt(left))
        self._history.errors.append(error)
        self._history.scales.append(1.0)
        self._history.seconds.append(time.perf_counter() - self._began)
        self._history.support_changes.append(0)
        self._stopped = self._best.error <= float(np.finfo(self._dtype).eps) ** 0.625
        if self._callback is not None:
            done = len(self._history.errors)
            state = SweepState(done, self._best.error, 1.0, self._parts)
            self._stopped |= bool(self._callback(state))
        return found

    def _explained(self):
        """Whether the best leaves what noise alone would, n (log2(n) + 1) numbers fit.

        Less, or more, comes from a target that is no butterfly, or not yet found.
        """
        n = len(self._views[0])
        if not self._tied or n < 8:
            return False
        expected = self._noise * math.sqrt(1 - n.bit_length() / n)
        return abs(self._best.error - expected) < (_LIKELY + 1 / n) * expected

    def _values(self, nest, matrix):
        """Return the factorization with the best values of a tied nest."""
        permutation = nest.rows, nest.columns
        return butterfly_factorize(matrix, permutation=permutation, transpose=False)

    def _parts(self):
        """Return the best factors so far, for a callback."""
        product, _ = self._operators(self._best.straight())
        return [Dense(factor.toarray()) for factor in product.factors]

    def _operators(self, nest):
        """Return the product of factors, and the butterfly, in units of the target."""
        if self._tied:
            exact = shift(self._views[0], self._exponent)
            butterfly = self._values(nest, exact).operator.astype(self._dtype)
            return butterfly.to_factors(), butterfly
        steps = _shares(self._exponent, len(nest.factors))
        factors = [
            shift(factor, step).astype(self._dtype)
            for factor, step in zip(nest.factors, steps, strict=True)
        ]
        return FactorProduct(factors), None

    def result(self, matrix, refine_values) -> PermutedFactorization:
        """Return the best, its values refined."""
        nest = self._best.straight()
        product, butterfly = self._operators(nest)
        error = float(relative_error(matrix, product.toarray()))
        if refine_values and error > 10 * np.finfo(self._dtype).eps:
            refined = refine(product, matrix)
            if refined.relative_error < error:
                product, error = refined.operator, refined.relative_error
                if butterfly is not None:
                    butterfly = _straightened(product, nest)
        return PermutedFactorization(
            product, error, self._history, nest.rows, nest.columns, butterfly,
            self._best.turned, target=matrix,
        )  # fmt: skip


def _shares(exponent, n_factors):
    """Return the exponents of two of each factor, so that none over- or underflows."""
    ends = [exponent * j // n_factors for j in range(n_factors + 1)]
    return [stop - start for start, stop in itertools.pairwise(ends)]


def _straightened(product, nest):
    """Return the butterfly of the factors of a tied nest."""
    factors = list(product.factors)
    factors[0] = factors[0][nest.rows]
    factors[-1] = sp.csr_array(factors[-1][:, nest.columns])
    straight = FactorProduct(factors, product.scale)
    chain = Chain.square_dyadic(len(nest.rows))
    plain = Butterfly.from_factors(straight, chain)
    return Butterfly(plain.chain, plain.values, rows=nest.rows, columns=nest.columns)
