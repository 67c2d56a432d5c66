"""butterfly_factorize: targets, permutations, transposes, sums, and what it refuses."""

import numpy as np
import pytest
import scipy.sparse as sp
from butterfly_samples import DYADIC, planted
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import DTYPES, LATER, close, random
from scipy.sparse.linalg import aslinearoperator

import nbfact as nf
from nbfact import Chain
from nbfact.operators import OperatorSum
from nbfact.operators.reorderings import bit_reversal

# --------------------------------------------------------------------------------------
# Targets
# --------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 3))
def test_any_shape_has_a_default_chain(m, n, seed):
    target = random((m, n), "float64", seed)
    result = nf.butterfly_factorize(target)
    assert result.operator.shape == (m, n)
    found = nf.relative_error(target, result.operator)
    assert result.relative_error == pytest.approx(found, abs=1e-14)
    assert found <= result.bound + 1e-14 and found <= 1 + 1e-14
    again = nf.butterfly_factorize(target)
    for one, other in zip(result.operator.values, again.operator.values, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("order", ["left-to-right", "balanced"])
@pytest.mark.parametrize("dtype", [*DTYPES, "int64", "bool"])
def test_dtypes(dtype, order):
    target = (random((16, 16), "float64") * 3).astype(dtype)
    result = nf.butterfly_factorize(target, order=order)
    kept = target.dtype if target.dtype.kind in "fc" else np.dtype("float64")
    assert result.operator.dtype == kept
    found = nf.relative_error(target, result.operator)
    assert result.relative_error == pytest.approx(found, rel=1e-5)


def test_forms_of_a_target():
    target = random((16, 16), "float64")
    expected = nf.butterfly_factorize(target).operator.toarray()
    frozen = target.copy()
    frozen.flags.writeable = False
    wide = np.zeros((32, 48))
    wide[::2, ::3] = target
    forms = [
        target.tolist(),
        np.asfortranarray(target),
        frozen,
        wide[::2, ::3],
        sp.csr_array(target),
        sp.coo_matrix(target),
        aslinearoperator(target),
        nf.FactorProduct([target]),
    ]
    for form in forms:
        found = nf.butterfly_factorize(form).operator.toarray()
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(frozen, target)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float64", 1e300), ("float64", 1.7e308), ("float64", 1e-300), ("float64", 5e-310),
     ("complex128", 1e300), *(pytest.param(*single, marks=LATER) for single in
     [("float32", 1e-30), ("float32", 1e38), ("complex64", 1e37)])],
)  # fmt: skip
@pytest.mark.parametrize("order", ["left-to-right", "balanced"])
def test_norms_far_from_one(dtype, size, order):
    target = np.sign(planted(DYADIC)) if size == 1.7e308 else planted(DYADIC)
    target = target / abs(target).max()
    expected = nf.butterfly_factorize(target.astype(dtype), order=order)
    target = (target * size).astype(dtype)
    result = nf.butterfly_factorize(target, order=order)
    tolerance = 1e-6 if np.dtype(dtype).itemsize // (1 + (dtype[0] == "c")) == 4 else (
        1e-12 if size > 1e-305 else 1e-10
    )  # fmt: skip
    assert abs(result.relative_error - expected.relative_error) < tolerance
    close_to = result.operator.toarray() / size
    assert np.isfinite(close_to).all()
    assert np.linalg.norm(close_to - expected.operator.toarray()) < 100 * tolerance


def test_badly_scaled_rows():
    scales = 10.0 ** np.linspace(-150, 150, 16)
    target = scales[:, None] * planted(DYADIC) * scales[::-1]
    assert nf.butterfly_factorize(target).relative_error < 1e-14


@pytest.mark.parametrize("order", ["left-to-right", "right-to-left", "balanced"])
@pytest.mark.parametrize("orthonormal", [True, False])
def test_rank_deficient(order, orthonormal):
    target = np.zeros((16, 16))
    target[3, 5] = 2
    result = nf.butterfly_factorize(
        target, permutation=None, order=order, orthonormal=orthonormal
    )
    assert result.relative_error < 1e-15
    ones = nf.butterfly_factorize(
        np.ones((16, 16)), permutation=None, order=order, orthonormal=orthonormal
    )
    assert ones.relative_error < 1e-14
    chain = Chain.rank2(16)
    thin = nf.butterfly_factorize(
        np.ones((16, 16)), chain, permutation=None, order=order, orthonormal=orthonormal
    )
    assert thin.relative_error < 1e-14


def test_entries_outside_the_support_are_lost():
    chain = Chain([(2, 2, 2, 2)])
    target = random((8, 8), "float64")
    result = nf.butterfly_factorize(target, chain)
    np.testing.assert_array_equal(
        result.operator.toarray(), np.where(chain.toarray(), target, 0)
    )
    found = nf.relative_error(target, result.operator)
    for bound in (result.relative_error, result.bound, result.lower_bound):
        assert bound == pytest.approx(found)
    assert result.split_errors == ()


# --------------------------------------------------------------------------------------
# Permutations, transposes, sums
# --------------------------------------------------------------------------------------


def test_permutations():
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(16), rng.permutation(16)
    target = np.empty((16, 16))
    target[np.ix_(rows, columns)] = planted(DYADIC)
    result = nf.butterfly_factorize(target, permutation=(rows, columns))
    assert nf.relative_error(target, result.operator) < 1e-14
    np.testing.assert_array_equal(result.operator.rows, rows)
    np.testing.assert_array_equal(result.operator.columns, columns)
    assert result.permutation is None
    result = nf.butterfly_factorize(target.T, DYADIC.T, permutation=(columns, rows))
    assert result.transposed and result.operator.chain == DYADIC.T
    assert nf.relative_error(target.T, result.operator) < 1e-14
    result = nf.butterfly_factorize(target[rows], permutation=list(columns))
    assert result.relative_error < 1e-14


def test_transposes():
    target = planted(DYADIC).T
    plain = nf.butterfly_factorize(target, transpose=False)
    assert plain.relative_error > 0.1 and not plain.transposed
    for chain in (None, DYADIC):
        result = nf.butterfly_factorize(target, chain)
        assert result.relative_error < 1e-14 and result.transposed
        assert result.operator.chain == DYADIC.T
    noisy = target + 1e-3 * random((16, 16), "float64")
    assert not nf.butterfly_factorize(noisy).transposed, (
        "the transpose is taken only where it is exact"
    )
    forced = nf.butterfly_factorize(noisy, transpose=True)
    other = nf.butterfly_factorize(noisy.T, transpose=False)
    assert forced.split_errors == pytest.approx(other.split_errors[::-1])
    assert forced.transposed and forced.relative_error < 1e-2
    wide = Chain.smallest((8, 12))
    result = nf.butterfly_factorize(planted(wide).T, wide, transpose=True)
    assert result.relative_error < 1e-14 and result.operator.shape == (12, 8)
    assert nf.butterfly_factorize(planted(wide).T).operator.shape == (12, 8)


def test_search():
    cosine = nf.butterfly_factorize(dct(64), permutation="search")
    assert cosine.permutation == "makhoul" and cosine.relative_error < 5e-15
    assert cosine.operator.chain == Chain.rank2(64)
    turned = nf.butterfly_factorize(dct(64).T, permutation="search")
    assert turned.transposed and turned.relative_error < 5e-15
    assert nf.relative_error(dct(64).T, turned.operator) < 5e-15
    noise = random((64, 64), "float64")
    best = nf.butterfly_factorize(noise, permutation="search")
    assert best.relative_error <= nf.butterfly_factorize(noise).relative_error
    assert best.operator.chain == Chain.square_dyadic(64)
    sixty = np.fft.fft(np.eye(60))
    mixed = nf.butterfly_factorize(sixty, permutation="search")
    assert mixed.permutation == "digit-reversal" and mixed.relative_error < 1e-14
    plain = nf.butterfly_factorize(dct(64), Chain.rank2(64), permutation="search")
    assert plain.permutation == "makhoul"


def dct(n):
    rows, columns = np.ogrid[:n, :n]
    matrix = np.cos(np.pi * rows * (2 * columns + 1) / (2 * n)) * np.sqrt(2 / n)
    matrix[0] /= np.sqrt(2)
    return matrix


def test_sums():
    first = planted(DYADIC)
    second = planted(DYADIC, seed=9)[:, bit_reversal(16)]
    target = first + 1e-3 * second
    one = nf.butterfly_factorize(target, model="sum", n_terms=1)
    two = nf.butterfly_factorize(target, permutation="search", model="sum")
    assert isinstance(two.operator, OperatorSum) and len(two.terms) == 2
    assert two.relative_error < one.relative_error
    assert two.relative_error <= two.bound * (1 + 1e-12)
    found = nf.relative_error(target, two.operator)
    assert two.relative_error == pytest.approx(found, rel=1e-9)
    assert two.operator.nnz == 2 * DYADIC.n_parameters
    exact = nf.butterfly_factorize(first, model="sum", n_terms=4)
    assert len(exact.terms) == 1 and exact.relative_error < 1e-14
    dense = two.operator.toarray()
    x = random((16, 3), "complex128")
    close(two.operator @ x, dense @ x)
    close(two.operator.T @ x, dense.T @ x)
    close(two.operator.H @ x, dense.conj().T @ x)
    assert "OperatorSum 16x16" in repr(two.operator)
    with pytest.raises(ValueError, match="terms is empty"):
        OperatorSum([])


def test_refine_goes_on_where_the_splits_end():
    noise = random((16, 16), "float64")
    result = nf.butterfly_factorize(noise)
    refined = nf.refine(result.operator.to_factors(), noise)
    assert refined.relative_error < result.relative_error - 1e-3
    assert refined.relative_error >= result.lower_bound


# --------------------------------------------------------------------------------------
# Errors
# --------------------------------------------------------------------------------------

SQUARE = np.ones((16, 16))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.ones(4),), {}, r"target must be a matrix.*\(4,\)"),
        ((np.ones((2, 2, 2)),), {}, r"\(2, 2, 2\)"),
        ((np.ones((0, 4)),), {}, r"empty.*\(0, 4\)"),
        ((np.full((4, 4), np.nan),), {}, r"target \(4, 4\) contains NaN"),
        ((np.full((4, 4), np.inf),), {"order": "balanced"}, "NaN or infinity"),
        ((np.diag([1j, np.inf, 1, 1]),), {}, "NaN or infinity"),
        ((SQUARE, Chain.square_dyadic(8)), {}, r"chain has shape \(8, 8\).*\(16, 16\)"),
        ((SQUARE, []), {}, "chain: patterns is empty"),
        ((SQUARE, [(1, 2, 2, 0)]), {}, r"patterns\[0\]"),
        ((SQUARE, [(1, 2, 2, 8), (2, 2, 2, 2)]), {}, "do not chain"),
        ((SQUARE, DYADIC.T @ DYADIC), {}, "not chainable, nor is its transpose"),
        ((SQUARE, DYADIC.T), {"transpose": False}, "not chainable"),
        ((np.ones((8, 4)), Chain.smallest((8, 4))), {"transpose": True}, "transpose"),
        (
            (SQUARE,),
            {"order": "middle"},
            r"order='middle': .*\('left-to-right', 'right-to-left', 'balanced'\)",
        ),
        ((SQUARE,), {"transpose": "yes"}, "transpose"),
        ((SQUARE,), {"model": "both"}, "model"),
        ((SQUARE,), {"model": "sum", "n_terms": 0}, "n_terms"),
        ((SQUARE[:2],), {"model": "circulant"}, "circulant matrix is square"),
        ((SQUARE,), {"model": "circulant", "permutation": "search"}, "circulant"),
        (
            (SQUARE,),
            {"permutation": "reversed"},
            "permutation must be one of.*'reversed'",
        ),
        (
            (np.ones((6, 6)),),
            {"permutation": "bit-reversal"},
            "6 columns are no power of two",
        ),
        (
            (SQUARE,),
            {"permutation": np.arange(8)},
            r"permutation of the columns must be 16 integers.*8",
        ),
        ((SQUARE,), {"permutation": np.zeros(16, int)}, "0 to 15, each of them once"),
        (
            (SQUARE,),
            {"permutation": (np.zeros(16), None)},
            "permutation of the rows must be 16 integers.*float64",
        ),
    ],
)
def test_what_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        nf.butterfly_factorize(*arguments, **options)


@pytest.mark.parametrize("name", ["orthonormal", "transpose", "certify"])
def test_flags_are_true_or_false(name):
    with pytest.raises(TypeError, match=f"^{name}=1: expected True or False"):
        nf.butterfly_factorize(SQUARE, **{name: 1})


def test_not_numbers():
    with pytest.raises(TypeError, match="numbers"):
        nf.butterfly_factorize(np.full((2, 2), "a"))
