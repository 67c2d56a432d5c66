"""Cases of factorizing into butterflies, in time and in error, beside other toolboxes.

The columns of the DFT are in bit-reversed order, without which it is no butterfly. Each
call starts from the dense matrix and ends with an operator. Its error is that of the
operator's dense matrix, which is computed outside the clock.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import targets
from ..algorithms import butterfly_factorize, learn_butterfly
from ..harness.case import Case
from ..operators import Chain
from ..operators.reorderings import bit_reversal
from .rivals import faust, peers

NOISE = 0.01
"""Norm of the noise of a noisy target, relative to that of the target."""

OURS = "nbfact"
"""Implementation: `butterfly_factorize`."""

LARGEST = {"pyfaust right": 512, "pyfaust bbtree": 2048}
"""Largest order of each way of pyfaust, above which a call is too slow: that of
"pyfaust right" takes about 80 s at n = 2048."""

SLACK = 1.01
"""Largest error that nbfact may have, as a multiple of the least error of the others.
The balanced order of lazylinop is better by 0.06 % for some Gaussian matrices, and by
less than 1 % for all of n = 16 to 2048."""


class FactorizeCase(Case):
    """A case whose call returns an operator, of which the dense matrix is compared."""

    def error(self, got: Any, want: np.ndarray) -> float:
        """Return the relative error of the dense matrix of an operator.

        Parameters
        ----------
        got : operator
            The result, with a method ``toarray``.
        want : ndarray, (n, n)
            The target.

        Returns
        -------
        float
        """
        return super().error(np.asarray(got.toarray()), want)


def factorize_cases(
    kinds: Sequence[str], sizes: Sequence[int], dtypes: Sequence[str] = ("float64",)
) -> Iterator[Case]:
    """Yield the cases of factorizing some targets into dyadic butterflies.

    Parameters
    ----------
    kinds : sequence of {"hadamard", "dft", "gaussian", "noisy"}
        The targets; the last one is the Hadamard matrix with noise of `NOISE`.
    sizes : sequence of int
        Their orders, powers of two.
    dtypes : sequence of {"float32", "float64"}
        Their precisions; the DFT is complex, of this precision.

    Yields
    ------
    Case
    """
    for kind in kinds:
        for n in sizes:
            for dtype in dtypes:
                yield from _cases(kind, n, dtype)


def learning_cases(kinds: Sequence[str], sizes: Sequence[int]) -> Iterator[Case]:
    """Yield the cases of learning by gradient descent, beside the closed form.

    A learned butterfly counts as right below a root mean square error of 1e-4, as in
    Dao et al. (ICML 2019). Its permutation is searched for.

    Parameters
    ----------
    kinds, sizes : sequences
        Targets and their orders, see `factorize_cases`.

    Yields
    ------
    Case
    """
    for kind in kinds:
        for n in sizes:
            for case in _cases(kind, n, "float64"):
                if case.impl == OURS:
                    group: dict[str, Any] = {
                        "group": "butterfly learned",
                        "yardstick": OURS,
                        "fallbacks": (),
                    }
                    yield dataclasses.replace(case, **group)
                    yield dataclasses.replace(
                        case,
                        **group,
                        impl="nbfact learned",
                        prepare=_learned,
                        bound=1e-4 * math.sqrt(n),
                    )


def _learned(target):
    return lambda: learn_butterfly(target, random_state=0).operator


def _cases(kind, n, precision):
    dtype = np.result_type(precision, "complex64" if kind == "dft" else precision)
    made: dict[str, Callable] = {OURS: _ours}
    for name in ("pyfaust bbtree", "pyfaust right"):
        if peers.installed(name) and n <= LARGEST[name] and precision == "float64":
            made[name] = functools.partial(_pyfaust, name.split()[1])
    for name in ("lazylinop l2r", "lazylinop balanced"):
        if peers.installed(name):
            made[name] = functools.partial(_lazylinop, name.split()[1])
    ranked = ("pyfaust bbtree", "lazylinop l2r", OURS)
    yardstick, *others = [name for name in ranked if name in made]
    levels = n.bit_length() - 1
    exact = kind not in ("gaussian", "noisy")
    for impl, prepare in made.items():
        yield FactorizeCase(
            group="butterfly factorize",
            impl=impl,
            params={"target": kind, "n": n, "dtype": dtype.name},
            make=functools.partial(_target, kind, n, dtype),
            prepare=prepare,
            reference=lambda target: target,
            # lazylinop and pyfaust lose a digit or two as n grows.
            bound=float(np.finfo(dtype).eps) * (50 if impl == OURS else 1000)
            if exact
            else math.inf,
            # The residual is read and written at each level. It has half the entries of
            # the one before, hence 2 n² entries in all.
            size=2 * 2 * n * n * dtype.itemsize,
            flops=(8 if dtype.kind == "c" else 2) * 4 * n * n,
            nnz=2 * n * levels,
            yardstick=yardstick,
            fallbacks=tuple(others),
            rival=impl != OURS,
            slack=None if exact else SLACK if impl == OURS else math.inf,
        )


def _target(kind, n, dtype, rng):
    if kind == "hadamard":
        return targets.hadamard(n).astype(dtype)
    if kind == "dft":
        return np.ascontiguousarray(targets.dft(n)[:, bit_reversal(n)].astype(dtype))
    noise = rng.standard_normal((n, n)) / np.sqrt(n)
    if kind == "noisy":
        return (targets.hadamard(n) + NOISE * noise).astype(dtype)
    return noise.astype(dtype)


def _ours(target):
    chain = Chain.square_dyadic(len(target))
    return lambda: butterfly_factorize(target, chain).operator


def _pyfaust(kind, target):
    with faust.muted():
        from pyfaust.fact import butterfly

        wanted = np.asfortranarray(target)
        butterfly(wanted[:4, :4], type=kind)

    def call():
        with faust.muted():
            return butterfly(wanted, type=kind)

    return call


def _lazylinop(order, target):
    with faust.muted():
        from lazylinop.butterfly import Chain as LazylinopChain
        from lazylinop.butterfly import ksd

        chain = LazylinopChain.square_dyadic(target.shape)
    return lambda: ksd(target, chain, order=order)
