"""The recipes of CONTRIBUTING.md on a copy of the repository; links to the glossary."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
GLOSSARY = ROOT / "docs" / "glossary.md"
COPIED = ["nbfact", "tests", "benchmarks", "docs", "pyproject.toml"]
COPIED += ["CHANGELOG.md", "README.md"]

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")

BLOCK = re.compile(
    r"^<!-- (edit|run)(?:: (.+?))? -->\n```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL
)
"""A marker that a reader of the rendered page does not see, and the block after it.

``edit: PATH append`` adds the block to a file, or makes the file; ``edit: PATH after
LINE`` (or ``before``, ``replace``) puts it at the one line of the file that reads LINE,
and ``after-first`` at the first of several. ``run`` runs the block.
"""


def recipe(title):
    """Return the marked blocks of one section of CONTRIBUTING, in order."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert section, f"CONTRIBUTING.md has no section {title!r}"
    return BLOCK.findall(section[1])


def edit(file, how, line, block):
    """Change a file as a marker says."""
    if how == "append":
        text = f"{file.read_text(encoding='utf-8')}\n\n" if file.exists() else ""
        file.write_text(f"{text}{block}", encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    places = [i for i, found in enumerate(lines) if found.strip() == line]
    if how != "after-first":
        assert len(places) == 1, f"{file.name} has {len(places)} lines {line!r}"
    start = places[0] + how.startswith("after")
    lines[start : places[0] + (how != "before")] = [block]
    file.write_text("".join(lines), encoding="utf-8")


def run(language, block, folder):
    """Run a block, interpreted, in a process that imports the copy."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "NUMBA_DISABLE_JIT": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    shell = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(
        [sys.executable, "-c", block] if language == "python" else shell,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def copy(tmp_path):
    """Return a folder with a copy of what the recipes change."""
    ignored = shutil.ignore_patterns(
        *("__pycache__", "results", ".hypothesis", "_build", "generated", "*.png")
    )
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def carry_out(title, folder):
    """Carry out one section in a copy; return what its last command printed."""
    edited, output = set(), ""
    for kind, marker, language, block in recipe(title):
        if kind == "run":
            output = run(language, block, folder)
        else:
            path, how, line = [*marker.split(" ", 2), ""][:3]
            edit(folder / path, how, line, block)
            edited.add(path)
    assert edited and output, f"{title}: the markers of the blocks are gone"
    files = " ".join(path for path in edited if path.endswith(".py"))
    run(
        "bash", f"ruff check --ignore E501 {files}; ruff format --check {files}", folder
    )
    return output


@needs_bash
def test_the_copy_is_what_is_imported(copy):
    found = run("python", "import nbfact; print(nbfact.__file__)", copy)
    assert Path(found.strip()).is_relative_to(copy)


@needs_bash
@pytest.mark.pages
@pytest.mark.slow
def test_add_a_projection(copy):
    output = carry_out("Add a projection", copy)
    passed = re.search(r"^(\d+) passed", output, re.MULTILINE)
    assert passed and int(passed[1]) >= 15, output


@needs_bash
@pytest.mark.pages
@pytest.mark.slow
def test_add_a_study(copy):
    pytest.importorskip("matplotlib")
    pytest.importorskip("typer")
    output = carry_out("Add a study", copy)
    assert "6 rows" in output
    assert (copy / "runs" / "largest_entries.csv").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_the_glossary_lead_to_an_entry(page):
    entries = re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    anchors = {re.sub(r"[^\w -]", "", e.lower()).replace(" ", "-") for e in entries}
    links = re.findall(r"glossary\.md#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert set(links) <= anchors
