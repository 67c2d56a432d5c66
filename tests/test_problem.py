"""`Problem`: a target is checked, measured and shifted once in a call."""

import pickle
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact.algorithms.common import problem as problems
from nbfact.algorithms.common.problem import Explicit, Implicit, problem_of
from nbfact.algorithms.learn.learn_options import LearnOptions
from nbfact.algorithms.palm.leaky_exploration import ExploreOptions
from nbfact.algorithms.palm.peeling import PeelOptions
from nbfact.algorithms.palm.refinement import RefineOptions
from nbfact.algorithms.palm.sweep_options import SweepOptions
from nbfact.algorithms.permutations.identify_options import IdentifyOptions

DTYPES = ("float32", "float64", "complex64", "complex128")
FORMS = {"array": np.asarray, "csr": sp.csr_array, "operator": aslinearoperator}


def matrix_of(dtype, shape=(6, 9)):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    return (x if np.dtype(dtype).kind == "c" else x.real).astype(dtype)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_problem_is_the_matrix_and_its_norm(monkeypatch, dtype, form):
    array = matrix_of(dtype)
    for small, view in ((1 << 22, Explicit), (0, Implicit)):
        monkeypatch.setattr(problems, "SMALL", small)
        problem = problem_of(FORMS[form](array), 2)
        if form == "array":
            view = Explicit
        assert problem.dtype == dtype
        assert problem.shape == (6, 9)
        assert problem.norm == pytest.approx(np.linalg.norm(array), rel=1e-6)
        assert (problem.exponent, problem.zero) == (0, False)
        assert isinstance(problem.upright, view)
        assert isinstance(problem.turned, view)
        assert (problem.dense is None) == (view is Implicit)
        assert isinstance(problem_of(FORMS[form](array), 1).array, np.ndarray)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_extreme_problem_is_shifted_by_a_power_of_two(dtype):
    real = np.dtype(dtype).char in "fF"
    for power in (-100, 100) if real else (-900, 900):
        array = matrix_of(dtype)
        problem = problem_of(array * array.real.dtype.type(2.0**power))
        assert abs(problem.exponent - power) < 6
        shifted = problem.shifted * 2.0 ** (problem.exponent - power)
        np.testing.assert_array_equal(shifted, array)
        assert 0.5 <= problem.upright.norm < 1
        assert 0.5 <= np.abs(problem.wide.array.view(np.float64)).max() < 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_entries_that_are_not_finite_are_found_in_every_form(monkeypatch, dtype, form):
    for small in (1 << 22, 0):
        monkeypatch.setattr(problems, "SMALL", small)
        for bad in (np.nan, np.inf, -np.inf):
            for rest in (0, 1):
                array = np.full((6, 9), rest, dtype)
                array[3, 4] = bad
                target = FORMS[form](array)
                with np.errstate(invalid="ignore"):
                    with pytest.raises(ValueError, match=r"target \(6, 9\) contains"):
                        problem_of(target, 2)


def test_integers_and_an_overflowing_norm():
    assert problem_of(np.arange(6).reshape(2, 3)).dtype == np.float64
    assert problem_of(np.ones((2, 2), bool)).dtype == np.float64
    huge = problem_of(np.full((4, 4), 1.7e308))
    assert huge.norm == np.inf
    assert huge.exponent == 1024
    assert np.isfinite(huge.upright.norm)
    with pytest.raises(ValueError, match="not empty"):
        problem_of(np.ones((0, 3)))
    with pytest.raises(TypeError, match="numbers"):
        problem_of(np.array([["a"]]))


def test_a_problem_keeps_the_array_that_it_was_given_and_survives_a_pickle():
    array = matrix_of("float64") * 2.0**900
    problem = problem_of(array)
    assert problem.matrix is array
    again = pickle.loads(pickle.dumps(problem))
    assert (again.norm, again.exponent) == (problem.norm, problem.exponent)
    np.testing.assert_array_equal(again.shifted, problem.shifted)
    part = problem.part(array)
    assert (part.exponent, pickle.loads(pickle.dumps(part)).exponent) == (0, 0)


CALLS = {
    "palm4msa": lambda A, sets: nf.palm4msa(A, sets, n_iter=2),
    "hierarchical": lambda A, sets: nf.hierarchical(A, "hadamard", n_iter=2),
    "explore": lambda A, sets: nf.explore(A, sets, n_iter=2, n_restarts=1),
    "refine": lambda A, sets: nf.refine([np.eye(8), A], A, n_iter=1),
    "butterfly_factorize": lambda A, sets: nf.butterfly_factorize(A),
    "learn_transform": lambda A, sets: nf.learn_transform(A, nnz=40, effort="quick"),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_target_of_a_call_is_checked_once(monkeypatch, name):
    target = matrix_of("float64", (8, 8))
    sets = [nf.constraints.SkPerm((8, 8), 2)] * 2
    seen = []

    def counted(given, n_factors=1):
        seen.append(given is target)
        return problem_of(given, n_factors)

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("nbfact."):
            if getattr(module, "problem_of", None) is problem_of:
                monkeypatch.setattr(module, "problem_of", counted)
    monkeypatch.setattr(problems, "problem_of", problem_of)
    CALLS[name](target, sets)
    assert sum(seen) == 1


def test_options_check_themselves_and_are_frozen():
    preset = nf.presets.rectmat(3, 4, 3)
    bad = [
        (lambda: ExploreOptions(sweeps=SweepOptions(), n_restarts=-1), "n_restarts"),
        (lambda: ExploreOptions(sweeps=SweepOptions(), n_jobs=0), "n_jobs"),
        (lambda: RefineOptions(n_iter=0), "n_iter"),
        (lambda: RefineOptions(tol=-1.0), "tol"),
        (lambda: PeelOptions(preset=preset, n_iter=(1, 2, 3)), "n_iter"),
        (lambda: PeelOptions(preset=preset, n_iter=0), "n_iter"),
        (lambda: IdentifyOptions(n_iter=0), "n_iter"),
        (lambda: IdentifyOptions(n_restarts=-1), "n_restarts"),
        (lambda: LearnOptions(nnz=0), "nnz"),
        (lambda: LearnOptions(nnz=4, rcg=2.0), "one of nnz, rcg, error and speedup"),
        (lambda: LearnOptions(error=1.0), "error"),
        (lambda: LearnOptions(n_jobs=0), "n_jobs"),
    ]
    for make, match in bad:
        with pytest.raises(ValueError, match=match):
            make()
    for options in (RefineOptions(), IdentifyOptions(), LearnOptions()):
        with pytest.raises(AttributeError):
            options.callback = print
