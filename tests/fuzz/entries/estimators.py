"""`QuicKMeans`: its parameters, which `fit` checks, and its methods."""

import numpy as np
from hypothesis import strategies as st

from ..cases import BAD, GOOD, ODD, Value, called, entry
from ..checks import dense, near, numbers, true
from ..pools import (
    REAL,
    Pool,
    array,
    choice,
    count,
    fixed,
    listed_values,
    optional,
    or_none,
    real,
    seed,
)

SKLEARN = (
    "X",
    "array",
    "data",
    "sample",
    "samples",
    "features",
    "feature",
    "np.matrix",
    "input",
    "string",
)
"""Words for the data in the messages of scikit-learn's own checks."""
WARNS = (
    "threads=",
    "Number of distinct",
    "QuicKMeans",
    "n_clusters",
    "n_components",
    "Converge",
)


def words(*names):
    return {"words": (*SKLEARN, *names), "warns": WARNS}


NO_SPARSE_POINTS = [
    Value("sparse(normal((5, 3), 'complex128'))", "sparse", BAD),
    Value("sparse(with_entry(normal((5, 3)), np.inf), 'csc')", "sparse", BAD),
    Value("sparse(normal((0, 3)))", "sparse", BAD),
    Value("sparse(normal(6), 'coo')", "sparse", BAD),
]


def data(n, d=3, *, few=False, sparse=BAD):
    """Return the pool of points (n, d)."""
    pool = array(
        (n, d),
        REAL,
        matrix=ODD,
        sparse=sparse,
        bad=NO_SPARSE_POINTS,
        wrong_shapes=[(n, d + 1), (n,), (0, d), (n, d, 1), ()]
        if few
        else [(n,), (0, d), (n, 0), (n, d, 1), ()],
    )
    good = st.one_of(
        pool.good,
        st.sampled_from(
            [Value(f"points({n}, {d})"), Value(f"points({n}, {d}, 'float32')")]
        ),
    )
    return Pool(good, pool.other.map(_converted))


def _converted(value):
    """Return a value with the verdict on what scikit-learn converts to numbers."""
    array = "of_dtype" in value.text or "np.array" in value.text or "[(" in value.text
    if array and value.kind in ("string", "object", "datetime"):
        return Value(value.text, value.kind, ODD)
    return value


def squares(x, centers):
    """Return squared distances in extended precision."""
    difference = x[:, None].astype(np.longdouble) - centers[None].astype(np.longdouble)
    return (difference**2).sum(axis=2)


def centers_of(model):
    return dense(model.centers_operator_)


def near_labels(labels, model, x):
    """Raise unless each label is that of a nearest center, up to rounding."""
    centers = centers_of(model)
    distances = squares(x, centers)
    chosen = distances[np.arange(len(x)), labels]
    eps = np.finfo(np.asarray(model.cluster_centers_).dtype).eps
    size = (
        squares(x, x.mean(axis=0, keepdims=True)).max()
        + squares(centers, x.mean(axis=0, keepdims=True)).max()
    )
    true(
        (chosen <= distances.min(axis=1) + 1e3 * eps * size).all(),
        f"labels {labels[:5]}, {distances.argmin(axis=1)[:5]} expected",
    )


def tame(x):
    """Return whether squares of the numbers neither over- nor underflow."""
    largest = np.abs(x).max(initial=0)
    return largest == 0 or 1e-100 < largest < (1e15 if x.size else 1)


def kmeans(call):
    model, x = call.result, dense(call["X"])
    true(np.isfinite(centers_of(model)).all(), "centers are not finite")
    if not tame(x):
        return
    near_labels(model.labels_, model, x)
    weights = call.get("sample_weight")
    weights = (
        np.ones(len(x))
        if weights is None
        else np.broadcast_to(numbers(weights), len(x))
    )
    inertia = weights @ squares(x, centers_of(model)).min(axis=1)
    size = weights @ squares(x, np.zeros((1, x.shape[1])))[:, 0]
    near(
        float(model.inertia_),
        float(inertia),
        model.cluster_centers_,
        size=float(size),
        what="inertia_",
    )


PARAMETERS = {
    "n_clusters": count(1, 4, wrong=("99",)),
    "nnz": listed_values(
        ["<omitted>", "'auto'", "5"], ["0", "'all'", "None", "1.5", "object()", "-1"]
    ),
    "sparsity": or_none(count(1, 3, huge=ODD)),
    "inertia_increase": or_none(real("0.0", "0.1", bad=("-1.0",), odd=("1e308",))),
    "n_factors": or_none(count(1, 2, huge=None)),
    "init": listed_values(
        ["'k-means++'", "'random'", "<omitted>"],
        [
            "'nonsense'",
            "3",
            "None",
            "object()",
            "[]",
            "[[1.0]]",
            "normal((99, 3))",
            "{}",
            "True",
            "normal((2, 7))",
            "len",
            "np.nan",
        ],
    ),
    "n_init": optional(count(1, 2, huge=None)),
    "max_iter": count(0, 2, least=0, huge=None),
    "tol": optional(real("0.0", "1e-6", "1", bad=("-1.0",), odd=("1e308",))),
    "algorithm": choice("lloyd", "elkan", "mini-batch"),
    "factorizer": choice("explore", "palm4msa", "butterfly"),
    "random_state": seed(legacy=True),
    "verbose": optional(
        listed_values(["0", "False"], ["'a'", "[]", "object()", "None", "1.5", "-1"])
    ),
    "n_jobs": or_none(listed_values(["1"], ["1.5", "'a'", "[]", "object()", "0"])),
    "threads": or_none(count(1, 1, huge=ODD)),
}


def constructed(name, pools, x, y=""):
    """Return the template of a constructor and `fit` of its result."""
    template, pools = called(f"nf.{name}", pools)
    return f"{template}.fit({{X}}{y})", {**pools, "X": x}


@entry("QuicKMeans", kmeans, **words())
def _(draw):
    return constructed(
        "QuicKMeans", PARAMETERS, fixed("points(12)", "points(12, 4, 'float32')")
    )


NO_WEIGHTS = [
    "'a'",
    "[]",
    "[1.0]",
    "object()",
    "[1.0, None] * 6",
    "-np.ones(12)",
    "np.full(12, np.nan)",
    "np.full(12, np.inf)",
    "{}",
    "np.ones((12, 2))",
    "np.ones(12) * 1j",
    "np.array(['a'] * 12)",
    "np.zeros(12)",
]
WEIGHTS = or_none(
    listed_values(
        [
            "np.ones(12)",
            "np.arange(12)",
            "[0.5] * 12",
            "2.0",
            "1",
            "np.arange(12.0, dtype='float32')",
        ],
        NO_WEIGHTS,
        ["masked(np.ones(12))", "np.full(12, 1e308)", "np.full(12, 1e-308)"],
    )
)
MODEL = "nf.QuicKMeans(3, random_state=0, max_iter=2)"


@entry("QuicKMeans.fit", kmeans, **words("sample_weight", "weights"))
def _(draw):
    pools = {"self": fixed(MODEL), "X": data(12, sparse=GOOD), "sample_weight": WEIGHTS}
    return called("{self}.fit", pools)


@entry(
    "QuicKMeans.fit_predict",
    lambda call: true(len(call.result) == 12, "labels"),
    **words("sample_weight", "weights"),
)
def _(draw):
    pools = {"self": fixed(MODEL), "X": data(12, sparse=GOOD), "sample_weight": WEIGHTS}
    return called("{self}.fit_predict", pools)


@entry(
    "QuicKMeans.partial_fit",
    lambda call: true(
        np.isfinite(centers_of(call.result)).all(), "centers are not finite"
    ),
    **words("sample_weight", "weights"),
)
def _(draw):
    pools = {"self": fixed(MODEL), "X": data(12, sparse=GOOD), "sample_weight": WEIGHTS}
    return called("{self}.partial_fit", pools)


def a_model(draw, name):
    return fixed(f"fitted({name!r})", f"fitted({name!r}, 'float32')")


def predicted(call):
    x = dense(call["X"])
    if tame(x):
        near_labels(call.result, call["self"], x)


def distances(call):
    x = dense(call["X"])
    if tame(x):
        expected = np.sqrt(squares(x, centers_of(call["self"])).astype(float))
        eps = np.finfo(call.result.dtype).eps
        error = np.abs(call.result - expected).max(initial=0)
        size = np.abs(x).max(initial=0) + np.abs(centers_of(call["self"])).max()
        true(
            np.isfinite(call.result).all() and error <= 50 * np.sqrt(eps) * size,
            f"off by {error:.3g}",
        )


def scored(call):
    x = dense(call["X"])
    if tame(x):
        weights = call.get("sample_weight")
        weights = (
            np.ones(len(x))
            if weights is None
            else np.broadcast_to(numbers(weights), len(x))
        )
        expected = -float(weights @ squares(x, centers_of(call["self"])).min(axis=1))
        size = float(weights @ squares(x, np.zeros((1, x.shape[1])))[:, 0]) + abs(
            expected
        )
        near(call.result, expected, call["self"].cluster_centers_, size=size)


@entry("QuicKMeans.predict", predicted, **words())
def _(draw):
    return called(
        "{self}.predict",
        {"self": a_model(draw, "QuicKMeans"), "X": data(5, few=True, sparse=GOOD)},
    )


@entry("QuicKMeans.transform", distances, **words())
def _(draw):
    return called(
        "{self}.transform",
        {"self": a_model(draw, "QuicKMeans"), "X": data(5, few=True, sparse=GOOD)},
    )


@entry("QuicKMeans.score", scored, **words("sample_weight", "weights"))
def _(draw):
    pools = {
        "self": a_model(draw, "QuicKMeans"),
        "X": data(12, few=True, sparse=GOOD),
        "sample_weight": WEIGHTS,
    }
    return called("{self}.score", pools)
