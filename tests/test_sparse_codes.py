"""Sparse codes in a sparse dictionary: what learn_transform adds for wide matrices."""

import numpy as np
import pytest
from samples import REALS_FIRST

import nbfact as nf
from nbfact.algorithms.coding.sparse_dictionary import (
    Coding,
    CodingTask,
    Normal,
    largest_places,
    learn_coding,
    pursued,
)

FAMILY = {"families": ["sparse codes"], "random_state": 0}


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def never():
    return False


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("tall", [False, True])
def test_the_budget_is_spent_and_the_error_is_that_of_the_product(dtype, tall):
    target = (gaussian(6, 30) * 1e-3).astype(dtype)
    if target.dtype.kind == "c":
        target = target + 1j * target[::-1]
    target = target.T if tall else target
    found = nf.learn_transform(target, 80, **FAMILY)
    assert found.operator.dtype == target.dtype and found.operator.nnz == 80
    shapes = [one.shape for one in found.operator.to_factors().factors]
    assert shapes == ([(30, 6), (6, 6)] if tall else [(6, 6), (6, 30)])
    assert found.relative_error < found.trials[0].error  # of the largest entries
    error = nf.relative_error(target, found.operator)
    assert found.relative_error == pytest.approx(error, rel=1e-4)
    assert found.structure.startswith("product of 2 sparse factors, relative error")


def test_a_transpose_has_the_same_result():
    target = nf.targets.leadfield(8, 64, random_state=0)
    wide = nf.learn_transform(target, rcg=4, **FAMILY)
    tall = nf.learn_transform(target.T, rcg=4, **FAMILY)
    assert wide.relative_error == pytest.approx(tall.relative_error, rel=1e-9)


@pytest.mark.parametrize("rcg", [4, 8])
def test_hierarchical_with_the_presets_is_not_better(rcg):
    target = nf.targets.leadfield(12, 120, random_state=0)
    found = nf.learn_transform(target, rcg=rcg, **FAMILY)
    assert found.operator.nnz <= target.size // rcg
    for k in range(1, 4):
        other = nf.hierarchical(target, nf.presets.rectmat(2, k, 2))
        if other.operator.nnz <= target.size // rcg:
            better = nf.learn_transform(target, other.operator.nnz, **FAMILY)
            assert better.relative_error < other.relative_error


def test_many_columns_are_coded_with_the_dictionary_of_a_sample():
    dictionary = np.eye(5) + 0.4 * np.eye(5, k=1)
    codes = np.where(gaussian(5, 300) > 1, gaussian(5, 300, seed=1), 0.0)
    target = dictionary @ codes
    budget = np.count_nonzero(codes) + 9
    found = nf.learn_transform(target, budget, **FAMILY)
    assert found.relative_error < 0.05 and found.operator.nnz <= budget


def test_square_matrices_and_small_budgets_are_left_to_others():
    for target, nnz in ((gaussian(6, 6), 30), (gaussian(6, 9), 11)):
        found = nf.learn_transform(target, nnz, **FAMILY)
        assert [one.method for one in found.trials] == ["largest entries"]


def test_rows_and_columns_of_zeros():
    target = gaussian(5, 40)
    target[2], target[:, 7:20] = 0, 0
    found = nf.learn_transform(target, 70, **FAMILY)
    dense = found.operator.toarray()
    assert np.isfinite(dense).all() and not dense[:, 7:20].any()


@pytest.mark.parametrize("weights", [None, gaussian(5, 5, seed=2)])
def test_turns_end_with_the_time_or_the_number_asked_for(weights):
    target = gaussian(5, 12)
    signals = CodingTask(target, 30, weights=weights)
    first = Coding.first(target, 30)
    once, last = learn_coding(signals, first, 1.0, 9, lambda: True)
    assert once is last and once.error < np.linalg.norm(signals.weighted(target))
    many, _ = learn_coding(signals, first, 1.0, 9, never)
    assert many.error < once.error
    for one in (once, many):
        count = np.count_nonzero(one.dictionary) + np.count_nonzero(one.codes)
        left = signals.weighted(target - one.dictionary @ one.codes)
        assert count <= 30 and one.error == pytest.approx(np.linalg.norm(left))


def test_weights_lower_the_error_that_they_count():
    target, weights = gaussian(6, 60), np.diag([9.0, 9, 9, 1, 1, 1])
    first = Coding.first(target, 120)
    found = [
        learn_coding(CodingTask(target, 120, weights=one), first, 1.0, 9, never)[0]
        for one in (None, weights)
    ]
    rests = [target - one.dictionary @ one.codes for one in found]
    plain, heavy = (np.linalg.norm(rest[:3]) for rest in rests)
    assert heavy < 0.5 * plain
    assert np.linalg.norm(rests[0]) < np.linalg.norm(rests[1])


@pytest.mark.parametrize("weights", [None, gaussian(6, 6, seed=2)])
def test_exchanges_lower_the_error_and_keep_the_budget(weights):
    target = gaussian(6, 60)
    signals = CodingTask(target, 150, weights=weights)
    start, _ = learn_coding(signals, Coding.first(target, 150), 1.0, 40, never)
    better, _ = learn_coding(signals._replace(exchanged=True), start, 1.0, 9, never)
    assert better.error < start.error
    for one in (start, better):
        count = np.count_nonzero(one.dictionary) + np.count_nonzero(one.codes)
        left = signals.weighted(target - one.dictionary @ one.codes)
        assert count <= 150 and one.error == pytest.approx(np.linalg.norm(left))
    first = signals._replace(exchanged=True), Coding.first(target, 150)
    fresh, _ = learn_coding(*first, 1.0, 20, never)  # from codes of zeros, too
    assert fresh.error < 1.2 * start.error


@pytest.mark.parametrize("complex_too", [False, True])
def test_a_pursuit_with_all_entries_is_least_squares(complex_too):
    atoms, signals, right = gaussian(7, 4), gaussian(7, 5, seed=1), gaussian(3, 5)
    if complex_too:
        atoms, signals, right = (x + 1j * x[::-1] for x in (atoms, signals, right))
    gram = atoms.conj().T @ atoms
    normal = Normal(gram, None, atoms.conj().T @ signals)
    codes, _, fitted = pursued(normal, np.zeros((4, 5), signals.dtype), 20)
    wanted = np.linalg.lstsq(atoms, signals)[0]
    np.testing.assert_allclose(codes, wanted, rtol=1e-8)
    left = np.linalg.norm(signals - atoms @ wanted) ** 2
    assert fitted == pytest.approx(np.linalg.norm(signals) ** 2 - left)
    adjoint = right.conj().T
    coupled = Normal(gram, right @ adjoint, atoms.conj().T @ signals @ adjoint)
    codes, _, fitted = pursued(coupled, np.zeros((4, 3), signals.dtype), 12)
    wanted = np.linalg.pinv(atoms) @ signals @ np.linalg.pinv(right)
    np.testing.assert_allclose(codes, wanted, rtol=1e-6)
    left = np.linalg.norm(signals - atoms @ wanted @ right) ** 2
    assert fitted == pytest.approx(np.linalg.norm(signals) ** 2 - left)


def test_largest_places_are_as_many_as_asked_for_among_equals():
    rows, columns = largest_places(np.ones((3, 4)), 5)
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == 5
    assert len(largest_places(np.ones((3, 4)), 99)[0]) == 12
