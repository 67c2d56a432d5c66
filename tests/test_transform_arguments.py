"""What transforms refuse, and their copies and files."""

import copy
import pickle

import numpy as np
import pytest

import nbfact as nf

ORDERS = [
    nf.transforms.dft,
    nf.transforms.idft,
    nf.transforms.hartley,
    nf.transforms.dct,
    nf.transforms.dst,
    nf.transforms.hadamard,
    nf.transforms.haar,
]


@pytest.mark.parametrize("constructor", ORDERS)
def test_orders_are_checked(constructor):
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"n={wrong}"):
            constructor(wrong)
    for wrong in (2.5, "4", None, 4.0):
        with pytest.raises(TypeError, match="n="):
            constructor(wrong)
    for wrong in (np.int64, "float16", "nothing", None):
        with pytest.raises(TypeError, match="dtype="):
            constructor(4, dtype="int64" if wrong is None else wrong)
    other = (
        np.float64
        if constructor in (nf.transforms.dft, nf.transforms.idft)
        else np.complex128
    )
    with pytest.raises(TypeError, match="dtype="):
        constructor(4, dtype=other)
    assert constructor(np.int32(4)).shape == (4, 4)


def test_orders_that_a_transform_does_not_have():
    with pytest.raises(ValueError, match=r"n=12.*power of two"):
        nf.transforms.haar(12)
    with pytest.raises(ValueError, match=r"n=10.*nearest orders .* are 8 and 12"):
        nf.transforms.hadamard(10)
    for constructor in (nf.transforms.dct, nf.transforms.dst):
        for wrong in (0, 5, -1):
            with pytest.raises(ValueError, match=f"type={wrong}"):
                constructor(4, type=wrong)
        with pytest.raises(TypeError, match="type='II'"):
            constructor(4, type="II")
    with pytest.raises(ValueError, match=r"n=1\b.*type 1"):
        nf.transforms.dct(1, 1)


@pytest.mark.parametrize(
    "constructor",
    [nf.transforms.circulant, nf.transforms.toeplitz, nf.transforms.hankel],
)
def test_columns_are_checked(constructor):
    for wrong in ([], [1.0, np.nan], [np.inf], np.ones((2, 2)), 3.0, [[1], [1, 2]]):
        with pytest.raises(ValueError, match=r"^c "):
            constructor(wrong)
    for wrong in ("abc", ["a"], [None], [{}]):
        with pytest.raises((TypeError, ValueError), match=r"^c "):
            constructor(wrong)
    if constructor is not nf.transforms.circulant:
        for wrong in ([], [np.nan], np.ones((2, 2))):
            with pytest.raises(ValueError, match=r"^r "):
                constructor([1.0], wrong)


def test_permutations_are_checked():
    for wrong in ([], [0, 0], [1, 2], [-1, 0], [[0, 1]], 0, [0.0, 1.0]):
        with pytest.raises(ValueError, match=r"^p "):
            nf.transforms.permutation(wrong)
    with pytest.raises(TypeError, match=r"^p "):
        nf.transforms.permutation(["a"])
    with pytest.raises(TypeError, match="dtype="):
        nf.transforms.permutation([0, 1], dtype=complex)


def test_matrices_of_a_kronecker_product_are_checked():
    with pytest.raises(ValueError, match="matrices is empty"):
        nf.transforms.kronecker()
    for wrong in (np.ones(3), np.ones((0, 2)), [[np.nan]]):
        with pytest.raises(ValueError, match=r"matrices\[1\]"):
            nf.transforms.kronecker(np.eye(2), wrong)
    with pytest.raises(TypeError, match=r"matrices\[0\]"):
        nf.transforms.kronecker([["a"]])


@pytest.mark.parametrize(
    "operator",
    [
        nf.transforms.dft(12),
        nf.transforms.idft(12),
        nf.transforms.dct(9),
        nf.transforms.dst(5, 1),
        nf.transforms.haar(16),
        nf.transforms.circulant(np.arange(6.0)),
        nf.transforms.toeplitz(np.arange(4.0), np.arange(3.0)),
        nf.transforms.kronecker(np.eye(2), np.ones((2, 3))),
        nf.transforms.permutation([2, 0, 1]),
    ],
    ids=lambda operator: f"{type(operator).__name__} {operator.shape}",
)
def test_copies_and_files(operator, tmp_path):
    expected = operator.toarray()
    operator.save(tmp_path / "operator.npz")
    for same in (
        pickle.loads(pickle.dumps(operator)),
        copy.deepcopy(operator),
        nf.load(tmp_path / "operator.npz"),
    ):
        np.testing.assert_array_equal(same.toarray(), expected)
        assert same.dtype == operator.dtype and same.nnz == operator.nnz
