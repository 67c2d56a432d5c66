"""The site: how Sphinx turns the pages of this folder, and docstrings, into it.

README.md has the command. Nothing is fetched, neither by the build nor by a reader:
fonts, scripts and the search are files of the site.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import nbfact as nf  # noqa: E402

sys.modules["nbfact.presets"] = nf.presets  # the name that users write

project = "nbfact"
author = "the nbfact developers"
copyright = author
version = release = nf.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "gallery",  # the gallery's sources; what is shown is in generated/gallery
    "generated/gallery/*.py",
    "generated/gallery/*.ipynb",
]
templates_path = ["_templates"]
default_role = "py:obj"

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": "/plot_",
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
    "show_memory": False,
    "copyfile_regex": "",
    "plot_gallery": True,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "nbfact"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"start": [], "glossary": [], "architecture": []}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "use_edit_page_button": False,
    "pygments_light_style": "tango",
}

KEY = r"\[([a-z]+\d{4}[a-z]*)\]"
"""The key of an entry of the bibliography, as docstrings cite it."""

LINK = r"[`\1 <../../bibliography/references.html#\1>`__]"
"""What a page of the reference shows for such a key."""

CONTENTS = ("index.md", "guides/index.md")
"""The pages whose tables of contents name other pages of this folder."""


def results_of_studies() -> list[str]:
    """Return the pages of this folder that no table of contents names.

    A study writes its results into a page of its own, so a new one appears on the site
    without a line here.
    """
    listed = "".join((HERE / page).read_text(encoding="utf-8") for page in CONTENTS)
    named = set(re.findall(r"^(?:\.\./)?(\w+)$", listed, re.M))
    found = {path.stem for path in HERE.glob("*.md")}
    return sorted(found - named - {"index"})


def list_results(app, docname, source):
    """Put the pages of results below the page on studies."""
    if docname == "studies":
        pages = "\n".join(results_of_studies())
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def keep_bars(app, what, name, obj, options, lines):
    """Keep the bars of ``|x|`` in docstrings, and link and part their references.

    Sphinx takes bars for substitutions. What is in double backticks stays as it is.
    """
    shown, references = [], False
    for number, line in enumerate(lines):
        if line.startswith((".. rubric:: Examples", "Examples")):
            shown += lines[number:]
            break
        references |= line.startswith((".. rubric:: References", "References"))
        line = re.sub(r"(``.*?``)|\|", lambda m: m[1] or r"\|", line)
        shown.append(re.sub(KEY, LINK, line))
        if references and re.search(KEY + r"[.]?$", line):
            shown.append("")  # the next reference is a paragraph of its own
    lines[:] = shown


SHORT = re.compile(r"[A-Z]\w+|\w+_\w+|palm4msa|hierarchical")
"""Names in single backticks that are no argument, as far as their spelling says."""


def link_short_name(app, env, node, contnode):
    """Link the name of a class or function that stands without its module."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not SHORT.fullmatch(name):
        return None
    python = env.get_domain("py")
    places = {
        one
        for one, found in python.objects.items()
        if found.objtype in ("class", "function") and one.endswith(f".{name}")
    }
    if len(places) != 1:
        return None
    at = node["refdoc"], app.builder, "obj"
    return python.resolve_xref(env, *at, places.pop(), node, contnode)


def show_kernels_as_functions(app):
    """Let autodoc see the function that each kernel compiles.

    The examples of the gallery have run by then, with compiled kernels.
    """
    for name in nf.kernels.__all__:
        found = getattr(nf.kernels, name)
        setattr(nf.kernels, name, getattr(found, "py_func", found))


def setup(app):
    """Connect the functions above."""
    app.connect("source-read", list_results)
    app.connect("autodoc-process-docstring", keep_bars, priority=900)
    app.connect("missing-reference", link_short_name)
    app.connect("builder-inited", show_kernels_as_functions, priority=900)
