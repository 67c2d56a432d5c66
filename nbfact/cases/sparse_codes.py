"""Cases of sparse codes by orthogonal matching pursuit, beside those of others.

The dictionary is a product of sparse factors with four times as many columns as rows,
and each signal a combination of few of its columns, and noise. The result of a
call is the codes.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..algorithms import omp
from ..harness.case import Case
from ..operators import FactorProduct
from . import timed_operators
from .rivals import peers

OPERATOR = "nbfact operator"
"""Implementation: the dictionary is an operator that is a product of factors."""

MATRIX = "nbfact matrix"
"""Implementation: the dictionary is a dense matrix."""

GRAM = "scikit-learn orthogonal_mp"
"""Implementation: scikit-learn's `orthogonal_mp`, with the Gram matrix of the
dictionary, whose computation is a part of the time."""

BATCH = "dictlearn batch_omp"
"""Implementation: `sparse_encode` of dictlearn, with the Gram matrix, too."""

NOISE = 0.05
"""Norm of the noise of all signals over that of the signals. Without it, a signal whose
columns depend on one another would be used up before its last step."""


@dataclass(eq=False)
class CodingInputs:
    """Inputs of a sparse coding.

    Attributes
    ----------
    operator : Operator
        The dictionary, of shape (n / 4, n).
    signals : ndarray, (n / 4, p)
        One signal in each column.
    n_nonzero : int
        Number of non-zeros of each code.
    """

    operator: timed_operators.Operator
    signals: np.ndarray
    n_nonzero: int


def coding_cases(
    sizes: Sequence[int], counts: Sequence[int], n_nonzero: int
) -> Iterator[Case]:
    """Yield the cases of sparse codes in float64.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of columns of the dictionary, powers of two.
    counts : sequence of int
        Numbers of signals.
    n_nonzero : int
        Number of non-zeros of each code.

    Yields
    ------
    Case
    """
    prepared = {OPERATOR: _operator, MATRIX: _matrix, GRAM: _gram, BATCH: _batch}
    for n in sizes:
        for count in counts:
            for impl, prepare in prepared.items():
                if peers.is_peer(impl) and not peers.installed(GRAM):
                    continue
                yield Case(
                    group="sparse codes",
                    impl=impl,
                    params={
                        "m": n // 4,
                        "n": n,
                        "signals": count,
                        "k": n_nonzero,
                        "dtype": "float64",
                    },
                    make=functools.partial(coding_inputs, n, count, n_nonzero),
                    prepare=prepare,
                    reference=_reference,
                    bound=1e-8,
                    yardstick=GRAM,
                    fallbacks=(MATRIX,),
                    rival=peers.is_peer(impl),
                )


def coding_inputs(
    n: int, count: int, n_nonzero: int, rng: np.random.Generator
) -> CodingInputs:
    """Draw a dictionary of n atoms, and signals that are combinations of some."""
    operator = timed_operators.build("planted", n, "float64")
    codes = np.zeros((n, count))
    for code in codes.T:
        support = rng.choice(n, n_nonzero, replace=False)
        code[support] = rng.choice([-1.0, 1.0], n_nonzero) * rng.uniform(
            1, 2, n_nonzero
        )
    signals = operator.dense @ codes
    noise = rng.standard_normal(signals.shape)
    noise *= NOISE * np.linalg.norm(signals) / np.linalg.norm(noise)
    return CodingInputs(operator, signals + noise, n_nonzero)


def _operator(inputs):
    A = FactorProduct(list(inputs.operator.factors))
    return lambda: omp(A, inputs.signals, n_nonzero=inputs.n_nonzero)


def _matrix(inputs):
    A = inputs.operator.dense
    return lambda: omp(A, inputs.signals, n_nonzero=inputs.n_nonzero)


def _gram(inputs):
    from sklearn.linear_model import orthogonal_mp

    A, Y, k = inputs.operator.dense, inputs.signals, inputs.n_nonzero
    return lambda: orthogonal_mp(A, Y, n_nonzero_coefs=k, precompute=True).reshape(
        A.shape[1], -1
    )


def _batch(inputs):
    from dictlearn import sparse_encode

    A, Y, k = inputs.operator.dense, inputs.signals, inputs.n_nonzero
    rows, vectors = np.ascontiguousarray(A.T), np.ascontiguousarray(Y.T)

    def call():
        codes = sparse_encode(vectors, rows, algorithm="batch_omp", n_nonzero_coefs=k)
        return codes.T

    return call


def _reference(inputs):
    """Return the codes, by least squares anew for each support."""
    A = inputs.operator.dense
    codes = np.zeros((A.shape[1], inputs.signals.shape[1]))
    for code, signal in zip(codes.T, inputs.signals.T, strict=True):
        support: list[int] = []
        residual = signal
        for _ in range(inputs.n_nonzero):
            support.append(int(np.argmax(np.abs(A.T @ residual))))
            values = np.linalg.lstsq(A[:, support], signal, rcond=None)[0]
            residual = signal - A[:, support] @ values
        code[support] = values
    return codes
