"""Pairs of sources in the head, what sensors measure of them, and where codes put them.

The three classes of distances are those of the paper.
"""

from typing import NamedTuple

import numpy as np

from ..meg.gain_matrices import GainMatrix

CLASSES = {"1-5 cm": (0.01, 0.05), "5-8 cm": (0.05, 0.08), "> 8 cm": (0.08, np.inf)}
"""Distances of the two sources of a pair, in metres: above the first number and at most
the second one."""

SAME_PLACE = 1e-9
"""Distance in metres up to which two positions are the same one."""


class Pairs(NamedTuple):
    """Draws of two sources and their signals.

    Attributes
    ----------
    places : ndarray of intp, (p, 2)
        The columns of the two sources of each pair.
    signals : ndarray, (m, p)
        What the sensors measure.
    """

    places: np.ndarray
    signals: np.ndarray


def draw_pairs(
    gain: GainMatrix,
    name: str,
    count: int,
    snr: float | None,
    rng: np.random.Generator,
) -> Pairs:
    """Draw pairs of sources with normal weights, and their signals.

    Parameters
    ----------
    gain : GainMatrix
        The gain matrix; its columns are scaled to norm 1 first.
    name : str
        Key of `CLASSES`.
    count : int
        Number of pairs.
    snr : float or None
        Norm of a signal over that of its noise, in decibels; None for no noise.
    rng : Generator
        What draws.

    Returns
    -------
    Pairs
    """
    least, most = CLASSES[name]
    n = len(gain.positions)
    found = np.empty((0, 2), np.intp)
    while len(found) < count:
        pairs = rng.integers(n, size=(count, 2))
        apart = np.linalg.norm(np.subtract(*gain.positions[pairs.T]), axis=1)
        found = np.concatenate([found, pairs[(apart > least) & (apart <= most)]])
    places = found[:count]
    weights = rng.standard_normal((count, 2))
    unit = gain.unit
    signals = unit[:, places[:, 0]] * weights[:, 0]
    signals += unit[:, places[:, 1]] * weights[:, 1]
    if snr is not None:
        noise = rng.standard_normal(signals.shape)
        noise *= np.linalg.norm(signals, axis=0) / np.linalg.norm(noise, axis=0)
        signals += noise / 10 ** (snr / 20)
    return Pairs(places, signals)


def distances(positions: np.ndarray, codes: np.ndarray, places: np.ndarray):
    """Return the distance from each true source to the nearest one that was found.

    Parameters
    ----------
    positions : ndarray, (n, 3)
        The position of the source of each column.
    codes : ndarray, (n, p)
        A code in each column, whose two entries of largest modulus are what was found.
    places : ndarray of intp, (p, 2)
        The true sources.

    Returns
    -------
    ndarray, (p, 2)
        Infinite where a code is zero.

    Examples
    --------
    >>> positions = np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]])
    >>> codes = np.array([[2.0], [0.0], [-1.0]])
    >>> distances(positions, codes, np.array([[0, 1]]))
    array([[0., 3.]])
    """
    size = np.abs(codes)
    largest = np.argpartition(-size, 1, axis=0)[:2]
    offsets = positions[largest][:, :, None] - positions[places]
    apart = np.linalg.norm(offsets, axis=-1)
    apart[np.take_along_axis(size, largest, 0) == 0] = np.inf
    return apart.min(axis=0)
