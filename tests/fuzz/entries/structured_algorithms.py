"""Algorithms that find butterflies, the one call over all of them, and presets."""

import numpy as np
from hypothesis import strategies as st

import nbfact as nf

from ..cases import ODD, called, entry
from ..checks import true
from ..pools import (
    Pool,
    choice,
    count,
    dtype,
    fixed,
    flag,
    listed_values,
    optional,
    or_none,
    real,
    seed,
)
from .algorithms import CALLBACK, TOLERANCE, factorization, iterations, targets
from .constructors import NO_CHAINS


def butterfly_result(call):
    factorization(call)
    if call.get("model") == "product" and call.result.lower_bound is not None:
        true(
            call.result.lower_bound <= call.result.relative_error + 1e-6, "lower_bound"
        )


@entry("butterfly_factorize", butterfly_result, words=("chain",))
def _(draw):
    wrong = [
        "3",
        "'nonsense'",
        "[0, 0, 1, 2]",
        "[0, 1]",
        "1.5",
        "object()",
        "[0.5, 1, 2, 3]",
        "([0, 1], None)",
        "(1, 2, 3)",
        "{}",
        "True",
        "['a', 1, 2, 3]",
        "[0, 1, 2, 2**63]",
        "[[0, 1], [2]]",
        "(None, [4, 3, 2, 1])",
    ]
    permutations = [
        "[3, 1, 0, 2]",
        "([1, 0, 2, 3], None)",
        "(None, np.array([1, 0, 3, 2]))",
        "'bit-reversal'",
        "'makhoul'",
        "'search'",
        "([0, 1, 2, 3], [3, 2, 1, 0])",
    ]
    pools = {"target": targets(), "orthonormal": flag(), "certify": flag()}
    pools["order"] = choice("left-to-right", "right-to-left", "balanced")
    pools["transpose"] = listed_values(
        ["'auto'", "True", "False", "<omitted>"],
        ["'yes'", "2", "1.5", "[]", "object()", "''", "np.nan", "{}"],
        ["None", "1", "0", "np.True_"],
    )
    model = draw(st.sampled_from(["product", "sum", "circulant"]))
    pools["model"] = Pool(
        fixed(repr(model)).good, choice("product", "sum", "circulant").other
    )
    if model != "circulant":
        pools["chain"] = or_none(
            listed_values(
                [
                    "nf.Chain.square_dyadic(4)",
                    "[(1, 2, 2, 2), (2, 2, 2, 1)]",
                    "nf.Chain.rank2(4)",
                ],
                [*NO_CHAINS, "nf.Chain.square_dyadic(8)"],
            )
        )
        pools["permutation"] = or_none(listed_values(permutations, wrong))
    if model == "product" and draw(st.booleans()):
        pools["chain"] = fixed("'search'")
        pools["permutation"] = or_none(listed_values(["'search'"], wrong))
        pools["nnz"] = count(12, 16, least=8, huge=None)
    if model == "sum":
        pools["n_terms"] = optional(count(1, 2, huge=None))
    return called("nf.butterfly_factorize", pools)


def listed_chains(call):
    sizes = [chain.n_parameters for chain in call.result]
    true(sizes == sorted(sizes), "n_parameters")


@entry("chains", listed_chains)
def _(draw):
    pools = {"shape": count(2, 6, huge=None), "nnz": or_none(count(8, 20, huge=None))}
    return called("nf.chains", pools)


@entry("identify_butterfly", factorization)
def _(draw):
    pools = {
        "target": targets(),
        "tied": flag(),
        "n_iter": iterations(),
        "n_restarts": or_none(count(0, 1, least=0, huge=None)),
        "refine_values": flag(),
        "callback": CALLBACK,
        "random_state": seed(),
    }
    return called("nf.identify_butterfly", pools)


@entry("learn_butterfly", factorization)
def _(draw):
    model = draw(st.sampled_from(["BP", "BPP", "BPBP"]))
    wrong = [
        "'nonsense'",
        "3",
        "[0, 0, 1, 2]",
        "[0, 1]",
        "object()",
        "{}",
        "1.5",
        "[0.5, 1, 2, 3]",
        "None",
        "True",
        "['a', 1, 2, 3]",
    ]
    good = [
        "'identity'",
        "'bit-reversal'",
        "'makhoul'",
        "'search'",
        "[3, 1, 0, 2]",
        "<omitted>",
    ]
    good += ["'learned'"] if model != "BPBP" else ["([0, 1, 2, 3], [3, 2, 1, 0])"]
    pools = {
        "target": targets(),
        "model": Pool(fixed(repr(model)).good, choice("BP", "BPP", "BPBP").other),
        "permutation": listed_values(good, wrong),
        "tied": flag(),
        "complex": Pool(
            fixed("True", "False", "None", "<omitted>").good,
            flag().other.filter(lambda v: v.text != "None"),
        ),
        "learning_rate": optional(
            real("0.1", "1", "1e-3", bad=("0", "-1"), odd=("1e308", "1e-308"))
        ),
        "n_iter": iterations(1, 3),
        "n_refine_iter": count(0, 2, least=0, huge=None),
        "tol": optional(TOLERANCE),
        "n_restarts": optional(count(0, 1, least=0, huge=None)),
        "dtype": dtype("float32", "float64"),
        "random_state": seed(),
        "callback": CALLBACK,
    }
    return called("nf.learn_butterfly", pools)


def learned(call):
    factorization(call)
    if call.get("nnz") is not None:
        true(call.result.operator.nnz <= call["nnz"], f"nnz {call.result.operator.nnz}")


@entry("learn_transform", learned, words=("budget",))
def _(draw):
    pools = {"target": targets()}
    which = draw(st.sampled_from(["nnz", "rcg", "error"]))
    if which == "nnz":
        pools["nnz"] = or_none(count(8, 16, huge=ODD))
    elif which == "rcg":
        pools["rcg"] = or_none(
            real("1.0", "2", "1.5", bad=("0", "-1"), odd=("1e308", "1e-308", "100.0"))
        )
    else:
        pools["error"] = or_none(
            real("0.5", "0.9", bad=("-1", "-1e-3"), odd=("0", "1e308", "1.0", "2.0"))
        )
    pools |= {
        "effort": Pool(
            fixed("'quick'").good, choice("quick", "normal", "thorough").other
        ),
        "n_jobs": or_none(
            listed_values(["1"], ["1.5", "'a'", "[]", "object()", "0", "True"])
        ),
        "families": or_none(
            listed_values(
                ["['low rank', 'chains']", "('sparse products',)"],
                ["'chains'", "[]", "['what']", "3", "object()", "[3]"],
            )
        ),
        "time_limit": or_none(real("60.0", "100", bad=("0", "-1"), odd=("1e308",))),
        "callback": CALLBACK,
        "random_state": seed(),
    }
    return called("nf.learn_transform", pools)


def traded(call):
    for point in call.result.points:
        true(point.seconds > 0 and np.isfinite(point.error), "points")


@entry("tradeoff", traded)
def _(draw):
    pools = {
        "target": targets(),
        "rcg": listed_values(
            ["[2]", "(1.5, 2.0)"],
            ["[]", "2", "'a'", "[0]", "[-1.0]", "[np.nan]", "['a']", "object()"],
        ),
        "batch": optional(count(1, 2, huge=None)),
        "effort": Pool(
            fixed("'quick'").good, choice("quick", "normal", "thorough").other
        ),
        "families": Pool(fixed("['low rank']").good, None),
        "random_state": seed(),
    }
    return called("nf.tradeoff", pools)


def preset_check(call):
    true(isinstance(call.result, nf.presets.Preset), type(call.result).__name__)
    true(len(repr(call.result)) > 0, "repr")


SHARE = real(
    "0.8", "1", "0.5", "1.0", bad=("0", "-0.5", "1.5", "1e308"), odd=("1e-308",)
)
for _name in ("rectmat", "rectmat_simple"):

    @entry(f"presets.{_name}", preset_check)
    def _(draw, name=_name):
        pools = {
            "n_factors": count(2, 4, least=2, huge=None),
            "k": count(1, 4, huge=ODD),
            "s": count(1, 4, huge=ODD),
            "rho": optional(SHARE),
            "P": optional(
                real("1.4", "1", "2.0", bad=("0", "-1"), odd=("1e308", "1e-308"))
            ),
        }
        return called(f"nf.presets.{name}", pools)


@entry("presets.dictionary", preset_check)
def _(draw):
    pools = {
        "n_factors": optional(count(2, 4, least=2, huge=None)),
        "s": optional(count(1, 4, huge=ODD)),
        "rho": optional(SHARE),
    }
    return called("nf.presets.dictionary", pools)


@entry("presets.Preset", preset_check)
def _(draw):
    # A plain dataclass, which `hierarchical` checks: good arguments alone.
    pools = {
        "name": fixed("'mine'", "'another'"),
        "constraints": fixed(
            "nf.presets.rectmat(3, 2, 2).constraints",
            "nf.presets.dictionary(2, 2).constraints",
        ),
        "residual_side": fixed("'left'", "'right'", "<omitted>"),
        "order": fixed("'both'", "'left-to-right'", "<omitted>"),
        "scaling": fixed("'balanced'", "'sweep'", "<omitted>"),
        "step": fixed("1.0", "1.5", "<omitted>"),
        "keep": fixed("'last'", "'best'", "<omitted>"),
    }
    return called("nf.presets.Preset", pools)
