"""The checks that functions of many rooms share."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import nbfact as nf
from nbfact._core.array_checks import (
    array_of,
    check_matrix,
    check_output,
    check_sparse,
    permutation_of,
)
from nbfact._core.checks import (
    choice,
    dtype_of,
    flag,
    function,
    generator,
    real_number,
    sequence,
    shown,
    size,
)


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


MASKED = np.ma.array([[1.0, 2.0]], mask=[[True, False]])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (None, TypeError, "x is None: expected an array of numbers"),
        (object(), TypeError, "x is <object object"),
        ("a", TypeError, "x is 'a': expected an array"),
        ([[1, 2], [3]], ValueError, "x is no array: its rows differ in length"),
        ([["a", "b"]], TypeError, "x is dtype <U1: expected an array of numbers"),
        (np.array([["2020-01-01"]], "M8[D]"), TypeError, r"x is dtype datetime64\[D\]"),
        ([[1, None]], TypeError, "x is dtype object: expected an array of numbers"),
        (np.ones((1, 2), "g"), TypeError, "x has dtype .*: expected at most complex"),
        (MASKED, TypeError, r"x is a masked array \(1, 2\): its mask would be ignored"),
        (sp.eye_array(3), TypeError, r"x is dia_array \(3, 3\) of float64"),
        ([[1.0, np.nan]], ValueError, r"x \(1, 2\) contains NaN or infinity"),
        ([[1j]], TypeError, "x has dtype complex128: expected real numbers"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        array_of("x", wrong, 2, kinds="f")


def test_a_number_is_finite_and_within_its_bounds():
    for value in (1, 0.5, np.float32(0.5), np.int8(1), Fraction(1, 2)):
        found = real_number("x", value, above=0, most=1)
        assert type(found) is float and found == value
    for wrong in (True, np.True_, "1", None, 1j, [1.0], np.ones(1), object(), b"1"):
        with pytest.raises(TypeError, match=r"^x=.*: expected a real number"):
            real_number("x", wrong)
    for wrong in (np.nan, np.inf, -np.inf, 10**400, 0, 1.5):
        with pytest.raises(ValueError, match=r"^x=.*number, above 0 and at most 1$"):
            real_number("x", wrong, above=0, most=1)
    with pytest.raises(
        ValueError, match=r"^x=1: expected a finite number, at least 0 and below 1$"
    ):
        real_number("x", 1, least=0, below=1)


def test_an_integer_is_within_its_bounds():
    assert size("n", np.uint8(3)) == 3
    for wrong in (True, np.False_, 3.0, "3", None, [3], np.ones(2, int)):
        with pytest.raises(TypeError, match=r"^n=.*: expected an integer"):
            size("n", wrong)
    with pytest.raises(ValueError, match=r"^n=0: expected at least 1$"):
        size("n", 0)
    with pytest.raises(
        ValueError, match=r"^n=1000000.*: expected at most 922337203685"
    ):
        size("n", 10**30)
    assert size("n", 10**30, most=None) == 10**30
    with pytest.raises(ValueError, match=r"^n=a value of type int: expected at most 9"):
        size("n", 10**5000, most=9)


def test_a_flag_is_true_or_false_and_nothing_else():
    assert flag("x", np.True_) is True and flag("x", False) is False
    for wrong in (1, 0, None, "yes", [True], np.array(True), bool):
        with pytest.raises(TypeError, match=r"^x=.*: expected True or False$"):
            flag("x", wrong)


def test_a_word_is_one_of_those_listed():
    assert choice("order", "up", ("up", "down")) == "up"
    with pytest.raises(ValueError, match=r"^order='left': expected one of \('up', 'do"):
        choice("order", "left", ("up", "down"))
    for wrong in (None, 3, ["up"], np.array(["up", "down"])):
        with pytest.raises(TypeError, match=r"^order=.*: expected one of"):
            choice("order", wrong, ("up", "down"))


def test_a_function_takes_as_many_arguments_as_it_gets():
    for right in (None, print, lambda x: x, lambda *x: x, np.sin, "".join):
        assert function("callback", right) is right
    for wrong in (3, "print", lambda: 0, lambda x, y: 0, lambda *, x: 0):
        with pytest.raises(TypeError, match=r"^callback=.*: expected a function of 1 "):
            function("callback", wrong)


def test_a_dtype_is_named_and_not_taken_from_an_array():
    assert dtype_of(np.float32, "f") == dtype_of("f4", "f") == np.dtype("f4")
    for wrong in (
        np.ones(2, "f4"),
        np.float32(1),
        "f2",
        "c8",
        "what",
        3,
        [("a", "f4")],
    ):
        with pytest.raises(TypeError, match=r"^dtype=.*: expected float32 or float64$"):
            dtype_of(wrong, "f")


def test_every_kind_of_seed_gives_a_generator():
    rng = np.random.default_rng(3)
    assert generator("random_state", rng) is rng
    again = generator("random_state", np.int64(3))
    assert again.integers(2**31) == rng.integers(2**31)
    # A RandomState seeds a generator, that can spawn others, and advances.
    state = np.random.RandomState(3)
    first, second = (generator("random_state", state) for _ in range(2))
    same = generator("random_state", np.random.RandomState(3))
    drawn = first.integers(2**31)
    assert same.integers(2**31) == drawn != second.integers(2**31)
    assert len(first.spawn(2)) == 2
    with pytest.raises(
        ValueError, match=r"^random_state=-1: expected a seed of at lea"
    ):
        generator("random_state", -1)
    for right in (
        np.random.SeedSequence(3),
        np.random.PCG64(3),
        [1, 2],
        2**70,
        [2**70],
    ):
        assert isinstance(generator("random_state", right), np.random.Generator)
    for wrong in (True, 1.5, "12", object(), [0.5], np.random, [-1], [], [True, 2**70]):
        with pytest.raises(TypeError, match=r"^random_state=.*: expected None, an int"):
            generator("random_state", wrong)


def test_a_sequence_is_no_string_and_no_matrix():
    assert sequence("x", (one for one in "ab"), "letters") == ["a", "b"]
    assert len(sequence("x", np.ones((3, 2, 2)), "matrices")) == 3
    assert sequence("x", nf.Chain([(1, 2, 2, 1)]), "patterns") == [(1, 2, 2, 1)]
    for wrong in (3, None, "ab", b"ab", {1: 2}, {1, 2}, sp.eye_array(3), list):
        with pytest.raises(TypeError, match=r"^x=.*: expected a sequence of letters$"):
            sequence("x", wrong, "letters")
    with pytest.raises(
        ValueError, match=r"^x is empty: expected at least 1 of letters"
    ):
        sequence("x", [], "letters", least=1)


def test_output_is_a_plain_array_that_fits():
    right = np.zeros(3)
    check_output("out", right, (3,), right.dtype)
    for wrong in ([0.0] * 3, None, 3, np.ma.zeros(3), sp.eye_array(3)):
        with pytest.raises(TypeError, match=r"^out=.*an array of shape \(3,\)"):
            check_output("out", wrong, (3,), right.dtype)
    for wrong in (np.zeros(4), np.zeros((3, 1)), np.zeros(3, "f4")):
        with pytest.raises(ValueError, match=r"^out has shape .* and dtype"):
            check_output("out", wrong, (3,), right.dtype)
    right.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out \(3,\) is read-only"):
        check_output("out", right, (3,), right.dtype)


def broken_sparse():
    """Yield sparse matrices whose arrays do not fit, and a word of the message."""
    for kind, index in itertools.product((sp.csr_array, sp.csc_matrix), (10**9, -1, 4)):
        matrix = kind(np.eye(4))
        matrix.indices[2] = index
        yield matrix, "indices from"
    for indptr in ([0, 1, 2, 3, 10**6], [0, 3, 2, 3, 4], [1, 1, 2, 3, 4], [0, 1, 2, 3]):
        matrix = sp.csr_array(np.eye(4))
        matrix.indptr = np.array(indptr, np.int32)
        yield matrix, "indptr"
    matrix = sp.csr_array(np.eye(4))
    matrix.data = matrix.data[:2]
    yield matrix, "2 values"
    matrix = sp.csr_array(np.eye(4))
    matrix.indices = matrix.indices.astype(float)
    yield matrix, "no vectors of integers"
    matrix = sp.bsr_array(np.eye(4), blocksize=(2, 2))
    matrix.indices[1] = 2
    yield matrix, "indices from"
    matrix = sp.coo_array(np.eye(4))
    matrix.row[0] = 7
    yield matrix, "indices from"
    matrix = sp.lil_array(np.eye(4))
    matrix.rows[1] = [9]
    yield matrix, "indices from"
    matrix = sp.lil_array(np.eye(4))
    matrix.rows[1] = [1, 2]
    yield matrix, "2 indices for 1"


@pytest.mark.parametrize(("matrix", "word"), [*broken_sparse()])
def test_sparse_matrices_with_broken_arrays_are_refused(matrix, word):
    message = rf"^A \(4, 4\) is not a valid sparse matrix: .*{word}"
    with pytest.raises(ValueError, match=message):
        check_sparse("A", matrix)


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("shape", [(4, 4), (1, 1), (2, 5), (6, 3)])
def test_sound_sparse_matrices_of_every_format_pass(format, shape):
    for matrix in (sp.eye_array(*shape), sp.csr_array(shape)):
        before = matrix.toarray()
        converted = matrix.asformat(format)
        check_sparse("A", converted)
        assert converted.format == format
        np.testing.assert_array_equal(converted.toarray(), before)


def test_messages_show_long_values_cut():
    for value in (list(range(10**4)), "a" * 10**4, 10**400, {"a": [1] * 1000}):
        assert len(shown(value)) <= 62
    assert shown(np.zeros((1000, 1000))) == "ndarray (1000, 1000) of float64"
    assert shown(np.float64) == "the class float64" and shown("a") == "'a'"
