"""Laws of all sets with all their options: copies, transposes, extreme scales, any k.

The sets are those that `nbfact.constraints` exports: a new one needs an entry here.
"""

import copy
import dataclasses
import inspect
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import LATER, REALS_FIRST

import nbfact as nf
from nbfact import constraints
from nbfact.algorithms.palm.factor_projection import Projection
from nbfact.constraints.sets import Set
from nbfact.constraints.sparse_sets import Counted

SHAPE, SQUARE = (4, 6), (5, 5)
SUPPORT = np.random.default_rng(2).random(SHAPE) < 0.6
VALUE = np.random.default_rng(3).standard_normal(SHAPE)
LABELS = np.random.default_rng(4).integers(-1, 5, SHAPE) * 3
ARGUMENTS = {
    "AntiCirc": {"shape": [SQUARE]},
    "BlockDiag": {"blocks": [((1, 2), (3, 4))]},
    "Circ": {"shape": [SQUARE]},
    "Const": {"value": [VALUE]},
    "Hankel": {"shape": [SHAPE]},
    "Identity": {"shape": [SHAPE]},
    "NormCol": {"shape": [SHAPE], "s": [1.0, 2.5]},
    "NormLin": {"shape": [SHAPE], "s": [1.0, 2.5]},
    "Partition": {"labels": [LABELS], "k": [None, 2]},
    "SkPerm": {"shape": [SHAPE], "k": [1, 2], "k_col": [None, 2]},
    "Sp": {"shape": [SHAPE], "k": [1, 7]},
    "SpBlock": {"shape": [SHAPE], "k": [1, 2]},
    "SpCol": {"shape": [SHAPE], "k": [1, 2]},
    "SpLin": {"shape": [SHAPE], "k": [1, 2]},
    "SpLinCol": {"shape": [SHAPE], "k": [1, 2]},
    "SpSymm": {"shape": [SQUARE], "k": [1, 6]},
    "SpTril": {"shape": [SHAPE], "k": [1, 6]},
    "SpTriu": {"shape": [SHAPE], "k": [1, 6]},
    "Supp": {"support": [SUPPORT]},
    "Toeplitz": {"shape": [SHAPE]},
}
"""Values of the arguments of each set."""

OPTIONS = {
    "normalized": [False, True],
    "nonneg": [False, True],
    "tie_tol": [0.0, 2**-10],
    "block": [(1, 8), (3, 2)],
    "per_row": [False, True],
}
"""Values of the options of all sets."""

CLASSES = {
    name: one
    for name, one in vars(constraints).items()
    if inspect.isclass(one) and issubclass(one, Set)
}


def test_every_set_and_every_option_is_here():
    assert sorted(CLASSES) == sorted(ARGUMENTS)
    for name, one in CLASSES.items():
        for field in dataclasses.fields(one):
            assert field.name in (OPTIONS if field.kw_only else ARGUMENTS[name]), (
                f"give {name}.{field.name} some values in this file"
            )


def of_class(name):
    """Return a set of a class for each combination of arguments and options."""
    one = CLASSES[name]
    values = {
        field.name: OPTIONS[field.name]
        if field.kw_only
        else ARGUMENTS[name][field.name]
        for field in dataclasses.fields(one)
    }
    combinations = itertools.product(*values.values())
    return [one(**dict(zip(values, chosen, strict=True))) for chosen in combinations]


ALL = [one for name in ARGUMENTS for one in of_class(name)]
EACH = pytest.mark.parametrize("name", sorted(ARGUMENTS))


def samples(shape, dtype="float64"):
    """Return a Gaussian matrix, and one with many ties."""
    rng = np.random.default_rng(0)
    gaussian, ties = rng.standard_normal(shape), rng.integers(-2, 3, shape)
    if np.dtype(dtype).kind == "c":
        return [(x + 1j * x[::-1, ::-1]).astype(dtype) for x in (gaussian, ties)]
    return [x.astype(dtype) for x in (gaussian, ties)]


def options(one):
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


@EACH
def test_copies_have_all_options_and_project_alike(name):
    for one in of_class(name):
        twins = [
            pickle.loads(pickle.dumps(one)),
            copy.copy(one),
            copy.deepcopy(one),
            dataclasses.replace(one),
        ]
        if name not in (
            "Supp",
            "Const",
            "Partition",
        ):  # whose repr gives the shape of the matrix
            twins.append(eval(repr(one), dict(CLASSES)))
        for twin in twins:
            assert type(twin) is type(one) and twin == one and hash(twin) == hash(one)
            assert repr(twin) == repr(one)
            for x in samples(one.shape):
                assert np.array_equal(twin.project(x), one.project(x))
            for value in options(twin).values():
                assert not isinstance(value, np.ndarray) or not value.flags.writeable


@EACH
def test_each_option_can_be_replaced_alone(name):
    """PALM replaces `normalized` so, and all else that a set asks for is kept."""
    for one in of_class(name):
        for option, values in OPTIONS.items():
            if option in options(one):
                for value in values:
                    other = dataclasses.replace(one, **{option: value})
                    assert repr(options(other)) == repr({**options(one), option: value})


@EACH
def test_the_transposed_set_has_all_options(name):
    for one in of_class(name):
        turned = one.transposed()
        if turned is None:
            continue
        assert turned.shape == one.shape[::-1]
        assert type(turned.transposed()) is type(one) and turned.transposed() == one
        kept = {key: value for key, value in options(one).items() if key in OPTIONS}
        assert {key: getattr(turned, key) for key in kept} == kept
        for x in samples(one.shape):
            expected = one.project(x).T
            np.testing.assert_allclose(turned.project(x.T), expected, rtol=1e-15)


@EACH
def test_a_sweep_from_left_to_right_projects_as_one_from_right_to_left(name):
    for one in of_class(name):
        for balanced in (False, True):
            plain = Projection(one, 0, False, balanced)
            turned = Projection(one, 0, True, balanced)
            for x in samples(one.shape):
                expected = plain(x.copy())
                got = turned(np.ascontiguousarray(x.T))
                np.testing.assert_allclose(got, expected.T, rtol=1e-15)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("order", ["right-to-left", "left-to-right"])
@pytest.mark.parametrize("cls", [nf.constraints.NormCol, nf.constraints.NormLin])
def test_a_hierarchy_keeps_the_options_on_both_sides(cls, order, side):
    target = np.random.default_rng(0).standard_normal((6, 6))
    factors = [nf.constraints.SpLin((6, 6), 3), nf.constraints.SpLin((6, 6), 3)]
    residuals = [cls((6, 6), 2.0, nonneg=True), cls((6, 6), 2.0, nonneg=True)]
    found = nf.hierarchical(
        target, factors, residuals, order=order, residual_side=side, n_iter=3
    )
    place = 0 if side == "left" else -1
    last = found.operator.factors[place].toarray()
    assert last.min() >= 0
    norms = np.linalg.norm(last, axis=0 if cls is nf.constraints.NormCol else 1)
    np.testing.assert_allclose(norms[norms > 0], 2.0, rtol=1e-12)


def scaled(x, exponent):
    """Return 2**exponent * x, rounded as the dtype rounds it."""
    parts = x.copy().reshape(-1).view(x.real.dtype)
    return np.ldexp(parts, exponent).view(x.dtype).reshape(x.shape)


def exponents(dtype):
    """Return powers of two that make Gaussian entries huge, small and subnormal."""
    info = np.finfo(dtype)
    return info.maxexp - 2, info.minexp + 3, info.minexp - 6, info.minexp - info.nmant


@pytest.mark.parametrize("dtype", REALS_FIRST)
@EACH
def test_extreme_scales(name, dtype):
    """The projection of 2^e x is that of x times 2^e, or that of x, up to rounding."""
    info = np.finfo(dtype)
    for one in of_class(name):
        if one.nonneg and np.dtype(dtype).kind == "c":
            continue
        free = isinstance(one, constraints.Identity | constraints.Sp) or (
            "normalized" in options(one)
        )
        for exponent in exponents(dtype):
            x = np.sign(samples(one.shape)[0]) + 0.25 * samples(one.shape, dtype)[1]
            x = x.astype(dtype)
            matrix = scaled(x, exponent)
            # Entries that were rounded to subnormal numbers are compared as they are.
            back = scaled(matrix, -exponent)
            expected = one.project(back)
            got = one.project(matrix)
            assert got.dtype == dtype and np.isfinite(got).all()
            if free and not one.normalized:
                kept = (expected == back) & (expected != 0)
                assert np.array_equal(got[kept], matrix[kept])
                assert np.array_equal(got == 0, scaled(expected, exponent) == 0)
                expected = scaled(expected, exponent)
                limit = 4 * info.smallest_subnormal
            else:
                limit = 0
            np.testing.assert_allclose(got, expected, rtol=20 * info.eps, atol=limit)


@pytest.mark.parametrize("dtype", REALS_FIRST)
def test_the_largest_numbers(dtype):
    """Sums of the largest number, and moduli beyond it, do not overflow."""
    info = np.finfo(dtype)
    for name in ARGUMENTS:
        for one in of_class(name):
            if np.dtype(dtype).kind == "c" and one.nonneg:
                continue
            x = np.full(one.shape, info.max, dtype)
            if np.dtype(dtype).kind == "c":
                x = x + 1j * x
            got = one.project(x)
            assert np.isfinite(got).all() and got.any()
            if "normalized" in options(one) and not one.normalized:
                expected = np.where(got != 0, x, 0)
                np.testing.assert_allclose(got, expected, rtol=4 * info.eps)


@pytest.mark.parametrize("cls", [nf.constraints.NormCol, nf.constraints.NormLin])
def test_norms_fit_the_dtype_or_are_refused(cls):
    x = samples(SQUARE)[0]
    for dtype in ("float32", "complex64"):
        for s in (1e300, 4e38, 1e-300, 1e-39):
            with pytest.raises(ValueError, match=r"s holds .* does not fit"):
                cls(SQUARE, s).project(x.astype(dtype))
    with pytest.raises(ValueError, match=r"s holds .* does not fit"):
        cls(SQUARE, 5e-324).project(x)
    for dtype in ("float32", "float64"):
        info = np.finfo(dtype)
        for s in (info.max, info.max / 4, 1e30, 1.0, 1e-30, info.smallest_normal):
            for scale in (info.max / 8, 1.0, info.smallest_normal):
                got = cls(SQUARE, s).project((scale * x).astype(dtype))
                unit = cls(SQUARE).project((scale * x).astype(dtype))
                limit = 2 * info.smallest_subnormal
                expected = unit * np.asarray(s, dtype)
                np.testing.assert_allclose(got, expected, rtol=1e-5, atol=limit)


def test_a_constant_fits_the_dtype_or_is_refused():
    for value in (1e300, -1e300, 1e-300):
        one = nf.constraints.Const([[value, 0.0]])
        assert np.array_equal(one.project([[1.0, 2.0]]), [[value, 0.0]])
        with pytest.raises(ValueError, match=r"value holds .* does not fit float32"):
            one.project(np.float32([[1.0, 2.0]]))
    small = nf.constraints.Const([[1.0, 1e-300]])
    assert np.array_equal(small.project(np.float32([[1.0, 2.0]])), [[1.0, 0.0]])
    nothing = nf.constraints.Const(np.zeros((1, 2)))
    assert not nothing.project(np.float32([[1.0, 2.0]])).any()


COUNTED = [name for name, one in CLASSES.items() if issubclass(one, Counted)]


@pytest.mark.parametrize("dtype", REALS_FIRST)
@pytest.mark.parametrize("k", [31, 2**31, 2**32, 2**63, 2**64, 10**30])
@pytest.mark.parametrize("name", COUNTED)
def test_more_entries_than_there_are_keep_them_all(name, k, dtype):
    shape = ARGUMENTS[name]["shape"][0]
    one = CLASSES[name](shape, k, normalized=False)
    assert one.k == k and eval(repr(one), dict(CLASSES)) == one
    for x in samples(shape, dtype):
        whole = CLASSES[name](shape, shape[0] * shape[1], normalized=False)
        assert np.array_equal(one.project(x), whole.project(x))
        if name not in ("SpTriu", "SpTril", "SpSymm"):
            assert np.array_equal(one.project(x), x)
    if name == "SkPerm":
        x = samples(shape)[0]
        assert np.array_equal(
            constraints.SkPerm(shape, 2, k).project(x),
            constraints.SkPerm(shape, 2, shape[0]).project(x),
        )


@EACH
def test_arguments_of_another_kind_are_refused(name):
    one = of_class(name)[0]
    for option in ("normalized", "nonneg"):
        if option in options(one):
            for value in (1, 0, "no", None, 1.0, np.ones(2)):
                with pytest.raises(
                    TypeError, match=f"{option}=.*: expected True or False"
                ):
                    dataclasses.replace(one, **{option: value})
            assert dataclasses.replace(one, **{option: np.True_}) == (
                dataclasses.replace(one, **{option: True})
            )
    for argument in ("k", "k_col"):
        if argument in options(one):
            for value in (True, 2.0, "2", [2], 1j):
                with pytest.raises(TypeError, match=f"{argument}="):
                    dataclasses.replace(one, **{argument: value})
    if "s" in options(one):
        for value in (True, "1", 1j, None):
            with pytest.raises(TypeError, match=r"s=.*: expected a real number"):
                dataclasses.replace(one, s=value)
        with pytest.raises(ValueError, match="s="):
            dataclasses.replace(one, s=10**400)


@EACH
def test_matrices_of_another_kind_are_refused(name):
    one = of_class(name)[0]
    x = samples(one.shape)[0]
    with pytest.raises(TypeError, match="x is a masked array"):
        one.project(np.ma.masked_array(x, x > 0))
    with pytest.raises(ValueError, match="x is no array: its rows differ in length"):
        one.project([[1.0, 2.0], [3.0]])
    for bad in (x.astype(object), x.astype(str), x.astype("M8[s]"), None, "x"):
        with pytest.raises(TypeError, match=r"x (must be|has|is) "):
            one.project(bad)
    assert type(one.project(x.view(np.matrix))) is np.ndarray


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=LATER), "float64"])
@settings(deadline=None, max_examples=25)
@given(place=st.integers(0, len(ALL) - 1), seed=st.integers(0, 2**31))
def test_finite_matrices_of_any_scale_stay_finite(dtype, place, seed):
    one, rng = ALL[place], np.random.default_rng(seed)
    info = np.finfo(dtype)
    least, most = info.minexp - info.nmant, info.maxexp
    x = np.ldexp(rng.uniform(-1, 1, one.shape), rng.integers(least, most, one.shape))
    x = x.astype(dtype)
    before = x.copy()
    assert np.isfinite(one.project(x)).all() and np.array_equal(x, before)
