"""The floors of the package: imports go down, are relative, and form no circle."""

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nbfact"
FLOORS = [
    {"_core", "kernels"},
    {"constraints", "operators", "targets", "metrics"},
    {"algorithms"},
    {"estimators", "transforms"},
    {""},  # the top package: the verbs, the operators, the namespaces
    {"harness"},
    {"cases"},
    {"studies"},
    {"cli"},
    {"__main__"},
]
"""Rooms from the ground up; a room imports lower floors, and its own without a circle.

`docs/architecture.md` draws them.
"""

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ALONE = {"kernels": {"kernels"}, "harness": {"harness", "_core"}}
"""Rooms that import less than the floors below them: kernels import nothing outside
their room, and the harness only ``_core``, so that another project can use it."""

COMPILERS = {"njit", "jit", "jitclass", "vectorize", "guvectorize", "cfunc", "stencil"}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def tree_of(name):
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


@functools.cache
def imports(name):
    """Return (module, name) for all that a file imports of the package.

    The name is None where a whole module is imported; absolute imports of the package
    are ("nbfact...", None).
    """
    return list(_imports(name))


def _imports(name):
    package = FILES[name].relative_to(PACKAGE).parent.parts
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "nbfact":
                    yield alias.name, None
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module.split(".")[0] == "nbfact":
                yield node.module, None
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                whole = inner in FILES
                yield (inner, None) if whole else (module, alias.name)


def room(name):
    return name.split(".")[0]


def test_imports_are_relative_and_go_down():
    for name in FILES:
        own = room(name)
        assert own in FLOOR, f"nbfact/{own} has no floor: give it one here, and draw it"
        for other, _ in imports(name):
            assert not other.startswith("nbfact"), f"{name}: {other}; import relatively"
            target = room(other)
            if own in ALONE:
                assert target in ALONE[own], f"{name} imports {other or 'nbfact'}"
            assert FLOOR[target] <= FLOOR[own], (
                f"{name} imports {other}, which is above it"
            )
            if (own, other) == ("kernels", "kernels"):
                raise AssertionError(f"{name} imports the list of all kernels")


@pytest.mark.parametrize("depth", [None, 1, 2], ids=["modules", "rooms", "subrooms"])
def test_imports_form_no_circle(depth):
    """Neither modules, nor rooms, nor rooms within rooms import one another in turn."""

    def place(name):
        return ".".join(name.split(".")[:depth]) if depth else name

    if depth == 2:  # a folder in a folder is a subroom; a file belongs to its folder
        packages = {name_of(p.parent / "__init__.py") for p in FILES.values()}

        def place(name):
            while name not in packages:
                name = name.rpartition(".")[0]
            return name

    graph = {}
    for name in FILES:
        for other, _ in imports(name):
            if place(name) != place(other):
                graph.setdefault(place(name), set()).add(place(other))
    if depth == 2:  # the list of a room's public names imports its subrooms
        graph = {
            one: {other for other in others if not other.startswith(f"{one}.")}
            for one, others in graph.items()
            if one
        }
    done, path = set(), []

    def visit(one):
        assert one not in path, f"a circle: {' -> '.join([*path, one])}"
        if one not in done:
            path.append(one)
            for other in sorted(graph.get(one, ())):
                visit(other)
            path.pop()
            done.add(one)

    for one in sorted(graph):
        visit(one)


def test_no_private_name_crosses_a_file():
    for name in FILES:
        for other, what in imports(name):
            private = (
                what is not None and what.startswith("_") and not what.endswith("__")
            )
            assert not private, (
                f"{name} imports {what} of {other}: give it a public name"
            )


def test_one_decorator_compiles():
    for name in FILES:
        for node in ast.walk(tree_of(name)):
            used = {getattr(node, "id", None), getattr(node, "attr", None)}
            if isinstance(node, ast.Import | ast.ImportFrom):
                used = {alias.name for alias in node.names}
            if name != "kernels._jit":
                assert not used & COMPILERS, f"{name}: compile with @kernel"
            if isinstance(node, ast.ImportFrom) and room(name) != "kernels":
                compiler = {node.module, *used} & {"_jit", "kernel"}
                assert not compiler, f"{name}: kernels live under kernels/"
