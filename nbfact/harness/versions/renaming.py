"""Make the modules of a package import one another under another name.

Each version of a comparison is imported under a name of its own. Relative imports
follow that by themselves. Import statements that write the name of the package out
(``import mypkg.core``, ``from mypkg import core``) are rewritten in the copy of the
sources, line for line. What is imported by a name made at run time cannot be rewritten,
and is refused with its place (:class:`SelfImports`), because it would bring another
version in.
"""

import ast
import importlib.abc
import re
import sys


def renamed(content: bytes, name: str, alias: str) -> bytes:
    """Return a source whose imports of a package are imports of its alias.

    Parameters
    ----------
    content : bytes
        A source file. One that Python cannot read is returned as it is.
    name, alias : str
        Name of the package, and the name that it gets.

    Returns
    -------
    bytes
        A source of as many lines.

    Examples
    --------
    >>> renamed(b"import p.core, numpy", "p", "p_base")
    b'import p_base.core, p_base as p, numpy'
    >>> renamed(b"from p.core import (a,  # first", "p", "p_base")
    b'from p.core import (a,  # first'
    >>> renamed(b"if 1: from p.core import a as b", "p", "p_base")
    b'if 1: from p_base.core import a as b'
    """
    if not re.search(rb"\b(import|from)\b[^\n#]*\b" + name.encode() + rb"\b", content):
        return content
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return content
    lines = content.split(b"\n")
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        start, end = node.col_offset, node.end_col_offset
        before, after = lines[first][:start], lines[last][end:]
        if isinstance(node, ast.ImportFrom):
            if not node.level and _inside(node.module or "", name):
                rest = lines[first][start:].split(name.encode(), 1)
                lines[first] = before + alias.encode().join(rest)
        elif any(_inside(one.name, name) for one in node.names):
            text = "import " + ", ".join(_imports(node.names, name, alias))
            # Backslashes join the lines, whose number stays the same.
            more = (
                [before + b"\\", *[b"\\"] * (last - first - 1)] if last > first else []
            )
            final = (b"" if more else before) + text.encode() + after
            lines[first : last + 1] = [*more, final]
    return b"\n".join(lines)


def _inside(module, name):
    return module == name or module.startswith(f"{name}.")


def _imports(names, name, alias):
    """Yield the parts of an import statement, with the alias for the package."""
    for one in names:
        if not _inside(one.name, name):
            yield f"{one.name} as {one.asname}" if one.asname else one.name
            continue
        new = alias + one.name.removeprefix(name)
        if one.asname:
            yield f"{new} as {one.asname}"
        else:  # the statement binds the name of the package
            yield from ([new] if new != alias else [])
            yield f"{alias} as {name}"


class SelfImports(importlib.abc.MetaPathFinder):
    """Refuse to import a package whose versions are imported under other names.

    Parameters
    ----------
    name : str
        Name of the package.
    """

    def __init__(self, name: str):
        self.name = name

    def find_spec(self, fullname, path=None, target=None):
        """Raise ImportError for the package, with the place that imports it."""
        if not _inside(fullname, self.name):
            return None
        frame = sys._getframe(1)
        while frame.f_back and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        place = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
        raise ImportError(
            f"{place}: imports {fullname!r} by a name made at run time, which would "
            "mix the versions that are compared; an import statement is needed there",
            name=fullname,
        )
