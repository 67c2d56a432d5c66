"""The options of `learn_butterfly`, checked once."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..._core.checks import choice, dtype_of, flag, function, real_number, size, store
from ..common.result import Callback

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
    callback: Callback | None = None

    @property
    def planes(self) -> int:
        """The number of real arrays that hold the values: 2 if these are complex."""
        return 2 if self.complex is None or self.complex else 1

    def __post_init__(self) -> None:
        choice("model", self.model, MODELS)
        flag("tied", self.tied)
        if self.complex is not None:
            flag("complex", self.complex)
        rate = real_number("learning_rate", self.learning_rate, above=0)
        store(self, learning_rate=rate, tol=real_number("tol", self.tol, least=0))
        for name, least in (("n_iter", 1), ("n_refine_iter", 0), ("n_restarts", 0)):
            store(self, **{name: size(name, getattr(self, name), least)})
        dtype_of(self.dtype, "f")
        function("callback", self.callback)
