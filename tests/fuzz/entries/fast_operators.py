"""Operators and their products with vectors, matrices, batches and sparse arrays."""

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

import nbfact as nf

from .. import values
from ..cases import GOOD, ODD, Value, called, entry
from ..checks import dense, near_product, true
from ..pools import (
    DTYPES,
    Pool,
    array,
    figure_pool,
    fixed,
)

SHAPES = {
    kind: values.sample(kind).shape
    for kind in (
        *(
            "factors",
            "wide",
            "tall",
            "one",
            "diagonal",
            "butterfly",
            "dyadic",
            "dropped",
        ),
        *("sum", "product", "blocks", "row", "selected", "kronecker", "own"),
    )
}
"""Shapes of the operators of ``values.sample`` by kind."""

SQUARE = [kind for kind, shape in SHAPES.items() if shape[0] == shape[1]]
LIBRARY = [kind for kind in SHAPES if kind != "own"]


def an_operator(draw, kinds=tuple(SHAPES), dtypes=DTYPES):
    """Draw the pool of one operator, and return it with the shape."""
    kind, of = draw(st.sampled_from(list(kinds))), draw(st.sampled_from(dtypes))
    seed = draw(st.integers(0, 9))
    text = f"sample({kind!r}, {of!r}, {seed})"
    return fixed(text, kind=kind), SHAPES[kind]


def product_pool(draw, length, *, sparse=GOOD, linear=ODD):
    """Return the pool of the right operand of a product with `length` columns."""
    shape = draw(st.sampled_from([(length,), (length, 1), (length, 3)]))
    wrong = [(length + 1,), (length + 1, 2), (0,), (), (length, 1, 2, 2)]
    pool = array(shape, nan=ODD, sparse=sparse, linear=linear, wrong_shapes=wrong)
    odd = [
        Value(f"normal(({length}, 2, 2))", "3-D", ODD),
        Value(f"normal((2, {length}, 2))", "3-D", ODD),
        Value(f"np.zeros(({length}, 0))", "empty", ODD),
    ]
    return Pool(pool.good, st.one_of(pool.other, st.sampled_from(odd)))


def dense_operand(x):
    """Return the right operand as an array of numbers, of any number of dimensions."""
    return dense(x)


def product_check(adjoint=False, columns=None):
    """Return the check of a product, of shape (m,), (m, 1) or (m, batch)."""

    def check(call):
        matrix = dense(call["self"])
        matrix = matrix.conj().T if adjoint else matrix
        x = dense_operand(call["x"])
        result = call.result
        if isinstance(result, nf.FastOperator) or hasattr(result, "matmat"):
            result = dense(result)
        elif sp.issparse(result):
            raise AssertionError("the product is sparse")
        if not np.isfinite(x).all():
            true(np.shape(result) == np.shape(matrix @ x), f"shape {np.shape(result)}")
            return
        near_product(result, matrix, x, call["self"], call["x"])
        if not hasattr(call["x"], "toarray") and not sp.issparse(call["x"]):
            given = np.asarray(call["x"]).dtype
            if (
                given.kind in "fc"
                and given.itemsize > 2
                and given != np.longdouble
                and given != np.clongdouble
            ):
                expected = np.result_type(call["self"].dtype, given)
                true(
                    np.asarray(call.result).dtype == expected
                    or not hasattr(call.result, "dtype"),
                    f"dtype {np.asarray(call.result).dtype}, {expected} expected",
                )

    return check


OPERAND = (
    "operator",
    "shape",
    "array",
    "arrays",
    "other",
    "operand",
    "vector",
    "matrix",
)
"""Words for the operands of ``@`` and ``+``, which have no name that a user sees."""


@entry("FastOperator.__matmul__", product_check(), words=OPERAND)
def _(draw):
    self, shape = an_operator(draw)
    return "{self} @ {x}", {"self": self, "x": product_pool(draw, shape[1])}


@entry("FastOperator.__call__", product_check(), words=OPERAND)
def _(draw):
    self, shape = an_operator(draw)
    return "{self}({x})", {"self": self, "x": product_pool(draw, shape[1])}


@entry("FastOperator.dot", product_check(), words=OPERAND)
def _(draw):
    self, shape = an_operator(draw)
    pool = product_pool(draw, shape[1])
    numbers_ = ("3.0", "normal(())", "'text'", "b'text'")
    pool = Pool(pool.good, pool.other.filter(lambda v: v.text not in numbers_))
    return "{self}.dot({x})", {"self": self, "x": pool}


def left_check(call):
    matrix, x = dense(call["self"]), dense(call["x"])
    if np.isfinite(x).all():
        result = call.result
        result = result if isinstance(result, np.ndarray) else dense(result)
        near_product(result, x, matrix, call["self"], call["x"])


@entry("FastOperator.__rmatmul__", left_check, words=OPERAND)
def _(draw):
    self, (m, _) = an_operator(draw)
    shape = draw(st.sampled_from([(m,), (1, m), (3, m)]))
    wrong = [(m + 1,), (2, m + 1), (0,), ()]
    pool = array(shape, nan=ODD, sparse=GOOD, linear=ODD, wrong_shapes=wrong)
    scalar = ("3.0",)
    pool = Pool(pool.good, pool.other.filter(lambda v: v.text not in scalar))
    return "{x} @ {self}", {"self": self, "x": pool}


def vector_entries(name, adjoint):
    def check(call):
        matrix = dense(call["self"])
        matrix = matrix.conj().T if adjoint else matrix
        x = dense(call["x"])
        if np.isfinite(x).all():
            near_product(np.asarray(call.result), matrix, x, call["self"], call["x"])
            if isinstance(call.result, np.matrix):
                true(isinstance(call["x"], np.matrix), "an np.matrix for an array")

    words = (*OPERAND, "dimension", "X")

    # SciPy is about to refuse the column vectors that `sum(axis=1)` of a matrix gives.
    warns = (f"Calling `{name}vec` on 'column vectors'",)

    @entry(f"FastOperator.{name}vec", check, words=words, warns=warns)
    def _(draw):
        self, shape = an_operator(draw)
        n = shape[not adjoint]
        pool = array(
            draw(st.sampled_from([(n,), (n, 1)])),
            nan=ODD,
            sparse=ODD,
            wrong_shapes=[(n + 1,), (n + 1, 1), (n, 2), (n, 1, 1), (0,), ()]
            if n > 1
            else [(2,), (1, 2)],
        )
        return called(
            f"{{self}}.{name}vec", {"self": self, "x": pool}, positional=("x",)
        )

    @entry(f"FastOperator.{name}mat", check, words=words)
    def _(draw):
        self, shape = an_operator(draw)
        n = shape[not adjoint]
        pool = array(
            (n, draw(st.sampled_from([1, 3]))),
            nan=ODD,
            sparse=ODD,
            linear=ODD,
            wrong_shapes=[(n + 1, 2), (n,), (0, 2), (n, 1, 1), ()],
        )
        return called(
            f"{{self}}.{name}mat", {"self": self, "x": pool}, positional=("x",)
        )


vector_entries("mat", False)
vector_entries("rmat", True)


@entry("FastOperator.rdot", left_check, words=OPERAND)
def _(draw):
    self, (m, _) = an_operator(draw)
    pool = array(
        draw(st.sampled_from([(m,), (3, m)])),
        nan=ODD,
        sparse=ODD,
        linear=ODD,
        wrong_shapes=[(m + 1,), (2, m + 1)],
    )
    pool = Pool(
        pool.good,
        pool.other.filter(lambda v: v.text not in ("3.0", "'text'", "b'text'")),
    )
    return "{self}.rdot({x})", {"self": self, "x": pool}


def drawn_factors(call):
    drawn = call["self"]
    drawn = drawn if isinstance(drawn, nf.Factorization) else drawn.to_factors()
    true(len(call.result.axes) == len(drawn.factors), "axes")


@entry("FastOperator.plot", drawn_factors)
def _(draw):
    self = an_operator(draw, LIBRARY)[0]
    return called("{self}.plot", {"self": self, "figure": figure_pool()})
