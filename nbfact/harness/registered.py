"""Cases that a module registers, and the list of the cases of any registry.

A registry is a module that registers its cases with :func:`register` when it is
imported, or one with a function ``registry(profile, peers=False)`` that returns a list
of them. Cases are kept by the name of the module that registered them, because several
versions of one registry are imported side by side in a comparison.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from .case import Case

PROFILES = ("quick", "pr", "nightly", "full")
"""Names of the lists of cases of a project that does not name its own, from few cases
to all."""

_found: dict[str, dict[str, tuple[Case, tuple[str, ...]]]] = {}
_specs: dict[str, Any] = {}  # what each module was imported by: new at each import


def register(*cases: Case, profiles: Sequence[str] = PROFILES) -> None:
    """Add cases to the registry of the module that calls this.

    Parameters
    ----------
    *cases : Case
        The cases. No two of a module have the same name.
    profiles : sequence of str
        Lists that the cases belong to, by default all of :data:`PROFILES`.
        ``("full",)`` is for cases that take long.

    Raises
    ------
    TypeError
        When something else than a case is given.
    ValueError
        When a case of this name is registered already.

    See Also
    --------
    Case : What is registered.
    Project : The package whose cases are registered.

    Examples
    --------
    >>> from nbfact.harness import register
    >>> register("dft")
    Traceback (most recent call last):
        ...
    TypeError: register: 'dft' is no Case
    """
    scope = sys._getframe(1).f_globals
    module, spec = scope["__name__"], scope.get("__spec__")
    if _specs.get(module) is not spec:  # the module is imported again
        _specs[module], _found[module] = spec, {}
    own = _found.setdefault(module, {})
    for case in cases:
        if not isinstance(case, Case):
            raise TypeError(f"register: {case!r} is no Case")
        if case.name in own:
            raise ValueError(f"register: {module} has a case {case.name!r} already")
        own[case.name] = case, tuple(profiles)


def registered(module: str, profile: str | None = None) -> list[Case]:
    """Return the cases that a module, or a package with its modules, has registered.

    Parameters
    ----------
    module : str
        Name of the module, which has been imported.
    profile : str, optional
        Name of a list of cases; by default all are returned.

    Raises
    ------
    ValueError
        When nothing is registered there.

    Examples
    --------
    >>> registered("no.such.module")
    Traceback (most recent call last):
        ...
    ValueError: no.such.module registers no case, and has no function registry(profile)
    """
    names = [name for name in _found if name == module or name.startswith(f"{module}.")]
    found = [pair for name in names for pair in _found[name].values()]
    if not found:
        raise ValueError(
            f"{module} registers no case, and has no function registry(profile)"
        )
    return [case for case, lists in found if profile is None or profile in lists]


def source(
    module: ModuleType, profile: str, peers: bool = False
) -> Callable[[], Iterable[Case]]:
    """Return a function without arguments that lists the cases of a registry.

    Parameters
    ----------
    module : module
        The registry.
    profile : str
        Name of a list of cases.
    peers : bool
        Whether rivals that are installed are among them, where the registry knows any.

    Returns
    -------
    callable
        It can be pickled, and travels to another process by the name of the module.
    """
    if hasattr(module, "registry"):
        return functools.partial(module.registry, profile, peers)
    return functools.partial(imported, module.__name__, profile)


def imported(module: str, profile: str) -> list[Case]:
    """Import a module, and return what it registers; see :func:`registered`."""
    __import__(module)
    return registered(module, profile)


def listed(
    module: ModuleType, profile: str | None, turn: int | None = None
) -> list[Any]:
    """Return the cases of a registry of any version, without rivals.

    Parameters
    ----------
    module : module
        The registry.
    profile : str or None
        Name of a list of cases, None for all lists. A registry from before there were
        profiles gives the cases of its quick run for a name.
    turn : int, optional
        Number that chooses among the cases of a profile that rotates them, where the
        registry knows it.
    """
    if not hasattr(module, "registry"):
        return list(registered(module.__name__, profile))
    parameters = inspect.signature(module.registry).parameters
    # Its one argument was `quick` before there were profiles.
    old = "profile" not in parameters and not hasattr(module, "PROFILES")
    options = {"turn": turn} if turn is not None and "turn" in parameters else {}
    every = (False, True) if old else getattr(module, "PROFILES", PROFILES)
    wanted = every if profile is None else [True if old else profile]
    return [case for one in wanted for case in module.registry(one, **options)]
