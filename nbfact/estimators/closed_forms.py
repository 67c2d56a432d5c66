"""Numbers of values that one sparse factor, or a low rank, needs: without a search."""

import functools

import numpy as np
import scipy.linalg

from .factored_centers import ClusterStatistics
from .recipes import CenterRecipe, LowRankRecipe, ThresholdRecipe, row_weights

ClosedForm = type[ThresholdRecipe] | type[LowRankRecipe]


class ClosedForms:
    """The recipes of fewest values whose centers are within a distance of dense ones.

    They have an offset where one sparse factor needs fewer values with it.

    Parameters
    ----------
    statistics : ClusterStatistics
        The sums over the points of each dense center.
    origin : array of float64, (D,)
        The mean of all points.
    """

    def __init__(self, statistics: ClusterStatistics, origin: np.ndarray) -> None:
        counts = statistics.counts
        self.largest = max(float(counts.max()), np.finfo(float).tiny)
        self.shape, weights = statistics.origins.shape, row_weights(counts)[:, None]
        moved = statistics.located, statistics.located - origin
        self.targets = [weights * target for target in moved]
        self._singular: dict[bool, np.ndarray] = {}

    def recipe(self, form: ClosedForm, distance: float) -> CenterRecipe:
        """Return the recipe of one form for a sum Σ n_k ‖u_k - v_k‖², nearly.

        form : ThresholdRecipe or LowRankRecipe.
        """
        limit, offset = distance / self.largest, self.shape[1]
        kept = [_n_largest(sums, limit) for sums in self._entries]
        centered = kept[1] + offset < kept[0]
        if form is ThresholdRecipe:
            values = kept[centered]
        else:
            values = _n_largest(self._singular_values(centered), limit)
            values *= sum(self.shape)
        return form(self.shape, values + centered * offset, centered)

    @functools.cached_property
    def _entries(self) -> list[np.ndarray]:
        """Sums of the smallest squares of the entries, without an offset and with."""
        return [_sums_of_smallest(np.square(target)) for target in self.targets]

    def _singular_values(self, centered: bool) -> np.ndarray:
        """Return the same sums of the squared singular values."""
        if centered not in self._singular:
            target = self.targets[centered]
            short = target if target.shape[0] <= target.shape[1] else target.T
            squares = scipy.linalg.eigvalsh(short @ short.T)
            self._singular[centered] = _sums_of_smallest(np.maximum(squares, 0))
        return self._singular[centered]


def _sums_of_smallest(energies: np.ndarray) -> np.ndarray:
    """Return the sum of the smallest number, of the two smallest ones, and so on."""
    return np.cumsum(np.sort(energies.ravel()))


def _n_largest(sums: np.ndarray, limit: float) -> int:
    """Return how many of the largest numbers leave a sum of the others within a limit.

    At least one is kept. Rounding of centers to single precision is left some room.

    sums : see `_sums_of_smallest`.
    """
    return max(1, len(sums) - int(np.searchsorted(sums, 0.999 * limit, "right")))
