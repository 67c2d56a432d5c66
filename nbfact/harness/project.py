"""What the harness must know of the package it measures.

The harness imports nothing of that package, so that another package can use it with a
:class:`Project` of its own. The one of nbfact is in ``nbfact/cases/nbfact_project.py``.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Project:
    """A package that has a registry of cases.

    Parameters
    ----------
    name : str
        Name under which the package is imported and installed. The names of its own
        implementations begin with it (``nbfact chain``), and so do, in capitals, the
        environment variables that it reads (``NBFACT_MACHINE``).
    version : str
        Version of the package, recorded with every result.
    registries : tuple of str
        Modules, relative to the package, that hold the registry of cases: the place of
        today first, then the places where earlier versions have it, newest first.
    profiles : tuple of str
        Names of the lists of cases, from few cases to all.
    kernels : tuple of str
        Paths below the package that its compiled code is made from: files, and folders
        with a slash at the end.
    packages : tuple of str
        Distributions whose versions are recorded with every result, beside
        :data:`nbfact.harness.machine.PACKAGES`.
    rivals : mapping of str to str
        Implementations of other projects: the first word of their names, and the
        module that each needs. A task with a rival is measured in a process of its
        own, because a rival may crash or hang.
    install_rivals : str
        Command that installs the rivals, shown when some are missing.

    Notes
    -----
    A registry is a module with a function ``registry(profile, peers=False)`` that
    returns a list of :class:`nbfact.harness.case.Case`.

    Examples
    --------
    >>> project = Project("nbfact", "1.0", ("cases.registry",), ("quick", "full"))
    >>> project.is_own("nbfact chain"), project.is_own("scipy.fft")
    (True, False)
    """

    name: str
    version: str
    registries: tuple[str, ...]
    profiles: tuple[str, ...]
    kernels: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    rivals: Mapping[str, str] = field(default_factory=dict, hash=False)
    install_rivals: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the package that this Python imports.

        Raises
        ------
        ModuleNotFoundError
            When the package cannot be imported.
        """
        spec = importlib.util.find_spec(self.name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{self.name}: no such package")
        return Path(spec.origin).parent

    def registry(self) -> ModuleType:
        """Import and return the registry of cases of today.

        Returns
        -------
        module
            The first of `registries`.
        """
        return importlib.import_module(f"{self.name}.{self.registries[0]}")

    def check_profile(self, profile: str) -> None:
        """Raise ValueError unless `profile` is one of `profiles`.

        Examples
        --------
        >>> Project("p", "1", (), ("quick", "full")).check_profile("fast")
        Traceback (most recent call last):
            ...
        ValueError: profile 'fast'; expected one of quick, full
        """
        if profile not in self.profiles:
            known = ", ".join(self.profiles)
            raise ValueError(f"profile {profile!r}; expected one of {known}")

    def is_own(self, impl: str) -> bool:
        """Return whether an implementation is the project's own, by its name."""
        return impl.startswith(self.name)

    def is_rival(self, impl: str) -> bool:
        """Return whether an implementation is one of `rivals`, by its first word.

        Examples
        --------
        >>> project = Project("p", "1", (), (), rivals={"pyfaust": "pyfaust"})
        >>> project.is_rival("pyfaust 2020"), project.is_rival("scipy.fft")
        (True, False)
        """
        return impl.split()[0] in self.rivals

    def missing_rivals(self) -> list[str]:
        """Return the names of the rivals whose module is not installed.

        Examples
        --------
        >>> Project("p", "1", (), (), rivals={"x": "no_such_module"}).missing_rivals()
        ['x']
        """
        return [
            name
            for name, module in self.rivals.items()
            if importlib.util.find_spec(module) is None
        ]

    def variable(self, word: str) -> str:
        """Return the name of an environment variable of the project.

        Examples
        --------
        >>> Project("nbfact", "1", (), ()).variable("MACHINE")
        'NBFACT_MACHINE'
        """
        return f"{self.name.upper()}_{word}"
