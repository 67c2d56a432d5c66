"""ripple: five small kernels over signals, whose speed and errors nbfact watches."""

from .kernels import (
    Smoother,
    autocorrelation,
    distances,
    moving_mean,
    running_maximum,
)

__version__ = "1.0"

__all__ = [
    "Smoother",
    "autocorrelation",
    "distances",
    "moving_mean",
    "running_maximum",
]
