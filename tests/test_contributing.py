"""The recipe of CONTRIBUTING.md on a copy of the repository; links to the glossary."""

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
COPIED = ["nbfact", "tests", "benchmarks", "pyproject.toml", "CHANGELOG.md"]

BLOCK = re.compile(
    r"^<!-- (edit|run)(?:: (.+?))? -->\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL
)
"""A marker that a reader of the rendered page does not see, and the block after it.

``edit: PATH append`` adds the block to a file; ``edit: PATH after LINE`` (or ``before``,
``replace``) puts it at the one line of the file that reads LINE, and ``after-first`` at
the first of several. ``run`` runs the block.
"""


def recipe(title):
    """Return the marked blocks of one section of CONTRIBUTING, in order."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert section, f"CONTRIBUTING.md has no section {title!r}"
    return BLOCK.findall(section[1])


def edit(file, how, line, block):
    """Change a file as a marker says."""
    text = file.read_text(encoding="utf-8")
    if how == "append":
        between = "\n" if text.endswith("\n\n") else "\n\n"
        file.write_text(f"{text}{between}{block}", encoding="utf-8")
        return
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
    ignored = shutil.ignore_patterns("__pycache__", "results", ".hypothesis")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_add_a_projection(copy):
    blocks = recipe("Add a projection")
    assert {language for _, _, language, _ in blocks} == {"python", "bash", "markdown"}
    origin = run("python", "import nbfact; print(nbfact.__file__)", copy)
    assert Path(origin.strip()).is_relative_to(copy)
    edited, output = set(), ""
    for kind, marker, language, block in blocks:
        if kind == "run":
            output = run(language, block, copy)
        else:
            path, how, line = [*marker.split(" ", 2), ""][:3]
            edit(copy / path, how, line, block)
            edited.add(path)
    passed = re.search(r"^(\d+) passed", output, re.MULTILINE)
    assert passed and int(passed[1]) >= 15, output
    files = " ".join(path for path in edited if path.endswith(".py"))
    run("bash", f"ruff check --ignore E501 {files}; ruff format --check {files}", copy)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_the_glossary_lead_to_an_entry(page):
    entries = re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    anchors = {re.sub(r"[^\w -]", "", e.lower()).replace(" ", "-") for e in entries}
    links = re.findall(r"glossary\.md#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    assert set(links) <= anchors
