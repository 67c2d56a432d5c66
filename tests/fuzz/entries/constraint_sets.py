"""The sets of ``nf.constraints``: constructors and methods."""

import warnings

import naive
import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from .. import values
from ..cases import GOOD, Value, called, entry
from ..checks import near, numbers, true
from ..pools import (
    Pool,
    array,
    count,
    fixed,
    flag,
    listed_values,
    optional,
    or_none,
    real,
)

SHAPES = [(3, 4), (4, 3), (1, 1), (1, 3), (4, 4), (5, 2)]
SQUARES = [(1, 1), (3, 3), (4, 4)]


def shapes(good, wrong=()):
    """Return the pool of the argument ``shape``."""
    texts = [str(shape) for shape in good] + [str(list(shape)) for shape in good]
    bad = [
        *(
            "3",
            "None",
            "'ab'",
            "()",
            "(3,)",
            "(3, 3, 3)",
            "(0, 3)",
            "(3, -1)",
            "(2.5, 3)",
        ),
        *("(True, True)", "('3', '3')", "{}", "object()", "(3, None)", "([3], [3])"),
        *("(np.nan, 3)", "(3.0, 3.0)", *wrong),
    ]
    return listed_values(texts, bad, odd=["np.array([3, 3])", "{1: 2, 3: 4}.keys()"])


KEPT = count(1, 9, huge=GOOD)
COMMON = {"normalized": flag(), "nonneg": flag()}
TIES = {
    "tie_tol": optional(
        real("0.0", "0", "2**-20", "1e-6", bad=("-0.1", "1.0", "1e308", "2"))
    )
}
SUPPORTS = [
    "np.eye(3, 4)",
    "np.eye(3, 4, dtype=bool)",
    "[[1, 0], [2, 3]]",
    "np.zeros((2, 2), int)",
]
BLOCKS = [
    "[(1, 2), (2, 1)]",
    "((3, 3),)",
    "[[1, 1], [2, 3], [1, 1]]",
    "[(np.int64(2), 1)]",
]
NO_BLOCKS = [
    *(
        "[]",
        "3",
        "None",
        "[(1, 2, 3)]",
        "[(0, 1)]",
        "[3]",
        "'ab'",
        "[(1.5, 2)]",
        "[None]",
    ),
    *("[('a', 'b')]", "[(True, True)]", "[(-1, 2)]", "{}", "object()", "['ab']", "1.5"),
]

ARGUMENTS = {
    "AntiCirc": {"shape": shapes(SQUARES, ["(3, 4)"]), **COMMON},
    "BlockDiag": {"blocks": listed_values(BLOCKS, NO_BLOCKS), **COMMON},
    "Circ": {"shape": shapes(SQUARES, ["(3, 4)"]), **COMMON},
    "Const": {"value": array((3, 4), wrong_shapes=[(0, 3), (3,), (2, 2, 2)])},
    "Hankel": {"shape": shapes(SHAPES), **COMMON},
    "Identity": {"shape": shapes(SHAPES), **COMMON},
    "NormCol": {
        "shape": shapes(SHAPES),
        "s": optional(
            real(
                "1.0",
                "2",
                "0.5",
                "1e-3",
                "np.float32(3)",
                bad=("0", "-1.0"),
                odd=("1e308", "1e-308", "10**400"),
            )
        ),
        "nonneg": flag(),
    },
    "Partition": {
        "labels": listed_values(
            [
                "np.arange(12).reshape(3, 4) // 2",
                "[[0, 0, 7, -1], [1, 1, 7, 7], [2, -5, 2, 2]]",
                "np.zeros((3, 4), np.uint8)",
            ],
            [
                *("None", "3", "'a'", "[]", "object()", "np.ones((3, 4))", "{}"),
                *("-np.ones((3, 4), int)", "[0, 1]", "np.zeros((0, 4), int)"),
                "np.full((3, 4), 2**63, np.uint64)",
            ],
        ),
        "k": or_none(KEPT),
        **COMMON,
    },
    "SkPerm": {
        "shape": shapes(SHAPES),
        "k": KEPT,
        "k_col": or_none(KEPT),
        **COMMON,
        **TIES,
    },
    "Sp": {"shape": shapes(SHAPES), "k": KEPT, **COMMON, **TIES},
    "SpBlock": {
        "shape": shapes(SHAPES),
        "k": KEPT,
        "block": optional(shapes(SHAPES)),
        "per_row": flag(),
        **COMMON,
        **TIES,
    },
    "SpSymm": {"shape": shapes(SQUARES, ["(3, 4)"]), "k": KEPT, **COMMON},
    "SpTril": {"shape": shapes(SHAPES), "k": KEPT, **COMMON},
    "Supp": {
        "support": Pool(
            st.one_of(fixed(*SUPPORTS).good, array((3, 4)).good),
            array((3, 4), wrong_shapes=[(0, 3), (3,), (2, 2, 2)]).other,
        ),
        **COMMON,
    },
}
ARGUMENTS["NormLin"] = ARGUMENTS["NormCol"]
ARGUMENTS["SpTriu"] = ARGUMENTS["SpTril"]
ARGUMENTS["Toeplitz"] = ARGUMENTS["Hankel"]
for _name in ("SpLin", "SpCol", "SpLinCol"):
    ARGUMENTS[_name] = ARGUMENTS["Sp"]

SETS = sorted(ARGUMENTS)

NEAREST = {
    "AntiCirc": lambda s, x: naive.project_anticirc(x),
    "BlockDiag": lambda s, x: naive.project_blockdiag(
        x, *np.cumsum(s.blocks, axis=0).T
    ),
    "Circ": lambda s, x: naive.project_circ(x),
    "Const": lambda s, x: naive.project_const(x, s.value),
    "Hankel": lambda s, x: naive.project_hankel(x),
    "Identity": lambda s, x: x,
    "NormCol": lambda s, x: naive.project_normcol(x, s.s),
    "NormLin": lambda s, x: naive.project_normlin(x, s.s),
    "Partition": lambda s, x: naive.project_partition(
        x, *pieces(s.labels), s.k or x.size
    ),
    "SkPerm": lambda s, x: naive.project_skperm(x, s.k, s.k_col or s.k, s.tie_tol),
    "Sp": lambda s, x: naive.project_sp(x, s.k, s.tie_tol),
    "SpBlock": lambda s, x: naive.project_spblock(
        x, s.k, *s.block, s.per_row, s.tie_tol
    ),
    "SpCol": lambda s, x: naive.project_spcol(x, s.k, s.tie_tol),
    "SpLin": lambda s, x: naive.project_splin(x, s.k, s.tie_tol),
    "SpLinCol": lambda s, x: naive.project_splincol(x, s.k, s.tie_tol),
    "SpSymm": lambda s, x: naive.project_spsymm(x, s.k),
    "SpTril": lambda s, x: naive.project_sptril(x, s.k),
    "SpTriu": lambda s, x: naive.project_sptriu(x, s.k),
    "Supp": lambda s, x: naive.project_supp(x, s.support),
    "Toeplitz": lambda s, x: naive.project_toeplitz(x),
}


def pieces(labels):
    """Return labels without gaps, in their order, and their number."""
    found = np.unique(labels[labels >= 0])
    dense = np.full(labels.shape, -1)
    for p, label in enumerate(found):
        dense[labels == label] = p
    return dense, len(found)


def expected_projection(one, x):
    """Return the projection by the specification, in double precision."""
    x = numbers(x)
    if one.nonneg:
        x = naive.project_nonneg(x)
    found = NEAREST[type(one).__name__](one, x)
    return naive.normalize_frobenius(found) if one.normalized else found


def nearest_of_set(result, one, x):
    """Raise unless an array is the projection of x, by the specification.

    Of equally good supports `SkPerm` keeps another one than its specification: there,
    the energy that is kept is compared.
    """
    expected = expected_projection(one, x)
    if isinstance(one, nf.constraints.SkPerm):
        energy = (
            np.abs(naive.project_nonneg(numbers(x)) if one.nonneg else numbers(x)) ** 2
        )
        kept = [np.sum(energy[np.asarray(y) != 0]) for y in (result, expected)]
        near(kept[0], kept[1], result, what="the energy of the support")
        if not np.array_equal(np.asarray(result) != 0, expected != 0):
            return
    near(result, expected, result)


def constructed(call):
    one = call.result
    for name, value in call.arguments.items():
        if name in ("shape", "blocks", "block"):
            expected = tuple(tuple(p) if hasattr(p, "__len__") else p for p in value)
            assert getattr(one, name) == expected
        elif name in ("support", "value", "labels"):
            entries = np.asarray(value) if name == "labels" else numbers(value)
            expected = entries != 0 if name == "support" else entries
            true(np.array_equal(getattr(one, name), expected), name)
        else:
            assert getattr(one, name) == value, f"{name} is {getattr(one, name)!r}"
    assert isinstance(one, nf.constraints.FastConstraint)
    assert (
        eval(repr(one), vars(nf.constraints) | {"np": np}) == one
        if "<" not in repr(one)
        else True
    )
    if call.kind == "extreme":
        return  # `project` refuses a norm or a value that the dtype of x does not hold
    if isinstance(getattr(one, "k", 1), int) and getattr(one, "k", 1) < 10**6:
        x = np.random.default_rng(0).standard_normal(one.shape)
        if not np.iscomplexobj(getattr(one, "value", 1)):
            near(one.project(x), expected_projection(one, x))
        return
    assert np.isfinite(one.project(np.ones(one.shape))).all()


def a_set(draw, name):
    """Draw the text of a set with good arguments, and its shape."""
    pools = ARGUMENTS[name]
    texts = {key: draw(pool.good) for key, pool in pools.items()}
    if name in ("NormCol", "NormLin", "SkPerm", "Sp"):
        texts["shape"] = Value(str(draw(st.sampled_from(SHAPES))))
    texts = {
        key: value.text for key, value in texts.items() if value.text != "<omitted>"
    }
    text = f"nf.constraints.{name}({', '.join(f'{k}={v}' for k, v in texts.items())})"
    return text, texts


def shape_of(name, texts):
    """Return the shape of a set from the texts of its arguments."""
    arguments = ", ".join(f"{key}={text}" for key, text in texts.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # np.matrix is no favourite of NumPy's
        return eval(f"nf.constraints.{name}({arguments})", vars(values)).shape


def matrices(name, text, texts):
    """Return the pool of matrices that a set projects."""
    is_complex = name == "Const" and "complex" in text
    dtypes = ("float64", "float32", "complex128", "complex64")
    if is_complex or "nonneg=True" in text:
        dtypes = ("complex128",) if is_complex else ("float64", "float32")
    return array(shape_of(name, texts), dtypes, integer=not is_complex)


def projected(call):
    one, x = call["self"], call["x"]
    result = call.result
    assert type(result) is np.ndarray and result.flags.c_contiguous
    assert not np.shares_memory(result, x)
    assert np.isfinite(result).all(), "the projection is not finite"
    given = np.asarray(x)
    wanted = given.dtype.newbyteorder("=") if given.dtype.kind in "fc" else np.float64
    if given.dtype.kind != "O":
        assert result.dtype == wanted, f"dtype {result.dtype}"
    if call.kind == "extreme":
        small = result.dtype.itemsize // (1 + (result.dtype.kind == "c")) == 4
        if (
            one.normalized
            and np.any(given)
            and type(one).__name__ in ("Sp", "SpLin", "SpCol", "SkPerm")
        ):
            norm = np.linalg.norm(result.astype(complex))
            if not one.nonneg:
                assert abs(norm - 1) < (1e-5 if small else 1e-12), f"norm {norm}"
        return
    nearest_of_set(result, one, x)


def projection_entries(name):
    @entry(f"constraints.{name}", constructed)
    def _(draw):
        return called(f"nf.constraints.{name}", ARGUMENTS[name])

    @entry(f"constraints.{name}.project", projected)
    def _(draw):
        text, texts = a_set(draw, name)
        pool = matrices(name, text, texts)
        return called("{self}.project", {"self": fixed(text), "x": pool})

    @entry(f"constraints.{name}.project_in_place", in_place)
    def _(draw):
        # What it takes is documented, and not checked: good arrays alone.
        text, texts = a_set(draw, name)
        is_complex = name == "Const" and "complex" in text
        dtypes = ["complex128"] if is_complex else ["float64", "float32"]
        kind, seed = draw(st.sampled_from(dtypes)), draw(st.integers(0, 9))
        pools = {
            "self": fixed(text),
            "out": fixed(f"normal({shape_of(name, texts)}, {kind!r}, {seed})"),
            "memory": fixed("None", f"{text}.memory()"),
        }
        names = ("out", "memory")
        return called("{self}.project_in_place", pools, positional=names)


def in_place(call):
    assert call.result is None
    nearest_of_set(call["out"], call["self"], call.fresh("out"))


for _name in SETS:
    projection_entries(_name)
