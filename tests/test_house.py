"""The rules of names, signatures and prose, for every file of the package."""

import ast
import functools
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import nbfact as nf

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nbfact"
FILES = sorted(PACKAGE.rglob("*.py"))
PROSE = [
    *FILES,
    *sorted(ROOT.glob("benchmarks/*.py")),
    *sorted(ROOT.glob("tests/**/*.py")),
    *sorted(ROOT.glob("docs/**/*.md")),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]
LINES = 400
"""Longest file of the package, in lines: what is longer has a room of its own in it."""

ARGUMENTS = 8
"""Most positional arguments of a function: what needs more passes a NamedTuple, or
options by keyword."""

SHARED_CLASS_NAMES = {"Settings"}
"""Class names that several files may define: each study has its own ``Settings``."""

BANNED = {
    "told": r"\btold\b",
    "as there": r"\bas there\b",
    "so many": r"\bso many\b",
    "as given": r"\b(?:as|three|two|one) given\.",
    "a sentence that begins with a bare Of": r'"""(?:Of|For) [^"]*"""|^\s*#\s*Of ',
    "pages outside the repository": r"design\.md|algorithms\.md,? C\.\d|our prototype",
}
"""Private idioms, and references that a reader of the repository does not have."""

NAMESPACES = [
    nf,
    nf.constraints,
    nf.kernels,
    nf.metrics,
    nf.presets,
    nf.targets,
    nf.transforms,
]


@functools.cache
def tree_of(path):
    """Return the syntax tree of a file. It is not made when tests are collected."""
    return ast.parse(path.read_text(encoding="utf-8"))


def short(path):
    return path.relative_to(ROOT).as_posix()


def test_no_two_files_of_the_package_share_a_name():
    count = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert not [name for name, times in count.items() if times > 1]


def test_no_two_classes_of_the_package_share_a_name():
    found = Counter(
        node.name.lstrip("_")
        for tree in map(tree_of, FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    twice = {name for name, times in found.items() if times > 1}
    assert not twice - SHARED_CLASS_NAMES


def test_files_are_short():
    for path in FILES:
        count = len(path.read_text(encoding="utf-8").splitlines())
        assert count <= LINES, f"{short(path)} has {count} lines"


def test_argument_lists_are_short():
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
                own = [name for name in names if name not in ("self", "cls")]
                assert len(own) <= ARGUMENTS, f"{short(path)}:{node.lineno} {node.name}"


def test_no_private_idiom():
    for path in PROSE:
        if path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8")
        for idiom, pattern in BANNED.items():
            found = re.search(pattern, text, re.MULTILINE)
            if found:
                line = text.count("\n", 0, found.start()) + 1
                raise AssertionError(f"{short(path)}:{line}: {idiom}: {found[0]!r}")


def public(namespace):
    return sorted(name for name in dir(namespace) if not name.startswith("_"))


@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda one: one.__name__)
def test_no_two_public_names_differ_by_case_alone(namespace):
    count = Counter(name.lower() for name in namespace.__all__)
    assert max(count.values()) == 1


def test_every_public_name_completes():
    listed = dir(nf)
    assert {*nf.__all__, "QuicKMeans", "QuickNystroem", "FastDictionary"} <= set(listed)
    assert len(nf.__all__) <= 30


@pytest.mark.parametrize(
    "namespace",
    [one for one in NAMESPACES if one is not nf.kernels],
    ids=lambda one: one.__name__,
)
def test_options_are_keyword_only_after_the_first_two(namespace):
    """An option is an argument with a default; sizes and sets are not options."""
    main = {"residual_constraints", "k_col"}
    for name in namespace.__all__:
        value = getattr(namespace, name)
        if not callable(value) or (
            inspect.isclass(value) and issubclass(value, tuple | Exception)
        ):
            continue
        parameters = list(inspect.signature(value).parameters.values())[2:]
        loose = [
            p.name
            for p in parameters
            if p.default is not p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
        ]
        assert not set(loose) - main, f"{namespace.__name__}.{name}: {loose}"


def born_attributes(cls):
    """Return the attributes that a class declares or sets in `__init__`."""
    born = {f.target.id for f in cls.body if isinstance(f, ast.AnnAssign)}
    for function in cls.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            born |= {node.attr for node in stored_attributes(function)}
    return born


def stored_attributes(tree):
    """Yield the attributes that are assigned to in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node


def test_objects_of_algorithms_write_their_own_attributes():
    for path in sorted((PACKAGE / "algorithms").rglob("*.py")):
        tree = tree_of(path)
        for node in stored_attributes(tree):
            owner = ast.unparse(node.value)
            assert owner == "self", f"{short(path)}, line {node.lineno}: {owner}"
        for cls in [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]:
            born = born_attributes(cls)
            for node in stored_attributes(cls):
                assert node.attr in born, f"{short(path)}: {cls.name}.{node.attr}"
