"""Fast dictionaries: K-SVD, the factors, and the estimator."""

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from samples import LATER, close

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

import nbfact as nf
from nbfact.algorithms.dictionaries.code_rule import CodeRule, about_as_low
from nbfact.algorithms.dictionaries.k_svd import k_svd, unit_columns
from nbfact.kernels import update_atoms

pytestmark = pytest.mark.usefixtures("one_thread")


def planted(n=24, m=12, count=400, k=2, noise=0.0, seed=0):
    """Return atoms (n, m) of norm 1, and samples that combine k of them each."""
    rng = np.random.default_rng(seed)
    atoms = rng.standard_normal((n, m))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    codes = np.zeros((count, n))
    for code in codes:
        code[rng.choice(n, k, replace=False)] = rng.choice([-1, 1], k) * (
            1 + rng.random(k)
        )
    return atoms, codes @ atoms + noise * rng.standard_normal((count, m))


def fitted(X, n=24, **options):
    given = {"transform_n_nonzero_coefs": 2, "random_state": 0, "max_iter": 5}
    return nf.FastDictionary(n, **{**given, **options}).fit(X)


def unexplained(model, X):
    """Return what the codes leave of the samples, in the mean square."""
    rest = X - model.inverse_transform(model.transform(X))
    return (rest**2).sum() / (X**2).sum()


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
def test_atoms_are_updated_as_the_twin_does(dtype):
    rng = np.random.default_rng(0)
    atoms = rng.standard_normal((4, 6)).astype(dtype)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    Y = rng.standard_normal((9, 6)).astype(dtype)
    codes = rng.standard_normal((9, 4)).astype(dtype) * (rng.random((9, 4)) < 0.4)
    codes[:, 2] = 0  # no signal uses it: it stays
    want = naive.update_atoms(atoms, codes, Y)
    rest, sparse, before = Y - codes @ atoms, sp.csr_array(codes.T), atoms.copy()
    update_atoms(atoms, sparse.indptr, sparse.indices, sparse.data, rest)
    close(atoms, want[0])
    close(sparse.toarray().T, want[1])
    close(rest, want[2])
    np.testing.assert_array_equal(atoms[2], before[2])
    assert np.linalg.norm(rest) < np.linalg.norm(Y - codes @ before)


def test_atoms_that_leave_nothing_stay():
    atoms, rest = np.eye(2), np.array([[-1.0, 0.0]])
    values = np.array([1.0])  # with it, the signal of the first atom is zero
    update_atoms(atoms, np.array([0, 1, 1]), np.array([0]), values, rest)
    np.testing.assert_array_equal(atoms, np.eye(2))
    assert values[0] == 1 and rest[0, 0] == -1


def test_k_svd_finds_planted_atoms():
    atoms, X = planted(count=800)
    start = X[:24].T
    found = k_svd(np.ascontiguousarray(X.T), start, CodeRule(2), 30)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1)
    nearest = np.abs(atoms @ found).max(axis=1)
    assert (nearest > 0.99).mean() > 0.7
    assert CodeRule(2).cost(found, X.T) < 0.3 * CodeRule(2).cost(
        start / np.linalg.norm(start, axis=0), X.T
    )


def test_costs_are_their_definition():
    atoms, X = planted(8, 4, 10)
    codes = nf.omp(atoms.T, X.T, n_nonzero=1)
    rest = X.T - atoms.T @ codes
    cost = CodeRule(1).cost(atoms.T, X.T)
    np.testing.assert_allclose(cost, (rest**2).sum() / (X**2).sum())
    tol = CodeRule(4, 0.1)
    assert tol.cost(atoms.T, X.T) == tol.codes(atoms.T, X.T).nnz / 10
    assert CodeRule(1).cost(atoms.T, 0 * X.T) == 0
    assert tol.cost(atoms.T, 0 * X.T) == 0


def test_a_code_that_does_not_reach_its_end_is_not_cheap():
    # One atom spans half of each signal: its codes are short, and leave the other half.
    signals = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    one, both = np.array([[1.0, 0.0], [0.0, 0.0]]), np.eye(2)
    rule = CodeRule(2, 1e-3)
    # Half of the first signal is left, and nothing of the others; a code has at most 2.
    np.testing.assert_allclose(rule.cost(one, signals), (2 * 1.5 + 1 + 0) / 3)
    np.testing.assert_allclose(rule.cost(both, signals), (2 + 1 + 0) / 3)
    np.testing.assert_allclose(CodeRule(1, 0).cost(both, signals), (1.5 + 1 + 0) / 3)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 2.0**-1070])
def test_first_atoms_of_any_magnitude_get_norm_one(scale):
    start = np.array([[3.0, 0.0], [4.0, 0.0]]) * scale
    np.testing.assert_allclose(unit_columns(start), [[0.6, 0], [0.8, 0]])


@pytest.mark.slow
@pytest.mark.compiled
@parametrize_with_checks(
    [nf.FastDictionary(), nf.FastDictionary(6, nnz=20, transform_tol=0.5)]
)
def test_conventions_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.compiled
@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
def test_atoms_codes_and_samples(dtype):
    _, X = planted()
    X = X.astype(dtype)
    model = fitted(X, nnz=150)
    components = model.components_
    assert isinstance(components, nf.FactorProduct)
    assert components.shape == (24, 12) and components.dtype == X.dtype
    assert components.nnz == model.nnz_ <= 150 and model.factored_
    assert [factor.shape for factor in components.factors] == [(24, 12), (12, 12)]
    norms = np.linalg.norm(components.toarray(), axis=1)
    assert (np.isclose(norms, 1, atol=1e-5) | (norms == 0)).all()
    codes = model.transform(X)
    assert codes.dtype == X.dtype and ((codes != 0).sum(axis=1) <= 2).all()
    want = nf.omp(components.toarray().T, X.T, n_nonzero=2).T
    np.testing.assert_allclose(codes, want, atol=1e-4 if dtype == "float32" else 1e-10)
    samples = model.inverse_transform(codes)
    assert samples.dtype == X.dtype
    np.testing.assert_allclose(samples, codes @ components.toarray(), atol=1e-4)
    assert unexplained(model, X) < 0.6
    assert model.get_feature_names_out()[-1] == "fastdictionary23"


@pytest.mark.slow
@pytest.mark.compiled
def test_the_same_seed_gives_the_same_atoms():
    _, X = planted(count=100)
    options = {"nnz": 120, "n_rounds": 1}
    first, again = (fitted(X, **options).components_.toarray() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = fitted(X, random_state=1, **options).components_.toarray()
    assert not np.array_equal(first, other)


@pytest.mark.slow
@pytest.mark.compiled
def test_rounds_lower_the_error():
    _, X = planted(noise=0.1)
    none, some = (fitted(X, nnz=140, n_rounds=n) for n in (0, 5))
    assert unexplained(some, X) < unexplained(none, X)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(24, 12), (6, 12), (12, 12)])
@pytest.mark.parametrize("n_factors", [1, 3])
def test_more_and_fewer_atoms_than_features_and_factors(shape, n_factors):
    _, X = planted(*shape, count=100)
    n = shape[0]
    options = {"n_factors": n_factors, "max_iter": 2, "n_rounds": 1}
    model = fitted(X, n, rcg=2, **options)
    assert model.components_.shape == shape
    assert len(model.components_.factors) == n_factors
    assert model.nnz_ <= round(n * 12 / 2)
    assert unexplained(model, X) < 1


@pytest.mark.compiled
def test_the_number_of_values_is_chosen_by_samples_held_out():
    # The samples lie near a plane: few values are enough.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 2)) @ rng.standard_normal((2, 12))
    X += 0.1 * rng.standard_normal(X.shape)
    model = fitted(X, cost_increase=0.1)
    dense = 24 * 12
    assert model.factored_ and model.nnz_ in model.costs_ and dense in model.costs_
    least = min(model.costs_.values())
    good = [nnz for nnz, cost in model.costs_.items() if cost <= 1.1 * least]
    assert model.nnz_ <= min(good) <= dense / 4 < dense
    # Whoever asks for no increase at all gets the best one, but for chance.
    _, X = planted(noise=0.3)
    model = fitted(X, cost_increase=0.0, transform_tol=1.5)
    assert model.costs_[model.nnz_] <= 1.1 * min(model.costs_.values())
    assert model.factored_ == (model.nnz_ < dense)


def test_costs_are_about_as_low_up_to_a_share_and_to_chance():
    best = np.array([1.0, 2.0, 3.0, 2.0])
    assert about_as_low(1.01 * best, best, 0.02)
    assert not about_as_low(best + 0.1, best, 0.02)  # the same for all: no chance
    assert about_as_low(best + np.array([0.5, -0.4, 0.5, -0.4]), best, 0.0)
    assert about_as_low(best[:1], best[:1], 0.0)
    assert about_as_low(best - 1, best, 0.0)


@pytest.mark.slow
@pytest.mark.compiled
def test_the_hierarchical_algorithm_codes_at_each_level():
    _, X = planted(noise=0.1)
    preset = nf.presets.dictionary(3, 3)
    model = fitted(X, factorizer=preset)
    m = 12
    shapes = [factor.shape for factor in model.components_.factors]
    assert shapes == [(24, m), (m, m), (m, m)] and model.costs_ == {}
    counts = [factor.nnz for factor in model.components_.factors]
    assert counts[0] <= 3 * 24 and counts[1] <= 3 * m
    assert counts[2] <= np.ceil(0.7 * m**2)
    fixed = nf.hierarchical(model.dense_components_.T, preset).operator
    norms = np.linalg.norm(fixed.toarray(), axis=0)
    cost = CodeRule(2).cost(fixed.toarray() / norms, X.T)
    assert unexplained(model, X) < cost


def test_first_atoms_are_taken():
    atoms, X = planted(count=100)
    model = fitted(X, dict_init=2 * atoms, max_iter=0, nnz=100, n_rounds=0)
    np.testing.assert_allclose(model.dense_components_, atoms)


def cosines():
    """Return the basis of cosines of 3 x 2 patches as an operator of two factors."""
    return nf.transforms.kronecker(nf.targets.dct(3).T, nf.targets.dct(2).T)


@pytest.mark.parametrize(
    "options",
    [{"nnz": 50}, pytest.param({"n_factors": 2, "rcg": 1.2}, marks=pytest.mark.slow)],
)
def test_with_a_basis_all_is_learned_in_its_coordinates(options):
    _, X = planted(12, 6, 30, noise=0.2)
    basis = cosines()
    B, fixed = basis.toarray(), basis.to_factors().nnz
    given = {"max_iter": 1, "n_rounds": 1}
    model = fitted(X, 12, basis=basis, **given, **options)
    n_factors = options.get("n_factors", 1)
    nnz = options.get("nnz", 60) - fixed  # 60 of 12 x 6 are left by 1.2
    plain = fitted(X @ B, 12, n_factors=n_factors, nnz=nnz, **given)
    for found, want in (
        (model.components_.toarray(), plain.components_.toarray()),
        (model.dense_components_, plain.dense_components_),
    ):
        np.testing.assert_allclose(found, want @ B.T, atol=1e-9)
    factors = model.components_.factors
    assert len(factors) == n_factors + 2 and model.factored_
    np.testing.assert_allclose((factors[-2] @ factors[-1]).toarray(), B.T, atol=1e-12)
    assert model.nnz_ == plain.nnz_ + fixed <= nnz + fixed


def test_the_number_of_values_beside_a_basis_is_chosen():
    _, X = planted(12, 6, 40, noise=0.2)
    options = {"max_iter": 1, "n_rounds": 1, "cost_increase": 3.0}
    model = fitted(X, 12, basis=cosines(), **options)
    fixed = cosines().to_factors().nnz
    assert 72 in model.costs_ and model.nnz_ in model.costs_ and len(model.costs_) > 1
    assert all(fixed < nnz <= 72 for nnz in model.costs_)
    assert model.factored_ and model.components_.nnz == model.nnz_ < 72


def test_atoms_may_stay_dense_beside_a_basis():
    _, X = planted(count=40)
    options = {"max_iter": 1, "n_rounds": 1, "validation_fraction": 0.01}
    dense = [np.linalg.qr(np.random.default_rng(1).standard_normal((12, 12)))[0]]
    model = fitted(X, 12, basis=dense, **options)  # as many values as dense atoms
    assert not model.factored_ and list(model.costs_) == [144]
    norms = np.linalg.norm(model.components_.toarray(), axis=1)
    np.testing.assert_allclose(norms, 1)
    assert unexplained(model, X) < 0.6


def test_a_list_of_matrices_is_no_basis_if_it_is_not_orthonormal():
    X = np.ones((30, 6))
    for basis, message in (
        ([np.ones((6, 6))], "basis must be orthonormal"),
        ([np.eye(5)], r"basis has shape \(5, 5\)"),
        ([1j * np.eye(6)], "basis has shape .* complex128"),
        ([np.eye(6), np.eye(5)], "basis: "),
        ([np.full((6, 6), np.nan)], "basis.*NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            nf.FastDictionary(24, basis=basis).fit(X)
    with pytest.raises(TypeError, match="basis must be factors"):
        nf.FastDictionary(24, basis=np.eye(6)).fit(X)
    fixed = cosines().to_factors().nnz
    with pytest.raises(ValueError, match=f"nnz={fixed}: expected at least {fixed + 1}"):
        nf.FastDictionary(24, basis=cosines(), nnz=fixed).fit(X)


@pytest.mark.compiled
@pytest.mark.parametrize("options", [{}, {"factorizer": nf.presets.dictionary(2, 2)}])
def test_samples_of_zeros(options):
    model = fitted(np.zeros((20, 12)), max_iter=1, n_rounds=1, **options)
    assert not model.transform(np.zeros((3, 12))).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nnz": 3, "rcg": 2}, "nnz=3 and rcg=2: only one"),
        ({"nnz": 0}, "nnz"),
        ({"rcg": -1.0}, "rcg"),
        ({"nnz": 1}, "nnz=1: expected at least 2"),
        ({"rcg": 1e9}, "rcg=1.* leaves 0 non-zeros of 12 x 24 to n_factors=2"),
        ({"n_factors": 0}, "n_factors"),
        ({"factorizer": "palm"}, "factorizer"),
        ({"factorizer": nf.presets.dictionary(), "nnz": 9}, "nnz=9: a preset has"),
        ({"cost_increase": -1}, "cost_increase"),
        ({"dict_init": np.ones((3, 3))}, "dict_init has shape"),
        ({"dict_init": np.full((24, 12), np.nan)}, "dict_init"),
        ({"transform_n_nonzero_coefs": 13}, "transform_n_nonzero_coefs"),
        ({"transform_tol": -1.0}, "transform_tol"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"max_iter": -1}, "max_iter"),
        ({"n_rounds": -1}, "n_rounds"),
        ({"n_components": 0}, "n_components"),
    ],
)
def test_wrong_parameters_are_named(options, message):
    X = np.ones((30, 12))
    with pytest.raises(ValueError, match=message):
        nf.FastDictionary(**{"n_components": 24, **options}).fit(X)


@pytest.mark.compiled
def test_wrong_samples_and_codes_are_refused():
    _, X = planted(count=60)
    model = fitted(X, nnz=100, max_iter=1, n_rounds=0)
    for bad in (X * np.nan, X[:, :3], X[0], 1e300 * X, X * 1j):
        with pytest.raises(ValueError, match="X"):
            model.transform(bad)
    with pytest.raises(ValueError, match="n_components=24"):
        model.inverse_transform(np.ones((2, 3)))
    with pytest.raises(TypeError, match="X is a masked array"):
        model.inverse_transform(np.ma.masked_equal(np.eye(24), 0))
    with pytest.raises(TypeError, match="n_components"):
        nf.FastDictionary(2.5).fit(X)
