"""Which starts are worth long explorations, and which of them further rounds."""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from .starts import Start

Looked: TypeAlias = tuple[Start, Start]
"""A start, and the result of a short exploration from it."""

EVERY = 16
"""Largest smaller side of a target that is explored in all ways: with all numbers of
factors, from all structures, for long from all finalists, and in all rounds."""

INSURED = 32
"""Largest smaller side of a target for which `explore` and `palm4msa` run with their
defaults too, so that neither finds a smaller error. Above a side of `EVERY` they do
where the target may have a structure: elsewhere neither has found less in any
search."""

REFINED = 24
"""Largest smaller side of a target whose short explorations end with least squares: for
larger ones these take half of the time, and without them the results of eight searches
(those of ``python benchmarks/learning_speed.py 32,64``) are the same to six digits."""

_WORSE = 1.05
"""How many times as large as the least error that of another way has to be for that not
to be followed, as expected of another start, or of further rounds."""

_PROMISE = 1.25
"""Power of the share by which a long exploration has lowered the error of a short one,
for what another long one is expected to gain: more than the first one did, because some
go on to fall where the first one has ended."""


_EXCHANGED = 1.3
"""How many times the least error that of a product without a structure may be, for its
entries to be exchanged: this has lowered errors of kernels by a quarter."""

_LITTLE = 0.2
"""Relative error after a long exploration below which others are likely to end far from
it: those of a kernel ended at 0.032 to 0.057 where one was at 0.052, and those of
Gaussians and graphs, at 0.33 and more, within 3 % of each other (n = 32 and 64)."""


def promising(
    found: Sequence[Start], fast: Sequence[Start], every: bool
) -> list[Start]:
    """Return the structures that are worth an exploration.

    Those are that leave no more than as many single entries as the budget allows, which
    were the first to be found; or all of them, if `every`. Structures that `fast` has
    may be above the budget.
    """
    limit = math.inf if every or not found else found[0].error
    known = [one for one in found if one.structure and one.nnz]
    pool = {id(one): one for one in [*known, *fast]}
    return [one for one in pool.values() if one.error <= limit]


def finalists(looked: Iterable[Looked], most: int) -> list[Looked]:
    """Return the best starts, at most half of them with one number of factors.

    Each comes with the result of its short exploration, the best one first.
    """
    chosen: list[Looked] = []
    counts: dict[int, int] = {}
    for start, result in sorted(looked, key=lambda pair: pair[1].error):
        count = counts.get(start.n_factors, 0)
        if len(chosen) < most and count < max(1, most // 2):
            chosen.append((start, result))
            counts[start.n_factors] = count + 1
    return chosen


def structured(chosen: Sequence[Looked]) -> bool:
    """Return whether the target of some finalists may have a structure.

    It may where two factors without one are not the best after a short exploration, or
    leave nothing.
    """
    if not chosen or chosen[0][1].error == 0:
        return True
    return bool(chosen[0][0].structure) or chosen[0][0].n_factors > 2


def insured(shape: tuple[int, int], chosen: Sequence[Looked]) -> bool:
    """Return whether `explore` and `palm4msa` run with their defaults too."""
    return min(shape) <= (INSURED if structured(chosen) else EVERY)


def as_good(chosen: Sequence[Looked], best: Start) -> list[Start]:
    """Return the finalists behind the first one that may end as well as that.

    best: the result of the long exploration of the first one. Where that leaves little,
    all may: then the target is not like noise, and where an exploration ends depends
    more on where it begins.
    """
    if best.error < _LITTLE:
        return [start for start, _ in chosen[1:]]
    gain = min(1.0, best.error / chosen[0][1].error)
    return [
        start
        for start, result in chosen[1:]
        if result.error * gain**_PROMISE <= _WORSE * best.error
    ]


def exchangeable(found: Sequence[Start], every: bool) -> list[Start]:
    """Return the product whose entries are worth exchanges, in a list, or none.

    It is the best one of at least two factors without a structure, unless another is so
    good that exchanges will not make up for it; or even then, if `every`.
    """
    least = min((one.error for one in found), default=math.inf)
    limit = math.inf if every else _EXCHANGED * least
    pool = [
        one
        for one in found
        if one.n_factors > 1 and not one.structure and not one.blocks
    ]
    best = sorted(pool, key=lambda one: one.error)[:1]
    return [one for one in best if one.error <= limit]


def shallow(looked: Iterable[Looked], count: int) -> bool:
    """Return whether more factors than `count` are not worth an exploration.

    That is so where the best of the short explorations with `count` factors has a
    larger error than that with fewer. In 21 searches (14 with n = 32, 4 with 16, 3 with
    64; Gaussian, graphs, lead fields, kernels, noisy and permuted transforms, planted
    products) no product of more than three factors was the best.
    """
    least, fewer = math.inf, math.inf
    for start, result in looked:
        if start.n_factors == count:
            least = min(least, result.error)
        elif start.n_factors < count:
            fewer = min(fewer, result.error)
    return math.inf > least > fewer


def hopeless(best: Sequence[Start], gains: Sequence[float], left: int) -> list[Start]:
    """Return which results will not become the best one in the rounds that are left.

    The best one so far never is. gains: the factor by which the last round has changed
    the error of each.
    """
    least = min((one.error for one in best), default=0.0)
    ends = [one.error * gain**left for one, gain in zip(best, gains, strict=True)]
    most = _WORSE * min(ends, default=math.inf)
    return [
        one
        for one, end in zip(best, ends, strict=True)
        if end > most and one.error > least
    ]
