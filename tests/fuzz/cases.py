"""A case: one line of Python, with what is known of each of its arguments."""

import string
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

OMITTED = "<omitted>"
"""Text of a value that stands for leaving the argument out."""

GOOD, ODD, BAD = "good", "odd", "bad"
"""What becomes of a value: it must work; it may work or be refused; it must be refused.
What works must be right in each case."""


@dataclass(frozen=True)
class Value:
    """A value for an argument.

    Attributes
    ----------
    text : str
        Python source that makes it from the names of ``fuzz.values``.
    kind : str
        What is special about it, for the table.
    verdict : str
        `GOOD`, `ODD` or `BAD`.
    """

    text: str
    kind: str = "plain"
    verdict: str = GOOD


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    entry : str
        Name of the entry, such as "transforms.dct".
    template : str
        The call, with the names of arguments in braces: ``"{self} @ {x}"``.
    texts : dict of str
        The source of each argument.
    kind, verdict : str
        Those of the one value that is not good; otherwise of the last good one.
    culprit : str
        Name of the argument with that value; empty where all are good.
    """

    entry: str
    template: str
    texts: dict[str, str]
    kind: str
    verdict: str
    culprit: str = ""

    @property
    def line(self) -> str:
        """The call as one line, which runs after ``from fuzz.values import *``."""
        return self.template.format(**self.texts)

    @property
    def expression(self) -> str:
        """The call with the names of its arguments in their places."""
        return self.template.format(**{name: name for name in self.texts})

    def as_json(self) -> dict:
        """Return the case as a dictionary that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Entry:
    """A public callable, what it is called with, and what it must return.

    Attributes
    ----------
    name : str
        Name below ``nf``, such as "transforms.dct" or "Butterfly.fuse".
    recipe : callable
        ``recipe(draw)`` returns the template and a dictionary of the pools of its
        arguments by name; ``draw`` draws from a Hypothesis strategy.
    check : callable
        ``check(call)`` raises an AssertionError unless the result is right.
    words : tuple of str
        Words that stand for the arguments in messages, besides their names: an operand
        of ``@`` has no name that a user sees.
    raises : tuple of type
        Exceptions that this callable raises as its docstring says, besides ValueError
        and TypeError: IndexError of ``F[99]``, OSError of files.
    warns : tuple of str
        Beginnings of warnings that it issues as its docstring says.
    """

    name: str
    recipe: Callable
    check: Callable
    words: tuple[str, ...] = ()
    raises: tuple[type, ...] = ()
    warns: tuple[str, ...] = field(default=("threads=",))


ENTRIES: dict[str, Entry] = {}
"""All entries by name; the modules of ``fuzz.entries`` fill it."""


def entry(name, check, **options):
    """Return a decorator that makes an `Entry` of a recipe, and returns the recipe."""

    def register(recipe):
        assert name not in ENTRIES, f"two entries {name}"
        ENTRIES[name] = Entry(name, recipe, check, **options)
        return recipe

    return register


def called(function, pools, *, positional=()):
    """Return the template of a call by keywords, and its pools.

    Parameters
    ----------
    function : str
        Such as ``"nf.transforms.dct"`` or ``"{self}.matvec"``.
    pools : dict
        The pools by name of argument; "self" is for the function alone.
    positional : sequence of str
        Names of the arguments that have no keyword.
    """
    own = {name for _, name, _, _ in string.Formatter().parse(function) if name}
    arguments = [
        f"{{{name}}}" if name in positional else f"{name}={{{name}}}"
        for name in pools
        if name not in own
    ]
    return f"{function}({', '.join(arguments)})", pools


def without(template, name):
    """Return the template of a call without one of its keywords."""
    for text in (f", {name}={{{name}}}", f"{name}={{{name}}}, ", f"{name}={{{name}}}"):
        if text in template:
            return template.replace(text, "", 1)
    raise AssertionError(f"{name} is no keyword of {template}")
