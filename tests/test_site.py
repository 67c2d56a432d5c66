"""The site: every public name and every page has a place; its programs run."""

import inspect
import operator
import re
from pathlib import Path

import pytest
from test_readme import blocks

import nbfact as nf

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAMESPACES = {
    "nbfact": [*nf.__all__, *nf._PLACES["estimators"]],
    **{
        f"nbfact.{name}": getattr(nf, name).__all__
        for name in (
            *("constraints", "kernels", "metrics", "operators", "presets"),
            *("targets", "transforms"),
        )
    },
    "nbfact.algorithms": nf.algorithms.__all__,
}
"""The lists of public names, by what users write before the dot."""


def found(dotted):
    """Return the object that a dotted name of nbfact stands for."""
    name = dotted.partition(".")[2]
    return operator.attrgetter(name)(nf) if name else nf


def listed():
    """Return the names that have a page: those in lists that make pages."""
    names = []
    for path in sorted(DOCS.glob("reference/*.rst")):
        text = path.read_text(encoding="utf-8")
        for block in re.split(r"^\.\. autosummary::$", text, flags=re.M)[1:]:
            options, _, rest = block.lstrip("\n").partition("\n\n")
            assert "   :toctree: ../generated/reference" in options, path
            names += re.findall(r"\A(?:   nbfact\.[\w.]+\n)+", rest)
    return re.findall(r"nbfact\.[\w.]+", "".join(names))


def test_the_lists_of_names_are_read_whole():
    """So that no test of all public names passes because a list was not found."""
    assert all(NAMESPACES.values())
    names = listed()
    for path in DOCS.glob("reference/*.rst"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"^   (nbfact\.[\w.]+)$", text, re.M)) <= set(names)
    places = {name.rpartition(".")[0] for name in names}
    assert places >= {*NAMESPACES, "nbfact.harness"}


def test_every_public_name_has_a_page_of_the_reference():
    pytest.importorskip("sklearn")
    names = listed()
    assert len(names) == len(set(names))
    harness = [name for name in names if name.startswith("nbfact.harness.")]
    documented = {id(found(name)) for name in set(names) - set(harness)}
    for place, public in NAMESPACES.items():
        for name in public:
            value = found(f"{place}.{name}")
            if not inspect.ismodule(value):
                assert id(value) in documented, f"{place}.{name}"
    from nbfact import harness as rooms

    assert {name.rpartition(".")[2] for name in harness} == set(rooms.__all__)


def contents():
    """Return every page that a table of contents lists, as a path without suffix."""
    pages = set()
    for path in [*DOCS.rglob("*.md"), *DOCS.glob("reference/*.rst")]:
        if {"_build", "generated"} & set(path.relative_to(DOCS).parts):
            continue
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.M | re.S)
        blocks += re.findall(r"^\.\. toctree::\n(.*?)(?=^\S)", text, re.M | re.S)
        for line in map(str.strip, "\n".join(blocks).splitlines()):
            if line and not line.startswith(":"):
                pages.add((path.parent / line).resolve())
    return pages


def test_a_table_of_contents_lists_pages_that_exist():
    for page in contents():
        if "generated" not in page.parts:
            found = [page.with_suffix(suffix).exists() for suffix in (".md", ".rst")]
            assert any(found), page


GALLERY = sorted(DOCS.glob("gallery/plot_*.py"))


def test_the_gallery_has_ten_programs():
    assert len(GALLERY) >= 10


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_a_program_of_the_gallery_has_a_title_and_ends_in_a_picture(path):
    text = path.read_text(encoding="utf-8")
    title, line = text.removeprefix('"""\n').splitlines()[:2]
    assert line == "=" * len(title)
    assert "plt.show()" in text


def test_no_page_asks_the_network_for_anything():
    for path in [*DOCS.glob("_static/*"), DOCS / "conf.py"]:
        assert not re.search(r"https?://", path.read_text(encoding="utf-8")), path
    for path in DOCS.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"!\[[^\]]*\]\(https?:", text), path


def test_no_line_of_a_page_begins_with_a_percent_sign():
    for path in DOCS.rglob("*.md"):  # the site would leave it out, as a comment
        assert not re.search(r"^ *%", path.read_text(encoding="utf-8"), re.M), path


PROGRAMS = [
    path
    for path in [DOCS / "start.md", *sorted(DOCS.glob("guides/*.md"))]
    if blocks(path.read_text(encoding="utf-8"), "python")
]


@pytest.mark.pages
@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_program_of_a_page_runs(path, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for number, block in enumerate(blocks(path.read_text(encoding="utf-8"), "python")):
        exec(compile(block, f"{path.name} example {number}", "exec"), namespace)


@pytest.mark.pages
@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_a_program_of_the_gallery_runs(path, monkeypatch, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "gallery", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    import matplotlib.pyplot as plt

    assert plt.get_fignums()
    plt.close("all")
