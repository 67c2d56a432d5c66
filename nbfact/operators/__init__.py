"""Linear maps that multiply fast."""

from .base import FastOperator
from .butterfly import Butterfly
from .chain import Chain
from .loading import load
from .product import FactorProduct
from .sum import OperatorSum

__all__ = ["Butterfly", "Chain", "FactorProduct", "FastOperator", "OperatorSum", "load"]
