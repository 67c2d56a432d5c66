"""The README: its examples run, its commands are those of CI; docstrings too."""

import doctest
import importlib
import re
import shutil
import subprocess
import tomllib
import warnings
from pathlib import Path

import pytest
from samples import LATER

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [
        *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
        *(*ROOT.glob("docs/*.md"), *ROOT.glob("docs/guides/*.md")),
    ]
)
MODULES = sorted(
    "".join(f".{part}" for part in path.relative_to(ROOT / "nbfact").parts)
    .removesuffix(".py")
    .removesuffix(".__init__")
    for path in (ROOT / "nbfact").rglob("*.py")
    if path.name != "__main__.py"
)
COMPILED = [
    *(name for name in MODULES if name.startswith(".kernels.")),
    *(".algorithms.descent.descent_result", ".algorithms.descent.learn_butterfly"),
    *(".algorithms.butterfly.fits", ".algorithms.dictionaries.k_svd"),
    *(".algorithms.permutations.identify", ".constraints.partitions"),
    *(".estimators.nystroem", ".operators.hadamard"),
]
"""Modules whose examples compile kernels for seconds."""
HEAVY = (".estimators.fast_dictionary", ".estimators.quick_kmeans")
"""Modules whose examples take more than a minute interpreted: run compiled only."""
MAIN_JOB = 'pip install -e ".[bench]" && nbfact bench --quick'
DOCS = 'pip install -e ".[docs]" && sphinx-build -W -b html docs docs/_build'
TESTS = 'pip install -e ".[test]" && pytest -q -n 2 --dist loadfile -m "not slow"'


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run_examples(page, count):
    examples = blocks((ROOT / page).read_text(encoding="utf-8"), "python")
    assert len(examples) == count
    namespace = {}
    for number, example in enumerate(examples):
        exec(compile(example, f"{page} example {number}", "exec"), namespace)


@pytest.mark.pages
@pytest.mark.compiled
def test_the_examples_of_the_readme_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_examples("README.md", 5)


@pytest.mark.pages
def test_the_examples_of_the_page_on_butterflies_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_examples("docs/butterflies.md", 6)


@pytest.mark.pages
@pytest.mark.compiled
def test_the_examples_of_the_page_on_learning_run():
    run_examples("docs/learning.md", 3)


@pytest.mark.pages
def test_the_example_of_the_page_on_threads_runs():
    with warnings.catch_warnings():  # on one core there is one thread
        warnings.filterwarnings("ignore", "threads=2: 1 used")
        run_examples("docs/threads.md", 1)


@pytest.mark.pages
@pytest.mark.compiled
@pytest.mark.slow
def test_the_examples_of_the_page_on_clustering_run():
    pytest.importorskip("dask.array")
    run_examples("docs/clustering.md", 3)


@pytest.mark.pages
@pytest.mark.compiled
@pytest.mark.slow
def test_the_example_of_the_page_on_dictionaries_runs():
    pytest.importorskip("sklearn")
    run_examples("docs/dictionaries.md", 2)


@pytest.mark.pages
@pytest.mark.compiled
def test_the_examples_of_the_page_on_algorithms_print_what_it_says(capsys):
    run_examples("docs/algorithms.md", 2)
    presets, clean, tenth, equal, ones = capsys.readouterr().out.rsplit("\n", 5)[:5]
    exact, noisy, permuted = map(float, presets.split())
    assert exact <= 1e-13 and noisy < 1e-4
    assert 0.2 < permuted < 0.4
    # Sweeps of refine with a growing noise, and from ones.
    assert max(map(float, clean.split())) < 1e-14
    assert tenth == "0.1 0.43 0.14 0.082 0.082"
    assert equal == "1.0 0.73 0.66 0.59 0.58"
    assert ones == "0.94"


@pytest.mark.pages
@pytest.mark.parametrize(
    "module",
    [
        pytest.param(
            name,
            marks=[
                *[pytest.mark.compiled] * (name in HEAVY),
                *[pytest.mark.slow] * (name in HEAVY),
                *LATER * (name in COMPILED),
            ],
        )
        for name in MODULES
    ],
)
def test_the_examples_of_docstrings_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(f"nbfact{module}"))
    assert not result.failed
    assert not list(tmp_path.iterdir())


def test_every_block_of_python_on_a_page_is_run_by_some_test():
    elsewhere = [*ROOT.glob("docs/guides/*.md"), *ROOT.glob("docs/bibliography/*.md")]
    elsewhere += [ROOT / "docs" / "start.md"]  # all blocks of these pages are run
    elsewhere += [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "own_kernels.md"]
    here = Path(__file__).read_text(encoding="utf-8")
    for page in [*ROOT.glob("*.md"), *ROOT.rglob("docs/**/*.md")]:
        name = page.relative_to(ROOT).as_posix()
        if page not in elsewhere and not name.startswith(("docs/_", "docs/generated")):
            count = len(blocks(page.read_text(encoding="utf-8"), "python"))
            assert not count or f'run_examples("{name}", {count})' in here, name


def test_the_two_commands_stand_in_the_readme_on_one_line_each():
    lines = README.splitlines()
    assert lines.count(MAIN_JOB) == 1
    assert lines.count(TESTS) == 1
    assert lines.count(DOCS) == 1


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_ci_runs_the_commands_of_the_readme_and_every_check():
    script = ROOT / ".ci" / "run"
    done = subprocess.run(
        ["bash", script, "--list"], capture_output=True, text=True, check=True
    )
    listed = done.stdout.splitlines()
    install = TESTS.split(" && ")[0]
    assert listed[0] == install
    checks = ["ruff check", "ruff format --check", "codespell", "mypy"]
    assert listed[1:5] == checks
    interpreted, compiled, slow, covered, bounds, main_job = listed[5:11]
    tools, build, wheel, unpacked, site, oldest, smoke = listed[11:]
    assert tools == "pip install build twine"
    assert "python -m build" in build and "twine check --strict" in build
    job = MAIN_JOB.partition(" && ")[2]
    assert wheel == f'pip install "$(echo dist/*.whl)[bench]" && {job}'
    assert unpacked.startswith("tar -xzf dist/*.tar.gz ")
    assert site.endswith(f"/sdist && {DOCS}")
    assert interpreted.startswith("NUMBA_DISABLE_JIT=1 pytest ")
    assert " --cov " in interpreted and " --cov-append " in slow
    assert covered.startswith("coverage report")
    assert (compiled, main_job) == (TESTS, MAIN_JOB)
    assert slow.startswith("pytest ") and slow.endswith(" -m slow")
    assert bounds.startswith("python -m tests.fuzz --bounds ")
    with open(ROOT / "pyproject.toml", "rb") as file:
        declared = tomllib.load(file)["project"]["dependencies"]
    assert len(declared) == 3
    for dependency in declared:
        assert f"'{dependency.replace('>=', '==')}.*'" in oldest
    chosen = re.findall(r"(tests/\w+\.py)::(\w+)", smoke)
    assert chosen
    for page, test in chosen:
        assert f"def {test}(" in (ROOT / page).read_text(encoding="utf-8")
    text = script.read_text(encoding="utf-8")
    for command in (install, TESTS, MAIN_JOB, DOCS):
        assert command not in text, "CI reads its commands from the README"


def test_the_hooks_before_a_commit_are_the_checks_of_ci():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: (.*)", hooks)
    assert entries == [
        "ruff check --force-exclude",
        "ruff format --force-exclude",
        "codespell",
        "mypy",
    ]


# A figure that somebody measured: a time, a speed-up, a rate, a share.
FIGURE = re.compile(
    r"\d\s?(?:ns|µs|us|ms|s|GB/s|GFLOP/s|%|\u00d7|x faster|times)(?![\w/])"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_measured_figure_stands_in_a_section_with_its_command(page):
    for section in re.split(r"^#+ ", page.read_text(encoding="utf-8"), flags=re.M):
        if found := FIGURE.search(section):
            command = re.search(r"(?:^|`)(?:nbfact|python|pytest|asv) ", section, re.M)
            assert command, f"{page.name}: {found[0]!r} comes from which command?"


def test_the_figure_pattern_sees_figures():
    for text in ("in 12.5 ms", "takes 3 µs", "40 % of", "is 8\u00d7 faster", "7.6 ms."):
        assert FIGURE.search(text), text
    for text in ("with 4 entries", "0.12 m", "n = 1024", "Python 3.11 or"):
        assert not FIGURE.search(text), text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:nbfact|tests|benchmarks|docs)/[\w/.]*)`", text):
        assert (ROOT / path).exists(), path
