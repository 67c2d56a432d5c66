"""The parts of the rows that the search of a level with any radices begins with.

In two columns of one group, the rows (x, y) lie on b lines through 0, one for each part
of the rows. Real lines are angles; complex ones are points of a sphere, which are
ordered by their angle in a plane. In this order, the parts are intervals of equal
length, and all places of the first cut are compared.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..common.result import never

TINY = 1e-300
"""Added to norms that are divided by, because a column may be zero."""

EMPTY = 1e-28
"""Squared norm of a column, relative to the largest one, up to which it is empty."""

PARTNERS = 2
"""Number of partners of each column that a search begins with."""

TIE_BREAK = 1e-9
"""Size of the random numbers that decide between pairs which are equally good."""

PLANES = 3
"""Number of planes that complex lines are ordered in, if there are more than three of
them: three points of a sphere lie on one circle."""


class AngleCuts(NamedTuple):
    """The best intervals of rows for pairs of one column with each of the n columns.

    Attributes
    ----------
    lost : ndarray, (n,)
        Squared norm that the best line of each interval loses, over all blocks.
    order : ndarray of int, (g, m, n)
        The rows of each block by their angles.
    shift : ndarray of int, (g, n)
        The place of the first cut.
    """

    lost: np.ndarray
    order: np.ndarray
    shift: np.ndarray


def starting_parts(
    blocks: np.ndarray,
    b: int,
    rng: np.random.Generator,
    n_columns: int,
    over: Callable[[], bool] = never,
) -> Iterator[np.ndarray]:
    """Yield parts (g, b, m / b) of the rows, those of the most likely pairs first.

    Parameters
    ----------
    blocks : ndarray, (g, m, n)
    b : int
        Number of parts.
    rng : numpy.random.Generator
    n_columns : int
        Number of columns, chosen at random, whose partners are looked for.
    over : callable
        Returns whether the time is over: then no further column is looked at.
    """
    g, m, n = blocks.shape
    energy = (np.abs(blocks) ** 2).sum((0, 1))
    empty = energy <= EMPTY * energy.max(initial=0)
    planes = 1 if blocks.dtype.kind != "c" or b <= 3 else PLANES
    found: list[tuple[float, np.ndarray]] = []
    for column in rng.permutation(n)[:n_columns]:
        if found and over():
            break
        for _ in range(planes):
            cuts = _cuts(blocks, column, b, rng if planes > 1 else None)
            lost = cuts.lost / (np.minimum(energy, energy[column]) + TINY)
            lost += TIE_BREAK * rng.random(n)
            lost[empty] = np.inf
            lost[column] = np.inf
            for other in np.argsort(lost)[:PARTNERS]:
                turned = (cuts.shift[:, other, None] + np.arange(m)) % m
                rows = np.take_along_axis(cuts.order[:, :, other], turned, 1)
                found.append((float(lost[other]), rows.reshape(g, b, m // b)))
    found.sort(key=lambda one: one[0])
    for _, parts in found:
        yield np.sort(parts, 2)


def _cuts(
    blocks: np.ndarray, column: int, b: int, rng: np.random.Generator | None
) -> AngleCuts:
    """Return the best intervals for one column with each column."""
    g, m, n = blocks.shape
    k = m // b
    first = np.broadcast_to(blocks[:, :, column, None], blocks.shape)
    order = np.argsort(_angles(first, blocks, rng), 1)
    x, y = (np.take_along_axis(one, order, 1) for one in (first, blocks))

    def sums(values: np.ndarray) -> np.ndarray:
        """Return the sums of k values in a row, from each place on: (g, b, k, n)."""
        around = np.concatenate([values, values[:, :k]], 1)
        total = np.zeros((g, m + k + 1, n), values.dtype)
        np.cumsum(around, 1, out=total[:, 1:])
        return (total[:, k : k + m] - total[:, :m]).reshape(g, b, k, n)

    p, q, r = sums(np.abs(x) ** 2), sums(np.abs(y) ** 2), sums(x.conj() * y)
    gap = np.sqrt((p - q) ** 2 + 4 * np.abs(r) ** 2)
    lost = np.maximum((p + q - gap) / 2, 0).sum(1)
    return AngleCuts(lost.min(1).sum(0), order, lost.argmin(1))


def _angles(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator | None
) -> np.ndarray:
    """Return numbers by which points (x, y) on one line are neighbours.

    The line through a complex point is the point of the unit sphere with coordinates
    |x|² - |y|² and 2 x y*, divided by |x|² + |y|². These are turned around their mean
    in the plane of their largest variance, or in a random plane.
    """
    height = np.abs(x) ** 2 - np.abs(y) ** 2
    if x.dtype.kind != "c":
        return np.arctan2(2 * x * y, height)
    product, square = 2 * x * y.conj(), np.abs(x) ** 2 + np.abs(y) ** 2 + TINY
    points = np.stack([height, product.real, product.imag], -1) / square[..., None]
    weight = (square / square.sum(1, keepdims=True))[..., None]
    points -= (weight * points).sum(1, keepdims=True)
    if rng is not None:
        plane = np.linalg.qr(rng.standard_normal((3, 2)))[0]
        across, up = np.moveaxis(points @ plane, -1, 0)
    else:
        spread = np.einsum("gmni,gmnj->gnij", weight * points, points)
        axes = np.linalg.eigh(spread)[1]
        across = np.einsum("gmni,gni->gmn", points, axes[..., 2])
        up = np.einsum("gmni,gni->gmn", points, axes[..., 1])
    return np.arctan2(up, across)
