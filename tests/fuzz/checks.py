"""What results are compared with: dense matrices, in double precision."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla

import nbfact as nf

SINGLE = (np.float32, np.complex64, np.float16)


def dense(value):
    """Return a matrix, an operator, a result or an array as a plain dense array.

    An operator of sparse factors is multiplied out from its factors, so that its own
    products are not what they are compared with.
    """
    value = getattr(value, "operator", value)
    if isinstance(value, nf.FastOperator):
        try:
            product = value.to_factors()
        except TypeError:
            return value.toarray()
        result = np.eye(value.shape[0]) * product.scale
        for factor in product.factors:
            result = result @ factor.toarray()
        return result
    if isinstance(value, spla.LinearOperator):
        return value @ np.eye(value.shape[1])
    if sp.issparse(value):
        return value.toarray()
    return numbers(value)


def numbers(value):
    """Return an array in float64 or complex128."""
    array = np.array(value)
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    if array.dtype.kind == "O":
        kind = np.result_type(kind, *(type(one) for one in array.flat))
    return array.astype(kind)


def is_finite(value):
    """Return whether an argument holds no NaN and no infinity."""
    try:
        return bool(np.isfinite(dense(value)).all())
    except Exception:
        return True


def precision(*values):
    """Return the rounding unit of the coarsest dtype among arrays and operators."""
    dtypes = [getattr(value, "dtype", None) for value in values]
    floats = [np.dtype(d) for d in dtypes if d is not None and np.dtype(d).kind in "fc"]
    return max(np.finfo(d).eps for d in [np.dtype("f8"), *floats])


def near(result, expected, *sources, size=None, what="the result"):
    """Raise an AssertionError unless an array is the expected one, up to rounding.

    Parameters
    ----------
    result : array_like
        A plain ndarray or a number.
    expected : array_like
        Where it is not finite, or near the largest number, the result may be anything.
    *sources : arrays and operators
        The dtype of the coarsest of them, and of the result, gives the tolerance.
    size : float, optional
        What the tolerance is relative to; by default the largest modulus.
    what : str
        The name of the result in the message.
    """
    expected = np.asarray(expected)
    if hasattr(result, "shape"):
        plain = isinstance(result, np.ndarray | np.generic)
        assert plain, f"{what} is a {type(result).__name__}"
    got = np.asarray(result)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, {expected.shape}"
    if got.size == 0:
        return
    size = np.abs(expected).max() if size is None else size
    limit = np.finfo(np.result_type(got.dtype, np.float16)).max
    if not size < limit / 1e4:
        return
    assert np.isfinite(got).all(), f"{what} is not finite, largest {size:.3g} expected"
    eps = precision(got, *sources)
    tiny = np.finfo(np.result_type(got.dtype, np.float32)).tiny
    error = np.abs(got - expected).max()
    assert error <= 2000 * eps * size + tiny * 1e3, (
        f"{what} is off by {error:.3g} of {size:.3g}: {_first(got)} for "
        f"{_first(expected)}"
    )


def _first(array):
    """Return the first entries as text."""
    return np.array2string(array.ravel()[:4], precision=6, separator=", ")


def near_operator(result, expected, *sources, dtype=None):
    """Raise unless an operator has a dense matrix, in `toarray` and in products."""
    assert isinstance(result, nf.FastOperator), type(result).__name__
    assert result.shape == expected.shape, f"shape {result.shape}, {expected.shape}"
    if dtype is not None:
        assert result.dtype == dtype, f"dtype {result.dtype}, {dtype} expected"
    near(result.toarray(), expected, result, *sources, what="toarray()")
    if not np.abs(expected).max(initial=0) < np.finfo(result.dtype).max / 1e4:
        return  # the dtype of the operator does not hold its matrix
    x = np.random.default_rng(1).standard_normal((expected.shape[1], 2))
    size = (np.abs(expected) @ np.abs(x)).max(initial=0)
    near(result @ x, expected @ x, result, *sources, size=size, what="a product")


def near_product(result, left, right, *sources):
    """Raise unless an array is the product of two arrays, up to rounding."""
    expected = left @ right
    size = (np.abs(left) @ np.abs(right)).max(initial=0)
    near(result, expected, *sources, size=size, what="the product")


def true(condition, message):
    """Raise an AssertionError with a message unless a condition holds."""
    assert condition, message
