"""The bibliography: citations have entries, which are cited and say their state."""

import importlib.util
import inspect
import operator
import re
import runpy
import sys
import unicodedata
from pathlib import Path

import pytest

import nbfact as nf
from nbfact.studies import STUDIES

ROOT = Path(__file__).parents[1]
BIBLIOGRAPHY = ROOT / "docs" / "bibliography"
PAGES = sorted(BIBLIOGRAPHY.glob("*.md"))
KEY = r"[a-z]+\d{4}[a-z]*"


def script(name):
    """Return a script of docs/bibliography as a module."""
    spec = importlib.util.spec_from_file_location(name, BIBLIOGRAPHY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = script("make_references")
ENTRIES = make.entries(make.SOURCE.read_text(encoding="utf-8"))


def public(name):
    """Return what a name such as nf.constraints.SkPerm names."""
    return operator.attrgetter(name.partition(".")[2])(nf)


def test_the_page_of_references_is_in_step_with_its_source():
    assert make.PAGE.read_text(encoding="utf-8") == make.page()


def test_there_are_sixty_references_or_more():
    assert len(ENTRIES) >= 60


def test_each_citation_has_an_entry_and_each_entry_a_citation():
    pages = make.citations()
    assert set(pages) == set(ENTRIES)
    study = {
        key for key, where in pages.items() if any("bibliography/" in p for p in where)
    }
    assert study == set(ENTRIES)


def test_entries_are_whole():
    for key, entry in ENTRIES.items():
        surname = unicodedata.normalize("NFKD", entry["author"].split(",")[0].lower())
        first = "".join(
            letter for letter in surname if letter.isascii() and letter.isalpha()
        )
        assert re.fullmatch(KEY, key)
        assert key.startswith(first + entry["year"])
        assert entry["title"] and re.fullmatch(r"\d{4}", entry["year"]), key
        where = {"journal", "booktitle", "institution", "howpublished", "eprint"}
        assert where & set(entry), key
        assert {"implemented", "compared", "related"} & set(entry), key


def test_entries_say_that_they_are_verified_or_what_is_not():
    for key, entry in ENTRIES.items():
        state = {"verified": r"Verified: ", "unverified": r"(?:.*\. )?Not verified: \w"}
        assert re.match(state[entry["keywords"]], entry["note"]), key
        unverified = entry["keywords"] == "unverified"
        assert ("Not verified" in entry["note"]) == unverified, key


def test_what_entries_name_exists():
    for key in ENTRIES:
        for field in make.RELATIONS:
            for name in make.names(ENTRIES[key], field):
                if name.startswith("study "):
                    assert name.removeprefix("study ") in STUDIES, key
                else:
                    assert callable(public(name)), name
        implemented = make.names(ENTRIES[key], "implemented")
        assert all(name.startswith("nf.") for name in implemented), key


def test_what_implements_an_entry_names_it_in_its_docstring():
    for key in (k for k in ENTRIES if "implemented" in ENTRIES[k]):
        for name in make.names(ENTRIES[key], "implemented"):
            assert f"[{key}]" in public(name).__doc__, f"{name}: [{key}]"


def test_the_section_of_a_study_links_to_what_it_compares_with():
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    found = 0
    for key, entry in ENTRIES.items():
        for name in make.names(entry, "compared"):
            study = name.removeprefix("study ")
            assert f"references.md#{key})" in sections[study], f"{study}: {key}"
            found += 1
    assert found


def test_a_key_in_a_docstring_has_an_entry():
    found = set()
    for path in (ROOT / "nbfact").rglob("*.py"):
        found.update(re.findall(rf"\[({KEY})\]", path.read_text(encoding="utf-8")))
    assert found <= set(ENTRIES)
    assert found


def test_the_site_links_a_key_in_a_docstring(monkeypatch):
    """To the entry, which has the key as its heading, and names what implements it."""
    monkeypatch.setitem(sys.modules, "nbfact.presets", nf.presets)  # as conf.py does
    monkeypatch.setattr(sys, "path", [*sys.path])
    conf = runpy.run_path(str(ROOT / "docs" / "conf.py"))
    lines = inspect.getdoc(nf.palm4msa).splitlines()
    conf["keep_bars"](None, "function", "nbfact.palm4msa", nf.palm4msa, None, lines)
    target = "<../../bibliography/references.html#lemagoarou2016>`__]"
    assert f"[`lemagoarou2016 {target}" in "\n".join(lines)
    heads = re.findall(r"^## (.*)$", make.PAGE.read_text(encoding="utf-8"), re.M)
    assert heads == sorted(ENTRIES)
    assert "{py:obj}`nbfact.palm4msa`" in make.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_page(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).is_file(), target


def test_the_index_lists_every_page():
    text = (BIBLIOGRAPHY / "index.md").read_text(encoding="utf-8")
    (toctree,) = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.M | re.S)
    listed = [line for line in toctree.splitlines() if line and line[0] != ":"]
    assert sorted(f"{name}.md" for name in listed) == [
        page.name for page in PAGES if page.stem != "index"
    ]
    for name in listed:
        assert f"]({name}.md)" in text


@pytest.mark.pages
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, capsys):
    """The code of a page checks what the page says, by assertions."""
    namespace = {}
    text = page.read_text(encoding="utf-8")
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    ):
        exec(compile(block, f"{page.name} example {number}", "exec"), namespace)
    capsys.readouterr()


def test_the_glossary_is_in_alphabetical_order():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [term.lower() for term in re.findall(r"^## (.*)$", text, re.M)]
    assert terms == sorted(terms)
