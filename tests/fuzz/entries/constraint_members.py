"""What the sets of ``nf.constraints`` have besides projections."""

import dataclasses

import numpy as np

import nbfact as nf

from ..cases import called, entry
from ..checks import near, true
from ..pools import figure_pool, fixed, or_none
from .constraint_sets import SETS, a_set, matrices


def options_kept(one, other):
    """Raise unless two sets have the same options, apart from shapes."""
    for field in dataclasses.fields(one):
        if field.name not in ("shape", "support", "blocks", "value", "labels"):
            before, after = getattr(one, field.name), getattr(other, field.name)
            assert before == after, f"{field.name} is {after!r}, {before!r} before"


def drawn_support(call):
    one, (axes,) = call["self"], call.result.axes
    x = call.get("x")
    if x is None:
        x = np.random.default_rng(0).standard_normal(one.shape)
        x = getattr(one, "value", x)  # of a constant, which may be complex
    kept = one.project(x) != 0
    true(np.array_equal(axes.images[0].get_array(), ~kept), "the support")
    true(axes.get_title() == repr(one), axes.get_title())


def shaped(call):
    one, dtype = (
        call["self"],
        getattr(getattr(call["self"], "value", 0.0), "dtype", float),
    )
    x = np.ones(call.result, dtype)
    true(one.project(x).shape == call.result, repr(call.result))


def transposed(call):
    one, other = call["self"], call.result
    if other is None:
        return
    assert other.shape == one.shape[::-1], other.shape
    options_kept(one, other)
    assert type(other.transposed()) is type(one) and other.transposed() == one
    x = np.random.default_rng(0).standard_normal(one.shape)
    near(other.project(x.T).T, one.project(x), what="the transposed projection")


def remembered(call):
    memory, one = call.result, call["self"]
    if memory is not None:
        x = np.random.default_rng(0).standard_normal(one.shape)
        expected, got = one.project(x), x.copy()
        one.project_in_place(got, memory)
        near(got, expected, what="the projection with a memory")


def kept_check(call):
    one = call["self"]
    true(call.result == min(one.k, one.shape[0] * one.shape[1]), repr(call.result))


for _name in SETS:
    if hasattr(getattr(nf.constraints, _name), "kept"):

        @entry(f"constraints.{_name}.kept", kept_check)
        def _(draw, name=_name):
            text, _ = a_set(draw, name)
            return "{self}.kept", {"self": fixed(text)}


for _name in ("BlockDiag", "Const", "Partition", "Supp"):

    @entry(f"constraints.{_name}.shape", shaped)
    def _(draw, name=_name):
        text, _ = a_set(draw, name)
        return "{self}.shape", {"self": fixed(text)}


def member_entries(name):
    @entry(f"constraints.{name}.plot", drawn_support)
    def _(draw):
        text, texts = a_set(draw, name)
        pool = or_none(matrices(name, text, texts))
        pools = {"self": fixed(text), "x": pool, "figure": figure_pool()}
        return called("{self}.plot", pools)

    @entry(f"constraints.{name}.transposed", transposed)
    def _(draw):
        text, _ = a_set(draw, name)
        return called("{self}.transposed", {"self": fixed(text)})

    @entry(f"constraints.{name}.memory", remembered)
    def _(draw):
        text, _ = a_set(draw, name)
        return called("{self}.memory", {"self": fixed(text)})


for _name in SETS:
    member_entries(_name)
