"""`FastDictionary`: its parameters, which `fit` checks, and its methods."""

import numpy as np

from ..cases import ODD, called, entry
from ..checks import near, numbers, true
from ..pools import choice, count, fixed, listed_values, or_none, real, seed
from .estimators import a_model, constructed, data, tame, words

POOLS = {
    "n_components": or_none(count(1, 5, huge=ODD)),
    "n_factors": or_none(count(1, 3, huge=ODD)),
    "basis": or_none(
        listed_values(
            ["[np.eye(3)]", "nf.transforms.dct(3)"],
            bad=["np.ones((3, 3))", "[2 * np.eye(3)]", "[np.eye(4)]", "3", "'dct'"],
        )
    ),
    "nnz": count(3, 20, huge=ODD),
    "cost_increase": real("0", "0.1", bad=("-1.0",), odd=("1e308",)),
    "factorizer": choice("explore"),
    "max_iter": count(0, 2, huge=ODD),
    "n_rounds": count(0, 1, huge=ODD),
    "transform_n_nonzero_coefs": or_none(count(1, 1, wrong=("99",))),
    "transform_tol": or_none(real("0.5", "1", bad=("-1.0",), odd=("1e308",))),
    "validation_fraction": real("0.2", "0.5", bad=("0", "1.0")),
    "random_state": seed(legacy=True),
    "threads": or_none(count(1, 1, huge=ODD)),
}


def atoms(call):
    components = call.result.components_.toarray()
    norms = np.linalg.norm(components.astype(float), axis=1)
    true(np.isfinite(components).all(), "atoms are not finite")
    true(np.all((abs(norms - 1) < 1e-3) | (norms == 0)), "norms of atoms")


@entry("FastDictionary", atoms, **words())
def _(draw):
    return constructed(
        "FastDictionary", POOLS, fixed("points(12)", "points(12, 3, 'float32')")
    )


@entry("FastDictionary.fit", atoms, **words())
def _(draw):
    model = "nf.FastDictionary(4, nnz=12, max_iter=1, n_rounds=1, random_state=0)"
    return called("{self}.fit", {"self": fixed(model), "X": data(12)})


def codes(call):
    model, x, found = call["self"], numbers(call["X"]), numbers(call.result)
    true(np.isfinite(found).all(), "codes are not finite")
    if tame(x):
        rest = np.linalg.norm(x - found @ model.components_.toarray(), axis=1)
        true(np.all(rest <= 1.001 * np.linalg.norm(x, axis=1)), "codes lower no error")


@entry("FastDictionary.transform", codes, **words())
def _(draw):
    return called(
        "{self}.transform",
        {"self": a_model(draw, "FastDictionary"), "X": data(5, few=True)},
    )


def samples(call):
    model, x = call["self"], numbers(call["X"])
    if tame(x):
        near(np.asarray(call.result), x @ model.components_.toarray(), x)


@entry("FastDictionary.inverse_transform", samples, **words())
def _(draw):
    return called(
        "{self}.inverse_transform",
        {"self": a_model(draw, "FastDictionary"), "X": data(5, 5, few=True)},
    )
