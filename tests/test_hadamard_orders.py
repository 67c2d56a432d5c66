"""Hadamard matrices: every order that is known, exactly."""

import numpy as np
import pytest
import scipy.linalg
from samples import LATER

import nbfact as nf
from nbfact.operators.hadamard_blocks import block, has_block, squares_matrix
from nbfact.operators.hadamard_orders import hadamard_order
from nbfact.operators.hadamard_rows import CIRCULANTS, T_SEQUENCES, WILLIAMSON


def known(most):
    """Return the multiples of 4 up to a number of which a matrix is known."""
    found = {}
    for n in range(4, most + 1, 4):
        try:
            found[n] = hadamard_order(n)
        except ValueError:
            continue
    return found


def is_hadamard(H):
    """Return whether a matrix of integers is a Hadamard matrix, exactly."""
    H = H.astype(np.float32)  # sums of so few ones are exact
    return (abs(H) == 1).all() and (H @ H.T == len(H) * np.eye(len(H))).all()


def test_218_of_the_250_orders_up_to_1000_are_known():
    found = known(1000)
    assert len(found) == 218
    assert all(np.prod(orders) == n for n, orders in found.items())


def test_the_blocks_of_every_order_up_to_1000_are_orthogonal():
    orders = {order for found in known(1000).values() for order in found} - {2}
    assert len(orders) > 90 and all(has_block(order) for order in orders)
    assert all(is_hadamard(block(order)) for order in orders)


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
@pytest.mark.parametrize("n", [1, 2, 4, 12, 20, 24, 92, 144, 172])
def test_operator_and_target_are_the_same_matrix(n, dtype):
    H = nf.transforms.hadamard(n, normalized=False)
    target = nf.targets.hadamard(n, normalized=False)
    assert is_hadamard(target)
    np.testing.assert_array_equal(H.toarray(), target)
    np.testing.assert_array_equal(H.T @ np.eye(n), target.T)
    R = nf.transforms.hadamard(n, dtype=dtype)
    assert R.dtype == dtype and R.nnz == n * max(sum(hadamard_order(n)), 1)
    np.testing.assert_allclose(R.toarray(), nf.targets.hadamard(n), rtol=1e-6)
    np.testing.assert_allclose(R @ (R.T @ np.eye(n)), np.eye(n), atol=1e-6)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("n", [3584, 5120, 11008, 29568])
def test_widths_of_models_are_fast(n):
    H = nf.transforms.hadamard(n, dtype="float32")
    assert H.rcg > 45
    x = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    y = H @ x
    assert abs(np.linalg.norm(y) - np.linalg.norm(x)) < 1e-3
    np.testing.assert_allclose(H.T @ y, x, atol=1e-5)


@pytest.mark.parametrize(
    ("n", "below", "above"), [(3, 2, 4), (428, 424, 432), (13696, 13692, 13712)]
)
def test_an_unknown_order_names_its_neighbours(n, below, above):
    with pytest.raises(ValueError, match=rf"n={n}: .* are {below} and {above}"):
        nf.transforms.hadamard(n)
    for order in (below, above):
        assert np.prod(hadamard_order(order)) == order


@pytest.mark.parametrize("q", [3, 7, 9, 25, 27, 49, 125])
def test_the_squares_of_a_field(q):
    Q = squares_matrix(q).astype(int)
    one = np.ones((q, q), int)
    np.testing.assert_array_equal(Q @ Q.T, q * np.eye(q, dtype=int) - one)
    assert not Q.sum(0).any()
    np.testing.assert_array_equal(Q.T, Q if q % 4 == 1 else -Q)


def test_the_stored_rows_and_sequences():
    for width, (step, numbers) in (WILLIAMSON | CIRCULANTS).items():
        assert is_hadamard(block(4 * width)) and len(numbers) == 4
        assert pow(step, width - 1, width)  # a unit
    for length, letters in T_SEQUENCES.items():
        assert len(letters) == length
        total = np.zeros(2 * length - 1, int)
        for name in "ABCD":
            one = [(c == name) - (c == name.lower()) for c in letters]
            total += np.correlate(one, one, "full")
        assert total[length - 1] == length and np.count_nonzero(total) == 1


def test_powers_of_two_are_sylvesters():
    for n in (1, 2, 8, 64):
        got = nf.targets.hadamard(n, normalized=False)
        np.testing.assert_array_equal(got, scipy.linalg.hadamard(n))


def test_random_signs():
    R = nf.transforms.randomized_hadamard(24, 3, dtype="float32")
    H = nf.transforms.hadamard(24, dtype="float32")
    assert R.dtype == "float32" and R.chain == H.chain and R.nnz == H.nnz
    signs = np.sign((R.toarray() / H.toarray())[0])
    np.testing.assert_array_equal(R.toarray(), H.toarray() * signs)
    assert {-1, 1} == set(signs)
    again = nf.transforms.randomized_hadamard(24, 3, dtype="float32")
    np.testing.assert_array_equal(R.toarray(), again.toarray())
    with pytest.raises(ValueError, match="nearest orders"):
        nf.transforms.randomized_hadamard(30)
