"""Cases of dictionary learning: fast atoms beside those of scikit-learn.

The signals are sparse combinations of planted atoms, which are a product of sparse
factors, and noise. The result of a call is its atoms. Their error, computed outside the
clock, is what codes of as many non-zeros leave of the signals in the mean square, over
that of the signals: the error that the learning reaches.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..algorithms.dictionaries.code_rule import CodeRule
from ..harness.case import Case
from .rivals import peers
from .sparse_codes import CodingInputs, coding_inputs

OURS = "nbfact"
"""Implementation: `FastDictionary`, at a quarter of the values of dense atoms."""

MINI_BATCH = "scikit-learn MiniBatchDictionaryLearning"
"""Implementation: `MiniBatchDictionaryLearning`, whose codes have an L1 penalty while
it learns, with as many passes over the signals."""

RCG = 4
"""How many times fewer values than dense ones the fast atoms have."""

ITERATIONS = 5
"""Number of iterations of K-SVD, and of passes of scikit-learn."""

REACHED = 0.4
"""Largest error of a right result. The fast atoms leave 0.23 to 0.27 of the signals, by
``nbfact bench --profile full -k "dictionary learning"``, and atoms that are drawn at
random 0.41 with 64 atoms and 0.77 with 256."""


class DictionaryCase(Case):
    """A case whose result is atoms, and whose reference is signals to code in them."""

    def error(self, got: np.ndarray, want: Any) -> float:
        """Return the relative error of codes in some atoms.

        Parameters
        ----------
        got : ndarray, (n, m)
            The atoms.
        want : (ndarray, int, (int, int))
            The signals, (m, p), the number of non-zeros of a code, and (n, m).

        Returns
        -------
        float
            Infinite where the atoms have another shape or are not finite.
        """
        signals, n_nonzero, shape = want
        if got.shape != shape or not np.isfinite(got).all():
            return math.inf
        return math.sqrt(CodeRule(n_nonzero).cost(got.T, signals))


def dictionary_cases(
    sizes: Sequence[int], count: int, n_nonzero: int
) -> Iterator[Case]:
    """Yield the cases of dictionary learning in float64.

    Without scikit-learn, which the estimator needs too, there are no cases.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of atoms, powers of two, of a quarter as many entries.
    count : int
        Number of signals.
    n_nonzero : int
        Number of non-zeros of each code.

    Yields
    ------
    Case
    """
    if not peers.installed(MINI_BATCH):
        return
    for n in sizes:
        for impl, prepare in ((OURS, _fast), (MINI_BATCH, _mini_batch)):
            yield DictionaryCase(
                group="dictionary learning",
                impl=impl,
                params={"m": n // 4, "n": n, "signals": count, "dtype": "float64"},
                make=functools.partial(coding_inputs, n, count, n_nonzero),
                prepare=prepare,
                reference=_reference,
                bound=REACHED,
                yardstick=MINI_BATCH,
                fallbacks=(OURS,),
                rival=peers.is_peer(impl),
            )


def _reference(inputs: CodingInputs):
    m, n = inputs.operator.dense.shape
    return inputs.signals, inputs.n_nonzero, (n, m)


def _fast(inputs: CodingInputs):
    from ..estimators import FastDictionary

    model = FastDictionary(
        inputs.operator.dense.shape[1],
        rcg=RCG,
        max_iter=ITERATIONS,
        transform_n_nonzero_coefs=inputs.n_nonzero,
        random_state=0,
    )
    return lambda: model.fit(inputs.signals.T).components_.toarray()


def _mini_batch(inputs: CodingInputs):
    from sklearn.decomposition import MiniBatchDictionaryLearning

    model = MiniBatchDictionaryLearning(
        inputs.operator.dense.shape[1],
        transform_algorithm="omp",
        transform_n_nonzero_coefs=inputs.n_nonzero,
        max_iter=ITERATIONS,
        random_state=0,
    )
    return lambda: model.fit(inputs.signals.T).components_
