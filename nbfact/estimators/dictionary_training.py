"""The training of `FastDictionary`: dense atoms, then factors, of how many values."""

import dataclasses
from typing import Any, Literal, Self

import numpy as np

from .._core.array_checks import array_of
from .._core.checks import choice, real_number, shown, size
from ..algorithms import Preset
from ..algorithms.dictionaries.code_rule import CodeRule, about_as_low
from ..algorithms.dictionaries.fast_training import (
    FastDictionaryFit,
    Signals,
    explored,
    peeled_dictionary,
    refitted,
)
from ..algorithms.dictionaries.k_svd import k_svd, unit_columns
from .dictionary_basis import Basis

SHARES = (0.125, 0.25, 0.5, 0.75)
"""Numbers of non-zeros that are tried, as shares of those of a dense dictionary, until
one is good enough and the next one is no better."""

DEFAULT_FACTORS = 2
"""Number of factors that are learned where there is no basis."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DictionaryOptions:
    """The parameters of `FastDictionary`, checked, for a number of features m.

    Attributes
    ----------
    shape : (int, int)
        That of the dictionary: (m, n).
    rule : CodeRule
        When a code ends.
    basis : Basis
        The first factors, which are not learned.
    nnz : int or None
        Number of non-zeros of the factors that are learned; None where it is to be
        chosen.
    start : ndarray or None
        The first dictionary, (m, n).
    n_factors, cost_increase, factorizer, max_iter, n_rounds, validation_fraction
        See `FastDictionary`.
    """

    shape: tuple[int, int]
    rule: CodeRule
    basis: Basis
    nnz: int | None
    start: np.ndarray | None
    n_factors: int
    cost_increase: float
    factorizer: Literal["explore"] | Preset
    max_iter: int
    n_rounds: int
    validation_fraction: float

    @classmethod
    def of(cls, estimator: Any, m: int) -> Self:
        """Return the options of an estimator, or raise."""
        n = m if estimator.n_components is None else estimator.n_components
        n = size("n_components", n)
        factorizer = estimator.factorizer
        if not isinstance(factorizer, Preset):
            factorizer = choice("factorizer", factorizer, ("explore",))
        basis = Basis.of(estimator.basis, m)
        n_factors = estimator.n_factors
        if n_factors is None:
            n_factors = 1 if basis.factors else DEFAULT_FACTORS
        n_factors = size("n_factors", n_factors, most=1000)
        share = estimator.validation_fraction
        return cls(
            shape=(m, n),
            rule=_rule_of(estimator, m, n),
            basis=basis,
            nnz=_nnz_of(estimator, (m, n), n_factors, basis.nnz),
            start=_start_of(estimator.dict_init, (n, m)),
            n_factors=n_factors,
            cost_increase=real_number(
                "cost_increase", estimator.cost_increase, least=0
            ),
            factorizer=factorizer,
            max_iter=size("max_iter", estimator.max_iter, least=0),
            n_rounds=size("n_rounds", estimator.n_rounds, least=0),
            validation_fraction=real_number(
                "validation_fraction", share, above=0, below=1
            ),
        )


def _rule_of(estimator: Any, m: int, n: int) -> CodeRule:
    """Return when codes end, as the parameters say."""
    tol, count = estimator.transform_tol, estimator.transform_n_nonzero_coefs
    if tol is not None:
        tol = real_number("transform_tol", tol, least=0)
    if count is not None:
        return CodeRule(size("transform_n_nonzero_coefs", count, 1, min(m, n)), tol)
    return CodeRule(min(m, n) if tol is not None else min(max(m // 10, 1), n), tol)


def _nnz_of(
    estimator: Any, shape: tuple[int, int], n_factors: int, fixed: int
) -> int | None:
    """Return the number of non-zeros to be learned, or None where it is to be chosen.

    Those that are asked for include the fixed ones, of the basis.
    """
    nnz, rcg = estimator.nnz, estimator.rcg
    if nnz is not None and rcg is not None:
        raise ValueError(
            f"nnz={shown(nnz)} and rcg={shown(rcg)}: only one of them may be given"
        )
    if isinstance(estimator.factorizer, Preset):
        for name, value in (("nnz", nnz), ("rcg", rcg)):
            if value is not None:
                raise ValueError(
                    f"{name}={shown(value)}: a preset has its own number of non-zeros"
                )
    if nnz is not None:
        return size("nnz", nnz, least=n_factors + fixed) - fixed
    if rcg is None:
        return None
    m, n = shape
    found = round(m * n / real_number("rcg", rcg, above=0)) - fixed
    if found < n_factors:
        raise ValueError(
            f"rcg={shown(rcg)}: leaves {max(found, 0)} non-zeros of {m} x {n} to "
            f"n_factors={n_factors}; expected at least one for each"
        )
    return found


def _start_of(dict_init: Any, shape: tuple[int, int]) -> np.ndarray | None:
    """Return the first dictionary, (m, n), from the first atoms, (n, m)."""
    if dict_init is None:
        return None
    atoms = array_of("dict_init", dict_init, 2)
    if atoms.shape != shape or atoms.dtype.kind == "c":
        raise ValueError(
            f"dict_init has shape {atoms.shape} and dtype {atoms.dtype}: expected real "
            f"numbers, (n_components, n_features) = {shape}"
        )
    return atoms.T.astype(np.float64)


@dataclasses.dataclass(frozen=True)
class TrainedDictionary:
    """What the training found.

    Attributes
    ----------
    fit : FastDictionaryFit
        The dictionary, as factors; one dense factor where it is not `factored`.
    dense : ndarray, (m, n)
        That of K-SVD.
    factored : bool
        Whether the dictionary is factored.
    costs : dict of int to float
        Costs of codes of held-out samples, by the number of non-zeros.
    """

    fit: FastDictionaryFit
    dense: np.ndarray
    factored: bool
    costs: dict[int, float]


def train_dictionary(
    X: np.ndarray, options: DictionaryOptions, random: np.random.RandomState
) -> TrainedDictionary:
    """Learn a dictionary of samples (N, m).

    With a basis, all that is learned is learned in its coordinates: lengths and inner
    products, and with them the codes, are the same.
    """
    samples = X[random.permutation(len(X))].astype(np.float64)
    basis = options.basis
    if not basis.factors:
        return _trained(samples, options, random)
    if options.start is not None:
        start = basis.coordinates(options.start.T).T
        options = dataclasses.replace(options, start=start)
    found = _trained(basis.coordinates(samples), options, random)
    dense = basis.array @ found.dense
    factors = [basis.array @ found.fit.array]
    if found.factored:
        factors = [*basis.factors, *found.fit.factors]
    return dataclasses.replace(found, dense=dense, fit=FastDictionaryFit(factors))


def _trained(
    samples: np.ndarray, options: DictionaryOptions, random: np.random.RandomState
) -> TrainedDictionary:
    """Learn a dictionary of samples (N, m) in random order, in their coordinates."""
    chosen = options.nnz is None and not isinstance(options.factorizer, Preset)
    count = round(options.validation_fraction * len(samples)) if chosen else 0
    held_out, learned = samples[:count].T, samples[count:].T
    start = options.start
    if start is None:
        start = _drawn(learned, options.shape[1], random)
    dense = k_svd(learned, start, options.rule, options.max_iter)
    signals = Signals(learned, options.rule, dense)
    if isinstance(options.factorizer, Preset):
        fit = peeled_dictionary(signals, options.factorizer)
        return TrainedDictionary(fit, dense, True, {})
    if options.nnz is not None:
        return TrainedDictionary(
            _explored(signals, options.nnz, options), dense, True, {}
        )
    if not count:
        return _cheapest(signals, learned, options)
    found = _cheapest(signals, held_out, options)
    return dataclasses.replace(found, fit=_on_all(samples.T, found, options))


def _on_all(
    signals: np.ndarray, found: TrainedDictionary, options: DictionaryOptions
) -> FastDictionaryFit:
    """Return a dictionary fitted to the samples that were held out, too."""
    if found.factored:
        start = Signals(signals, options.rule, found.fit.array)
        return refitted(start, found.fit, options.n_rounds)
    dense = k_svd(signals, found.dense, options.rule, options.n_rounds)
    return FastDictionaryFit([dense])


def _drawn(learned: np.ndarray, n: int, random: np.random.RandomState) -> np.ndarray:
    """Return n different samples as first atoms; Gaussian ones where there are fewer.

    The samples are in random order. Those of zeros are no atoms.
    """
    some = learned[:, learned.any(axis=0)][:, :n]
    missing = random.standard_normal((len(learned), n - some.shape[1]))
    return unit_columns(np.hstack([some, missing]))


def _explored(
    signals: Signals, nnz: int, options: DictionaryOptions
) -> FastDictionaryFit:
    """Return a dictionary of at most this number of non-zeros."""
    return explored(signals, nnz, options.n_factors, options.n_rounds)


def _cheapest(
    signals: Signals, held_out: np.ndarray, options: DictionaryOptions
) -> TrainedDictionary:
    """Return the dictionary of the fewest non-zeros whose codes cost little more."""
    dense, rule, fixed = signals.dense, options.rule, options.basis.nnz
    costs = {dense.size: rule.costs(dense, held_out)}
    fits = {dense.size: FastDictionaryFit([dense])}

    def good() -> list[int]:
        best = min(costs.values(), key=np.mean)
        more = options.cost_increase
        return [n for n in sorted(costs) if about_as_low(costs[n], best, more)]

    last = np.inf
    for share in SHARES:
        budget = round(share * dense.size) - fixed
        if fixed and budget < options.n_factors:
            continue
        fit = _explored(signals, max(budget, 1), options)
        nnz = fit.nnz + fixed
        if nnz < dense.size:
            fits[nnz], costs[nnz] = fit, rule.costs(fit.array, held_out)
            found = float(costs[nnz].mean())
            if found >= last and good()[0] < nnz:
                break
            last = found
    nnz = good()[0]
    means = {count: float(one.mean()) for count, one in costs.items()}
    return TrainedDictionary(fits[nnz], dense, nnz < dense.size, means)
