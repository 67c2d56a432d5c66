"""What a factorization returns."""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from ..operators import FactorProduct


@dataclass(frozen=True)
class State:
    """What a callback receives after each sweep.

    Attributes
    ----------
    iteration : int
        Sweeps done, from 1.
    error : float
        ‖A - Â‖_F / ‖A‖_F after the sweep.
    scale : float
        λ after the sweep.
    factors : list of ndarray
        The factors after the sweep, dense, left to right.
    """

    iteration: int
    error: float
    scale: float
    factors: list[np.ndarray]


@dataclass(frozen=True)
class History:
    """What happened sweep by sweep.

    Attributes
    ----------
    errors : list of float
        Relative error after each sweep; of each global step for `hierarchical`.
    scales : list of float
        λ after the same sweeps, in the units of the target.
    """

    errors: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Factorization:
    """A ≈ scale * factors[0] @ ... @ factors[-1].

    Attributes
    ----------
    operator : FactorProduct
        The product, as a fast linear operator.
    relative_error : float
        ‖A - Â‖_F / ‖A‖_F; 0 for a zero target.
    history : History
    """

    operator: FactorProduct
    relative_error: float
    history: History

    @property
    def factors(self) -> list[sp.csr_array]:
        """The sparse factors, left to right."""
        return self.operator.factors

    @property
    def scale(self) -> float:
        """The scalar λ."""
        return self.operator.scale
