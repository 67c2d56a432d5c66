"""Dictionaries that are products of sparse factors, fitted to signals."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import scipy.linalg

from ...constraints import Constraint, Sp
from ..common.factors import compressed
from ..common.problem import problem_of
from ..learn.starts import layer_shapes, split_budget
from ..palm.explore import explore
from ..palm.initial_factors import SweepStart
from ..palm.iterations import Iterate
from ..palm.palm4msa import palm4msa
from ..palm.peeling import PeelOptions, hierarchical_problem
from ..palm.presets import Preset
from .code_rule import CodeRule
from .k_svd import column_norms

EXPLORED = 200
"""Number of sweeps of an exploration: more lower the error of the dictionary, and
hardly that of the codes."""

SWEEPS = 30
"""Number of sweeps over the factors after each coding of the signals."""

INERTIA = 1e-3
"""Weight of the present dictionary in a fit, relative to the mean square of the
coefficients of an atom: atoms that no signal uses stay as they are."""

LEAST_USE = 1e-2
"""Least weight of an atom in an exploration, relative to the largest one."""


@dataclasses.dataclass(frozen=True)
class FastDictionaryFit:
    """A dictionary as factors.

    Attributes
    ----------
    factors : list of ndarray
        The factors, left to right. The columns of their product have norm 1, but for
        those of zeros.
    """

    factors: list[np.ndarray]

    @classmethod
    def of(cls, factors: Sequence[np.ndarray]) -> "FastDictionaryFit":
        """Return the dictionary of some factors; the last one gets the unit norms."""
        norms = column_norms(_product(factors))
        return cls([*factors[:-1], factors[-1] / norms])

    @property
    def array(self) -> np.ndarray:
        """The dictionary, (m, n)."""
        return _product(self.factors)

    @property
    def nnz(self) -> int:
        """Number of non-zeros of the factors."""
        return sum(int(np.count_nonzero(factor)) for factor in self.factors)


class Signals:
    """Signals to learn from, and their codes in the present dictionary.

    Parameters
    ----------
    array : ndarray, (m, p)
        The signals, in float64.
    rule : CodeRule
        When a code ends.
    dictionary : ndarray, (m, n)
        The dense dictionary to begin with.
    """

    def __init__(
        self, array: np.ndarray, rule: CodeRule, dictionary: np.ndarray
    ) -> None:
        self.array, self.rule, self.dense = array, rule, dictionary
        self.dictionary = dictionary
        self.codes = rule.codes(dictionary, array)

    def code(self, dictionary: np.ndarray) -> None:
        """Code all signals in a dictionary, which is then the present one."""
        if dictionary is not self.dictionary:
            self.dictionary = dictionary
            self.codes = self.rule.codes(dictionary, self.array)

    @property
    def weights(self) -> np.ndarray:
        """How much each atom counts: the norm of its coefficients, none of them 0."""
        squares = np.sqrt((self.codes * self.codes).sum(axis=1))
        most = squares.max()
        return np.maximum(squares, LEAST_USE * most) if most else squares + 1

    def fitted(
        self,
        constraints: Sequence[Constraint],
        factors: Sequence[np.ndarray],
        n_iter: int,
    ) -> FastDictionaryFit:
        """Return factors fitted to the signals, with their present codes.

        Notes
        -----
        With the signals Y and their codes X, ‖Y - D X‖² + ε ‖D - D₀‖² differs from
        ‖B - D L‖², where L Lᵀ = X Xᵀ + ε and B Lᵀ = Y Xᵀ + ε D₀, by a constant: the
        sweeps are over (m, n) matrices, however many signals there are.
        """
        if self.codes.nnz == 0:
            return FastDictionaryFit.of(factors)
        gram = (self.codes @ self.codes.T).toarray()
        ridge = INERTIA * np.trace(gram) / len(gram)
        gram.flat[:: len(gram) + 1] += ridge
        metric = np.linalg.cholesky(gram)
        moments = self.codes @ self.array.T + ridge * self.dictionary.T
        target = scipy.linalg.solve_triangular(metric, moments, lower=True).T
        found = palm4msa(
            target,
            [*constraints, Sp(metric.shape, metric.size)],
            n_iter=n_iter,
            init=[*factors, metric],
            order="right-to-left",
            step=1.9,
            keep="best",
            fixed=[len(factors)],
        )
        new = [factor.toarray() for factor in found.factors[:-1]]
        return FastDictionaryFit.of([*new[:-1], found.scale * new[-1]])


def explored(
    signals: Signals, nnz: int, n_factors: int, n_rounds: int
) -> FastDictionaryFit:
    """Return factors whose supports are explored, fitted to signals.

    Parameters
    ----------
    signals : Signals
        The signals; they are coded anew.
    nnz : int
        Number of non-zeros of all factors.
    n_factors : int
        Number of factors.
    n_rounds : int
        Number of times that the signals are coded and the factors are fitted to them.

    Notes
    -----
    The dense dictionary is factored by `explore`, each atom weighted by the norm of its
    coefficients. The exploration starts at the principal axes of the signals, and at
    the dictionary in their coordinates. Then rounds follow.
    """
    m, n = signals.dense.shape
    signals.code(signals.dense)
    weights = signals.weights
    weighted = signals.dense * weights
    shapes = layer_shapes(m, n, n_factors)
    sets = split_budget(shapes, nnz)
    if weighted.any():
        found = explore(
            weighted,
            sets,
            init=_start(weighted, shapes, signals.array),
            n_iter=EXPLORED,
        )
        factors = [factor.toarray() for factor in found.factors]
        factors[-1] = found.scale * factors[-1] / weights
    else:
        factors = [np.zeros(shape) for shape in shapes]
    return refitted(signals, FastDictionaryFit.of(factors), n_rounds)


def refitted(
    signals: Signals, fit: FastDictionaryFit, n_rounds: int
) -> FastDictionaryFit:
    """Return factors of as many non-zeros, after rounds of codes and fits to signals.

    Parameters
    ----------
    signals : Signals
        The signals; they are coded anew.
    fit : FastDictionaryFit
        The factors to begin with.
    n_rounds : int
        Number of rounds.
    """
    sets = [
        Sp(factor.shape, max(1, int(np.count_nonzero(factor))))
        for factor in fit.factors
    ]
    for _ in range(n_rounds):
        signals.code(fit.array)
        fit = signals.fitted(sets, fit.factors, SWEEPS)
    return fit


def _start(
    target: np.ndarray, shapes: Sequence[tuple[int, int]], signals: np.ndarray
) -> list[np.ndarray]:
    """Return factors whose product is the target, of these shapes."""
    factors = [np.eye(*shape) for shape in shapes]
    if len(shapes) == 1:
        return [target]
    if shapes[0][0] == shapes[0][1]:  # principal axes of the signals, then coordinates
        factors[0] = np.linalg.eigh(signals @ signals.T)[1][:, ::-1]
        factors[-1] = factors[0].T @ target
    else:
        factors[0] = target
    return factors


def peeled_dictionary(
    signals: Signals, preset: Preset, n_iter: int | tuple[int, int] | None = None
) -> FastDictionaryFit:
    """Return factors found by the hierarchical algorithm, with codes inside.

    Parameters
    ----------
    signals : Signals
        The signals; they are coded anew at each level.
    preset : Preset
        The sets, level by level, and how sweeps go.
    n_iter : int or (int, int), optional
        Numbers of sweeps of a split and of a fit, by default those of the preset.

    Notes
    -----
    At each level the residual is split by palm4MSA, all factors found so far are fitted
    to the signals with their codes, and the signals are coded anew.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section VI.
    """
    if preset.order == "both":  # the codes are those of one order
        preset = dataclasses.replace(preset, order="right-to-left", fallbacks=())
    n_iter = preset.n_iter if n_iter is None else n_iter
    fit_sweeps = n_iter if isinstance(n_iter, int) else n_iter[1]
    problem = problem_of(signals.dense, 2)
    signals.code(signals.dense)
    fit = FastDictionaryFit([signals.dense])

    def adapted(start: SweepStart) -> Iterate:
        nonlocal fit
        factors = [factor.toarray() for factor in start.factors]
        factors[-1] = math.ldexp(start.scale, problem.exponent) * factors[-1]
        fit = signals.fitted(start.constraints, factors, fit_sweeps)
        signals.code(fit.array)
        return _iterate_of(fit, signals.dense, problem.exponent)

    if not problem.zero:
        options = PeelOptions(preset=preset, n_iter=n_iter, adapt=adapted)
        hierarchical_problem(problem, options)
    return fit


def _iterate_of(fit: FastDictionaryFit, dense: np.ndarray, exponent: int) -> Iterate:
    """Return a dictionary as an iterate of the factorization of a dense one.

    The sweeps see the latter divided by 2**exponent.
    """
    parts = [compressed(factor) for factor in fit.factors]
    error = float(np.linalg.norm(fit.array - dense) / np.linalg.norm(dense))
    return Iterate(parts, math.ldexp(1.0, -exponent), error)


def _product(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the product of factors as a dense array."""
    return np.linalg.multi_dot(factors) if len(factors) > 1 else factors[0]
