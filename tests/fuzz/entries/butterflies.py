"""Butterflies: their constructors, members and products."""

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import BAD, ODD, Value, called, entry
from ..checks import dense, near_operator, near_product, numbers, true
from ..pools import (
    DTYPES,
    Pool,
    array,
    count,
    dtype,
    fixed,
    listed_values,
    or_none,
)
from .constructors import NO_CHAINS, butterfly_matrix
from .fast_operators import (
    product_pool,
)
from .patterns import BUTTERFLIES, fused_check, sizes_pool


def from_values(call):
    arrays = call["ks_values"]
    near_operator(
        call.result, butterfly_matrix([np.shape(v) for v in arrays], arrays), *arrays
    )


@entry("Butterfly.from_ks_values", from_values)
def _(draw):
    shape = draw(st.sampled_from([(1, 2, 3, 2), (2, 2, 2, 1), (1, 1, 1, 1)]))
    a, _, c, d = shape
    second = f"normal(({a * c}, {d}, 2, 1), 'float64', 7)"
    one = array(
        shape, DTYPES[:1], wrong_shapes=[(1, 2), (0, *shape[1:]), (2, 3, 4, 5, 6), ()]
    )

    def inside(value):
        return Value(f"[{value.text}, {second}]", value.kind, value.verdict)

    wrong = [
        "None",
        "3",
        "'ab'",
        "[]",
        "[None]",
        "object()",
        "1.5",
        "{}",
        "[[1.0]]",
        "len",
        "[np.ones((1, 2, 2, 2)), np.ones((1, 2, 3, 3))]",
    ]
    lists = st.sampled_from([Value(text, "wrong list", BAD) for text in wrong])
    return called(
        "nf.Butterfly.from_ks_values",
        {
            "ks_values": Pool(
                one.good.map(inside), st.one_of(one.other.map(inside), lists)
            )
        },
    )


def twiddle_check(call):
    twiddle, result = numbers(call["twiddle"]), call.result
    stacks, _, levels = twiddle.shape[:3]
    true(result.shape == (stacks * 2**levels, 2**levels), f"shape {result.shape}")
    back, _ = result.to_twiddle()
    near_operator(
        nf.Butterfly.from_twiddle(back, call.get("increasing_stride", True)),
        dense(result),
        result,
    )


@entry("Butterfly.from_twiddle", twiddle_check)
def _(draw):
    from ..pools import flag

    shape = draw(
        st.sampled_from(
            [
                (1, 1, 2, 2, 2, 2),
                (2, 1, 2, 2, 2, 2),
                (1, 2, 1, 1, 2, 2),
                (1, 1, 3, 4, 2, 2),
            ]
        )
    )
    wrong = [
        (1, 1, 2, 3, 2, 2),
        (2, 2),
        (1, 1, 2, 2, 2),
        (1, 1, 2, 2, 2, 3),
        (0, 1, 2, 2, 2, 2),
        (),
    ]
    pools = {"twiddle": array(shape, wrong_shapes=wrong), "increasing_stride": flag()}
    return called("nf.Butterfly.from_twiddle", pools)


def from_factors(call):
    factors = call["factors"]
    scale = getattr(factors, "scale", 1.0)
    product = np.eye(1)
    for j, factor in enumerate(getattr(factors, "factors", factors)):
        product = dense(factor) if j == 0 else product @ dense(factor)
    near_operator(call.result, scale * product)


@entry("Butterfly.from_factors", from_factors)
def _(draw):
    product = "nf.transforms.hadamard(4).to_factors()"
    good = [
        product,
        f"list({product}.factors)",
        f"[one.toarray() for one in {product}.factors]",
        "result('butterfly')",
        f"(2.5 * {product})",
    ]
    bad = [
        "None",
        "3",
        "'ab'",
        "[]",
        "[np.eye(4)]",
        "[np.eye(4), None]",
        "[normal((4, 4)), normal((4, 4))]",
        "[np.eye(3), np.eye(3)]",
        "object()",
        "[3, 4]",
        "[np.eye(4), 'a']",
        "1.5",
        "{}",
        "len",
        "[corrupt(np.eye(4), 'beyond'), np.eye(4)]",
        "[np.eye(4), np.eye(4) * np.nan]",
        "[masked(np.eye(4)), np.eye(4)]",
    ]
    pools = {
        "factors": listed_values(good, bad, ["sample('dyadic')", "sample('sum')"]),
        "chain": listed_values(
            ["nf.Chain.square_dyadic(4)", "nf.Chain.square_dyadic(4).patterns"],
            NO_CHAINS[:14],
        ),
    }
    return called("nf.Butterfly.from_factors", pools)


def sampled(draw, kinds=BUTTERFLIES):
    kind, of = draw(st.sampled_from(kinds)), draw(st.sampled_from(DTYPES))
    seed = draw(st.integers(0, 9))
    return fixed(f"sample({kind!r}, {of!r}, {seed})", kind=kind)


@entry("Butterfly.fuse", fused_check)
def _(draw):
    return called(
        "{self}.fuse",
        {"self": sampled(draw, ("dyadic",)), "sizes": sizes_pool(draw, 3)},
    )


def values_check(call):
    near_operator(
        nf.Butterfly.from_ks_values(call.result), dense(call["self"]), call["self"]
    )


@entry("Butterfly.ks_values", values_check)
def _(draw):
    return "{self}.ks_values", {"self": sampled(draw, ("dyadic",))}


def to_twiddle(call):
    near_operator(
        nf.Butterfly.from_twiddle(*call.result), dense(call["self"]), call["self"]
    )


@entry("Butterfly.to_twiddle", to_twiddle)
def _(draw):
    return "{self}.to_twiddle()", {"self": sampled(draw, ("dyadic",))}


@entry(
    "Butterfly.real_part",
    lambda call: near_operator(call.result, dense(call["self"]).real, call["self"]),
)
def _(draw):
    return "{self}.real_part()", {"self": sampled(draw, ("dyadic",))}


def astype_check(call):
    near_operator(
        call.result,
        dense(call["self"]),
        call["self"],
        call.result,
        dtype=np.dtype(call["dtype"]),
    )


@entry("Butterfly.astype", astype_check)
def _(draw):
    kind = draw(st.sampled_from(BUTTERFLIES))
    pools = {
        "self": fixed(f"sample({kind!r}, 'float32')", kind=kind),
        "dtype": dtype(*DTYPES, default=False),
    }
    return called("{self}.astype", pools)


def applied(call):
    if call.get("out") is not None:
        true(call.result is call["out"], "the result is not out")
    x = dense(call.fresh("x"))
    if np.isfinite(x).all():
        near_product(
            np.asarray(call.result), dense(call["self"]), x, call["self"], call["x"]
        )


@entry("FastOperator.apply", applied, words=("array", "arrays", "shape"))
def _(draw):
    kind = draw(st.sampled_from(BUTTERFLIES))
    from .fast_operators import SHAPES

    m, n = SHAPES[kind]
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    x = Pool(
        fixed(
            f"normal({(n, *batch)})",
            f"fortran(normal({(n, *batch)}))",
            f"readonly(normal({(n, *batch)}))",
        ).good,
        product_pool(draw, n, sparse=ODD).other,
    )
    right = f"np.empty({(m, *batch)})"
    bad = [
        f"[0] * {m}",
        "3",
        "'a'",
        f"np.empty({(m + 1, *batch)})",
        f"np.empty({(m, *batch)}, 'float32')",
        f"readonly(normal({(m, *batch)}))",
        f"np.empty({(m, *batch)}, int)",
        "object()",
        f"np.empty({(m, *batch)}, 'O')",
        "np.empty(())",
        f"masked(normal({(m, *batch)}))",
        f"sp.csr_array((4, {m}))",
        f"np.zeros({(m, *batch)}, '>f8')",
        "len",
    ]
    pools = {
        "self": fixed(f"sample({kind!r})", kind=kind),
        "x": x,
        "out": or_none(
            listed_values(
                [right, f"fortran({right})", f"strided(normal({(m, *batch)}))"],
                bad,
                [f"np.empty({(m, *batch)}).view(Subclass)"],
            )
        ),
        "axis": or_none(
            listed_values(
                ["0", str(-1 - len(batch))], ["5", "-4", "'a'", "1.5", "[0]"], []
            )
        ),
        "threads": or_none(count(1, 1, huge=ODD)),
    }
    return called("{self}.apply", pools)
