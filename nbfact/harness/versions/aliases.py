"""Import versions of a package beside one another, each under a name of its own."""

import contextlib
import importlib
import importlib.util
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_told: weakref.WeakSet[ModuleType] = weakref.WeakSet()
# Modules whose NamedTuples have names of their own already.


def load(role: str, package: Path) -> ModuleType:
    """Import the folder of a package under a name that ends with its role.

    Parameters
    ----------
    role : str
        One of :data:`nbfact.harness.versions.alongside.ROLES`.
    package : path
        Folder of the package.

    Returns
    -------
    module

    Examples
    --------
    >>> folder = Path(__file__).parents[2]
    >>> load("base", folder).__name__
    'nbfact_base'
    """
    alias = f"{package.name}_{role}"
    spec = importlib.util.spec_from_file_location(
        alias, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{package}: no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    spec.loader.exec_module(module)
    return module


def registry_of(module: ModuleType, registries: Sequence[str]) -> ModuleType:
    """Return the module of a version that holds its registry of cases.

    Parameters
    ----------
    module : module
        A package from :func:`load`.
    registries : sequence of str
        Places to look for it, as those of :class:`nbfact.harness.project.Project`.

    Raises
    ------
    ModuleNotFoundError
        When the version has a registry at none of the places; the message names them.
    """
    for place in registries:
        path = place.replace(".", "/")
        ends = f"{path}.py", f"{path}/__init__.py"
        if any((Path(f) / end).is_file() for f in module.__path__ for end in ends):
            return importlib.import_module(f"{module.__name__}.{place}")
    places = " or ".join(registries)
    raise ModuleNotFoundError(f"{module.__name__} has no registry of cases: {places}")


def bring(role: str, package: Path, job: dict, brought: list[ModuleType]) -> None:
    """Import a package and its registry, which is what its users import, into a list.

    A package may import its modules at their first use only, so that the time of its
    own import would say nothing.
    """
    brought.append(registry_of(load(role, package), job["registries"]))


def tell_tuples_apart(role: str) -> None:
    """Give the NamedTuples of a version that was loaded a name of their own.

    Numba finds the compiled code for an argument by a fingerprint, which holds the name
    and the fields of the class of a NamedTuple, and not its module. Of several versions
    with such a class, Numba knows only the first one by that; each call of the others
    then takes some ten microseconds longer. Only ``__name__`` changes, which nothing
    else is found by.

    Parameters
    ----------
    role : str
        One of :data:`nbfact.harness.versions.alongside.ROLES`. The classes are those
        of the modules that it has imported by now; each module is looked at once.
    """
    for name, module in list(sys.modules.items()):
        alias = name.partition(".")[0]
        if not alias.endswith(f"_{role}") or module in _told:
            continue
        _told.add(module)
        for value in list(vars(module).values()):
            if (
                isinstance(value, type)
                and issubclass(value, tuple)
                and value.__module__.partition(".")[0] == alias
            ):
                value.__name__ = f"{value.__qualname__}_{role}"


def keep_compiled(alias: str) -> None:
    """Make Numba keep the compiled code of a version in files, for all functions.

    Without that, each of the many processes would compile it anew. Sources of a version
    never change, so that the code in the files always fits. Functions that have a
    cache of their own, and those that can have none, stay as they are.

    Parameters
    ----------
    alias : str
        Name under which the version is imported, as ``mypkg_base``.
    """
    from numba.core.dispatcher import Dispatcher

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != alias:
            continue
        for value in list(vars(module).values()):
            if isinstance(value, Dispatcher) and value.stats.cache_path is None:
                with contextlib.suppress(Exception):  # it is then compiled each time
                    value.enable_caching()
