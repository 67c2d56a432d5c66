"""The set of matrices that are constant on the pieces of a partition."""

import naive
import numpy as np
import pytest
from samples import DTYPES, LATER, close, random

import nbfact as nf
from nbfact.constraints import AntiCirc, Circ, Hankel, Partition, Sp, Supp, Toeplitz
from nbfact.kernels import project_partition

LABELS = np.array([[0, 0, 1, -1], [2, 2, 1, 3], [3, 3, 0, -1]])


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("dtype", DTYPES)
def test_kept_pieces_are_those_of_the_twin(dtype, k):
    for x in (random((3, 4), dtype), np.ones((3, 4), dtype)):
        got = x.copy()
        project_partition(got, LABELS, 4, k)
        close(got, naive.project_partition(x, LABELS, 4, k))


@pytest.mark.parametrize("dtype", [pytest.param("float64", marks=LATER)])
def test_any_layout_is_projected(dtype):
    x = random((3, 4), dtype)
    turned = np.asfortranarray(x)
    project_partition(x, LABELS, 4, 2)
    project_partition(turned, LABELS, 4, 2)
    np.testing.assert_array_equal(turned, x)


def test_pieces_that_tie_are_kept_from_the_lowest_label_on():
    x = np.array([[1.0, 1.0, -1.0, -1.0]])
    for labels in ([[5, 5, 2, 2]], [[-7, 9, 3, -1]]):
        got = Partition(labels, 1, normalized=False).project(x)
        kept = np.array(labels) == np.min([p for p in labels[0] if p >= 0])
        np.testing.assert_array_equal(got, np.where(kept, x, 0))


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_structured_sets_are_partitions(dtype, normalized):
    i, j = np.indices((5, 5))
    same = {
        Circ((5, 5), normalized=normalized): (j - i) % 5,
        AntiCirc((5, 5), normalized=normalized): (i + j) % 5,
        Toeplitz((5, 5), normalized=normalized): j - i + 4,
        Hankel((5, 5), normalized=normalized): i + j,
        Supp(i >= j, normalized=normalized): np.where(i >= j, 5 * i + j, -1),
    }
    x = random((5, 5), dtype)
    for one, labels in same.items():
        close(Partition(labels, normalized=normalized).project(x), one.project(x))
    each = np.arange(25).reshape(5, 5)
    for k in (1, 7, 25, 100):
        sparse = Sp((5, 5), k, normalized=normalized)
        close(Partition(each, k, normalized=normalized).project(x), sparse.project(x))


def test_no_other_choice_of_pieces_is_nearer():
    x = random((3, 4), "float64", 3)
    got = Partition(LABELS, 2, normalized=False).project(x)
    for first in range(4):
        for second in range(first):
            kept = np.isin(LABELS, (first, second))
            means = naive.average_over(x, LABELS)
            other = np.where(kept, means, 0)
            assert np.linalg.norm(x - got) <= np.linalg.norm(x - other) + 1e-12


@pytest.mark.parametrize("seed", [pytest.param(0, marks=LATER)])
def test_a_factor_is_learned_on_its_pieces(seed):
    rng = np.random.default_rng(seed)
    i, j = np.indices((8, 8))
    left = rng.standard_normal(15)[j - i + 7]
    right = np.diag(rng.standard_normal(8))
    sets = [Partition(j - i + 7), Supp(np.eye(8))]
    result = nf.palm4msa(left @ right, sets, n_iter=400, random_state=0)
    assert result.relative_error < 1e-3
    first = result.factors[0].toarray()
    close(first, Toeplitz((8, 8), normalized=False).project(first))


@pytest.mark.parametrize(
    ("labels", "k", "error", "words"),
    [
        ([[0.0, 1.0]], None, TypeError, "labels have dtype float64"),
        ([[True, False]], None, TypeError, "labels have dtype bool"),
        ([0, 1], None, ValueError, "labels"),
        ([[-1, -1]], None, ValueError, "name no piece"),
        ([[0, 1]], 0, ValueError, "k=0"),
        ([[0, 1]], 1.5, TypeError, "k=1.5"),
    ],
)
def test_bad_arguments_are_refused(labels, k, error, words):
    with pytest.raises(error, match=words):
        Partition(labels, k)


def test_a_set_prints_itself():
    assert repr(Partition(LABELS, 2)) == "Partition(<3 x 4>, k=2)"
    assert repr(Partition(LABELS)) == "Partition(<3 x 4>, k=None)"
