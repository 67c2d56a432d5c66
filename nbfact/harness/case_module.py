"""Find the project of a module of cases that a user names, without importing it.

The module is named as ``mypkg.bench``, by the path of its file, or by the name of an
entry point of the group ``nbfact.cases``. Where it lies in the package that it
measures, that package is the project. Elsewhere, or to say more, it holds one line::

    PROJECT = Project("mypkg", slowdown=0.1)

This line is evaluated alone, because comparisons of versions that are not installed
must know the name of the package before anything can be imported; its arguments are
therefore written out.
"""

import ast
import dataclasses
import importlib.util
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from .project import Project, declared_version

ENTRY_POINTS = "nbfact.cases"
"""Group of entry points whose names stand for modules of cases."""

LENT = "_nbfact_cases"
"""Name of the module of cases in the package of a version, where the file of the cases
is no part of the package."""


def find_project(cases: str) -> Project:
    """Return the project whose cases a module holds.

    Parameters
    ----------
    cases : str
        Name of a module in the current directory or among those that Python finds;
        path of a file ``.py``; or name of an entry point of :data:`ENTRY_POINTS`. The
        folder that holds the module, or its package, is put first on Python's path.

    Returns
    -------
    Project

    Raises
    ------
    ValueError
        When there is no such module, when its line ``PROJECT`` cannot be read, or when
        it lies in no package and has none.

    Examples
    --------
    >>> find_project("no.such.module")
    Traceback (most recent call last):
        ...
    ValueError: --cases no.such.module: no such module, file or entry point nbfact.cases
    """
    root, parts = _located(cases)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    file = root.joinpath(*parts).with_suffix(".py")
    if not file.is_file():
        file = root.joinpath(*parts, "__init__.py")
    top, inner = parts[0], ".".join(parts[1:])
    project = _declared(cases, file.read_bytes())
    if project is None and not inner:
        raise ValueError(
            f"--cases {cases}: the file is in no package, so that it must say what it "
            'measures: PROJECT = Project("mypkg")'
        )
    project = project or Project(top)
    inside = inner and project.name == top
    return dataclasses.replace(
        project,
        version=project.version or _version(project),
        registries=(inner,) if inside else (LENT,),
        module=".".join(parts),
        file=file,
        named=cases,
    )


def tolerances_of(
    project: Project, files: Mapping[str, bytes]
) -> tuple[float | None, float | None]:
    """Return what the project of one version tolerates: `slowdown` and `looser`.

    Parameters
    ----------
    project : Project
        The project of today.
    files : mapping of str to bytes
        The files of the version. Where the line ``PROJECT`` is in the module of its
        cases, the version is judged by its own, and not by that of today.
    """
    if project.file is not None and project.registries != (LENT,):
        place = project.registries[0].replace(".", "/")
        for path in (f"{place}.py", f"{place}/__init__.py"):
            if path in files:
                own = _declared(path, files[path]) or Project(project.name)
                return own.slowdown, own.looser
    return project.slowdown, project.looser


def lent_files(project: Project) -> dict[str, bytes]:
    """Return the files of today's cases, for a version that has none of its own.

    Parameters
    ----------
    project : Project
        From :func:`find_project`.

    Returns
    -------
    dict of str to bytes
        The file, or all of a package of cases, by their path below the package that is
        measured.
    """
    file, place = project.file, project.registries[0].replace(".", "/")
    if file is None or file.name != "__init__.py":
        return {f"{place}.py": file.read_bytes()} if file else {}
    return {
        f"{place}/{path.relative_to(file.parent).as_posix()}": path.read_bytes()
        for path in file.parent.rglob("*.py")
    }


def _located(cases):
    """Return the folder to import from, and the parts of the name of the module."""
    path = Path(cases)
    if path.suffix == ".py" or path.is_dir():
        if not path.exists():
            raise ValueError(f"--cases {cases}: no such file")
        path = path.resolve()
        parts = [] if path.name == "__init__.py" else [path.stem]
        folder = path.parent
        while (folder / "__init__.py").is_file():
            parts.insert(0, folder.name)
            folder = folder.parent
        return folder, parts
    points = metadata.entry_points(group=ENTRY_POINTS, name=cases)
    parts = next((point.value for point in points), cases).split(".")
    here = Path.cwd()
    if any((here / f"{parts[0]}{end}").is_file() for end in (".py", "/__init__.py")):
        root = here
    else:
        try:
            spec = importlib.util.find_spec(parts[0])
        except (ValueError, ImportError):
            spec = None
        root = here
        if spec is not None and spec.origin is not None:
            package = spec.submodule_search_locations is not None
            root = Path(spec.origin).parents[1 if package else 0]
    place = root.joinpath(*parts)
    if not (place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()):
        raise ValueError(
            f"--cases {cases}: no such module, file or entry point {ENTRY_POINTS}"
        )
    return root, parts


def _declared(cases, source):
    """Return what the line ``PROJECT = Project(...)`` says, None without one."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"--cases {cases}: {error}") from None
    for node in tree.body:
        names = [getattr(one, "id", None) for one in getattr(node, "targets", [])]
        if isinstance(node, ast.Assign) and names == ["PROJECT"]:
            code = compile(ast.Expression(node.value), cases, "eval")
            try:
                project = eval(code, {"Project": Project})
            except Exception as error:
                raise ValueError(
                    f"--cases {cases}, line {node.lineno}: PROJECT is read before the "
                    "file runs, so that it must be a call of Project with arguments "
                    f"that are written out ({type(error).__name__}: {error})"
                ) from None
            if isinstance(project, Project):
                return project
            raise ValueError(
                f"--cases {cases}, line {node.lineno}: PROJECT is no Project"
            )
    return None


def _version(project):
    """Return the version of a project: of its sources, else of its installation."""
    try:
        text = (project.folder / "__init__.py").read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError, UnicodeDecodeError):
        text = ""
    if version := declared_version(text):
        return version
    try:
        return metadata.version(project.name)
    except metadata.PackageNotFoundError:
        return "unknown"
