"""Docstrings of public names: each has the same sections, and names what exists."""

import inspect
import pkgutil
import re
from importlib.util import find_spec

from test_site import NAMESPACES, found, listed

import nbfact as nf
import nbfact.harness  # makes it an attribute of nf

ESTIMATORS = [f"nbfact.{name}" for name in nf._PLACES["estimators"]]
NAMES = [name for name in listed() if name not in ESTIMATORS or find_spec("sklearn")]
"""The names that have a page: without scikit-learn, those of estimators are missing."""
PAGES = {*NAMES, *NAMESPACES}
KERNELS = [f"nbfact.kernels.{name}" for name in nf.kernels.__all__]
UNNAMED = ("self", "cls", "args", "kwargs")
"""What signatures have for Python's sake."""
BY_ANOTHER = r"\bparameters\b[^.`]*\bthose of\s+`([\w.]+)`"
"""How a summary says that another method describes the parameters."""


def sections(text):
    """Return the parts of a numpydoc docstring, by their underlined headings."""
    parts = re.split(r"^(.+)\n-{3,}$", text, flags=re.M)
    return {"": parts[0].strip(), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(section):
    """Return the names that a section describes: ``x, y : type`` describes two."""
    heads = re.findall(r"^(\S[^:\n]*?)(?: :.*)?$", section, re.M)
    return [name.strip(" *`") for head in heads for name in head.split(",")]


def arguments(value):
    """Return the names of the arguments of a function, or of a class."""
    if inspect.isclass(value) and not issubclass(value, tuple):
        value = value.__init__  # where a metaclass has a `__call__` of its own
    names = inspect.signature(value).parameters
    return [name for name in names if name[0] != "_" and name not in UNNAMED]


def resolves(dotted):
    """Return whether a dotted name is that of a member of a class with a page."""
    owner, _, name = dotted.rpartition(".")
    return owner in NAMES and hasattr(found(owner), name)


def check_summary(dotted, parts):
    """Check that the first line is one sentence, and a paragraph of its own."""
    first, _, rest = parts[""].partition("\n")
    assert re.fullmatch(r"[A-Z`].*\.", first), f"{dotted}: {first}"
    assert not re.search(r"[a-z)]\. [A-Z]", first), f"{dotted}: {first}"
    assert not rest or rest.startswith("\n"), f"{dotted}: {first}"


def check_arguments(dotted, value, parts):
    """Check that every argument is described, and what is returned."""
    described = entries(parts.get("Parameters", "") + parts.get("Attributes", ""))
    described += entries(parts.get("Other Parameters", ""))
    missing = set(arguments(value)) - set(described)
    assert not missing, f"{dotted}: describe {sorted(missing)}"
    if not inspect.isclass(value):
        returned = inspect.signature(value).return_annotation
        nothing = returned in (None, "None", inspect.Signature.empty)
        assert nothing or {"Returns", "Yields"} & set(parts), f"{dotted}: Returns"


def check_others(dotted, parts):
    """Check that a docstring names others, and that the site finds their pages.

    Names are those beside this one, or begin with nbfact or with another package.
    """
    others = entries(parts.get("See Also", ""))
    assert others, f"{dotted}: See Also"
    place = dotted.rpartition(".")[0]
    for name in others:
        if name.startswith(("sklearn.", "scipy.")):
            assert pkgutil.resolve_name(name)
        else:
            beside = f"{place}.{name}"
            assert {name, beside} & PAGES or resolves(beside), f"{dotted}: {name}"


def test_public_docstrings_are_whole():
    """One sentence, arguments, what is returned, other names, and an example."""
    for dotted in NAMES:
        value = found(dotted)
        parts = sections(inspect.getdoc(value))
        check_summary(dotted, parts)
        check_arguments(dotted, value, parts)
        check_others(dotted, parts)
        assert ">>> " in parts.get("Examples", ""), f"{dotted}: Examples"


def test_kernels_say_what_they_ask_for_and_what_they_cost():
    """A kernel checks nothing, so its page says what the caller has to know."""
    for dotted in KERNELS:
        value = found(dotted)
        if inspect.isclass(value):
            continue  # arrays that a kernel takes together
        parts = sections(inspect.getdoc(value))
        assert re.search(r"\bcosts?\b", parts.get("Notes", "")), f"{dotted}: the cost"
        for name in arguments(value):
            assert re.search(rf"\b{name}\b", parts["Parameters"]), f"{dotted}: {name}"
        asked = r"shape|of the form|[Aa]s in|power of two|at least"
        assert re.search(asked, parts["Parameters"]), f"{dotted}: what it asks for"


def methods():
    """Return the public methods that pages of classes show: (class, method) pairs."""
    pairs = {}
    for dotted in NAMES:
        if not inspect.isclass(found(dotted)) or dotted.startswith("nbfact.kernels."):
            continue
        for name in dir(found(dotted)):
            value = inspect.getattr_static(found(dotted), name, None)
            value = getattr(value, "__func__", value)
            ours = inspect.isfunction(value) and value.__module__.startswith("nbfact.")
            if name[0] != "_" and ours:
                pairs.setdefault(value.__qualname__, (dotted, name))
    return sorted(pairs.values())


def texts(owner):
    """Return the docstrings of a class and of its bases, and those of their methods."""
    found = []
    for base in owner.__mro__:
        values = [base, *vars(base).values()]
        found += [getattr(value, "__func__", value).__doc__ or "" for value in values]
    return [inspect.cleandoc(text) for text in found]


def described(owner, name):
    """Return the sections of a method, and those of what it overrides."""
    parts = {}
    for base in reversed(owner.__mro__):
        value = vars(base).get(name)
        if value is not None and value.__module__.startswith("nbfact."):
            parts.update(sections(inspect.cleandoc(value.__doc__)))
    return parts


def test_public_methods_are_described_and_their_pages_show_them():
    """An override is described by what it overrides, a page may share an example."""
    for dotted, name in methods():
        owner = found(dotted)
        value = inspect.getattr_static(owner, name)
        value, dotted = getattr(value, "__func__", value), f"{dotted}.{name}"
        parts = described(owner, name)
        check_summary(dotted, parts)
        other = re.search(BY_ANOTHER, parts[""], re.I)
        if other:
            places = dotted.rpartition(".")[0], "nbfact"
            assert any(resolves(f"{place}.{other[1]}") for place in places), other[1]
        else:
            check_arguments(dotted, value, parts)
        if "See Also" in parts:
            check_others(dotted, parts)
        examples = re.findall(r"^(?:>>>|\.\.\.) .*$", "\n".join(texts(owner)), re.M)
        assert any(f".{name}(" in line for line in examples), f"{dotted}: an example"
