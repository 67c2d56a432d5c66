"""Measured times of products with an operator and with the dense matrix."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...operators import FastOperator
from .product_budget import ProductBudget, ProductTimes

_ROUNDS, _SAMPLE = 15, 2e-4
"""Number of samples of each product, of which the shortest counts, and seconds that one
sample takes at least."""


def measured_times(
    operator: FastOperator, matrix: np.ndarray, product: ProductBudget
) -> ProductTimes:
    """Return expected and measured times of products with operator and matrix."""
    fast, dense = product_seconds([operator, matrix], operand(matrix, product.batch))
    expected, whole = product.expected(operator) * 1e-9, product.dense * 1e-9
    asked = product.dense / product.time
    return ProductTimes(product.batch, expected, whole, fast, dense, asked)


def operand(matrix: np.ndarray, batch: int) -> np.ndarray:
    """Return a vector, or columns, that a matrix multiplies."""
    shape = (matrix.shape[1],) if batch == 1 else (matrix.shape[1], batch)
    return np.ones(shape, matrix.dtype)


def product_seconds(operators: Sequence[Any], x: np.ndarray) -> list[float]:
    """Return the shortest time of a product with each operator, measured in turns."""
    counts = []
    for one in operators:
        one @ x  # plans and compiles
        began = time.perf_counter()
        one @ x
        spent = time.perf_counter() - began
        counts.append(max(1, int(_SAMPLE / max(spent, 1e-9))))
    least = [np.inf] * len(operators)
    for _ in range(_ROUNDS):
        for place, (one, count) in enumerate(zip(operators, counts, strict=True)):
            began = time.perf_counter()
            for _ in range(count):
                one @ x
            spent = (time.perf_counter() - began) / count
            least[place] = min(least[place], spent)
    return [float(one) for one in least]
