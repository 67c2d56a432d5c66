"""palm4msa, hierarchical, explore and refine, on targets of order 4."""

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import BAD, GOOD, Value, called, entry
from ..checks import dense, near, precision, true
from ..pools import (
    DTYPES,
    Pool,
    array,
    choice,
    count,
    fixed,
    flag,
    listed_values,
    optional,
    or_none,
    real,
    seed,
)

SQUARE = (4, 4)
TOLERANCE = real(
    "0.0", "0", "1e-3", "np.float32(0.5)", bad=("-1.0", "-1e-300"), odd=("1e308",)
)
STEP = real(
    "1.0",
    "1",
    "1.5",
    "0.25",
    bad=("0", "0.0", "-1", "2.5", "1e308"),
    odd=("2", "1e-308"),
)
CALLBACK = listed_values(
    [
        "None",
        "lambda state: None",
        "lambda state: True",
        "lambda state: state.error < 0.5",
        "(lambda state, more=3: len(state.factors) == 0)",
        "<omitted>",
    ],
    [
        "3",
        "'a'",
        "[]",
        "{}",
        "object()",
        "True",
        "1.5",
        "(lambda: None)",
        "(lambda a, b: None)",
        "np.zeros(2)",
    ],
)


def iterations(low=1, high=4, least=1):
    """Return the pool of a number of iterations, which nobody asks for by millions."""
    return count(low, high, least=least, huge=None)


def targets(shape=SQUARE, **options):
    """Return the pool of a target: an array, a sparse array or an operator."""
    wrong = [(0, 3), (3,), (2, 2, 2), ()]
    pool = array(shape, sparse=GOOD, linear=GOOD, wrong_shapes=wrong, **options)
    more = [
        "nf.targets.hadamard(4)",
        "np.eye(4)",
        "np.zeros((4, 4))",
        "nf.transforms.hadamard(4)",
        "nf.targets.dft(4)",
        "np.ones((4, 4))",
        "sample('dyadic')[:4, :4]",
    ]
    more = [Value(text, "operator" if "trans" in text else "plain") for text in more]
    corrupt = [
        Value("np.ones((4, 0))", "empty", BAD),
        Value("sp.csr_array(with_entry(np.eye(4), np.nan))", "NaN or infinity", BAD),
    ]
    good = st.one_of(pool.good, st.sampled_from(more)) if shape == SQUARE else pool.good
    return Pool(good, st.one_of(pool.other, st.sampled_from(corrupt)))


S = "nf.constraints"
SETS = [
    f"[{S}.SkPerm((4, 4), 2)] * 2",
    f"({S}.SpLin((4, 3), 2), {S}.SpCol((3, 4), 2))",
    f"[{S}.Sp((4, 4), 9, nonneg=False), {S}.Identity((4, 4)), {S}.Circ((4, 4))]",
    f"[{S}.SpLinCol((4, 4), 2), {S}.NormCol((4, 4))]",
    f"[{S}.Supp(np.eye(4)), {S}.SpTriu((4, 4), 6)]",
    f"[{S}.BlockDiag([(2, 2), (2, 2)]), {S}.Toeplitz((4, 4))]",
]
NO_SETS = [
    *(
        Value(text, "object", BAD)
        for text in ("None", "3", "object()", "{}", "1.5", "len", "True")
    ),
    *(Value(text, "string", BAD) for text in ("'ab'", "b'ab'", "['a']")),
    Value(f"{S}.Sp((4, 4), 3)", "a set, not a list", BAD),
    *(
        Value(f"[{text}]", "list of none", BAD)
        for text in ("None", "3", "np.eye(4)", "[]", f"{S}.Sp", "object()")
    ),
    Value("[]", "empty", BAD),
    Value(f"[{S}.Sp((4, 3), 3), {S}.Sp((4, 4), 3)]", "do not chain", BAD),
    Value(f"[{S}.Sp((3, 4), 3), {S}.Sp((4, 4), 3)]", "wrong shape", BAD),
    Value(f"[{S}.Sp((4, 4), 3), None]", "list of none", BAD),
    Value("np.zeros((2, 2))", "array", BAD),
]
NO_FIXED = [
    "3",
    "None",
    "'a'",
    "[2]",
    "[-3]",
    "[0.5]",
    "[True]",
    "['a']",
    "[None]",
    "object()",
    "[2**63]",
    "[0, [1]]",
    "{}",
    "1.5",
]
START = [
    "[np.eye(4), np.eye(4)]",
    "nf.Chain.square_dyadic(4)",
    "result('palm4msa')",
    "nf.FactorProduct([normal((4, 4)), normal((4, 4), 'float64', 1)], 0.5)",
    "[sparse(np.eye(4)), listed(np.eye(4))]",
]
NO_START = [
    *(
        Value(text, "object", BAD)
        for text in ("3", "object()", "{}", "1.5", "len", "True")
    ),
    *(Value(text, "wrong string", BAD) for text in ("'nonsense'", "''", "b'random'")),
    Value("[np.eye(3), np.eye(3)]", "wrong shape", BAD),
    Value("[np.eye(4)] * 5", "wrong length", BAD),
    *(
        Value(f"[np.eye(4), {text}]", "list of none", BAD)
        for text in ("None", "3.0", "'a'", "object()")
    ),
    Value("[]", "empty", BAD),
    Value("[np.eye(4), np.eye(4) * np.nan]", "NaN or infinity", BAD),
    Value("[np.eye(4), masked(np.eye(4))]", "masked", BAD),
    Value("[np.eye(4), corrupt(np.eye(4), 'beyond')]", "corrupt sparse", BAD),
    Value("nf.Chain.square_dyadic(8)", "wrong shape", BAD),
]


def factorization(call, target="target"):
    """Raise unless a result has the error that it says, and finite factors."""
    result, a = call.result, dense(call[target])
    true(isinstance(result, nf.Factorization), type(result).__name__)
    approximation = dense(result.operator)
    true(approximation.shape == a.shape, f"shape {approximation.shape}")
    true(np.isfinite(approximation).all(), "factors are not finite")
    largest = np.abs(a).max()
    if largest == 0:
        true(result.relative_error == 0 and not approximation.any(), "a zero target")
        return
    norm = np.linalg.norm(a / largest)
    error = np.linalg.norm((a - approximation) / largest) / norm
    eps = precision(result.operator)
    true(
        abs(result.relative_error - error) <= 1e3 * eps * max(1.0, error),
        f"relative_error {result.relative_error:.6g}, {error:.6g} measured",
    )
    history = result.history  # the error of a diverged step is infinite
    true(not np.isnan([*history.errors, *history.scales]).any(), "NaN in the history")


def in_sets(call):
    factorization(call)
    for factor, one in zip(call.result.factors, call["constraints"], strict=True):
        x = factor.toarray()
        true(x.shape == tuple(one.shape), f"a factor of shape {x.shape}")
        if (
            call.get("fixed") in (None, (), [])
            and np.isfinite(x).all()
            and x.any()
            and not isinstance(one, nf.constraints.SpLinCol)
        ):
            near(one.project(x), x, call.result.operator, what="a factor's projection")


def iterative(**more):
    return {
        "order": choice("right-to-left", "left-to-right", none=True),
        "step": optional(STEP),
        "callback": CALLBACK,
        **more,
    }


def start(draw, text):
    """Return the pool of `init` that fits a text of sets."""
    two = "SkPerm" in text or "SpLinCol" in text or "Supp" in text
    good = [*(START if two else []), "'random'", "None", "<omitted>"]
    return listed_values(good, NO_START)


@entry("palm4msa", in_sets, words=("constraint", "init"))
def _(draw):
    text = draw(st.sampled_from(SETS))
    dtypes = ("float64", "float32") if "nonneg=True" in text else DTYPES
    pools = {
        "target": targets(dtypes=dtypes),
        "constraints": listed_values([text], NO_SETS),
        "n_iter": iterations(),
        "tol": optional(TOLERANCE),
        "init": start(draw, text),
        "scaling": choice("balanced", "factor", "sweep"),
        "keep": choice("last", "best"),
        "random_state": seed(),
        **iterative(),
    }
    if draw(st.booleans()):
        pools["init"] = fixed("[np.eye(4), np.eye(4)]")
        pools["constraints"] = fixed(SETS[0])
        pools["fixed"] = listed_values(
            ["()", "[0]", "(1,)", "[np.int64(0)]", "[0, 1]"],
            NO_FIXED,
            ["[-1]", "[0, 0]", "range(1)", "np.array([0])"],
        )
    return called("nf.palm4msa", pools)


@entry("explore", factorization, words=("constraint", "init"))
def _(draw):
    text = draw(st.sampled_from(SETS[:2]))
    leak = listed_values(
        ["0.5", "0", "(0.99, 0.9)", "[0.9, 0.5]", "lambda share: 0.5", "<omitted>"],
        [
            "-0.1",
            "1.5",
            "'a'",
            "None",
            "(0.5,)",
            "(0.5, 0.4, 0.3)",
            "(2, 0.5)",
            "np.nan",
            "{}",
            "object()",
            "('a', 'b')",
            "True",
            "lambda: 0.5",
            "lambda share: 'a'",
            "lambda share: np.nan",
            "lambda share: 2.0",
            "[None, None]",
        ],
        ["1.0", "np.array([0.9, 0.5])"],
    )
    pools = {
        "target": targets(),
        "constraints": listed_values([text], NO_SETS),
        "leak": leak,
        "values": choice("projected", "least squares"),
        "n_iter": iterations(),
        "init": start(draw, text),
        "n_restarts": optional(count(0, 1, least=0, huge=None)),
        "n_jobs": or_none(
            listed_values(
                ["1"], ["1.5", "'a'", "[]", "object()", "0", "True", "np.nan"]
            )
        ),
        "safeguard": flag(),
        "refine_values": flag(),
        "random_state": seed(),
        **iterative(),
    }
    return called("nf.explore", pools)


@entry("hierarchical", factorization, words=("constraint", "preset"))
def _(draw):
    both = "('right-to-left', 'left-to-right', 'both')"
    del both
    pairs = listed_values(
        ["2", "(2, 3)", "[1, 2]", "np.int64(2)", "<omitted>"],
        [
            "0",
            "-1",
            "1.5",
            "'a'",
            "None",
            "(1,)",
            "(1, 2, 3)",
            "(0, 2)",
            "('a', 2)",
            "True",
            "{}",
            "object()",
            "(1.5, 2)",
            "np.nan",
            "[None, 2]",
        ],
    )
    pools = {"target": targets(), "n_iter": pairs}
    if draw(st.booleans()):
        names = [
            "'hadamard'",
            "'hadamard_skperm'",
            "'hadamard_simple'",
            "'dft'",
            "nf.presets.dictionary(2, 2)",
            "nf.presets.rectmat(2, 2, 2)",
            "nf.presets.rectmat_simple(3, 2, 2)",
        ]
        bad = [value for value in NO_SETS if value.text != "[]"]
        pools["factor_constraints"] = listed_values(names, [*bad, "'nonsense'"])
        if draw(st.booleans()):
            pools["target"] = fixed("nf.targets.hadamard(4)", "normal((4, 4))")
    else:
        text = f"[{S}.SkPerm((4, 4), 2), {S}.SpLin((4, 4), 2)]"
        pools["factor_constraints"] = listed_values([text], NO_SETS)
        pools["residual_constraints"] = listed_values(
            [text], [*NO_SETS, f"[{S}.Sp((4, 4), 2)]"]
        )
        pools["residual_side"] = choice("left", "right")
    pools |= {
        "order": choice("right-to-left", "left-to-right", "both", none=True),
        "scaling": choice("balanced", "factor", "sweep", none=True),
        "step": or_none(STEP),
        "callback": CALLBACK,
        "tol": optional(TOLERANCE),
        "keep": choice("last", "best", none=True),
    }
    return called("nf.hierarchical", pools)


def refined(call):
    if call.get("target") is not None:
        factorization(call)
        return
    true(np.isfinite(dense(call.result.operator)).all(), "factors are not finite")


@entry("refine", refined, words=("factors",))
def _(draw):
    results = [value if value.text != "'random'" else None for value in NO_START]
    target = targets()
    pools = {
        "result": listed_values(
            [*START, "sample('dyadic')[:4, :4].to_factors()"],
            [*filter(None, results), "None", "np.zeros(3)"],
        ),
        "target": Pool(target.good, target.other.filter(lambda v: v.text != "None")),
        "n_iter": iterations(),
        "tol": optional(TOLERANCE),
        "callback": CALLBACK,
    }
    if draw(st.booleans()):
        pools["result"] = fixed(START[0], START[2])
        pools["fixed"] = listed_values(
            ["()", "[0]", "(1,)", "[np.int64(0)]"],
            NO_FIXED,
            ["[-1]", "[0, 0]", "[0, 1]"],
        )
    return called("nf.refine", pools)
