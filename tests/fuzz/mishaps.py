"""Entries that go wrong, for the tests of the fuzzer itself."""

import warnings

import numpy as np

from . import values
from .cases import BAD, GOOD, Entry
from .checks import near
from .judge import ENTRIES, NAMES, judged


def half(x, mode):
    """Return half of an array, in the way that the mode says."""
    if mode == "mutate":
        x *= 0.5
        return x
    if mode == "warn":
        warnings.warn("look", RuntimeWarning, stacklevel=1)
    if mode in ("key", "named", "unnamed"):
        kinds = {"key": KeyError("x"), "named": ValueError("x is wrong")}
        raise kinds.get(mode, TypeError("expected numbers"))
    if mode == "memory":
        raise MemoryError("too much")
    if mode == "matrix":
        return (x / 2).view(np.matrix)
    if mode == "infinite":
        return x / 0.0
    return x / (3 if mode == "wrong" else 2)


def outcome(mode, verdict=GOOD, kind="plain"):
    """Return the outcome of a case that calls `half`."""
    NAMES["half"] = values.half = half
    check = lambda call: near(call.result, call.fresh("x") / 2)  # noqa: E731
    ENTRIES["half"] = Entry("half", None, check)
    texts = {"x": "normal(4)", "mode": repr(mode)}
    culprit = "" if verdict == GOOD else "x"
    assert verdict in (GOOD, "odd", BAD)
    try:
        return judged(
            {
                "entry": "half",
                "template": "half({x}, {mode})",
                "texts": texts,
                "kind": kind,
                "verdict": verdict,
                "culprit": culprit,
            }
        )["outcome"]
    finally:
        del ENTRIES["half"], NAMES["half"], values.half
