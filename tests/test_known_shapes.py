"""Butterflies keep how they multiply operands of a shape."""

import numpy as np
import pytest
from samples import DTYPES, close, random

from nbfact import Butterfly, Chain


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_are_the_same_once_their_shapes_are_known(dtype):
    """The second product of a shape goes a shorter way than the first."""
    n = 8
    chain = Chain.square_dyadic(n)
    values = [random(pattern, dtype, j) for j, pattern in enumerate(chain)]
    B = Butterfly(chain, values)
    A = B.astype(np.result_type(dtype, np.float64)).toarray()
    for other in ("float32", "float64", "complex64", "complex128"):
        for shape in ((n,), (n, 1), (n, 2), (n, 5), (n, n)):
            x = random(shape, other, 3)
            operands = [
                x, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x[::-1][::-1],
            ]  # fmt: skip
            operands.append(x.copy())
            operands[-1].setflags(write=False)
            for operand in operands:
                for _ in range(2):
                    close(B @ operand, A @ x)
                    close(B.apply(operand), A @ x)
                    if x.ndim == 1 or shape[1] == 1:
                        close(B.matvec(operand), A @ x)
                    else:
                        close(B.matmat(operand), A @ x)
                    out = np.full_like(B @ x, np.nan)
                    assert B.apply(operand, out) is out
                    close(out, A @ x)
    square = random((n, n), dtype, 4)
    close(B.matvec(square), square @ A.T)  # vectors along the last axis
    own = random((n, 3), dtype, 5)
    expected = (A @ own).astype(dtype)
    assert B.apply(own, own) is own  # in place, and over memory that x shares
    close(own, expected)
    memory = random(2 * n, dtype, 6)
    expected = (A @ memory[:n]).astype(dtype)
    B.apply(memory[:n], memory[4 : 4 + n])
    close(memory[4 : 4 + n], expected)
    with pytest.raises(ValueError, match="out"):
        B.apply(random(n, dtype), np.empty(n + 1, dtype))
    with pytest.raises(ValueError, match="shape"):
        B @ random((n + 1, 2), dtype)


def test_many_shapes_are_not_all_remembered():
    chain = Chain.square_dyadic(4)
    B = Butterfly(chain, [np.ones(pattern) for pattern in chain])
    for batch in range(1, 200):
        x = np.ones((4, batch), np.float32 if batch % 2 else np.float64)
        np.testing.assert_array_equal(B @ x, np.full((4, batch), 4.0))
    assert len(B._quick) <= 64 and len(B._converting) <= 64
