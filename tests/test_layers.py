"""Imports go down the floors of the house only, and are relative."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nbfact"
KERNELS = (
    "norms select topk projections matching assignment structured sparse compress "
    "registers tiles hadamard butterfly gradient mixture kronecker kronecker_columns "
    "shuffled nearest parallel permute rank_one palm pairing"
)
BENCH = (
    "sample allocations faust peers machine store case operators products hadamard "
    "steps paper palm factorize clustering patterns planning approximate assignment "
    "cases verdicts table learn measure worker isolate revisions alongside compare "
    "gate history run"
)
REPORT = (
    "fields curves asvfiles timelines charts figures summaries provenance pages write"
)
STUDIES = (
    "options report intervals work tradeoff cost scale noise instances rank_one_blocks "
    "recovery exploration approximation patterns crossover products rates dao datasets "
    "clusterings giffon quickmeans run"
)
ALGORITHMS = (
    "factors result target projection sweeps palm4msa presets hierarchical "
    "least_squares refine splits candidates butterfly fits objectives twiddles "
    "descent gradient explore bipartition nests identify starts learn"
)
OPERATORS = (
    "base files product sum permutations patterns chain layouts plan program "
    "butterfly loading fourier cosines circulants transforms routing nearest"
)
ESTIMATORS = (
    "tiles factored points seeds recipes lloyd inputs quickmeans clusterers nystroem "
    "nearest neighbors"
)
TARGETS = "disturb products graphs digits meg transforms wavelets study"
# From the ground up. A package stands after its own modules: its __init__ imports
# them. The top package ("") imports all below it, and the harness may import it.
ORDER = [
    "_jit",
    *(f"kernels.{name}" for name in KERNELS.split()),
    "kernels",
    "_dtypes",
    "_checks",
    "_angles",
    "_files",
    "_jobs",
    "_dask",
    *(f"constraints.{name}" for name in "base sparse structured".split()),
    "constraints",
    *(f"operators.{name}" for name in OPERATORS.split()),
    "operators",
    "metrics",
    *(f"targets.{name}" for name in TARGETS.split()),
    "targets",
    *(f"algorithms.{name}" for name in ALGORITHMS.split()),
    "algorithms",
    *(f"estimators.{name}" for name in ESTIMATORS.split()),
    "estimators",
    "",
    *(f"bench.{name}" for name in BENCH.split()),
    "bench",
    *(f"report.{name}" for name in REPORT.split()),
    "report",
    *(f"studies.{name}" for name in STUDIES.split()),
    "studies",
    "factoring",
    "cli",
    "__main__",
]
COMPILERS = {"njit", "jit", "jitclass", "vectorize", "guvectorize", "cfunc", "stencil"}


def name_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path):
    """Yield what a file imports of the package, relative names resolved."""
    package = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "nbfact":
                    yield f"absolute {alias.name}"
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module.split(".")[0] == "nbfact":
                yield f"absolute {node.module}"
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                yield inner if inner in ORDER else module


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    name = name_of(path)
    assert name in ORDER, f"nbfact/{name}: give it a place in ORDER and in design.md"
    for other in imports(path):
        assert not other.startswith("absolute"), f"{name}: {other}; import relatively"
        assert other in ORDER, f"{name} imports {other}, which is not in the house"
        below = ORDER.index(other) < ORDER.index(name)
        assert below, f"{name} imports {other}, which stands above it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_one_decorator_compiles(path):
    name = name_of(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        used = {getattr(node, "id", None), getattr(node, "attr", None)}
        if isinstance(node, ast.Import | ast.ImportFrom):
            used = {alias.name for alias in node.names}
        if name != "_jit":
            assert not used & COMPILERS, f"{name}: compile with @kernel"
        if isinstance(node, ast.ImportFrom) and not name.startswith("kernels."):
            compiler = {node.module, *used} & {"_jit", "kernel"}
            assert not compiler, f"{name}: kernels live under kernels/"
