"""What the harness must know of the package it measures.

The harness imports nothing of that package, so that another package can use it with a
:class:`Project` of its own: see :mod:`nbfact.harness.case_module`. The one of nbfact is
in ``nbfact/cases/nbfact_project.py``.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from .case import Case, check_tolerances
from .registered import PROFILES, source


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
        Version of the package, recorded with every result. ``--cases`` finds it.
    registries : tuple of str
        Modules, relative to the package, that hold the registry of cases: the place of
        today first, then the places where earlier versions have it, newest first.
        ``--cases`` sets them.
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
    slowdown : float or None
        Least relative slowdown between two versions that counts, as 0.1 for 10 %, where
        a case does not say; by default
        :data:`nbfact.harness.versions.verdicts.LEAST`.
    looser : float or None
        Largest error of a later version, in units of that of the earlier one, that is
        no loss of accuracy, where a case does not say; by default
        :data:`nbfact.harness.versions.verdicts.LOOSER`.
    module, file, named : str, path, str
        Name of the module that holds the cases of today, its file, and what a user
        called it; ``--cases`` sets them. A version without a registry gets this file.

    Raises
    ------
    ValueError
        When `name` is no name of a package, or a tolerance is out of range.

    See Also
    --------
    Case : A measurement.
    register : Adds cases to a registry.

    Notes
    -----
    A registry is a module that registers its cases, or one with a function
    ``registry(profile, peers=False)`` that returns a list of
    :class:`nbfact.harness.case.Case`; see :mod:`nbfact.harness.registered`.

    Examples
    --------
    >>> from nbfact.harness import Project
    >>> project = Project("nbfact", "1.0", ("cases.registry",), ("quick", "full"))
    >>> project.is_own("nbfact chain"), project.is_own("scipy.fft")
    (True, False)
    """

    name: str
    version: str = ""
    registries: tuple[str, ...] = ()
    profiles: tuple[str, ...] = PROFILES
    kernels: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    rivals: Mapping[str, str] = field(default_factory=dict, hash=False)
    install_rivals: str = ""
    slowdown: float | None = None
    looser: float | None = None
    module: str = ""
    file: Path | None = None
    named: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(f"name={self.name!r}; expected the name of a package")
        check_tolerances(f"project {self.name}", self.slowdown, self.looser)

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

    @property
    def path(self) -> list[Path]:
        """The folder that `module` is imported from, where ``--cases`` has found it.

        Examples
        --------
        >>> file = Path("here", "p", "bench.py")
        >>> Project("p", module="p.bench", file=file).path == [Path("here")]
        True
        """
        if self.file is None:
            return []
        inner = self.module.count(".") + (self.file.name == "__init__.py")
        return [self.file.parents[inner]]

    def registry(self) -> ModuleType:
        """Import and return the registry of cases of today.

        Returns
        -------
        module
            `module`, by default the first of `registries`.

        Examples
        --------
        >>> from nbfact.harness import Project
        >>> Project("nbfact", registries=("cases.registry",)).registry().__name__
        'nbfact.cases.registry'
        """
        return importlib.import_module(
            self.module or f"{self.name}.{self.registries[0]}"
        )

    def cases(self, profile: str, peers: bool = False) -> Callable[[], Iterable[Case]]:
        """Return a function that lists the cases of a profile, and can be pickled.

        Parameters
        ----------
        profile : str
            One of `profiles`.
        peers : bool
            Whether the rivals that are installed are among the cases.

        Returns
        -------
        callable
            It takes no argument, and makes and returns the cases.

        Examples
        --------
        >>> from nbfact.harness import Project
        >>> project = Project("nbfact", registries=("cases.registry",))
        >>> callable(project.cases("quick"))
        True
        """
        return source(self.registry(), profile, peers)

    def command(self, name: str) -> str:
        """Return a command as a user of this project types it.

        Parameters
        ----------
        name : str
            Name of a command of nbfact.

        Returns
        -------
        str

        Examples
        --------
        >>> Project("p", named="p.bench").command("bench")
        'nbfact bench --cases p.bench'
        """
        return f"nbfact {name}" + (f" --cases {self.named}" if self.named else "")

    def check_profile(self, profile: str) -> None:
        """Raise ValueError unless `profile` is one of `profiles`.

        Parameters
        ----------
        profile : str
            What a user asked for.

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
        """Return whether an implementation is the project's own, by its name.

        Parameters
        ----------
        impl : str
            Name of the implementation.

        Returns
        -------
        bool
        """
        return impl.startswith(self.name)

    def is_rival(self, impl: str) -> bool:
        """Return whether an implementation is one of `rivals`, by its first word.

        Parameters
        ----------
        impl : str
            Name of the implementation.

        Returns
        -------
        bool

        Examples
        --------
        >>> project = Project("p", "1", (), (), rivals={"pyfaust": "pyfaust"})
        >>> project.is_rival("pyfaust 2020"), project.is_rival("scipy.fft")
        (True, False)
        """
        return impl.split()[0] in self.rivals

    def missing_rivals(self) -> list[str]:
        """Return the names of the rivals whose module is not installed.

        Returns
        -------
        list of str

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

        Parameters
        ----------
        word : str
            What the name ends with.

        Returns
        -------
        str

        Examples
        --------
        >>> Project("nbfact", "1", (), ()).variable("MACHINE")
        'NBFACT_MACHINE'
        """
        return f"{self.name.upper()}_{word}"


def declared_version(source: str) -> str | None:
    """Return the text that a source assigns to ``__version__``, None without one.

    Examples
    --------
    >>> declared_version('__version__ = "1.2"'), declared_version("")
    ('1.2', None)
    """
    found = re.search(r"^__version__\s*(?::[^=]*)?=\s*(['\"])(.*?)\1", source, re.M)
    return found and found[2]
