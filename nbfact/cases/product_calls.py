"""How each product is prepared: what is built beforehand, and what a call does.

Each function is the ``prepare`` of a :class:`nbfact.harness.case.Case`: it takes the
inputs, and returns a function without arguments that computes the whole product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft

from ..harness import sample
from ..harness.operands import built_once
from ..kernels import (
    butterfly_apply,
    butterfly_apply_columns,
    butterfly_pack,
    fwht,
    fwht_columns,
)
from ..operators import Butterfly, FactorProduct
from . import timed_operators, yardsticks

Call = Callable[[], np.ndarray]
Transform = Callable[..., Butterfly]


@dataclass(eq=False)
class ProductInputs:
    """Inputs of a product.

    Attributes
    ----------
    operator : Operator
        What to multiply by.
    x : ndarray, (n,) or (n, batch)
        What to multiply.
    axis : int
        Axis of x along which the vectors lie.
    """

    operator: timed_operators.Operator
    x: np.ndarray
    axis: int = 0


def dense(inputs: ProductInputs) -> Call:
    """Prepare the dense product, in the memory layout that is faster for x."""
    matrix, x = inputs.operator.dense, inputs.x
    A = built_once(inputs, lambda: yardsticks.fastest_layout(matrix, x))
    return yardsticks.dense_product(A, x)


def chain(inputs: ProductInputs) -> Call:
    """Prepare the product of a `FactorProduct` of the factors."""
    factors, x = inputs.operator.factors, inputs.x
    F = built_once(inputs, lambda: FactorProduct(list(factors)))
    return lambda: F @ x


def new_chain(inputs: ProductInputs) -> Call:
    """Prepare the first product of a new `FactorProduct`, which plans and packs."""
    factors, x = list(inputs.operator.factors), inputs.x
    return lambda: FactorProduct(factors) @ x


def scipy_matvec(inputs: ProductInputs) -> Call:
    """Prepare SciPy's loop over the factors, with memory made beforehand."""
    return yardsticks.csr_product(inputs.operator.factors, inputs.x)


def scipy_merged(inputs: ProductInputs) -> Call:
    """Prepare SciPy's loop over products of two factors each."""
    factors = inputs.operator.factors
    merged = built_once(inputs, lambda: yardsticks.merged_pairs(factors))
    return yardsticks.csr_product(merged, inputs.x)


def scipy_chain(inputs: ProductInputs) -> Call:
    """Prepare SciPy's operator ``@``, factor by factor."""
    factors, x = inputs.operator.factors[::-1], inputs.x

    def call():
        y = x
        for factor in factors:
            y = factor @ y
        return y

    return call


def in_place_fwht(inputs: ProductInputs) -> Call:
    """Prepare the kernel of the transform in place on a fresh copy of x."""
    x, out = inputs.x, sample.aligned_like(inputs.x)
    transform = fwht if x.ndim == 1 else fwht_columns

    def call():
        np.copyto(out, x)
        transform(out)
        return out

    return call


def butterfly_kernel(inputs: ProductInputs) -> Call:
    """Prepare the kernel of a butterfly, which writes into an ``out``."""
    values, x, out = inputs.operator.values, inputs.x, np.empty_like(inputs.x)
    if x.ndim == 1:
        twiddle = built_once(inputs, lambda: _packed(values))
        scratch = np.empty_like(x)

        def call():
            butterfly_apply(twiddle, x, scratch, out)
            return out

    else:

        def call():
            butterfly_apply_columns(values, x, out)  # type: ignore[arg-type]
            return out

    return call


def _packed(values):
    twiddle = np.empty((len(values), 2, 2, values.shape[1]), values.dtype)
    butterfly_pack(values, twiddle)
    return twiddle


def butterfly_operator(inputs: ProductInputs) -> Call:
    """Prepare the operator ``@`` of a `Butterfly`."""
    B, x = inputs.operator.butterfly, inputs.x
    return lambda: B @ x


def exact_transform(transform: Transform, inputs: ProductInputs) -> Call:
    """Prepare the operator ``@`` of an exact transform, which is not normalised."""
    x = inputs.x
    B = built_once(inputs, lambda: transform(len(x), normalized=False, dtype=x.dtype))
    return lambda: B @ x


def scipy_fft(inputs: ProductInputs) -> Call:
    """Prepare SciPy's FFT."""
    x = inputs.x
    return lambda: scipy.fft.fft(x, axis=0)


def scipy_dct(inputs: ProductInputs) -> Call:
    """Prepare SciPy's discrete cosine transform."""
    x = inputs.x
    return lambda: scipy.fft.dct(x, axis=0)
