"""
A Pareto plot from the harness
==============================

The harness of nbfact times implementations of one computation in turn, and compares
each result with its error bound. Here it measures the Hadamard transform of order 1024
and draws error against time: what is left and low is better. The times are those of the
machine that built this page, which did other things meanwhile.
"""

import contextlib
import io
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from nbfact.cases.nbfact_project import NBFACT
from nbfact.harness.run import run_bench

# %%
# The command ``nbfact bench --quick -k "hadamard n=1024 batch=1 *" -o rows.jsonl``
# does the same; rows are lines of JSON.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "rows.jsonl")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = run_bench(NBFACT, "quick", "hadamard n=1024 batch=1 *", output=path)
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["kind"] == "bench"]
assert code == 0, "a result is wrong"

# %%
# A row has the name of the implementation, its time and its error.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for row in rows:
    point = row["time"]["median"] * 1e6, row["error"]
    axes.loglog(*point, "o", markersize=9, label=row["impl"])
axes.margins(0.2)
figure.legend(loc="outside right upper")
axes.set(xlabel="median time of one product (µs)", ylabel="relative error")
plt.show()
