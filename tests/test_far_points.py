"""Distances and nearest rows are exact far from the origin, or refused."""

import naive
import numpy as np
import pytest
from samples import DTYPES, random
from scipy.spatial.distance import cdist

import nbfact as nf
from nbfact.kernels import (
    CenterNorms,
    PackedCenters,
    distances_from_products,
    nearest_dense_rows,
    nearest_exactly,
    nearest_from_products,
    nearest_rows,
)
from nbfact.kernels.registers import BYTES
from nbfact.kernels.tiles import LANES
from nbfact.operators import NearestRows, OperatorSum
from nbfact.operators.packed_centers import pack_dense

REAL = DTYPES[:2]


def exact_squares(x, centers):
    """Return all squared distances, (n, K), from differences in extended precision."""
    difference = x.astype(np.longdouble)[:, None] - centers.astype(np.longdouble)
    return (difference**2).sum(axis=2)


def groups(offset, dtype, n_points=240, n_features=12, sides=2):
    """Return points around a few places that are `offset` from the origin."""
    rng = np.random.default_rng(1)
    signs = np.where(rng.integers(0, sides, (n_points, 1)), -1.0, 1.0)
    return (offset * signs + rng.standard_normal((n_points, n_features))).astype(dtype)


def centers_of(x, count=9):
    return x[np.random.default_rng(2).choice(len(x), count, replace=False)]


@pytest.mark.parametrize("dtype", REAL)
def test_nearest_exactly(dtype):
    x, centers = random((40, 7), "float64"), random((9, 7), "float64", 1)
    excess, values = random(9, "float64", 2), random((9, 40), "float64", 3)
    labels, squares = np.empty(40, np.int32), np.empty(40)
    for limits in (np.full(40, np.inf), random(40, "float64", 4)):
        nearest_exactly(x, centers, excess, values, limits, labels, squares)
        expected = naive.nearest_exactly(x, centers, excess, values, limits)
        np.testing.assert_array_equal(
            labels[squares < np.inf], expected[0][squares < np.inf]
        )
        np.testing.assert_allclose(squares, expected[1], rtol=1e-13)
    centers[4] = centers[2] = x[3]
    values[:] = np.nan  # such centers are compared too
    nearest_exactly(x, centers, np.zeros(9), values, limits, labels, squares)
    assert labels[3] == 2 and squares[3] == 0


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("roots", [False, True])
def test_distances_from_products(dtype, roots):
    x, centers = random((11, 5), dtype), random((6, 5), dtype, 1)
    products = centers @ x.T
    products[1, 2], products[0, 3], products[4, 4] = np.nan, np.inf, -np.inf
    of_centers = CenterNorms(
        np.einsum("kd,kd->k", centers, centers),
        np.linspace(0, 2, 6, dtype=dtype),
        np.linspace(0, 0.1, 6, dtype=dtype),
    )
    squares, lengths = np.einsum("nd,nd->n", x, x), np.linspace(0, 1, 11, dtype=dtype)
    options = (x, centers, of_centers, squares, lengths, 0.2, roots)
    expected = naive.distances_from_products(products.copy(), *options)
    distances_from_products(products, *options)
    assert products.dtype == dtype
    np.testing.assert_allclose(products, expected, rtol=10 * np.finfo(dtype).eps)
    exact = exact_squares(x, centers).astype(float).T
    exact = np.sqrt(exact) if roots else exact
    np.testing.assert_allclose(products, exact, rtol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", REAL)
def test_nearest_from_products(dtype):
    products, added = np.round(random((7, 30), dtype), 1), random(7, dtype, 1)
    x, margin = random((30, 5), dtype, 2), np.array([0.01, 0.05], dtype)
    labels, best, second = (
        np.empty(30, np.int32),
        np.empty(30, dtype),
        np.empty(30, dtype),
    )
    given = products, added, x, margin
    count = nearest_from_products(*given, labels, best, second)
    want = naive.nearest_from_products(*given)
    for got, expected in zip((labels, best, second), want, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert 0 < count == np.count_nonzero(labels < 0) < 30
    products[:, 0], products[2:, 1], products[1, 2] = np.nan, np.inf, np.nan
    nearest_from_products(*given, labels, best, second)
    assert (labels[0], best[0], second[0]) == (~0, np.inf, np.inf)
    assert second[1] == (products + added[:, None])[:2, 1].max()
    assert not np.isnan(best).any() and not np.isnan(second).any()


@pytest.mark.parametrize("dtype", REAL)
def test_the_kernel_says_where_two_rows_are_equally_near(dtype):
    """The label r becomes ~r within the margin, and where a value is not finite."""
    size = BYTES // np.dtype(dtype).itemsize
    matrix = np.zeros((3, size), dtype)
    matrix[0, 0], matrix[1, 1] = 1, 1 + 2**-10
    data, columns = (-2 * matrix).ravel(), np.arange(size, dtype=np.uint32)
    ends = np.arange(4, dtype=np.uint32) * np.uint32(size)
    x = np.zeros((5, size), dtype)
    x[:4, :2] = [[3, 1], [1, 1], [8, 8], [1, np.nan]]
    scratch = np.empty((2, LANES // x.itemsize * size), dtype)
    labels, scores = np.empty(5, np.int32), np.empty(5, dtype)
    for margin, expected in (
        ([0, 0], [0, 1, 1, ~0, ~0]),  # the last point is as near to all rows
        ([2**-8, 0], [0, ~1, 1, ~0, ~0]),
        ([0, 2**-10], [0, 1, 1, ~0, ~0]),
        ([0, 2**-8], [0, ~1, ~1, ~0, ~0]),
    ):
        centers = PackedCenters(
            *(data, np.tile(columns, 3), ends, np.array([3]), np.zeros(3, dtype)),
            *(np.zeros(1, np.uint64), np.array(margin, dtype)),
        )
        found = nearest_rows(centers, x, scratch, labels, scores)
        assert labels.tolist() == expected and found == sum(k < 0 for k in expected)
        dense = pack_dense(matrix, np.zeros(3), None, x.dtype)[0]
        dense = dense._replace(margin=np.array(margin, dtype))
        found = nearest_dense_rows(dense, x, scratch.ravel(), labels, scores)
        assert labels.tolist() == expected and found == sum(k < 0 for k in expected)


def test_equal_rows_are_one_for_the_kernel():
    """The first of equal rows is found, and points need no second look."""
    rows = random((4, 6), "float64")
    operator = nf.FactorProduct([np.vstack([rows, rows[::-1], np.zeros((3, 6))])])
    nearest, x = NearestRows(operator), random((50, 6), "float64", 1)
    nearest._settle = None
    labels, _ = nearest(x)
    expected = exact_squares(x, operator.toarray()).argmin(axis=1)
    np.testing.assert_array_equal(labels, expected)
    biased = NearestRows(operator, np.arange(11.0))
    values = np.arange(11.0) - 2 * x @ operator.toarray().T
    np.testing.assert_array_equal(biased(x)[0], values.argmin(axis=1))


OFFSETS = [0.0, 1.0, 1e2, 1e4, 1e6, 1e9, 1e12]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("sides", [1, 2])
def test_nearest_rows_far_from_the_origin(offset, dtype, sides):
    x = groups(offset, dtype, sides=sides)
    centers = centers_of(x)
    expected = exact_squares(x, centers).argmin(axis=1)
    product = nf.FactorProduct([centers])
    for operator in (product, OperatorSum([product])):
        labels, scores = NearestRows(operator)(x)
        np.testing.assert_array_equal(labels, expected)
        assert np.isfinite(scores).all()
    mean = x.mean(axis=0, dtype=np.float64).astype(dtype)
    moved = nf.FactorProduct([centers - mean])
    # The centers are those that the sum of the rows and the offset gives.
    rows = moved.toarray() + mean
    labels, _ = NearestRows(moved, offset=mean)(x)
    np.testing.assert_array_equal(labels, exact_squares(x, rows).argmin(axis=1))


def test_offset_and_scores():
    operator, offset = nf.FactorProduct([random((5, 4), "float64")]), np.arange(4.0)
    x = random((30, 4), "float64", 1)
    labels, scores = NearestRows(operator, offset=offset)(x)
    squares = cdist(x, operator.toarray() + offset, "sqeuclidean")
    np.testing.assert_array_equal(labels, squares.argmin(axis=1))
    lengths = ((x - offset) ** 2).sum(axis=1)
    np.testing.assert_allclose(scores + lengths, squares.min(axis=1), atol=1e-12)
    for wrong, error in ((np.ones(5), ValueError), (1j * offset, TypeError)):
        with pytest.raises(error, match="offset"):
            NearestRows(operator, offset=wrong)
    with pytest.raises(ValueError, match=r"offset .* NaN"):
        NearestRows(operator, offset=np.full(4, np.nan))


@pytest.mark.parametrize("dtype", REAL)
def test_a_given_bias_far_from_the_origin(dtype):
    centers = centers_of(groups(1e3, dtype))
    bias = (centers.astype(float) ** 2).sum(axis=1) + np.arange(9.0)
    x = groups(1e3, dtype)
    expected = (exact_squares(x, centers) + np.arange(9)).argmin(axis=1)
    labels, _ = NearestRows(nf.FactorProduct([centers]), bias)(x)
    np.testing.assert_array_equal(labels, expected)


def test_an_outlier_changes_no_other_label():
    x = groups(0.0, "float64")
    centers = np.vstack([np.full((1, 12), 1e12), centers_of(x)])
    x[7] = 1e12
    labels, _ = NearestRows(nf.FactorProduct([centers]))(x)
    np.testing.assert_array_equal(labels, exact_squares(x, centers).argmin(axis=1))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("kind", ["factors", "products"])
def test_bad_points_of_nearest_rows_are_refused(kind, dtype):
    product = nf.FactorProduct([np.eye(3, 20)])  # it reads three of twenty columns
    nearest = NearestRows(product if kind == "factors" else OperatorSum([product]))
    for column in (0, 19):
        for bad in (np.nan, np.inf, -np.inf):
            x = np.ones((5, 20), dtype)
            x[3, column] = bad
            with pytest.raises(ValueError, match="x contains NaN or infinity"):
                nearest(x)
    x = np.ones((5, 20))
    with pytest.raises(TypeError, match="x is a masked array"):
        nearest(np.ma.masked_array(x, x > 0))
    with pytest.raises(ValueError, match="x is no array: its rows differ in length"):
        nearest([[1.0] * 20, [2.0]])
    for wrong in (x.astype(object), x.astype(str), 1j * x):
        with pytest.raises(TypeError, match="x"):
            nearest(wrong)


def test_rows_and_points_that_are_too_large_are_refused():
    huge = nf.FactorProduct([np.float32([[1e25, 0.0], [0.0, 1e25]])])
    points = np.float32([[2e25, 1e24], [1e24, 2e25]])
    refused = pytest.raises(ValueError, match="too large: scores overflow in float32")
    with refused, np.errstate(over="ignore", invalid="ignore"):
        NearestRows(huge)(points)
    labels, scores = NearestRows(huge)(points.astype(np.float64))
    assert labels.tolist() == [0, 1] and np.isfinite(scores).all()
    with pytest.raises(ValueError, match=r"operator: the squared norms .* overflow"):
        NearestRows(nf.FactorProduct([np.full((2, 2), 1e200)]))
    refused = pytest.raises(ValueError, match=r"x or the rows .* too large")
    with refused, np.errstate(over="ignore", invalid="ignore"):
        NearestRows(nf.FactorProduct([np.eye(2)]))(np.full((2, 2), 1e200))
