"""Every public kernel has a twin of its name, and a test that calls both."""

import ast
from pathlib import Path

import naive

from nbfact import kernels

TESTS = Path(__file__).parent
KERNELS = sorted(
    name for name in kernels.__all__ if not isinstance(getattr(kernels, name), type)
)


def called(path):
    """Return the names that a file calls or keeps, and those that it takes of naive."""
    names, twins = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            (twins if node.value.id == "naive" else names).add(node.attr)
    return names, twins


def test_every_kernel_has_a_twin_and_a_test_of_both():
    files = [called(path) for path in sorted(TESTS.glob("test_*.py"))]
    without = [name for name in KERNELS if not hasattr(naive, name)]
    assert not without, "write these twins in tests/naive/"
    untested = [
        name
        for name in KERNELS
        if not any(name in names and name in twins for names, twins in files)
    ]
    assert not untested, "no test calls both the kernel and its twin"


def test_all_functions_of_the_specification_are_exported():
    for path in sorted((TESTS / "naive").glob("[a-z]*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                assert node.name in naive.__all__, f"{path.name}: {node.name}"
