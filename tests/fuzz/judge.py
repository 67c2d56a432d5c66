"""What the child does: run one case, and say what is wrong with its outcome."""

import inspect
import re
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from . import entries, values
from .cases import BAD, ENTRIES, GOOD, Case
from .checks import is_finite

NAMES = {name: getattr(values, name) for name in values.__all__}

WRITTEN = ("out", "memory")
"""Names of the arguments that a call may write into."""


@dataclass
class Call:
    """A call that returned: what its check looks at.

    Attributes
    ----------
    result : object
    arguments : dict
        The arguments that the case gave, by name; "self" among them for a method.
    kind : str
        The kind of the case.
    """

    result: Any
    arguments: dict[str, Any]
    kind: str
    case: Case

    def again(self):
        """Return the result of the same call, made once more."""
        arguments = {name: self.fresh(name) for name in self.case.texts}
        return eval(self.case.expression, dict(NAMES), arguments)

    def fresh(self, name):
        """Return an argument anew, as it was before the call."""
        return eval(self.case.texts[name], dict(NAMES))

    def get(self, name, default=None):
        """Return an argument, or its default where the case left it out."""
        return self.arguments.get(name, default)

    def __getitem__(self, name):
        return self.arguments[name]


def judged(case):
    """Run a case, given as JSON, and return its outcome and what to say of it.

    The outcomes "right" and "refused" are as they should be. "unnamed" is an error
    whose message names no argument, and all others are faults: "refused valid",
    "accepted", "wrong", "not finite", "mutated", "warning", "exception", "broken".
    """
    case = Case(**case)
    begin = time.perf_counter()
    try:
        outcome, detail = _outcome(case)
    except Exception as error:  # of a repr, for example
        outcome, detail = "exception", f"afterwards: {_described(error)}"
    return {
        "outcome": outcome,
        "detail": " ".join(detail.split())[:400],
        "seconds": time.perf_counter() - begin,
    }


def _outcome(case):
    entry = ENTRIES[case.entry]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arguments = {
                name: eval(text, dict(NAMES)) for name, text in case.texts.items()
            }
        before = {name: _snapshot(value) for name, value in arguments.items()}
    except Exception as error:
        return "broken", f"an argument: {error!r}"
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        try:
            result = eval(case.expression, dict(NAMES), dict(arguments))
        except Exception as error:
            return _refused(case, entry, error, arguments)
    foreign = [w for w in issued if not _expected(w, entry, case)]
    if foreign:
        found = foreign[0]
        return "warning", f"{found.category.__name__}: {found.message}"
    for name, value in arguments.items():
        if name not in WRITTEN and not _same(before[name], _snapshot(value)):
            return "mutated", name
    if case.verdict == BAD:
        return "accepted", f"{case.culprit}: {_short(result)}"
    return _checked(entry, Call(result, arguments, case.kind, case), arguments)


def _expected(warning, entry, case):
    """Return whether a warning is one of ours, or one that dense NumPy gives too.

    NumPy warns of sums that overflow, or that hold a NaN, where a case gives it such
    numbers; the check sees whether the result is right. Interpreted kernels warn of
    them too, and compiled ones do not.
    """
    if issubclass(warning.category, RuntimeWarning):
        in_kernel = "/kernels/" in warning.filename.replace("\\", "/")
        return in_kernel or case.kind in ("extreme", "NaN or infinity")
    return str(warning.message).startswith(entry.warns)


def _checked(entry, call, arguments):
    """Return the outcome of a call that returned, by the check of its entry."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            entry.check(call)
    except AssertionError as error:
        return "wrong", str(error) or "an assertion of the check"
    except Exception as error:
        return "wrong", f"the check ends in {_described(error)}"
    return "right", ""


def _described(error):
    """Return an error with the place that it comes from."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    file = last.filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__}: {error} at {file}:{last.lineno}"


def _refused(case, entry, error, arguments):
    """Return the outcome of a call that raised an error."""
    text = f"{type(error).__name__}: {error}"
    missing = isinstance(error, ModuleNotFoundError)  # an optional dependency
    if isinstance(error, entry.raises) and (missing or case.verdict != GOOD):
        return "refused", text
    if isinstance(error, MemoryError) and case.kind == "huge" and case.verdict != GOOD:
        return "refused", text
    if not isinstance(error, ValueError | TypeError):
        return "exception", _described(error)
    if case.verdict == GOOD:
        return "refused valid", text
    names = ({*arguments, *entry.words} - {"self"}) | _parameters(case, arguments)
    if any(re.search(rf"(?<![A-Za-z]){re.escape(n)}(?![A-Za-z])", text) for n in names):
        return "refused", text
    return "unnamed", text


def _parameters(case, arguments):
    """Return the names of the parameters of the function that a case calls."""
    function = case.expression.partition("(")[0]
    try:
        called = eval(function, dict(NAMES), dict(arguments))
        return set(inspect.signature(called).parameters)
    except Exception:
        return set()


def _snapshot(value):
    """Return a copy of the numbers that an argument holds, without looking at them."""
    if isinstance(value, np.ma.MaskedArray):
        return [value.data.tobytes(), value.mask.tobytes()]
    if isinstance(value, np.ndarray):
        return [repr(value)] if value.dtype.hasobject else [value.tobytes()]
    if sp.issparse(value):
        return [value.shape, *_parts(value)]
    if isinstance(value, list | tuple):
        return [len(value), *(_snapshot(one) for one in value)]
    return None


def _parts(matrix):
    """Return the parts of a sparse array, which may be damaged, as bytes or text."""
    if matrix.format in ("lil", "dok"):
        return [repr(list(matrix.rows) if matrix.format == "lil" else matrix.items())]
    names = {
        "coo": ("data", "row", "col"),
        "dia": ("data", "offsets"),
    }.get(matrix.format, ("data", "indices", "indptr"))
    return [getattr(matrix, name).tobytes() for name in names]


def _same(before, after):
    return before == after


def _short(result):
    text = " ".join(repr(result).split())
    return text if len(text) < 80 else text[:77] + "..."


__all__ = ["Call", "entries", "is_finite", "judged"]
