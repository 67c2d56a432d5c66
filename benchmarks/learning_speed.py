"""Print how long learn_transform takes on targets that no structure matches exactly.

``python benchmarks/learning_speed.py 32,64,128 [CHECKOUT]``: the arguments are orders
n, and a folder with another version of the sources to compare with. The targets are a
Gaussian matrix, the eigenvectors of a random graph, a lead field and the matrix of a
kernel, with a quarter of their entries as the budget. Each search runs in a process of
its own, with one thread, after a small one that reads the compiled code; it prints
seconds of CPU, of the whole and of the rounds that anneal, and the relative error. The
last line is the geometric mean of the ratios to the other version.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

KINDS = ("gaussian", "graph", "lead field", "kernel")
"""Names of the targets."""

SEARCH = """
import json, sys, time
import numpy as np
import nbfact as nf

def target(kind, n):
    rng = np.random.default_rng(7)
    if kind == "gaussian":
        return rng.standard_normal((n, n))
    if kind == "graph":
        upper = np.triu(rng.random((n, n)) < 0.2, 1)
        weights = (upper | upper.T).astype(float)
        return np.linalg.eigh(np.diag(weights.sum(1)) - weights)[1]
    if kind == "lead field":
        return np.asarray(nf.targets.leadfield(n, 2 * n, random_state=7))
    x = np.sort(rng.random(n))
    return np.exp(-np.abs(x[:, None] - x) / 0.1)

ended = time.process_time()
seconds = {}

def spent(state):
    global ended
    now = time.process_time()
    name = "rounds" if state.phase.endswith("annealed") else "rest"
    seconds[name] = seconds.get(name, 0.0) + now - ended
    ended = now

kind, n = sys.argv[1], int(sys.argv[2])
nf.learn_transform(target("gaussian", 17), rcg=4, effort="quick", random_state=0)
matrix, ended = target(kind, n), time.process_time()
found = nf.learn_transform(matrix, rcg=4, random_state=0, callback=spent)
seconds["error"] = found.relative_error
print(json.dumps(seconds))
"""
"""What a process runs: its last line is a JSON object."""


def search(folder: Path, kind: str, n: int) -> tuple[float, float, float]:
    """Return seconds of CPU, those of rounds, and the error, with some sources."""
    environment = dict(os.environ, PYTHONPATH=str(folder))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, kind, str(n)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    rounds = found.get("rounds", 0.0)
    return found["rest"] + rounds, rounds, found["error"]


def main() -> None:
    """Print a line for each target, and the means."""
    sizes = [int(n) for n in sys.argv[1].split(",")]
    here = Path(__file__).resolve().parent.parent
    folders = [here, *(Path(folder).resolve() for folder in sys.argv[2:3])]
    ratios: list[tuple[float, float]] = []
    for n in sizes:
        for kind in KINDS:
            found = [search(folder, kind, n) for folder in reversed(folders)]
            line = " -> ".join(
                f"{whole:7.2f} s (rounds {rounds:6.2f}) error {error:.6f}"
                for whole, rounds, error in found
            )
            print(f"n={n:4d} {kind:10s} {line}", flush=True)
            if len(found) == 2:
                old, new = found
                # The rounds of a search may be over before they begin.
                of_rounds = old[1] / new[1] if old[1] and new[1] else math.nan
                ratios.append((old[0] / new[0], of_rounds))
    for name, part in (("search", 0), ("rounds", 1)):
        known = [math.log(pair[part]) for pair in ratios if pair[part] > 0]
        if known:
            print(f"{name}: {math.exp(sum(known) / len(known)):.2f} times as fast")


if __name__ == "__main__":
    main()
