"""Constructors of composed operators, `NearestRows`, and `Factorization`."""

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

from ..cases import ODD, Value, called, entry
from ..checks import dense, near, near_operator, numbers, true
from ..pools import (
    REAL,
    Pool,
    array,
    count,
    fixed,
    listed_values,
    or_none,
)
from .constructors import NO_OPERATORS
from .fast_operators import SHAPES

SIXES = [kind for kind, shape in SHAPES.items() if shape == (6, 6)]
ONE = [
    "None",
    "3",
    "'ab'",
    "object()",
    "[]",
    "np.eye(6)",
    "{}",
    "1.5",
    "len",
    "sp.eye_array(6)",
    "linear(np.eye(6))",
    "[sample('factors')]",
]


def lists(draw, kinds, wrong):
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    text = "[" + ", ".join(f"sample({kind!r})" for kind in chosen) + "]"
    return listed_values(
        [text, f"tuple({text})"], [*NO_OPERATORS, wrong], ["[np.eye(6)]", "np.zeros(3)"]
    )


def total(call):
    near_operator(call.result, sum(dense(one) for one in call["terms"]), *call["terms"])


@entry("operators.OperatorSum", total)
def _(draw):
    return called(
        "nf.operators.OperatorSum",
        {"terms": lists(draw, SIXES, "[sample('factors'), sample('wide')]")},
    )


def product(call):
    result = np.eye(6)
    for one in call["operators"]:
        result = result @ dense(one)
    near_operator(call.result, result, *call["operators"])


@entry("operators.OperatorProduct", product)
def _(draw):
    return called(
        "nf.operators.OperatorProduct",
        {"operators": lists(draw, SIXES, "[sample('factors'), sample('wide')]")},
    )


def kronecker(call):
    near_operator(
        call.result,
        np.kron(dense(call["left"]), dense(call["right"])),
        call["left"],
        call["right"],
    )


@entry("operators.KroneckerProduct", kronecker)
def _(draw):
    def one():
        kind = draw(st.sampled_from(["wide", "tall", "one", "factors", "butterfly"]))
        return listed_values([f"sample({kind!r})"], ONE)

    return called("nf.operators.KroneckerProduct", {"left": one(), "right": one()})


def selection(call):
    whole, rows, columns = dense(call["whole"]), call.get("rows"), call.get("columns")
    rows = slice(None) if rows is None else np.asarray(rows)
    columns = slice(None) if columns is None else np.asarray(columns)
    near_operator(call.result, whole[rows][:, columns], call["whole"])


@entry("operators.SelectedOperator", selection)
def _(draw):
    kind = draw(st.sampled_from(["factors", "butterfly", "sum", "own"]))
    bad = [
        "3",
        "'ab'",
        "[]",
        "[6]",
        "[0.5]",
        "[[0]]",
        "object()",
        "[None]",
        "['a']",
        "{}",
        "[2**63]",
        "[0, [1]]",
        "1.5",
        "np.array([0], 'M8[s]')",
    ]
    index = listed_values(
        ["[0, 3]", "np.array([5, 5, 1])", "(2,)", "np.arange(6)"],
        bad,
        ["[-1]", "[-7]", "[True] * 6", "[True, False]", "range(3)"],
    )
    pools = {
        "whole": listed_values([f"sample({kind!r})"], ONE),
        "rows": or_none(index),
        "columns": or_none(index),
    }
    return called("nf.operators.SelectedOperator", pools)


def blocks(call):
    expected = np.zeros(tuple(int(n) for n in call["shape"]))
    for block, top, left in zip(
        call["blocks"], call["row_starts"], call["column_starts"], strict=True
    ):
        m, n = block.shape
        expected[top : top + m, left : left + n] += dense(block).real
    near_operator(call.result, expected, *call["blocks"])


@entry("operators.BlockOperator", blocks)
def _(draw):
    starts = [
        "None",
        "3",
        "'ab'",
        "[]",
        "[0]",
        "[-1, 3]",
        "[0.5, 3]",
        "[True, 3]",
        "['a', 3]",
        "object()",
        "[0, 2**63]",
        "[0, 99]",
        "[None, 0]",
        "{}",
        "1.5",
        "[[0], [3]]",
    ]
    shape = [
        "None",
        "3",
        "'ab'",
        "()",
        "(7,)",
        "(2, 2)",
        "(12, -13)",
        "(12.5, 13)",
        "('a', 13)",
        "object()",
        "(12, 13, 1)",
        "(True, 13)",
        "(12, None)",
        "{}",
        "1.5",
    ]
    pools = {
        "blocks": listed_values(
            ["[sample('factors'), sample('wide')]", "(sample('sum'), sample('wide'))"],
            [t for t in NO_OPERATORS if t != "[sample('factors'), None]"],
        ),
        "row_starts": listed_values(["[0, 6]", "(0, 6)", "np.array([0, 6])"], starts),
        "column_starts": listed_values(
            ["[0, 6]", "[7, 0]", "[np.int64(0), 6]"], starts
        ),
        "shape": listed_values(["(9, 13)", "[9, 13]", "(12, 15)"], shape),
    }
    return called("nf.operators.BlockOperator", pools)


def searched(call):
    matrix, x = dense(call["self"].operator), numbers(call["x"])
    labels, scores = call.result
    bias = call["self"].bias
    expected = bias - 2 * x @ matrix.T
    size = np.abs(bias).max() + 2 * (np.abs(x) @ np.abs(matrix).T).max(initial=0)
    true(labels.dtype == np.int32 and labels.shape == (len(x),), "labels")
    if len(x):
        near(
            scores,
            expected[np.arange(len(x)), labels],
            call["x"],
            call["self"].operator,
            size=size,
            what="scores of the labels",
        )
        near(
            scores,
            expected.min(axis=1),
            call["x"],
            call["self"].operator,
            size=size,
            what="scores",
        )


@entry("NearestRows.__call__", searched)
def _(draw):
    kind = draw(
        st.sampled_from(["factors", "wide", "tall", "sum", "butterfly", "own", "one"])
    )
    of = draw(st.sampled_from(REAL))
    d = SHAPES[kind][1]
    x = array(
        (draw(st.sampled_from([1, 5])), d),
        REAL,
        wrong_shapes=[(3, d + 1), (d,), (), (2, d, 1)],
    )
    odd = st.just(Value(f"np.zeros((0, {d}))", "empty", ODD))
    pools = {
        "self": fixed(f"nf.NearestRows(sample({kind!r}, {of!r}))", kind=kind),
        "x": Pool(x.good, st.one_of(x.other, odd)),
        "threads": or_none(count(1, 1, huge=ODD)),
    }
    return called("{self}", pools)


def nearest_rows(call):
    operator = getattr(call["operator"], "operator", call["operator"])
    matrix = dense(operator)
    bias = call.get("bias")
    expected = (matrix**2).sum(axis=1) if bias is None else numbers(bias)
    near(call.result.bias, expected, operator)
    true(call.result.operator is operator, "another operator")


@entry("NearestRows", nearest_rows)
def _(draw):
    kind = draw(st.sampled_from(["factors", "wide", "sum", "butterfly"]))
    bad = [*(t for t in ONE), "sample('factors', 'complex128')"]
    pools = {
        "operator": listed_values([f"sample({kind!r})", f"sample({kind!r})"], bad),
        "bias": or_none(array((SHAPES[kind][0],), REAL)),
    }
    return called("nf.NearestRows", pools)


def result_check(call):
    true(call.result.operator is call["operator"], "another operator")
    true(call.result.relative_error == call["relative_error"], "relative_error")
    true(len(repr(call.result)) > 20, repr(call.result))
    product = np.eye(call["operator"].shape[0]) * call.result.scale
    for factor in call.result.factors:
        product = product @ factor.toarray()
    near(product, dense(call["operator"]), call["operator"])


@entry("Factorization", result_check)
def _(draw):
    # A plain dataclass, which the algorithms make: good arguments alone.
    kind = draw(st.sampled_from([kind for kind in SHAPES if kind != "own"]))
    pools = {
        "operator": fixed(f"sample({kind!r})", kind=kind),
        "relative_error": fixed("0.5", "0.0", "np.inf"),
        "history": fixed("result('palm4msa').history"),
        "target": fixed("None", "normal((6, 6))", "<omitted>"),
    }
    return called("nf.Factorization", pools)


def a_result(draw):
    """Draw the pool of one result."""
    kind = draw(st.sampled_from(["hierarchical", "butterfly", "palm4msa"]))
    return fixed(f"result({kind!r}, {draw(st.integers(0, 19))})", kind=kind)


for _name, _check in (
    ("factors", lambda call: near_factors(call)),
    ("scale", lambda call: true(np.isfinite(call.result), repr(call.result))),
):

    @entry(f"Factorization.{_name}", _check)
    def _(draw, name=_name):
        return f"{{self}}.{name}", {"self": a_result(draw)}


def near_factors(call):
    product = np.eye(4) * call["self"].scale
    for factor in call.result:
        true(sp.issparse(factor), type(factor).__name__)
        product = product @ factor.toarray()
    near(product, dense(call["self"].operator))
