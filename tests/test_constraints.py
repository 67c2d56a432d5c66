"""The constraint sets: checks, options, and the laws that projections obey."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import REALS_FIRST
from scipy.linalg import hadamard

from nbfact.constraints import (
    AntiCirc,
    BlockDiag,
    Circ,
    Const,
    Constraint,
    Hankel,
    Identity,
    NormCol,
    NormLin,
    SkPerm,
    Sp,
    SpBlock,
    SpCol,
    SpLin,
    SpLinCol,
    SpSymm,
    SpTril,
    SpTriu,
    Supp,
    Toeplitz,
)

N = 6
SHAPE = (N, N)
TOLERANT = [Sp, SpLin, SpCol, SpLinCol, SkPerm, SpBlock]
COUNTED = [*TOLERANT, SpTriu, SpTril, SpSymm]
AVERAGED = [Circ, AntiCirc, Toeplitz, Hankel]
BLOCKS = [(1, 2), (3, 1), (2, 3)]


def matrix(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).standard_normal(shape)


SUPPORT = matrix(9) > 0


def with_options(**options):
    """Return one set of each class that takes ``normalized`` and ``nonneg``."""
    counted = [cls(SHAPE, 2, **options) for cls in COUNTED]
    averaged = [cls(SHAPE, **options) for cls in AVERAGED]
    others = [Supp(SUPPORT, **options), BlockDiag(BLOCKS, **options)]
    return counted + averaged + others + [Identity(SHAPE, **options)]


ALL = [
    *with_options(normalized=True),
    *with_options(normalized=False),
    NormCol(SHAPE, s=2.0),
    NormLin(SHAPE, s=2.0),
    Const(matrix(8)),
    *(SpBlock(SHAPE, 2, block=(2, 4), per_row=one) for one in (False, True)),
    *(cls(SHAPE, 2, tie_tol=2**-20) for cls in TOLERANT),
]
# SpLinCol and SpSymm are no projections: the first is a union of two supports, and the
# second is FAµST's rule for symmetric matrices.
PROJECTIONS = [
    constraint for constraint in ALL if not isinstance(constraint, SpLinCol | SpSymm)
]
each = pytest.mark.parametrize("constraint", ALL, ids=repr)


@pytest.mark.parametrize("constraint", [Supp(SUPPORT), BlockDiag(BLOCKS)], ids=repr)
def test_sets_draw_their_supports(constraint):
    pytest.importorskip("matplotlib")
    figure = constraint.plot()
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(drawn, constraint.project(np.ones(SHAPE)) == 0)
    assert figure.axes[0].get_title() == repr(constraint)
    few = SpBlock(SHAPE, 1, block=(2, 3))
    assert few.plot(np.arange(36.0).reshape(SHAPE), figure) is figure
    assert (~figure.axes[-1].images[0].get_array()[4:, 3:]).all()
    with pytest.raises(ValueError, match="x has shape"):
        few.plot(np.ones((2, 2)))
    assert not Const(1j * np.ones(SHAPE)).plot().axes[0].images[0].get_array().any()


@each
def test_result_is_new_and_input_untouched(constraint):
    assert isinstance(constraint, Constraint)
    assert constraint.shape == SHAPE
    x = matrix()
    expected = constraint.project(x)
    assert np.array_equal(x, matrix())
    assert expected.dtype == np.float64
    assert expected.flags.c_contiguous
    assert not np.shares_memory(expected, x)
    x.flags.writeable = False
    strided = np.zeros((2 * N, 3 * N))[::2, ::-3]
    strided[...] = x
    for view in (x, np.asfortranarray(x), strided, x.tolist(), x.astype(">f8")):
        got = constraint.project(view)
        assert np.array_equal(got, expected)
        assert got.flags.c_contiguous


@each
@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_dtype_is_kept(constraint, dtype):
    x = matrix().astype(dtype)
    expected = constraint.project(matrix())
    got = constraint.project(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@each
def test_integers_become_float64(constraint):
    x = np.arange(N * N).reshape(SHAPE) - 10
    got = constraint.project(x)
    assert got.dtype == np.float64
    assert np.array_equal(got, constraint.project(x.astype(float)))


@each
def test_bad_input_is_refused(constraint):
    for bad in (np.nan, np.inf):
        x = matrix()
        x[1, 2] = bad
        with pytest.raises(ValueError, match=r"x must be finite"):
            constraint.project(x)
    with pytest.raises(ValueError, match=r"\(6, 5\).*\(6, 6\)"):
        constraint.project(matrix(shape=(N, N - 1)))
    with pytest.raises(ValueError, match=r"\(6,\).*\(6, 6\)"):
        constraint.project(np.ones(N))
    for dtype in (object, "float16", "U3"):
        with pytest.raises(TypeError, match=r"x (must be|has|is) .*dtype"):
            constraint.project(np.ones(SHAPE).astype(dtype))


@pytest.mark.parametrize("dtype", REALS_FIRST)
@each
def test_in_place_is_what_project_does_unchecked(constraint, dtype):
    x = matrix().astype(dtype)
    expected = constraint.project(x)
    assert constraint.project_in_place(x) is None
    assert np.array_equal(x, expected)


def test_in_place_refuses_complex_where_nonneg():
    for constraint in with_options(nonneg=True):
        for project in (constraint.project, constraint.project_in_place):
            with pytest.raises(ValueError, match="nonneg needs a real x"):
                project(matrix() + 0j)


@pytest.mark.parametrize("cls", TOLERANT)
def test_tie_tol(cls):
    assert cls(SHAPE, 2).tie_tol == 0.0
    tolerant = cls(SHAPE, 2, tie_tol=1e-6)
    assert "tie_tol=1e-06" in repr(tolerant)
    assert "tie_tol" not in repr(cls(SHAPE, 2, tie_tol=0))
    assert cls(SHAPE, 2, tie_tol=0) == cls(SHAPE, 2) != tolerant
    for tie_tol in (-1e-9, 1.0, np.nan, np.inf):
        with pytest.raises(
            ValueError,
            match=r"tie_tol=.*: expected a finite number,? at least 0 and below 1",
        ):
            cls(SHAPE, 2, tie_tol=tie_tol)
    for tie_tol in (True, None, "0", 1j, np.bool_(False)):
        with pytest.raises(TypeError, match=r"tie_tol=.*: expected a real number"):
            cls(SHAPE, 2, tie_tol=tie_tol)


@pytest.mark.parametrize("cls", TOLERANT)
@pytest.mark.parametrize("level", [1e-14, 1e-11, 1e-8])
def test_noise_does_not_choose_the_support(cls, level):
    n = 16
    exact = hadamard(n) / np.sqrt(n)
    noise = np.random.default_rng(1).standard_normal((n, n))
    noise *= level * np.linalg.norm(exact) / np.linalg.norm(noise)
    for k in (2, 4, 8):
        k = k * n if cls is Sp else k
        expected = cls((n, n), k).project(exact) != 0
        got = cls((n, n), k, tie_tol=2**-20).project(exact + noise)
        assert np.array_equal(got != 0, expected)


@each
def test_repr_equality_pickle(constraint):
    for twin in (pickle.loads(pickle.dumps(constraint)), copy.deepcopy(constraint)):
        assert twin == constraint
        assert hash(twin) == hash(constraint)
    assert [other for other in ALL if other == constraint] == [constraint]
    assert constraint != "Sp"


def test_repr():
    assert repr(SpLin((4, 3), k=2)) == "SpLin((4, 3), k=2)"
    assert repr(SkPerm([4, 3], 2, k_col=3)) == "SkPerm((4, 3), k=2, k_col=3)"
    assert repr(Sp((4, 3), 2, normalized=False)) == "Sp((4, 3), k=2, normalized=False)"
    assert repr(Identity((4, 3), nonneg=True)) == "Identity((4, 3), nonneg=True)"
    assert repr(NormCol((4, 3))) == "NormCol((4, 3), s=1.0)"
    assert repr(BlockDiag([(1, 2)])) == "BlockDiag(((1, 2),))"
    assert repr(Const(np.eye(2))) == "Const(<2 x 2>)"


@pytest.mark.parametrize("cls", COUNTED)
def test_bad_k_is_refused(cls):
    for k in (0, -1):
        with pytest.raises(ValueError, match=r"k=-?\d: expected at least 1"):
            cls(SHAPE, k)
    for k in (True, 2.0, None, "2", np.float64(2)):
        with pytest.raises(TypeError, match=r"k=.*: expected an integer"):
            cls(SHAPE, k)
    assert cls(SHAPE, np.int32(2)).k == 2
    if cls not in (SpTriu, SpTril, SpSymm):
        x = matrix()
        assert np.array_equal(cls(SHAPE, 99, normalized=False).project(x), x)


def test_bad_parameters_are_refused():
    for shape in (6, (6,), (6, 6, 6), "ab", None, (0, 6), (6, -1)):
        with pytest.raises((TypeError, ValueError), match="shape"):
            Sp(shape, 2)
    with pytest.raises(TypeError, match="shape"):
        Toeplitz((6.0, 6))
    for cls in (Circ, AntiCirc):
        with pytest.raises(ValueError, match=r"square shape, got \(6, 5\)"):
            cls((6, 5))
    with pytest.raises(ValueError, match="square"):
        SpSymm((6, 5), 2)
    for k_col, error in ((0, ValueError), (1.5, TypeError), (False, TypeError)):
        with pytest.raises(error, match="k_col"):
            SkPerm(SHAPE, 2, k_col)
    for s, error in ((0.0, ValueError), (np.nan, ValueError), ("1", TypeError)):
        with pytest.raises(error, match="s="):
            NormCol(SHAPE, s)
    for value in (np.ones(3), np.ones((0, 3)), [[np.nan]]):
        with pytest.raises(ValueError, match="value must be"):
            Const(value)
        with pytest.raises(ValueError, match="support must be"):
            Supp(value)
    for blocks in (3, [3], "ab"):
        with pytest.raises(TypeError, match=r"blocks=.*: expected a sequence"):
            BlockDiag(blocks)
    for blocks in ([], [(1, 0)], [(1,)]):
        with pytest.raises(ValueError, match=r"blocks( is empty|=)"):
            BlockDiag(blocks)
    with pytest.raises(TypeError, match="value is complex"):
        Const([[1j]]).project([[1.0]])


def test_fixed_matrices_are_copies():
    value = np.eye(2)
    constraint = Const(value)
    value[0, 0] = 7
    assert np.array_equal(constraint.project(value), np.eye(2))


def test_nonneg_and_normalized():
    sets = with_options(normalized=False, nonneg=True)
    unit = with_options(normalized=True, nonneg=True)
    for constraint, scaled in zip(sets, unit, strict=True):
        plain = type(constraint)(**{**vars(constraint), "nonneg": False})
        got = constraint.project(matrix())
        assert got.min() >= 0
        assert np.array_equal(got, plain.project(np.maximum(matrix(), 0)))
        expected = got / np.linalg.norm(got)
        np.testing.assert_allclose(scaled.project(matrix()), expected, rtol=1e-14)
        assert not scaled.project(np.zeros(SHAPE)).any()
        assert not scaled.project(-np.ones(SHAPE)).any()
        with pytest.raises(ValueError, match="nonneg needs a real x"):
            constraint.project(matrix() * 1j)
    got = NormCol(SHAPE, nonneg=True).project(matrix())
    assert got.min() == 0
    np.testing.assert_allclose(np.linalg.norm(got, axis=0), 1, rtol=1e-14)


def test_bounds_on_the_support():
    x = matrix(shape=(7, 9))
    for k in (1, 2, 3):
        assert np.count_nonzero(Sp((7, 9), k).project(x)) == k
        rows = SpLin((7, 9), k).project(x) != 0
        columns = SpCol((7, 9), k).project(x) != 0
        assert (rows.sum(axis=1) == k).all()
        assert (columns.sum(axis=0) == k).all()
        union = SpLinCol((7, 9), k).project(x) != 0
        assert np.array_equal(union, rows | columns)
        both = SkPerm((7, 9), k, k + 1).project(x) != 0
        assert both.sum(axis=1).max() <= k
        assert both.sum(axis=0).max() <= k + 1


@pytest.mark.parametrize("constraint", PROJECTIONS, ids=repr)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), tied=st.booleans())
def test_laws_of_a_projection(constraint, seed, tied):
    """A projection is idempotent, and no other matrix of the set is nearer."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(SHAPE)
    if tied:
        x = rng.integers(-1, 2, SHAPE) + 0.0
    got = constraint.project(x)
    np.testing.assert_allclose(constraint.project(got), got, rtol=1e-13, atol=1e-13)
    distance = np.linalg.norm(x - got)
    for scale in (0.1, 1.0):
        other = constraint.project(x + scale * rng.standard_normal(SHAPE))
        assert distance <= np.linalg.norm(x - other) * (1 + 1e-12)


@pytest.mark.parametrize("constraint", ALL, ids=repr)
def test_scale_does_not_matter(constraint):
    expected = constraint.project(matrix())
    for scale in (2.0**-660, 2.0**660):
        got = constraint.project(scale * matrix())
        assert np.array_equal(got != 0, expected != 0)
        assert np.isfinite(got).all()
        if constraint.normalized:
            np.testing.assert_allclose(got, expected, rtol=1e-13)


@pytest.mark.parametrize(
    "constraint",
    [
        SpLin((4, 6), 2, tie_tol=0.1, nonneg=True),
        SpCol((4, 6), 2, normalized=False),
        SpLinCol((4, 6), 2),
        NormCol((4, 6), 2.0),
        NormCol((4, 6), 2.0, nonneg=True),
        NormLin((4, 6), 2.0),
        NormLin((4, 6), 2.0, nonneg=True),
        Supp(np.arange(24).reshape(4, 6) % 3, normalized=False),
    ],
    ids=repr,
)
def test_the_set_of_the_transposes(constraint):
    ties = np.random.default_rng(0).integers(-3, 4, (4, 6)).astype(float)
    for x in (ties, np.random.default_rng(1).standard_normal((4, 6))):
        expected = constraint.project(x).T
        np.testing.assert_allclose(constraint.transposed().project(x.T), expected)
    assert constraint.transposed().transposed() == constraint
    assert Sp((4, 6), 2).transposed() is None  # its ties are in column-major order
