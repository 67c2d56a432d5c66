"""Pages and docstrings name what exists: functions, commands, options, sections."""

import functools
import importlib
import inspect
import re
import tokenize
from pathlib import Path

import pytest

import nbfact as nf
from nbfact.studies import STUDIES

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
)
SOURCES = sorted(
    path
    for folder in ("nbfact", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
RECIPES = ROOT / "CONTRIBUTING.md"
"""The page that makes new names, by recipes that `test_contributing.py` carries out."""
TEXTS = [
    *(page for page in PAGES if page != RECIPES),
    *(path for path in SOURCES if "tests" not in path.parts),
]


def name_of(path):
    return str(path.relative_to(ROOT))


def slug(heading):
    """Return the anchor that GitHub and Sphinx give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_to_a_section_leads_to_a_heading(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        other = (page.parent / target).read_text(encoding="utf-8") if target else text
        headings = re.findall(r"^#+ (.*)$", other, re.M)
        assert anchor in map(slug, headings), f"{target}#{anchor}"


def test_a_public_name_that_is_written_out_exists():
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        for dotted in set(re.findall(r"(?<![\w.`/])`*nf((?:\.[A-Za-z_]\w*)+)", text)):
            found = nf
            for part in dotted[1:].split("."):
                if not (inspect.ismodule(found) or inspect.isclass(found)):
                    break  # an attribute of what a call returns
                assert hasattr(found, part), f"{name_of(path)}: nf{dotted}"
                found = getattr(found, part)


COMMANDS = ("bench", "factorize", "study", "compare", "gate", "report", "history")


@functools.cache
def options():
    """Return the options of each command, by its name."""
    typer = pytest.importorskip("typer")
    app = typer.Typer()
    for name in COMMANDS:
        app.command()(getattr(importlib.import_module(f"nbfact.cli.{name}"), name))
    return {
        name: {word for one in command.params for word in one.opts} | {"--help", "-h"}
        for name, command in typer.main.get_command(app).commands.items()
    }


COMMAND = re.compile(r"nbfact ((?:\w+)(?: [^`\n|#&]+)?)")


def test_a_command_that_is_written_out_exists():
    for path in TEXTS:
        for line in COMMAND.findall(path.read_text(encoding="utf-8")):
            command, *rest = line.split()
            if command not in COMMANDS:
                continue  # prose: "nbfact learns fast linear transforms"
            place = f"{name_of(path)}: nbfact {line}"
            if command == "study" and rest and re.match(r"[a-z_]+$", rest[0]):
                assert rest[0] in STUDIES, place
            for word in rest:
                if re.match(r"--?[a-z]", word):
                    name = word.split("=")[0].rstrip(",.;:)\"'")
                    assert name in options()[command], place


def test_the_page_on_studies_has_a_section_for_each():
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## (\w+)$", text, re.M)) == set(STUDIES)
    assert set(re.findall(r"^nbfact study (\w+)", text, re.M)) == set(STUDIES)


IDENTIFIER = re.compile(r"`([a-z]\w*_\w+|[A-Z][a-z]+[A-Z]\w*)(?:\([^`]*\))?`")
MEMBER = re.compile(r"`([A-Z]\w+)\.(\w+)(?:\([^`]*\))?`")
ELSEWHERE = {
    *("ks_values", "palm4msa_mhtp", "ParamsHierarchicalRectMatNoResCons"),  # FAµST
    *("share_logit", "named_target_matrix"),  # HazyResearch/butterfly
    *("nbfact_head", "mypkg_base", "ripple_base", "ripple_head"),
    *("data_j", "indices_j", "indptr_j", "shape_j"),  # made by a program
}
"""Identifiers of other packages, or that no line of the code spells out."""


@functools.cache
def names():
    """Return every name of the sources that is no part of a comment or a docstring."""
    found = set()
    for path in SOURCES:
        with open(path, "rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.NAME:
                    found.add(token.string)
                elif token.type == tokenize.STRING and "\n" not in token.string:
                    found.update(re.findall(r"\w+", token.string))
    return frozenset(found | {path.stem for path in SOURCES})


def test_an_identifier_in_backticks_stands_in_the_code():
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        found = set(IDENTIFIER.findall(text))
        found.update(part for pair in MEMBER.findall(text) for part in pair)
        unknown = found - ELSEWHERE - names()
        assert not unknown, f"{name_of(path)}: {sorted(unknown)}"
