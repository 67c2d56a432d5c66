"""The checks that functions of many rooms share."""

import numpy as np
import pytest

from nbfact._core.checks import array_of, check_matrix, permutation_of


@pytest.mark.parametrize("dtype", ["i1", "u4", "i8"])
def test_a_permutation_is_a_new_array_of_intp(dtype):
    given = np.array([2, 0, 1], dtype)
    found = permutation_of("p", given, 3)
    assert found.dtype == np.intp and found.tolist() == [2, 0, 1]
    assert not np.shares_memory(found, given)
    assert permutation_of("p", [1, 0], 2).tolist() == [1, 0]


def test_indices_that_are_dropped_are_minus_one():
    assert permutation_of("p", [-1, 1, 0], 3, dropped=True).tolist() == [-1, 1, 0]
    for wrong in ([-1, -1], [-2, 0], [1, -1], [0, 0]):
        with pytest.raises(ValueError, match=r"^p is no permutation.*but -1"):
            permutation_of("p", wrong, 2, dropped=True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0, 1], r"p must be 3 integers, got shape \(2,\)"),
        ([0.0, 1.0, 2.0], "p must be 3 integers.*float64"),
        ([[0, 1, 2]], r"p must be 3 integers, got shape \(1, 3\)"),
        ([0, 1, 1], "p is no permutation: expected 0 to 2, each of them once$"),
        ([0, -1, 1], "p is no permutation"),
        ([1, 2, 3], "p is no permutation"),
    ],
)
def test_what_is_no_permutation_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        permutation_of("p", wrong, 3)


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 0), (1, 1, 1)])
def test_what_is_no_matrix_is_refused(shape):
    with pytest.raises(ValueError, match="x must be a matrix that is not empty, got"):
        check_matrix("x", shape)
    with pytest.raises(ValueError, match="x must be a matrix that is not empty, got"):
        array_of("x", np.ones(shape), 2)


def test_subclasses_of_arrays_become_plain_arrays(tmp_path):
    memory = np.memmap(tmp_path / "x", dtype="f4", shape=(2, 2), mode="w+")

    class Subclass(np.ndarray):
        pass

    for given in (np.ones((2, 2)).view(Subclass), memory, [[1, 0], [0, 1]]):
        assert type(array_of("x", given, 2)) is np.ndarray
