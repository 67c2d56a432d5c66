"""Wrong arguments of algorithms and measures: refused by an error that names them."""

import re

import numpy as np
import pytest
import scipy.sparse as sp

import nbfact as nf
from nbfact.constraints import Sp, SpLin

EYE = np.eye(8)
MASKED = np.ma.array(EYE, mask=EYE > 0)
CORRUPT = sp.csr_array(EYE)
CORRUPT.indices[3] = 10**9
SHORT = sp.coo_array(EYE)
SHORT.data = SHORT.data[:2]
OBJECTS = np.full((8, 8), None)
DATES = np.full((8, 8), np.datetime64("2020"))

NO_TARGET = [
    *(None, 3.0, "ab", b"ab", object(), [], [[1.0, 2.0], [3.0]], EYE[0], EYE[:0]),
    *(EYE[None], OBJECTS, DATES, MASKED, CORRUPT, EYE * np.nan, EYE.astype("g")),
]
NO_COUNT = [0, -1, True, 2.0, "3", None, [3], 10**30, object(), EYE]
NO_PASSES = [wrong for wrong in NO_COUNT if wrong is not None]
NO_FLAG = [1, 0, "yes", [True], np.array(True), EYE, object()]
NO_TOL = ["a", None, True, -1.0, np.nan, np.inf, 1j, [0.1], 10**400, EYE]
NO_WORD = ["nonsense", "", 3, True, [], {}, EYE, b"random"]
NO_SEED = [-1, 1.5, True, "a", "12", object(), [], [0.5], [True], np.random, EYE]
NO_FUNCTION = [3, "print", True, [], EYE, lambda: 0, lambda state, more: 0]
NO_LIST = [None, 3, "ab", {}, {1, 2}, Sp((8, 8), 3), SpLin, object()]
NO_SETS = [*NO_LIST, [], [None], [Sp], ["sp"], EYE, sp.csr_array(EYE), [(8, 8)] * 2]
NO_FIXED = [*NO_LIST, 0, [2], [-3], [0.5], [True], ["a"], [None], EYE]
NO_FACTORS = [None, 3, EYE, "ab", {}, [], [None, None], [EYE, OBJECTS], [EYE, MASKED]]
NO_FACTORS += [[EYE, CORRUPT], [EYE, EYE[0]], [EYE, [[1.0], [2.0, 3.0]]], sp.eye(8)]


def sets():
    return [Sp((8, 8), 16)] * 2


def call(name):
    """Return a public function, with valid arguments of it."""
    base = {
        "palm4msa": {"constraints": sets(), "n_iter": 1, "init": [EYE, EYE]},
        "hierarchical": {
            "factor_constraints": sets(), "residual_constraints": sets(), "n_iter": 1
        },
        "explore": {"constraints": sets(), "n_iter": 1},
        "refine": {"result": [EYE, EYE], "n_iter": 1},
        "butterfly_factorize": {},
        "identify_butterfly": {"n_iter": 1, "n_restarts": 0},
        "learn_butterfly": {"n_iter": 1, "n_refine_iter": 0},
        "learn_transform": {"effort": "quick"},
    }[name]  # fmt: skip
    return getattr(nf, name), {"target": EYE, **base}


SWEEPS = {"n_iter": NO_COUNT, "tol": NO_TOL, "callback": NO_FUNCTION}
ORDER = {"order": NO_WORD, "step": [*NO_TOL, 0, 2]}
WRONG = {
    "palm4msa": {
        **SWEEPS, **ORDER, "target": NO_TARGET, "constraints": NO_SETS,
        "init": [*NO_FACTORS[1:], "best"], "scaling": NO_WORD, "keep": NO_WORD,
        "fixed": NO_FIXED, "random_state": NO_SEED,
    },
    "hierarchical": {
        **SWEEPS, "n_iter": [*NO_PASSES, (1,), (1, 0), "ab"],
        "order": NO_WORD, "step": ["a", True, np.nan, 0, 2, [0.1]],
        "factor_constraints": [*NO_SETS, "nonsense"], "residual_constraints": NO_SETS,
        "residual_side": NO_WORD, "scaling": NO_WORD, "keep": NO_WORD,
    },
    "explore": {
        **ORDER, "callback": NO_FUNCTION, "constraints": NO_SETS, "target": NO_TARGET,
        "leak": ["a", None, True, 2, -1, np.nan, (0.5, 1), [0.1] * 3, EYE, lambda: 0],
        "n_restarts": [-1, True, 1.5, "a"], "n_jobs": [0, True, 1.5, "a", 10**9],
        "safeguard": NO_FLAG, "refine_values": NO_FLAG, "random_state": NO_SEED,
    },
    "refine": {**SWEEPS, "result": NO_FACTORS, "fixed": NO_FIXED},
    "butterfly_factorize": {
        "target": NO_TARGET, "nnz": [0, -1, True, 2.5, "a", EYE, 5],
        "chain": [3, "ab", [], [None], [(1, 2)], [EYE] * 2, "search"],
        "permutation": [3, "nonsense", [0] * 8, EYE, [[1], [2, 3]], OBJECTS, object()],
        "order": NO_WORD, "orthonormal": NO_FLAG, "transpose": ["no", 1, None, EYE],
        "model": NO_WORD, "n_terms": NO_COUNT[:-2], "certify": NO_FLAG,
    },
    "identify_butterfly": {
        "target": NO_TARGET, "tied": NO_FLAG, "n_iter": NO_COUNT,
        "n_restarts": [-1, True, 1.5, "a"], "refine_values": NO_FLAG,
        "callback": NO_FUNCTION, "random_state": NO_SEED,
    },
    "learn_butterfly": {
        **SWEEPS, "target": NO_TARGET, "model": NO_WORD, "tied": NO_FLAG,
        "permutation": [3, "nonsense", [0] * 8, EYE, [[1], [2, 3]], ([0], [1], [2])],
        "complex": NO_FLAG, "learning_rate": [*NO_TOL, 0], "random_state": NO_SEED,
        "n_refine_iter": [-1, True, 1.5, "a"], "n_restarts": [-1, True, 1.5, "a"],
        "dtype": ["f2", "c16", 3, "what", EYE, object(), int],
    },
    "learn_transform": {
        "target": NO_TARGET, "nnz": [0, -1, True, 2.5, "a", EYE],
        "rcg": [0, -1, True, "a", np.nan, np.inf, EYE], "callback": NO_FUNCTION,
        "error": [-1, 1, True, "a", np.nan, EYE], "effort": NO_WORD,
        "n_jobs": [0, True, 1.5, "a", 10**9], "random_state": NO_SEED,
        "families": ["chains", [], ["what"], 3, [3]],
        "time_limit": [0, -1, True, "a", np.nan, EYE],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, wrong in WRONG.items() for argument in wrong],
)
def test_algorithms_name_the_argument_that_is_wrong(name, argument):
    function, options = call(name)
    for wrong in WRONG[name][argument]:
        with pytest.raises((TypeError, ValueError)) as caught:
            function(**{**options, argument: wrong})
        message = str(caught.value)
        assert re.search(rf"(?<![A-Za-z_]){argument}(?![A-Za-z_])", message), message
        assert len(message) < 500, message


@pytest.mark.parametrize(
    "measure", [nf.metrics.nnz, nf.metrics.rcg, nf.metrics.density]
)
def test_measures_refuse_what_are_no_factors(measure):
    wrongs = [None, 3, "ab", [], [None], [[None]], ["ab"], [3], [{}], OBJECTS, DATES]
    wrongs += [
        MASKED,
        CORRUPT,
        SHORT,
        [EYE, CORRUPT],
        [SHORT],
        EYE[0],
        EYE[None],
        EYE[:0],
        [EYE[:0]],
    ]
    wrongs += [[[[1.0, 2.0], [3.0]]], nf.FactorProduct]
    for wrong in wrongs:
        with pytest.raises((TypeError, ValueError), match=r"^F\b"):
            measure(wrong)


@pytest.mark.parametrize("argument", ["A", "F"])
def test_the_relative_error_refuses_what_is_no_matrix(argument):
    wrongs = [None, "ab", OBJECTS, DATES, MASKED, CORRUPT, [[1.0], [2.0, 3.0]]]
    for wrong in wrongs:
        with pytest.raises((TypeError, ValueError), match=rf"^{argument}\b"):
            nf.relative_error(**{"A": EYE, "F": EYE, argument: wrong})


@pytest.mark.parametrize(
    ("preset", "good"),
    [
        (nf.presets.rectmat, {"n_factors": 3, "k": 2, "s": 2, "rho": 0.8, "P": 1.4}),
        (nf.presets.rectmat_simple, {"n_factors": 3, "k": 2, "s": 2, "P": 1.4}),
        (nf.presets.dictionary, {"n_factors": 3, "s": 2, "rho": 0.8}),
    ],
)
def test_presets_name_the_argument_that_is_wrong(preset, good):
    preset(**good)
    for name, value in good.items():
        wrongs = [0, -1, True, "a", None, 1j, np.nan, np.datetime64("2020"), EYE]
        wrongs += [1, 1.5, 10**9] if name == "n_factors" else []
        wrongs += [2.0] if isinstance(value, int) else [np.inf]
        for wrong in wrongs:
            with pytest.raises((TypeError, ValueError), match=rf"^{name}="):
                preset(**{**good, name: wrong})


def test_presets_and_results_of_the_user_check_their_parts():
    def lists(shape):
        return sets(), sets()

    good = nf.presets.Preset("mine", lists)
    wrongs = {"constraints": [None, 3], "residual_side": NO_WORD, "order": NO_WORD}
    wrongs |= {"scaling": NO_WORD, "keep": NO_WORD, "step": [0, 2, "a", True]}
    wrongs |= {"fallbacks": [3, None, [3], good], "name": [3, None]}
    for name, values in wrongs.items():
        for wrong in values:
            options = {"name": "mine", "constraints": lists, name: wrong}
            with pytest.raises((TypeError, ValueError), match=rf"^{name}\b"):
                nf.presets.Preset(**options)
    for broken in (lambda shape: 3, lambda shape: sets(), lambda shape: ([3], [4])):
        with pytest.raises(TypeError, match="factor_constraints"):
            nf.hierarchical(EYE, nf.presets.Preset("broken", broken))
    found = nf.palm4msa(EYE, sets(), n_iter=1)
    for name in ("operator", "history"):
        parts = {"operator": found.operator, "history": found.history, name: EYE}
        with pytest.raises(TypeError, match=f"^{name}=ndarray"):
            nf.Factorization(relative_error=0.0, **parts)


def test_a_wrong_seed_is_refused_where_none_is_needed():
    for options in ({}, {"init": [EYE, EYE]}):
        with pytest.raises(TypeError, match=r"^random_state=1.5"):
            nf.palm4msa(EYE, sets(), n_iter=1, random_state=1.5, **options)
    with pytest.raises(TypeError, match=r"^random_state=1.5"):
        nf.learn_transform(np.zeros((4, 4)), random_state=1.5)


def test_seeds_of_either_kind_of_numpy_repeat():
    def found(seed):
        result = nf.palm4msa(EYE, sets(), n_iter=1, init="random", random_state=seed)
        return result.history.errors

    assert found(3) == found(np.int64(3)) == found(np.random.default_rng(3))
    state = np.random.RandomState
    assert found(state(3)) == found(state(3)) != found(state(4))
    options = {"init": "random", "n_iter": 1, "n_restarts": 1, "safeguard": False}
    one, other = (
        nf.explore(EYE, sets(), random_state=state(3), **options) for _ in range(2)
    )
    assert one.relative_error == other.relative_error


def test_integers_of_numpy_count_as_python_counts():
    target = np.arange(16.0).reshape(4, 4)
    constraints = [Sp((4, 4), 8)] * 2
    found = nf.palm4msa(target, constraints, n_iter=np.uint8(255))
    same = nf.palm4msa(target, constraints, n_iter=255)
    assert len(found.history.errors) == len(same.history.errors) > 0
    assert nf.butterfly_factorize(EYE, transpose=np.True_).transposed is True


def test_extreme_options_neither_overflow_nor_warn():
    for options in ({"learning_rate": 1e30}, {"tol": 1e300}):
        found = nf.learn_butterfly(EYE, n_iter=3, n_refine_iter=1, **options)
        assert np.isfinite(found.operator.toarray()).all()
    assert nf.learn_transform(EYE, rcg=1e-308, effort="quick").relative_error < 1e-12
    assert nf.learn_transform(EYE, 10**30, effort="quick").relative_error < 1e-12


def test_the_scale_of_a_result_is_that_of_its_factors():
    small = nf.FactorProduct([np.eye(2)], 0.5)
    history = nf.palm4msa(EYE, sets(), n_iter=1).history
    for operator in (
        nf.operators.kronecker(small, small),
        small @ nf.transforms.hadamard(2),
        nf.transforms.hadamard(4),
        small,
    ):
        found = nf.Factorization(operator, 0.0, history)
        product = found.factors[0].toarray() * found.scale
        for factor in found.factors[1:]:
            product = product @ factor.toarray()
        np.testing.assert_allclose(product, operator.toarray(), atol=1e-15)
