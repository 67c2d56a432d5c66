"""The public names of nbfact: what must have an entry, and what has none and why."""

import functools
import inspect

from scipy.sparse.linalg import LinearOperator

import nbfact as nf
from nbfact import estimators

NAMESPACES = {
    "": nf,
    "constraints": nf.constraints,
    "estimators": estimators,
    "metrics": nf.metrics,
    "operators": nf.operators,
    "presets": nf.presets,
    "targets": nf.targets,
    "transforms": nf.transforms,
}
"""The namespaces whose callables are called with anything. `nbfact.kernels` is none of
them: a kernel checks nothing, so that it can be called from compiled code, and its
documentation says that it may crash when its conditions do not hold. The tests of
kernels compare them with their twins in ``tests/naive``, bounds checked."""

EXCLUDED = {
    "constraints.Constraint": "a protocol, which is never called",
    "constraints.FastConstraint": "a protocol, which is never called",
    "FastOperator": "a base class, whose constructor is SciPy's",
}

OPERATORS = (
    *("__call__", "__getitem__", "__matmul__", "__rmatmul__", "__mul__", "__rmul__"),
    *("__truediv__", "__add__", "__sub__", "__neg__", "__pow__"),
)


def public_objects():
    """Return each public callable with all the names that it has."""
    found = {}
    for prefix, namespace in NAMESPACES.items():
        listed = [*namespace.__all__, *(estimators.__all__ if namespace is nf else ())]
        for name in listed:
            value = getattr(namespace, name)
            if not inspect.ismodule(value):
                full = f"{prefix}.{name}" if prefix else name
                found.setdefault(id(value), (value, []))[1].append(full)
    return list(found.values())


def members(cls):
    """Return the names of the members of a class that users call or read.

    They are those that nbfact defines, and those of SciPy's operator, whose results
    nbfact computes. What scikit-learn and the standard library bring is theirs.
    """
    names = [name for name in dir(cls) if not name.startswith("_")]
    names += [name for name in OPERATORS if hasattr(cls, name)]
    return [name for name in names if _is_ours(cls, name) and _is_member(cls, name)]


def _is_ours(cls, name):
    owner = next((base for base in cls.__mro__ if name in vars(base)), object)
    return owner.__module__.startswith("nbfact") or owner is LinearOperator


def _is_member(cls, name):
    value = inspect.getattr_static(cls, name)
    kinds = property | functools.cached_property | classmethod | staticmethod
    return callable(value) or isinstance(value, kinds)


def wanted():
    """Return a list of alternatives: of each one name at least must be an entry."""
    objects = public_objects()
    names_of = {id(value): names for value, names in objects}
    found = []
    for value, names in objects:
        if not set(names) & set(EXCLUDED):
            found.append(names)
        if inspect.isclass(value) and "a protocol" not in EXCLUDED.get(names[0], ""):
            for member in members(value):
                owners = [
                    n for base in value.__mro__ for n in names_of.get(id(base), [])
                ]
                found.append([f"{owner}.{member}" for owner in owners])
    return found
