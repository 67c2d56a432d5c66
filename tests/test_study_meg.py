"""The studies meg and localisation: their parts, and what their pages are made of."""

import csv
from pathlib import Path

import numpy as np
import pytest

import nbfact as nf
from nbfact.studies.localisation import localisation_study
from nbfact.studies.localisation.solvers import (
    ITERATIONS,
    MISSING,
    MODULES,
    PENALTY,
    SLACK,
    SOLVERS,
    SOURCES,
    STEP,
    penalised,
    thresholding,
)
from nbfact.studies.localisation.source_pairs import CLASSES, distances, draw_pairs
from nbfact.studies.meg import approximations, meg_claims, meg_study
from nbfact.studies.meg.approximations import (
    HIERARCHICAL,
    TURNS,
    Setting,
    approximation,
    column_weights,
    levels,
    recoded,
    unit_columns,
    weighted,
)
from nbfact.studies.meg.gain_matrices import gain_matrix, spectral_norm
from nbfact.studies.tools.run_study import run_study

TINY = "sphere 6x16"


def test_levels_of_one_run_are_the_results_of_shorter_runs():
    target = gain_matrix(TINY).matrix
    found = levels(target, 4, 2, 2)
    assert [len(level.operator.factors) for level in found] == [2, 3, 4]
    for level in found:
        J = len(level.operator.factors)
        alone = nf.hierarchical(target, nf.presets.rectmat(J, 2, 2))
        assert level.error == alone.relative_error
        assert level.operator.nnz == alone.operator.nnz
        assert np.array_equal(level.operator.toarray(), alone.operator.toarray())


def test_recoding_lowers_the_error_and_keeps_the_non_zeros():
    target = gain_matrix(TINY).matrix
    start = nf.hierarchical(target, nf.presets.rectmat(3, 3, 2))
    better = recoded(target, start.operator)
    assert better.nnz <= start.operator.nnz
    assert nf.relative_error(target, better) < start.relative_error
    assert (np.diff(better.factors[-1].tocsc().indptr) <= 3).all()


def test_weights_lower_the_weighted_error_and_keep_the_budget(monkeypatch):
    target = gain_matrix("sphere 6x48").unit
    weights, errors = column_weights(target), []
    for last in (0, TURNS[2]):
        monkeypatch.setattr(approximations, "TURNS", (*TURNS[:2], last))
        found = weighted(target, 3)
        assert found.nnz <= target.size // 3
        errors.append(np.linalg.norm(weights @ (target - found.toarray())))
    assert errors[1] < errors[0]


def test_columns_of_norm_one():
    rng = np.random.default_rng(0)
    factors = [rng.standard_normal((4, 4)), rng.standard_normal((4, 6))]
    factors[1][:, 2] = 0
    operator = nf.FactorProduct(factors, 3.0)
    unit, norms = unit_columns(operator), np.linalg.norm(operator.toarray(), axis=0)
    norms[2] = 1
    np.testing.assert_allclose(unit.toarray(), operator.toarray() / norms, atol=1e-15)


def test_an_approximation_is_computed_once(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    arguments = TINY, HIERARCHICAL, Setting(2, 3, 3, 2), 1.0
    first = approximation(*arguments)
    (file,) = (tmp_path / "nbfact" / "meg" / "approximations").iterdir()
    assert np.array_equal(nf.load(file).toarray(), first.toarray())
    monkeypatch.setattr(
        "nbfact.studies.meg.approximations.hierarchical",
        lambda *_: pytest.fail("it is computed again"),
    )
    assert np.array_equal(approximation(*arguments).toarray(), first.toarray())


def test_spectral_norm():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5, 9))
    np.testing.assert_allclose(spectral_norm(A), np.linalg.norm(A, 2), rtol=1e-13)


@pytest.mark.parametrize("name", CLASSES)
def test_pairs_have_the_distance_of_their_class_and_the_noise_asked_for(name):
    gain = gain_matrix("sphere 8x60")
    unit = gain.matrix / np.linalg.norm(gain.matrix, axis=0)
    silent = draw_pairs(gain, name, 50, None, np.random.default_rng(1))
    noisy = draw_pairs(gain, name, 50, 20.0, np.random.default_rng(1))
    assert np.array_equal(silent.places, noisy.places)
    i, j = silent.places.T
    apart = np.linalg.norm(gain.positions[i] - gain.positions[j], axis=1)
    least, most = CLASSES[name]
    assert (apart > least).all() and (apart <= most).all()
    for a, b, signal in zip(i, j, silent.signals.T, strict=True):
        left = np.linalg.lstsq(unit[:, [a, b]], signal)[1]
        assert left[0] < 1e-25
    noise = np.linalg.norm(noisy.signals - silent.signals, axis=0)
    np.testing.assert_allclose(noise, np.linalg.norm(silent.signals, axis=0) / 10)


def test_distances_of_codes_with_one_entry_or_none():
    positions = np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]])
    codes = np.array([[0.0, 0, 1], [2, 0, 3], [0, 0, 2]])
    places = np.array([[0, 1], [0, 1], [1, 2]])
    found = distances(positions, codes, places)
    assert np.array_equal(found, [[3, 0], [np.inf, np.inf], [0, 0]])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", [np.asarray, lambda Q: nf.FactorProduct([Q])])
def test_solvers_find_the_columns_of_an_orthogonal_matrix(solver, form):
    if solver in MODULES:
        pytest.importorskip(MODULES[solver])
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))[0]
    codes = np.zeros((12, 3))
    codes[[2, 7], 0], codes[[0, 11], 1], codes[[4, 5], 2] = (2, -1), (1, 1.5), (-3, 2)
    found = SOLVERS[solver](form(Q), Q @ codes)
    size = np.abs(found)
    assert np.array_equal(size > 1e-3 * size.max(axis=0), codes != 0)


def test_solvers_of_other_packages_say_how_to_install_them(monkeypatch):
    for solver, module in MODULES.items():
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]") as error:
            SOLVERS[solver](np.eye(3), np.ones((3, 1)))
        assert str(error.value) == MISSING.format(module)


def signals_of_a_sphere():
    """Return a matrix with coherent columns of norm 1, an operator, and signals."""
    gain = gain_matrix("sphere 12x60")
    pairs = draw_pairs(gain, "> 8 cm", 9, None, np.random.default_rng(5))
    return gain.unit, nf.FactorProduct([gain.unit]), pairs.signals


def test_codes_of_l1_are_optimal_among_all_columns():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import Lasso

    matrix, operator, signals = signals_of_a_sphere()
    bounds = PENALTY * np.abs(matrix.T @ signals).max(axis=0)
    for form in (matrix, operator):
        codes = penalised(form, signals)
        slopes = matrix.T @ (signals - matrix @ codes)
        assert (np.abs(slopes) <= (1 + 2 * SLACK) * bounds).all()
        signs = np.where(codes, np.sign(codes), slopes / bounds)
        np.testing.assert_allclose(slopes / bounds, signs, atol=0.02)
        # One signal after the other, each among all columns, has the same codes.
        for signal, bound, code in zip(signals.T, bounds, codes.T, strict=True):
            alone = Lasso(bound / 12, fit_intercept=False, tol=1e-9, max_iter=10**6)
            alone.fit(matrix, signal)
            np.testing.assert_allclose(code, alone.coef_, atol=2e-3)


def test_hard_thresholds_of_all_signals_are_those_of_each_alone():
    pytest.importorskip("pylops")
    matrix, operator, signals = signals_of_a_sphere()
    codes = thresholding(matrix, signals)
    assert ((codes != 0).sum(axis=0) == SOURCES).all()
    for form in (matrix, operator):
        for signal, code in zip(signals.T, codes.T, strict=True):
            alone = thresholding(form, signal[:, None])[:, 0]
            np.testing.assert_allclose(alone, code, atol=1e-5)
    for signal, code in zip(signals.T, codes.T, strict=True):
        np.testing.assert_allclose(hard_thresholds(matrix, signal), code, atol=1e-4)


def hard_thresholds(matrix, signal):
    """Return the code that IHT with momentum finds for a signal, in float64."""
    last = momentum = np.zeros(matrix.shape[1])
    t = 1.0
    for _ in range(ITERATIONS):
        code = momentum + STEP * (matrix.T @ (signal - matrix @ momentum))
        code[np.argsort(np.abs(code))[:-SOURCES]] = 0
        earlier, t = t, (1 + np.sqrt(1 + 4 * t * t)) / 2
        momentum = code + (earlier - 1) / t * (code - last)
        last = code
    return last


def test_a_missing_package_is_named_before_the_first_job(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pylops", None)
    with pytest.raises(ModuleNotFoundError, match=r"nbfact\[study\]"):
        run_study("localisation", quick=True, output=tmp_path)
    assert not list(tmp_path.iterdir())
    localisation_study.check_installed(["OMP, no noise, > 8 cm, dense"])


def test_files_without_rows_are_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("method,rcg\n")
    with pytest.raises(ValueError, match=r"--rows .*empty\.csv: no rows"):
        run_study("meg", output=tmp_path / "new", rows_of=[tmp_path / "empty.csv"])
    assert not (tmp_path / "new").exists()


def test_the_front_and_the_best_of_a_gain():
    rows = [
        {"rcg": 10.0, "spectral": 0.2},
        {"rcg": 8.0, "spectral": 0.1},
        {"rcg": 6.0, "spectral": 0.15},
    ]
    assert meg_claims.front(rows) == rows[:2]
    assert meg_claims.best_row(rows, 5) is rows[1]
    assert meg_claims.best_row(rows, 9) is rows[0]
    assert meg_claims.best_row(rows, 11) is None


def test_the_best_settings_are_those_of_the_page():
    path = Path(__file__).parents[1] / "docs" / "meg.csv"
    if not path.exists():
        pytest.skip("the sources of the documentation are not here")
    with open(path, newline="", encoding="utf-8") as file:
        rows = [
            {**row, "rcg": float(row["rcg"]), "spectral": float(row["spectral"])}
            for row in csv.DictReader(file)
            if row["method"] == HIERARCHICAL
        ]
    found = []
    for setting in meg_study.BEST:
        row = meg_claims.best_row(rows, setting.gain)
        found.append(Setting(setting.gain, *(int(row[name]) for name in "Jks")))
    assert tuple(found) == meg_study.BEST


def test_positions_of_a_lead_field():
    matrix, positions = nf.targets.leadfield(
        6, 10, random_state=3, return_positions=True
    )
    assert np.array_equal(matrix, nf.targets.leadfield(6, 10, random_state=3))
    radii = np.linalg.norm(positions, axis=1)
    assert positions.shape == (10, 3)
    assert (radii >= 0.05).all() and (radii <= 0.085).all()
    with pytest.raises(TypeError, match="return_positions"):
        nf.targets.leadfield(6, 10, return_positions=1)
