"""Results: one class for all algorithms, taken by all of them, in the fastest form."""

import dataclasses
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from samples import DTYPES, REALS_FIRST, close, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact.algorithms.common.as_factors import as_factors
from nbfact.algorithms.common.operator_factors import butterfly_like
from nbfact.operators import OperatorSum

SETS = [nf.constraints.Sp((8, 8), 16)] * 3
QUICK = {"effort": "quick", "random_state": 0}
VERBS = {
    "learn_transform": lambda A: nf.learn_transform(A, 64, **QUICK),
    "palm4msa": lambda A: nf.palm4msa(A, SETS, n_iter=3),
    "hierarchical": lambda A: nf.hierarchical(A, SETS[1:], SETS[1:], n_iter=2),
    "explore": lambda A: nf.explore(A, SETS, n_iter=5, init="random", random_state=0),
    "refine": lambda A: nf.refine([np.eye(8, dtype=A.dtype)] * 3, A, n_iter=2),
    "butterfly_factorize": nf.butterfly_factorize,
    "circulant": lambda A: nf.butterfly_factorize(A, model="circulant"),
    "sum": lambda A: nf.butterfly_factorize(A, model="sum"),
    "identify_butterfly": lambda A: nf.identify_butterfly(A, random_state=0),
    "untied": lambda A: nf.identify_butterfly(A, tied=False, random_state=0),
    "learn_butterfly": lambda A: nf.learn_butterfly(
        A, permutation="bit-reversal", n_iter=5, random_state=0
    ),
}


def noisy(dtype="float64", n=8):
    """Return a Hadamard matrix with a little noise: no algorithm ends exactly."""
    target = nf.targets.hadamard(n) + 0.05 * random((n, n), dtype)
    return target.astype(dtype)


def product(factors, scale=1.0):
    dense = [f.toarray() if sp.issparse(f) else f for f in factors]
    return scale * (np.linalg.multi_dot(dense) if len(dense) > 1 else dense[0])


def assert_whole(result, target):
    """Check that all parts of a result say the same."""
    found = result.operator.toarray()
    assert all(isinstance(factor, sp.csr_array) for factor in result.factors)
    close(product(result.factors, result.scale), found)
    eps = float(np.finfo(found.dtype).eps)
    error = nf.relative_error(target, result)
    assert error == nf.relative_error(target, found)
    assert result.relative_error == pytest.approx(error, rel=1e-3, abs=20 * eps)
    assert nf.metrics.nnz(result) == result.operator.nnz
    assert nf.metrics.rcg(result) == pytest.approx(result.operator.rcg)
    history = result.history
    lists = [getattr(history, one.name) for one in dataclasses.fields(history)]
    assert len({len(one) for one in lists}) == 1
    text = repr(result)
    assert text.startswith(f"{type(result).__name__} 8x8, {found.dtype}, ")
    assert f"nnz {result.operator.nnz}, rcg " in text and "relative error" in text
    assert len(text) < 400 and text.count("\n") < 3


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_every_verb_returns_a_factorization(verb, dtype, tmp_path):
    target = noisy(dtype)
    result = VERBS[verb](target)
    assert isinstance(result, nf.Factorization)
    assert result.target is target
    assert_whole(result, target)
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is type(result) and repr(again) == repr(result)
    np.testing.assert_array_equal(again.operator.toarray(), result.operator.toarray())
    np.testing.assert_array_equal(again.target, target)
    assert again.history == result.history
    if isinstance(result.operator, OperatorSum):
        return
    result.save(tmp_path / "fast.npz")
    loaded = nf.load(tmp_path / "fast.npz")
    assert type(loaded) is type(result.operator)
    np.testing.assert_array_equal(loaded.toarray(), result.operator.toarray())
    result.save(tmp_path / "faust.mat")
    read = nf.load(tmp_path / "faust.mat").toarray().astype(target.dtype)
    close(read, result.operator.toarray())


def test_the_repr_of_a_long_run_is_short():
    result = nf.palm4msa(noisy(), SETS, n_iter=200)
    assert len(result.history.errors) == 200 and "200 iterations" in repr(result)
    assert len(repr(result)) < 200


FORMS = (
    *("result of butterfly_factorize", "result with a FactorProduct"),
    *("Butterfly", "FactorProduct", "scaled Butterfly", "scaled FactorProduct"),
    *("arrays", "tuple", "stack", "sparse", "operators", "read again"),
)


def forms(dtype):
    """Return one matrix of three factors in every form that stands for factors."""
    found = nf.butterfly_factorize(noisy(dtype))
    B = found.operator
    F = B.to_factors()
    listed = [factor.toarray() for factor in F.factors]
    given = [
        *(found, nf.Factorization(F, 0.0, found.history)),
        *(B, F, (B * 2.0) / 2.0, (F * 2.0) / 2.0),
        *(listed, tuple(listed), np.stack(listed)),
        [sp.csc_array(one) for one in listed],
        [nf.FactorProduct([one]) for one in listed],
        pickle.loads(pickle.dumps(found)),
    ]
    return B.toarray(), dict(zip(FORMS, given, strict=True))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_factors_are_taken_in_every_form(form, dtype, tmp_path):
    matrix, given = forms(dtype)
    target, given = noisy(dtype), given[form]
    close(product(*as_factors("init", given)), matrix)
    start = nf.relative_error(target, matrix)
    sets = [nf.constraints.Supp(np.ones((8, 8)))] * 3
    fixed = {"init": given, "n_iter": 1, "fixed": [0, 2]}
    for one in (
        nf.refine(given, target),
        nf.palm4msa(target, sets, **fixed),
        nf.explore(target, sets, init=given, n_iter=2),
    ):
        assert one.relative_error <= start * (1 + 1e-3)
        assert_whole(one, target)
        one.save(tmp_path / "a.npz")
        assert nf.relative_error(one, nf.load(tmp_path / "a.npz")) == 0
        loaded = nf.refine(nf.load(tmp_path / "a.npz"), target)
        assert loaded.relative_error <= one.relative_error * (1 + 1e-3)


def test_what_a_start_stands_for_is_where_the_sweeps_begin():
    _, given = forms("float64")
    expected = nf.palm4msa(noisy(), SETS, n_iter=4, init=given["arrays"])
    for form in ("Butterfly", "FactorProduct", "result of butterfly_factorize"):
        got = nf.palm4msa(noisy(), SETS, n_iter=4, init=given[form])
        assert got.history.errors == expected.history.errors
    got = nf.explore(noisy(), SETS, n_iter=4, init=given["Butterfly"])
    expected = nf.explore(noisy(), SETS, n_iter=4, init=given["arrays"])
    assert got.history.errors == expected.history.errors


def test_a_chain_stands_for_its_supports():
    chain = nf.Chain.square_dyadic(8)
    factors, scale = as_factors("init", chain)
    assert scale == 1.0
    for j, factor in enumerate(factors):
        np.testing.assert_array_equal(factor.toarray(), chain.support(j))
    ones = [chain.support(j).astype(float) for j in range(3)]
    got, expected = nf.refine(chain, noisy()), nf.refine(ones, noisy())
    assert got.history.errors == expected.history.errors


def test_a_sum_of_products_has_factors():
    target = random((8, 8), "float64")
    found = nf.butterfly_factorize(target, model="sum", n_terms=2)
    assert len(found.terms) == 2 and "2 terms" in repr(found)
    close(product(found.factors), found.operator.toarray())
    better = nf.refine(found)
    assert better.relative_error < found.relative_error
    assert found.terms[0].target is None and found.target is target


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("permutation", [None, "bit-reversal"])
@pytest.mark.parametrize("transpose", [False, True])
def test_refining_a_butterfly_returns_a_butterfly(dtype, permutation, transpose):
    target = random((8, 8), dtype)
    start = nf.butterfly_factorize(target, permutation=permutation, transpose=transpose)
    for given in (start, start.operator):
        got = nf.refine(given, target)
        assert isinstance(got.operator, nf.Butterfly)
        assert got.operator.chain == start.operator.chain
        assert got.operator.dtype == target.dtype
        assert got.relative_error <= start.relative_error
        assert_whole(got, target)
        plain = nf.refine(start.factors, target)
        assert got.history.errors == plain.history.errors
        close(got.operator.toarray(), plain.operator.toarray())
    same = nf.refine(start, start.operator.toarray())  # nothing to be gained
    close(same.operator.toarray(), start.operator.toarray())
    fixed = nf.refine(start, target, fixed=[0, 1])
    for j in (0, 1):
        np.testing.assert_array_equal(
            fixed.operator.values[j], start.operator.values[j]
        )


def test_butterflies_of_extreme_scales_and_dropped_rows():
    form = nf.transforms.toeplitz([1.0, 2.0, 3.0], [1.0, 4.0])  # drops rows and columns
    assert form.rows.min() == form.columns.min() == -1
    got = butterfly_like(form.to_factors(), form)
    close(got.toarray(), form.toarray())
    target = form.toarray() + 0.1 * random(form.shape, "float64")
    better = nf.refine(form, target)
    assert isinstance(better.operator, nf.Butterfly)
    assert better.relative_error < nf.relative_error(target, form)
    assert nf.relative_error(target, better) == pytest.approx(better.relative_error)
    for power in (-1000, 1000):
        factors = [
            f * 2.0**k
            for f, k in zip(form.to_factors().factors, [1, -1, 0], strict=True)
        ]
        unit = nf.FactorProduct(factors, -0.75 * 2.0**power)
        big = butterfly_like(unit, form)
        assert all(np.isfinite(value).all() for value in big.values)
        scaled = big.toarray() * 2.0**-power
        close(scaled, -0.75 * form.toarray())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.eye(8), TypeError, r"a ndarray \(8, 8\)"),
        (sp.eye_array(8), TypeError, r"list of matrices.*\(8, 8\)"),
        (aslinearoperator(np.eye(8)), TypeError, r"got a .*LinearOperator \(8, 8\)"),
        (7, TypeError, "must be factors: .* got a int"),
        ([np.eye(8), np.ones(8)], ValueError, r"\[1\] must be a matrix, got shape \(8"),
        (nf.transforms.hadamard(4), ValueError, r"\(4, 4\).*\(8, 8\)"),
        ([np.eye(8), np.full((8, 8), np.nan)], ValueError, "NaN or infinity"),
    ],
)
def test_what_is_no_product_of_factors_is_refused(given, error, message):
    sets = [nf.constraints.Sp((8, 8), 8)] * 2
    with pytest.raises(error, match=message):
        nf.palm4msa(noisy(), sets, init=given)
    with pytest.raises(error, match=message):
        nf.explore(noisy(), sets, init=given)
    with pytest.raises(error, match=message):
        nf.refine(given, noisy())


def test_an_operator_that_is_no_product_is_refused():
    class Other(nf.FastOperator):
        nnz = 1

    other = Other(np.dtype(float), (8, 8))
    with pytest.raises(TypeError, match=r"init: .*Other"):
        nf.palm4msa(noisy(), SETS, init=other)
    with pytest.raises(TypeError, match=r"result: .*Other"):
        nf.refine(other, noisy())


def test_a_clusterer_may_hold_a_result():
    pytest.importorskip("sklearn")
    from nbfact.estimators.clusterers import Centers

    class Clusterer:
        cluster_centers_ = nf.targets.hadamard(8)
        centers_operator_ = nf.butterfly_factorize(cluster_centers_)

    points = random((20, 8), "float64")
    differences = points - Clusterer.cluster_centers_[:, None]
    close(
        Centers(Clusterer, np.dtype(float)).squared_distances(points),
        np.square(differences).sum(axis=2),
    )


def test_rows_and_patterns_of_results():
    found = nf.butterfly_factorize(nf.targets.hadamard(8))
    points = random((20, 8), "float64")
    nearest, _ = nf.NearestRows(found)(points)
    np.testing.assert_array_equal(nearest, nf.NearestRows(found.operator)(points)[0])
    chain = nf.Chain.square_dyadic(8)
    peeled = nf.hierarchical(nf.targets.hadamard(8), "hadamard")
    refined = nf.refine(found, noisy())
    for result in (found, refined):
        same = nf.Butterfly.from_factors(result, chain)
        close(same.toarray(), result.operator.toarray())
    assert peeled.operator.nnz == found.operator.nnz


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["hadamard", "permuted", "shuffled"])
def test_a_learned_butterfly_stays_one(name, dtype, tmp_path):
    chain = nf.Chain.square_dyadic(16)
    values = [random(pattern, dtype, seed=j) for j, pattern in enumerate(chain)]
    order = np.arange(16).reshape(2, 2, 2, 2).T.ravel()  # the bit reversal
    matrices = {
        "hadamard": nf.targets.hadamard(16),
        "permuted": nf.Butterfly(chain, values, columns=order).toarray(),
        "shuffled": np.random.default_rng(0).permutation(nf.targets.hadamard(16)),
    }
    target = matrices[name].astype(dtype)
    found = nf.learn_transform(target, 128, **QUICK)
    exact = 100 * np.finfo(dtype).eps
    assert found.relative_error < exact and found.operator.nnz == 128
    assert isinstance(found.operator, nf.Butterfly)
    named = "named transform"
    known = {"hadamard": named, "shuffled": named, "permuted": "fixed butterfly"}
    assert found.method == known[name]
    close(product(found.factors), found.operator.toarray())
    found.save(tmp_path / "a.npz")
    loaded = nf.load(tmp_path / "a.npz")
    assert isinstance(loaded, nf.Butterfly)
    np.testing.assert_array_equal(loaded.toarray(), found.operator.toarray())
    assert nf.relative_error(target, loaded) < exact


@pytest.mark.slow
@pytest.mark.compiled
def test_a_learned_cosine_transform_is_a_butterfly():
    target = nf.targets.dct(64)
    found = nf.learn_transform(target, nf.Chain.rank2(64).n_parameters, **QUICK)
    assert isinstance(found.operator, nf.Butterfly)
    assert found.operator.columns is not None  # in the order of Makhoul
    assert nf.relative_error(target, found) < 1e-14


def test_zeros_in_the_blocks_do_not_break_the_budget():
    # As a butterfly the identity has 2 n log2(n) values, half of which are zero.
    target = np.eye(8)
    for budget in (8, 24, 30, 48, 64):
        found = nf.learn_transform(target, budget, **QUICK)
        assert found.operator.nnz <= budget
        assert sum(factor.nnz for factor in found.factors) <= budget
        assert found.relative_error < 1e-12
