"""The options of `learn_butterfly`, checked once."""

import math
import numbers
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..._core.checks import size
from ..common.result import SweepCallback

DescentModel = Literal["BP", "BPP", "BPBP"]
MODELS = get_args(DescentModel)
"""The models that `learn_butterfly` may fit: products of butterflies B and
permutations P, read from left to right."""


@dataclass(frozen=True, kw_only=True)
class DescentOptions:
    """The options of `learn_butterfly` that do not depend on the target.

    Raises
    ------
    TypeError
        If an option has the wrong type.
    ValueError
        If an option has an unknown value, or a number is out of range.
    """

    model: DescentModel
    tied: bool
    complex: bool | None
    learning_rate: float
    n_iter: int
    n_refine_iter: int
    tol: float
    n_restarts: int
    dtype: np.dtype
    callback: SweepCallback | None = None

    @property
    def planes(self) -> int:
        """The number of real arrays that hold the values: 2 if these are complex."""
        return 1 if self.complex is False else 2

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"model must be one of {MODELS}, got {self.model!r}")
        if not isinstance(self.tied, bool):
            raise TypeError(f"tied must be True or False, got {self.tied!r}")
        if not isinstance(self.complex, bool | None):
            raise TypeError(f"complex must be True or False, got {self.complex!r}")
        for name in ("learning_rate", "tol"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real):
                raise TypeError(f"{name} must be a number, got {value!r}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(
                f"learning_rate must be positive, got {self.learning_rate!r}"
            )
        if not self.tol >= 0:
            raise ValueError(f"tol must be at least 0, got {self.tol!r}")
        for name, least in (("n_iter", 1), ("n_refine_iter", 0), ("n_restarts", 0)):
            size(name, getattr(self, name), least)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, got {self.dtype}")
