"""Linear maps that multiply fast."""

from .base import FastOperator
from .product import FactorProduct, load

__all__ = ["FactorProduct", "FastOperator", "load"]
