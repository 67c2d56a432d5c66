"""The matrix with at most k entries per row and column is the nearest one."""

import itertools
from fractions import Fraction

import naive
import numpy as np
import pytest
from samples import REALS_FIRST
from scipy.linalg import hadamard

from nbfact import constraints
from nbfact.kernels import (
    matching,
    project_skperm,
    project_skperm_greedy,
    project_skperm_warm,
)


def cases(count):
    """Yield random and tied matrices, rectangular, with every pair of bounds."""
    rng = np.random.default_rng(0)
    for case in range(count):
        m, n = rng.integers(1, 9, 2)
        k_row, k_col = rng.integers(1, 5, 2)
        if case % 3 == 0:
            x = rng.standard_normal((m, n))
        elif case % 3 == 1:
            x = rng.integers(-2, 3, (m, n)).astype(float)
        else:
            x = rng.standard_normal((m, n)) * (rng.random((m, n)) < 0.4)
        yield x, k_row, k_col


def applied(kernel, x, k_row, k_col):
    """Return the result of a kernel; what it keeps is unchanged and within bounds."""
    y = x.copy()
    kernel(y, k_row, k_col)
    kept = y != 0
    assert np.array_equal(y[kept], x[kept])
    assert kept.sum(axis=1).max() <= k_row
    assert kept.sum(axis=0).max() <= k_col
    return y


def energy(x):
    return np.sum(np.abs(x) ** 2)


def matched(x, k_row, k_col, potential):
    """Return whether a matching is proved to be the only best one, and its entries."""
    energies = (x / max(abs(x).max(), 1e-300)) ** 2
    k_row, k_col = min(k_row, x.shape[1]), min(k_col, len(x))
    return matching.match(energies, k_row, k_col, potential), np.signbit(energies)


def garbage(rng, size):
    """Return potentials that make no sense."""
    return rng.choice([np.nan, np.inf, -1.0, 0.0, 0.3, 1.0, 1e300], size)


def test_the_energy_is_that_of_the_linear_programme():
    for x, k_row, k_col in cases(300):
        got = applied(project_skperm, x, k_row, k_col)
        expected = naive.project_skperm(x, k_row, k_col)
        assert energy(got) == pytest.approx(energy(expected), rel=1e-12, abs=0)
        assert np.array_equal(applied(project_skperm, got, k_row, k_col), got)


def test_no_support_of_a_small_matrix_is_better():
    """Supports are compared in exact arithmetic, on entries from 1e-15 to 1e15."""
    rng = np.random.default_rng(6)
    supports = np.array(list(itertools.product((0, 1), repeat=6))).reshape(-1, 2, 3)
    for case in range(40):
        x = np.exp(rng.standard_normal((2, 3)) * (12 if case % 2 else 2))
        squares = np.array([[Fraction(entry) ** 2 for entry in row] for row in x])
        k_row, k_col = rng.integers(1, 4), rng.integers(1, 3)
        rows = supports.sum(axis=2).max(axis=1) <= k_row
        columns = supports.sum(axis=1).max(axis=1) <= k_col
        best = max((squares * s).sum() for s in supports[rows & columns])
        got = applied(project_skperm, x, k_row, k_col)
        assert (squares * (got != 0)).sum() == best


@pytest.mark.compiled
def test_the_energy_is_that_of_the_linear_programme_when_paths_are_long():
    rng = np.random.default_rng(1)
    for shape, k_row, k_col in (((24, 24), 3, 3), ((15, 30), 4, 2), ((30, 12), 1, 3)):
        for x in (rng.standard_normal(shape), rng.integers(-9, 9, shape) * 1.0):
            got = applied(project_skperm, x, k_row, k_col)
            expected = naive.project_skperm(x, k_row, k_col)
            assert energy(got) == pytest.approx(energy(expected), rel=1e-12)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_dtypes_permutations_and_scales(dtype):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((7, 5))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal((7, 5))
    x = x.astype(dtype)
    got = applied(project_skperm, x, 2, 3)
    assert np.array_equal(got, naive.project_skperm(x, 2, 3))
    rows, columns = rng.permutation(7), rng.permutation(5)
    permuted = applied(project_skperm, x[rows][:, columns], 2, 3)
    assert np.array_equal(permuted, got[rows][:, columns])
    limit = np.finfo(dtype).maxexp - 8
    for scale in (2.0**-limit, 2.0**limit):
        scaled = (x * scale).astype(dtype)
        assert np.array_equal(applied(project_skperm, scaled, 2, 3) != 0, got != 0)


def test_a_small_block_is_as_exact_as_a_large_one():
    rng = np.random.default_rng(3)
    small = rng.standard_normal((6, 6))
    large = rng.standard_normal((6, 6))
    zero = np.zeros((6, 6))
    x = np.block([[large, zero], [zero, 1e-12 * small]])
    got = applied(project_skperm, x, 2, 2)
    expected = applied(project_skperm, small, 2, 2)
    assert np.array_equal(got[6:, 6:] != 0, expected != 0)


def test_ties_fill_rows_and_columns():
    for x in (np.ones((8, 8)), hadamard(8).astype(float)):
        for kernel in (project_skperm, project_skperm_greedy):
            kept = applied(kernel, x, 2, 2) != 0
            assert (kept.sum(axis=0) == 2).all()
            assert (kept.sum(axis=1) == 2).all()


@pytest.mark.parametrize("k", [2, 4, 8, 16])
def test_noise_within_the_tolerance_changes_no_choice(k):
    exact = hadamard(32) / np.sqrt(32)
    noise = np.random.default_rng(7).standard_normal((32, 32))
    noise *= 1e-8 * np.linalg.norm(exact) / np.linalg.norm(noise)
    expected = applied(project_skperm, exact, k, k) != 0
    got = exact + noise
    project_skperm(got, k, k, 2.0**-20)
    assert np.array_equal(got != 0, expected)


def test_the_tolerance_rounds_energies():
    for x, k_row, k_col in cases(60):
        got = x.copy()
        project_skperm(got, k_row, k_col, 0.0)
        assert np.array_equal(got, applied(project_skperm, x, k_row, k_col))
        project_skperm(got := x.copy(), k_row, k_col, 0.125)
        expected = naive.project_skperm(x, k_row, k_col, 0.125)
        largest = max(abs(x).max(), 1e-300)
        rounded = [np.round((y / largest) ** 2 / 0.125).sum() for y in (got, expected)]
        assert rounded[0] == rounded[1]


def test_bounds_beyond_the_size_keep_all():
    x = np.random.default_rng(4).standard_normal((4, 6))
    for kernel in (project_skperm, project_skperm_greedy):
        assert np.array_equal(applied(kernel, x, 10, 10), x)
        assert not applied(kernel, np.zeros((4, 6)), 1, 2).any()


def test_greedy_is_its_twin_and_at_least_half_as_good():
    for x, k_row, k_col in cases(60):
        got = applied(project_skperm_greedy, x, k_row, k_col)
        assert np.array_equal(got, naive.project_skperm_greedy(x, k_row, k_col))
        best = energy(applied(project_skperm, x, k_row, k_col))
        assert best * (1 + 1e-12) >= energy(got) >= 0.5 * best


def test_warm_is_cold_whatever_the_potentials():
    rng = np.random.default_rng(8)
    for case, (x, k_row, k_col) in enumerate(cases(150)):
        if case % 2:  # columns and entries differ by orders of magnitude
            x = x * 10.0 ** rng.integers(-200, 0, x.shape[1])
        expected = applied(project_skperm, x, k_row, k_col)
        potential = garbage(rng, sum(x.shape))
        for _ in range(2):  # the second time from the potentials of the first
            project_skperm_warm(got := x.copy(), k_row, k_col, potential)
            assert np.array_equal(got, expected)
            assert (potential >= 0).all()
            assert np.isfinite(potential).all()


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("shape", "k_row", "k_col"), [((48, 48), 2, 2), ((60, 44), 1, 3), ((40, 64), 2, 4)]
)
def test_a_matrix_that_drifts_stays_at_the_optimum(shape, k_row, k_col):
    """It is proved each time, with few candidates, whether or not the prices fit."""
    rng = np.random.default_rng(9)
    x, potential = rng.standard_normal(shape), np.zeros(sum(shape))
    for step in range(8):
        x = x + (0.02 if step % 4 else 2.0) * rng.standard_normal(shape)
        expected = naive.project_skperm(x, k_row, k_col) != 0
        energies = (x / abs(x).max()) ** 2
        assert matching.match(energies, k_row, k_col, potential)
        assert np.array_equal(np.signbit(energies), expected)
        rows, columns = potential[: shape[0], None], potential[None, shape[0] :]
        slack = rows + columns - abs(energies)
        assert (np.where(expected, -slack, slack) >= -1e-14).all()
        project_skperm_warm(got := x.copy(), k_row, k_col, potential.copy())
        assert np.array_equal(got, naive.project_skperm_warm(x, k_row, k_col))


def test_rows_that_overlooked_a_column_look_again():
    """The candidates of all rows are the best of each group of 6 columns."""
    rng = np.random.default_rng(10)
    x = 1 + rng.random((40, 40)) / 8
    x[:, :36:6] += 1
    energies = (x / x.max()) ** 2
    near, near_count = np.full((40, 30), -1), np.empty(40, np.int64)
    listed = np.zeros((40, 40), bool)
    for i in range(40):
        matching.find_candidates(
            energies, i, 6, np.zeros(80), near, near_count, np.empty(40)
        )
        listed[i, near[i, : near_count[i]]] = True
    assert listed.sum() == 40 * 6
    only, kept = matched(x, 2, 2, np.zeros(80))
    assert only
    assert (kept & ~listed).sum() == 80 - 6 * 2
    assert np.array_equal(kept, naive.project_skperm(x, 2, 2) != 0)


def test_ties_are_not_taken_for_the_only_optimum():
    """In exact arithmetic another support is as good, or the best one is found."""
    rng = np.random.default_rng(11)
    found = 0
    for x, k_row, k_col in cases(150):
        supports, best = [], energy(naive.project_skperm(x, k_row, k_col))
        for _ in range(3):  # the linear programme does not know which of the tied
            rows, columns = rng.permutation(x.shape[0]), rng.permutation(x.shape[1])
            kept = np.zeros(x.shape, bool)
            kept[np.ix_(rows, columns)] = (
                naive.project_skperm(x[np.ix_(rows, columns)], k_row, k_col) != 0
            )
            supports.append(kept)
        only, kept = matched(x, k_row, k_col, np.zeros(sum(x.shape)))
        if only:
            assert energy(x * kept) == pytest.approx(best, rel=1e-12, abs=0)
            assert all(np.array_equal(kept, other) for other in supports)
            found += 1
    assert 50 < found < 150


def test_sets_remember_potentials():
    x = np.random.default_rng(12).standard_normal((6, 9))
    for options in ({}, {"nonneg": True}, {"normalized": False, "tie_tol": 2.0**-20}):
        set_ = constraints.SkPerm((6, 9), 2, k_col=1, **options)
        memory, got = set_.memory(), x.copy()
        set_.project_in_place(got, memory)
        assert memory.any()
        assert np.array_equal(got, set_.project(x))
    assert constraints.SpLin((6, 9), 2).memory() is None

    class Mine(constraints.SkPerm):
        """A set that may override what it inherits."""

    assert Mine((6, 9), 2).memory() is None
